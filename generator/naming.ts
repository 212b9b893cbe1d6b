/**
 * Every decision from a name of the API to a name in the output. A name depends only on what it names: adding a group or a
 * kind never renames another. Where two things would get one name, the caller refuses or numbers them, by rule.
 */

import { createHash } from "node:crypto";

/** client-go's names of the groups that a kube-apiserver itself serves: accessor, folder, and last part of the Go package. */
const builtInGroups: ReadonlyMap<string, string> = new Map([
  ["", "core"],
  ["admissionregistration.k8s.io", "admissionregistration"],
  ["apiextensions.k8s.io", "apiextensions"],
  ["apiregistration.k8s.io", "apiregistration"],
  ["apps", "apps"],
  ["authentication.k8s.io", "authentication"],
  ["authorization.k8s.io", "authorization"],
  ["autoscaling", "autoscaling"],
  ["batch", "batch"],
  ["certificates.k8s.io", "certificates"],
  ["coordination.k8s.io", "coordination"],
  ["discovery.k8s.io", "discovery"],
  ["events.k8s.io", "events"],
  ["extensions", "extensions"],
  ["flowcontrol.apiserver.k8s.io", "flowcontrol"],
  ["imagepolicy.k8s.io", "imagepolicy"],
  ["internal.apiserver.k8s.io", "internal"],
  ["networking.k8s.io", "networking"],
  ["node.k8s.io", "node"],
  ["policy", "policy"],
  ["rbac.authorization.k8s.io", "rbac"],
  ["resource.k8s.io", "resource"],
  ["scheduling.k8s.io", "scheduling"],
  ["storage.k8s.io", "storage"],
  ["storagemigration.k8s.io", "storagemigration"],
]);

const builtInFolders = new Set([...builtInGroups.values(), "meta"]);

export function isBuiltInGroup(group: string): boolean {
  return builtInGroups.has(group);
}

/** Members that a factory has of its own, so that no group's accessor may take their place. */
const factoryMembers = new Set(
  (
    "constructor dispose forResource hasOwnProperty health informerFor isPrototypeOf live metadata namespace " +
    "propertyIsEnumerable ready resources roles run shutdown source start toLocaleString toString valueOf waitForCacheSync"
  ).split(" "),
);

/** What of a resource's address carries a suffix, because another one would have the same name without (see clashes.ts). */
export type AddressPart = "group" | "version" | "kind";

/** The parts of an address that names are made from. */
export interface Address {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The plural. */
  readonly resource: string;
  readonly suffixed?: readonly AddressPart[];
}

/** Six letters and digits that depend on a full name alone. */
function suffixOf(fullName: string): string {
  return createHash("sha256").update(fullName).digest("hex").slice(0, 6);
}

function suffixFor(part: AddressPart, { group, version, resource, suffixed = [] }: Address): string {
  if (!suffixed.includes(part)) return "";
  return suffixOf(part === "group" ? group : part === "version" ? `${version}.${group}` : `${resource}.${group}`);
}

/** Methods that a class cannot have, or that would make `await` call it. */
function memberName(name: string): string {
  return name === "constructor" || name === "then" ? `${name}_` : name;
}

/** The names of a resource on the way from a factory to its informer. */
export function accessorsOf(address: Address): { group: string; version: string; resource: string } {
  const named = (part: AddressPart, name: string) => {
    const suffix = suffixFor(part, address);
    return suffix === "" ? name : `${name}_${suffix}`;
  };
  return {
    group: named("group", groupAccessor(address.group)),
    version: named("version", versionAccessor(address.version)),
    resource: named("kind", resourceAccessor(address.kind, address.resource)),
  };
}

/** `CoreInformers`, `CoreV1Informers`. */
export function classesOf(address: Address): { group: string; version: string } {
  const { group, version } = accessorsOf(address);
  return {
    group: `${pascalCase(group)}Informers`,
    version: `${pascalCase(group)}${pascalCase(version)}Informers`,
  };
}

/** Where the types of a custom kind stand: beside its descriptor. */
export function kindPlacement(address: Address): Placement {
  const { group, version, kind } = address;
  const suffix = suffixFor("kind", address);
  return {
    module: `${groupFolder(group)}/${version}/${kindFile(kind)}${suffix === "" ? "" : `-${suffix}`}`,
    name: kindType(kind) + (suffix === "" ? "" : `_${suffix}`),
  };
}

/** `core`, `rbac`, `certManagerIo`: the method of a factory that leads to a group. */
export function groupAccessor(group: string): string {
  const short = builtInGroups.get(group);
  if (short !== undefined && !factoryMembers.has(short)) return short;
  const name = camelCase(group.split(/[.-]/));
  const safe = /^[0-9]/.test(name) ? `_${name}` : name;
  return factoryMembers.has(safe) ? `${safe}Group` : safe;
}

/** Windows keeps these names for devices, with any extension. */
const deviceName = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/;

/** The folder of a group. A full group name is its own folder: lower case and unique on every file system. */
export function groupFolder(group: string): string {
  return builtInGroups.get(group) ?? (deviceName.test(group) ? `_${group}` : group);
}

/** `v1`, `v1beta1`; a version name is a DNS label, so it may have dashes. */
export function versionAccessor(version: string): string {
  return memberName(camelCase(version.split("-")));
}

/** `cron-tab`, `csi-driver`, `horizontal-pod-autoscaler`: the file of a kind. */
export function kindFile(kind: string): string {
  const name = kind
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
  return deviceName.test(name) || name === "index" || name === "types" ? `${name}-kind` : name;
}

/** The type of a kind. Kinds may be lower case and may have dashes. */
export function kindType(kind: string): string {
  return kind.split("-").map(pascalCase).join("");
}

/**
 * `pods`, `networkPolicies`, `csiDrivers`, `serviceCIDRs`: the plural, with the capitals of the kind as far as the two agree.
 * It is client-go's accessor with a small first letter.
 */
export function resourceAccessor(kind: string, plural: string): string {
  const camel = lowerFirst(kind.replaceAll("-", ""));
  const letters = plural.replaceAll("-", "");
  let common = 0;
  while (common < camel.length && common < letters.length && camel[common]!.toLowerCase() === letters[common]) common++;
  return memberName(camel.slice(0, common) + letters.slice(common));
}

/** The constant that holds a descriptor: the accessor, unless that is a word that cannot name a constant. */
export function descriptorName(accessor: string): string {
  return reservedWords.has(accessor) ? `${accessor}_` : accessor;
}

const reservedWords = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false " +
    "finally for function if implements import in instanceof interface let new null package private protected public return " +
    "static super switch this throw true try typeof undefined var void while with yield"
  ).split(" "),
);

/** A part of a nested type's name: the property `issuerRef` adds `IssuerRef`. Characters that no identifier has are dropped. */
export function nestedTypePart(property: string): string {
  const words = property.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return words.length === 0 ? "Field" : words.map(pascalCase).join("");
}

export interface Placement {
  /** Path of the module below the output folder, without extension. */
  readonly module: string;
  readonly name: string;
}

/** Key that a kube-apiserver gives the schema of a custom resource: `io.cert-manager.v1.Certificate`. */
export function customSchemaKey(group: string, version: string, kind: string): string {
  return [...group.split(".").reverse(), version, kind].join(".");
}

/**
 * Where a named schema of an OpenAPI document stands: in the `types` of its Go package's group and version. A package that
 * serves no group keeps its own name as its folder.
 *
 * @param owner the group and version that the other schemas of its package belong to, if they do
 */
export function schemaPlacement(key: string, owner: { group: string; version: string } | undefined): Placement {
  const parts = key.split(".");
  const name = typeIdentifier(parts.at(-1)!);
  const version = folderOf(parts.at(-2) ?? "");
  const goPackage = parts.slice(0, -2).join(".");
  const kubernetes = /^io\.k8s\.(?:api|[a-z-]+\.pkg\.apis)\.([a-z]+)$/.exec(goPackage)?.[1];
  if (kubernetes !== undefined && builtInFolders.has(kubernetes))
    return { module: `${kubernetes}/${version}/types`, name };
  if (owner !== undefined) return { module: `${groupFolder(owner.group)}/${owner.version}/types`, name };
  return { module: `${folderOf(goPackage)}/${version}/types`, name };
}

function folderOf(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/\.{2,}/g, ".")
    .replace(/^[.-]+|[.-]+$/g, "");
  return name === "" || deviceName.test(name) ? `_${name}` : name;
}

function typeIdentifier(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_]+/g, "_");
  return /^[A-Za-z_]/.test(name) ? pascalCase(name) : `_${name}`;
}

/** `CSIDriver` → `csiDriver`, `IPAddress` → `ipAddress`, `S3` → `s3`. */
function lowerFirst(name: string): string {
  const run = /^[A-Z]+/.exec(name)?.[0].length ?? 0;
  const rest = name.slice(run);
  const lowered = run > 1 && /^[a-z]/.test(rest) ? run - 1 : run;
  return name.slice(0, lowered).toLowerCase() + name.slice(lowered);
}

export function pascalCase(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function camelCase(words: readonly string[]): string {
  return words.map((word, index) => (index === 0 ? word : pascalCase(word))).join("");
}
