/** The rules of a definition beside its schema, as a server holds them for apiextensions.k8s.io/v1. */
import type { GeneratorError } from "../errors.js";
import { grammar } from "../grammar.js";
import type { Schema } from "../model.js";
import { checkConversion } from "./crd-conversion.js";
import { checkDefinitionName, checkMetadata } from "./crd-metadata.js";
import { schemaAt } from "./field-path.js";
import type { Reading } from "./reading.js";
import type { Path } from "./yaml.js";

type Report = (problem: GeneratorError) => void;

const columnTypes = ["integer", "number", "string", "boolean", "date"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const maxSelectableFields = 8;

/** @param schemas by index of the version; undefined where there is none */
export function checkRules(
  crd: Reading,
  versions: readonly Reading[],
  schemas: readonly (Schema | undefined)[],
  report: Report,
): void {
  for (const { path, message, hint } of [
    ...checkDefinitionName(crd),
    ...checkMetadata(crd.at("metadata"), ["metadata"]),
  ]) {
    report(crd.fail(path, message, hint));
  }
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
    checkDeprecation(version, report);
    checkColumns(version, report);
    checkScale(version, report);
    checkSelectable(version, schemas[index], report);
  }
  checkConversion(crd, report);
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
  const kind = names.text("kind") ?? "";
  const singular = names.text("singular") ?? kind.toLowerCase();
  const listKind = names.text("listKind") ?? `${kind}List`;
  check(["singular"], grammar.plural(singular), singular);
  check(["listKind"], grammar.kind(listKind), listKind);
  for (const field of ["shortNames", "categories"]) {
    for (const [index, value] of names.list(field).entries()) {
      check([field, index], grammar.plural(String(value ?? "")), value);
    }
  }
  if (listKind === kind) {
    report(names.fail(["listKind"], "kind and listKind are the same", `expected ${kind}List`));
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
  else if (/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(warning))
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
    const format = column.text("format");
    if (format !== undefined && !columnFormats.includes(format)) fail("format", `expected ${columnFormats.join(", ")}`);
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
    const path = scale.text(field);
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
