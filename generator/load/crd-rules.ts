/** The rules of a definition beside its schema, as a server holds them for apiextensions.k8s.io/v1. */
import type { GeneratorError } from "../errors.js";
import { grammar } from "../grammar.js";
import { asSchema, type Schema } from "../model.js";
import type { Reading } from "./reading.js";
import type { Path } from "./yaml.js";

type Report = (problem: GeneratorError) => void;

const columnTypes = ["integer", "number", "string", "boolean", "date"];
const maxSelectableFields = 8;

/** @param schemas by index of the version; undefined where there is none */
export function checkRules(
  crd: Reading,
  versions: readonly Reading[],
  schemas: readonly (Schema | undefined)[],
  report: Report,
): void {
  checkMetadata(crd, report);
  checkNames(crd, report);
  if (crd.at("spec", "preserveUnknownFields") === true) {
    report(
      crd.fail(
        ["spec", "preserveUnknownFields"],
        "spec.preserveUnknownFields is true",
        "use x-kubernetes-preserve-unknown-fields in the schema instead",
      ),
    );
  }
  const stored = versions.filter((version) => version.at("storage") === true);
  if (stored.length !== 1) {
    const at = stored[1] === undefined ? crd.child("spec", "versions") : stored[1].child("storage");
    report(
      at.fail(
        [],
        `${stored.length === 0 ? "no version is" : `${stored.length} versions are`} marked as the storage version`,
        "expected storage: true at exactly one",
      ),
    );
  }
  for (const [index, version] of versions.entries()) {
    checkForms(version, report);
    checkDeprecation(version, report);
    checkColumns(version, report);
    checkScale(version, report);
    checkSelectable(version, schemas[index], report);
  }
  checkConversion(crd, report);
}

function checkMetadata(crd: Reading, report: Report): void {
  const name = crd.at("metadata", "name");
  const want = `${crd.at("spec", "names", "plural")}.${crd.at("spec", "group")}`;
  if (name !== want) {
    const is = name === undefined ? "is missing" : `is ${JSON.stringify(name).slice(0, 100)}`;
    report(crd.fail(["metadata", "name"], `metadata.name ${is}`, `expected ${want}: the plural and the group`));
  }
  const group = crd.text("spec", "group") ?? "";
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return;
  const approval = crd.text("metadata", "annotations", "api-approved.kubernetes.io") ?? "";
  if (!approval.startsWith("unapproved") && !URL.canParse(approval)) {
    report(
      crd.fail(
        ["metadata", "annotations"],
        `group ${group} is Kubernetes' own and the definition says of no approval`,
        'expected the annotation api-approved.kubernetes.io with the address of the approval, or "unapproved, …"',
      ),
    );
  }
}

function checkNames(crd: Reading, report: Report): void {
  const names = crd.child("spec", "names");
  const check = (path: Path, expected: string | undefined, value: unknown) => {
    if (expected !== undefined) {
      report(
        names.fail(
          path,
          `spec.names.${path.join(".")}: ${JSON.stringify(value).slice(0, 100)} is not a name that Kubernetes accepts`,
          `expected ${expected}`,
        ),
      );
    }
  };
  for (const [field, rule] of [
    ["singular", grammar.plural],
    ["listKind", grammar.kind],
  ] as const) {
    const value = names.at(field);
    if (names.has(field) && value !== "") check([field], typeof value === "string" ? rule(value) : "a text", value);
  }
  for (const field of ["shortNames", "categories"]) {
    const list = names.at(field);
    if (!names.has(field)) continue;
    if (!Array.isArray(list)) report(names.fail([field], `spec.names.${field} is no list`, "expected a list of names"));
    else
      for (const [index, value] of list.entries())
        check([field, index], typeof value === "string" ? grammar.plural(value) : "a text", value);
  }
  if (names.text("listKind") !== undefined && names.at("listKind") === names.at("kind")) {
    report(names.fail(["listKind"], "kind and listKind are the same", `expected ${names.at("kind")}List`));
  }
}

/** What a server cannot read at all. */
function checkForms(version: Reading, report: Report): void {
  for (const field of ["served", "storage", "deprecated"]) {
    const value = version.at(field);
    if (version.has(field) && typeof value !== "boolean") {
      report(version.fail([field], `${field} is ${JSON.stringify(value).slice(0, 100)}`, "expected true or false"));
    }
  }
  for (const field of ["additionalPrinterColumns", "selectableFields"]) {
    if (version.has(field) && !Array.isArray(version.at(field)))
      report(version.fail([field], `${field} is no list`, "expected a list"));
  }
  for (const path of [["schema"], ["subresources"], ["subresources", "status"], ["subresources", "scale"]]) {
    if (version.has(...path) && !version.isObject(...path))
      report(version.fail(path, `${path.join(".")} is no map`, "expected a map"));
  }
}

function checkDeprecation(version: Reading, report: Report): void {
  const warning = version.at("deprecationWarning");
  if (warning === undefined || warning === null) return;
  const fail = (message: string, hint: string) =>
    report(version.fail(["deprecationWarning"], `deprecationWarning ${message}`, hint));
  if (version.at("deprecated") !== true) fail("of a version that is not deprecated", "add deprecated: true");
  else if (typeof warning !== "string" || warning === "") fail("is no text", "expected a text, or leave it out");
  else if (Buffer.byteLength(warning) > 256) fail("is longer than 256 bytes", "make it shorter");
  else if (/[\p{C}\p{Zl}\p{Zp}]/u.test(warning))
    fail("has characters that cannot be printed", "expected one line of text");
}

function checkColumns(version: Reading, report: Report): void {
  for (const column of version.children("additionalPrinterColumns")) {
    const fail = (field: string, hint: string) =>
      report(
        column.fail(
          [field],
          `printer column: ${field} is ${column.has(field) ? JSON.stringify(column.at(field)).slice(0, 100) : "missing"}`,
          hint,
        ),
      );
    if (column.text("name") === undefined) fail("name", "expected a text");
    for (const field of ["format", "description"]) {
      if (column.has(field) && typeof column.at(field) !== "string") fail(field, "expected a text");
    }
    if (column.has("priority") && !isInt32(column.at("priority"))) fail("priority", "expected a whole number");
    if (!columnTypes.includes(column.text("type") ?? "")) fail("type", `expected ${columnTypes.join(", ")}`);
    if (column.text("jsonPath")?.startsWith(".") !== true)
      fail("jsonPath", "expected a path that begins with a dot, such as .spec.replicas");
  }
}

function checkScale(version: Reading, report: Report): void {
  if (!version.isObject("subresources", "scale")) return;
  const scale = version.child("subresources", "scale");
  for (const [field, prefixes, optional] of [
    ["specReplicasPath", [".spec."], false],
    ["statusReplicasPath", [".status."], false],
    ["labelSelectorPath", [".spec.", ".status."], true],
  ] as const) {
    const path = scale.has(field) ? String(scale.at(field)) || undefined : undefined;
    if (path === undefined ? optional : prefixes.some((prefix) => path.startsWith(prefix))) continue;
    report(
      scale.fail(
        [field],
        `scale: ${field} is ${path === undefined ? "missing" : JSON.stringify(path)}`,
        `expected a path below ${prefixes.join(" or ")}`,
      ),
    );
  }
}

function checkSelectable(version: Reading, schema: Schema | undefined, report: Report): void {
  const fields = version.children("selectableFields");
  const seen = new Set<string>();
  for (const field of fields) {
    const path = field.text("jsonPath") ?? "";
    const fail = (message: string, hint: string) =>
      report(field.fail(["jsonPath"], `selectable field ${JSON.stringify(path)} ${message}`, hint));
    const found = schemaAt(schema, path);
    if (path === "") fail("has no path", "expected a path such as .spec.color");
    else if (/^\.metadata(?:\.|$)/.test(path))
      fail("is in metadata", "metadata.name and metadata.namespace can be selected without it");
    else if (!["string", "boolean", "integer"].includes(String(found?.["type"])))
      fail("is no text, boolean or integer of the schema", "expected the path of one");
    else if (seen.has(path)) fail("is there twice", "expected it once");
    seen.add(path);
  }
  if (seen.size > maxSelectableFields) {
    report(
      version.fail(["selectableFields"], `${seen.size} selectable fields`, `expected at most ${maxSelectableFields}`),
    );
  }
}

/** The schema of a simple path, `.spec.color`. */
export function schemaAt(schema: Schema | undefined, path: string): Schema | undefined {
  if (!path.startsWith(".")) return undefined;
  return path
    .slice(1)
    .split(".")
    .reduce<Schema | undefined>((at, name) => {
      const properties = asSchema(at?.["properties"]) ?? {};
      return Object.hasOwn(properties, name) ? asSchema(properties[name]) : undefined;
    }, schema);
}

function isInt32(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 31;
}

function checkConversion(crd: Reading, report: Report): void {
  if (crd.has("spec", "conversion") && !crd.isObject("spec", "conversion"))
    report(crd.fail(["spec", "conversion"], "spec.conversion is no map", "expected strategy: None or Webhook"));
  if (!crd.isObject("spec", "conversion")) return;
  const conversion = crd.child("spec", "conversion");
  const strategy = conversion.at("strategy");
  if (strategy !== "None" && strategy !== "Webhook") {
    report(
      conversion.fail(
        ["strategy"],
        `conversion strategy is ${JSON.stringify(strategy) ?? "missing"}`,
        "expected None or Webhook",
      ),
    );
    return;
  }
  const webhook = conversion.isObject("webhook");
  if (strategy === "None" && webhook)
    report(
      conversion.fail(
        ["webhook"],
        "a conversion webhook beside strategy None",
        "leave it out, or use strategy Webhook",
      ),
    );
  if (strategy === "None") return;
  const versions = conversion.texts("webhook", "conversionReviewVersions");
  if (!versions.some((version) => version === "v1" || version === "v1beta1")) {
    report(conversion.fail(["webhook"], "conversionReviewVersions names neither v1 nor v1beta1", 'expected ["v1"]'));
  }
  if (new Set(versions).size < versions.length) {
    report(conversion.fail(["webhook"], "conversionReviewVersions names a version twice", "expected each once"));
  }
  const client = conversion.child("webhook", "clientConfig");
  const url = client.at("url");
  if (typeof url === "string" && !isHookUrl(url)) {
    report(
      client.fail(
        ["url"],
        `the address ${JSON.stringify(url).slice(0, 100)} is none of a webhook`,
        "expected https://HOST[:PORT]/PATH, without user, query and fragment",
      ),
    );
  }
  if (client.isObject("service")) {
    for (const field of ["name", "namespace"]) {
      if (client.text("service", field) === undefined)
        report(client.fail(["service"], `the service has no ${field}`, "expected name and namespace"));
    }
    const port = client.at("service", "port");
    if (typeof port === "number" && !(port >= 1 && port <= 65_535))
      report(client.fail(["service", "port"], `port is ${port}`, "expected a number from 1 to 65535"));
    if (client.text("service", "path")?.startsWith("/") === false)
      report(client.fail(["service", "path"], "the path does not begin with a slash", "expected /PATH"));
  }
  if (client.has("url") === client.has("service"))
    report(conversion.fail(["webhook"], "clientConfig has not one of url and service", "expected one of them"));
}

function isHookUrl(text: string): boolean {
  return /^https:\/\/[^/?#@]+(?:\/[^?#]*)?$/i.test(text);
}
