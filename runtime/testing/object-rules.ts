/** What the server demands of an object's metadata, and how it words a refusal. Counterpart: apimachinery `api/validation`. */
import type { ObjectMeta } from "../api/object-meta.js";
import { isJsonObject } from "./json.js";
import type { ServedResource } from "./resource-registry.js";
import type { FieldError } from "./status.js";

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const MAX_SUBDOMAIN = 253;
const MAX_LABEL = 63;

/** Groups and resources whose names may be anything that fits into a path, by group. */
const PATH_SEGMENT_NAMES = new Set(["rbac.authorization.k8s.io"]);
/** Names that are addresses: IPv6 ones hold colons. */
const UNCHECKED_NAMES = new Set(["ipaddresses"]);
const LABEL_NAMES = new Set(["namespaces", "services"]);

/** On built-in objects every other finalizer has a domain. */
const STANDARD_FINALIZERS = new Set(["foregroundDeletion", "kubernetes", "orphan"]);

export function isDnsLabel(text: string): boolean {
  return text.length <= MAX_LABEL && LABEL.test(text);
}

export function isDnsSubdomain(text: string): boolean {
  return text.length <= MAX_SUBDOMAIN && SUBDOMAIN.test(text);
}

/** Why a name is refused; undefined when it is good. */
function nameProblem({ group, resource, custom }: ServedResource, name: string): string | undefined {
  if (custom === undefined && PATH_SEGMENT_NAMES.has(group)) {
    if (name === "." || name === "..") return `may not be '${name}'`;
    return /[/%]/.test(name) ? "may not contain '/' or '%'" : undefined;
  }
  if (custom === undefined && UNCHECKED_NAMES.has(resource)) return undefined;
  if (custom === undefined && LABEL_NAMES.has(resource)) {
    return isDnsLabel(name)
      ? undefined
      : `a lowercase RFC 1123 label must match '${LABEL.source}' and have at most ${MAX_LABEL} characters`;
  }
  if (isDnsSubdomain(name)) return undefined;
  return `a lowercase RFC 1123 subdomain must match '${SUBDOMAIN.source}' and have at most ${MAX_SUBDOMAIN} characters`;
}

function qualifiedNameProblem(key: string): string | undefined {
  const parts = key.split("/");
  const [prefix, name] = parts.length === 2 ? parts : ["example.com", key];
  if (parts.length > 2 || name === undefined || prefix === undefined)
    return "a qualified name is 'name' or 'prefix/name'";
  if (!isDnsSubdomain(prefix)) return "prefix part must be a lowercase RFC 1123 subdomain";
  if (name.length > MAX_LABEL) return `name part must be no more than ${MAX_LABEL} bytes`;
  return QUALIFIED_PART.test(name) ? undefined : `name part must match '${QUALIFIED_PART.source}'`;
}

function labelValueProblem(value: string): string | undefined {
  if (value.length > MAX_LABEL) return `must be no more than ${MAX_LABEL} bytes`;
  return value === "" || QUALIFIED_PART.test(value)
    ? undefined
    : `a valid label must be empty or match '${QUALIFIED_PART.source}'`;
}

/** What is wrong with an object's metadata, its name included. */
export function metadataErrors(resource: ServedResource, metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (field: string, value: string, why: string) => {
    errors.push({
      type: "Invalid",
      field: `metadata.${field}`,
      message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    });
  };
  const { name } = metadata;
  if (name === undefined || name === "") {
    errors.push({
      type: "Required",
      field: "metadata.name",
      message: "Required value: name or generateName is required",
    });
  } else {
    const problem = nameProblem(resource, name);
    if (problem !== undefined) refuse("name", name, problem);
  }
  for (const [key, value] of stringEntries(metadata.labels)) {
    const problem = qualifiedNameProblem(key);
    if (problem !== undefined) refuse("labels", key, problem);
    const valueProblem = labelValueProblem(value);
    if (valueProblem !== undefined) refuse("labels", value, valueProblem);
  }
  for (const [key] of stringEntries(metadata.annotations)) {
    const problem = qualifiedNameProblem(key.toLowerCase());
    if (problem !== undefined) refuse("annotations", key, problem);
  }
  for (const [i, finalizer] of strings(metadata.finalizers).entries()) {
    const isKnown = finalizer.includes("/") || resource.custom !== undefined || STANDARD_FINALIZERS.has(finalizer);
    const problem = qualifiedNameProblem(finalizer);
    if (problem !== undefined) refuse("finalizers", finalizer, problem);
    else if (!isKnown)
      refuse(`finalizers[${i}]`, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
  }
  return errors;
}

function stringEntries(map: unknown): [string, string][] {
  return isJsonObject(map) ? Object.entries(map).map(([key, value]) => [key, String(value)]) : [];
}

export function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}
