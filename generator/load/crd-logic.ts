/** `allOf`, `anyOf`, `oneOf` and `not`: they validate what is declared outside of them, and declare nothing themselves. */
import { asSchema, type Schema } from "../model.js";
import { type Add, isSet } from "./crd-schema.js";
import { checkValues } from "./crd-values.js";
import { describe } from "./forms.js";
import type { Path } from "./yaml.js";

const logic = ["allOf", "anyOf", "oneOf"] as const;

/** Keywords that a branch of logic must not have, since they say what a value is. */
const forbiddenInLogic = [
  "additionalProperties",
  "default",
  "description",
  "nullable",
  "title",
  "type",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
];

/** The branches of a schema. The pattern that says int-or-string may name types. */
export function checkLogic(schema: Schema, path: Path, add: Add): void {
  const [first] = schemas(schema["allOf"]);
  checkBranches(schema, path, isIntOrStringPattern(schema["anyOf"]), isIntOrStringPattern(first?.["anyOf"]), add);
}

/** @param anyOf whether this one may name types; @param firstOfAllOf the same of the anyOf of its first branch */
function checkBranches(schema: Schema, path: Path, anyOf: boolean, firstOfAllOf: boolean, add: Add): void {
  for (const keyword of logic) {
    if (keyword === "anyOf" && anyOf) continue;
    for (const [index, branch] of schemas(schema[keyword]).entries()) {
      const at = [...path, keyword, index];
      checkBranch(branch, at, keyword, firstOfAllOf && keyword === "allOf" && index === 0, add);
    }
  }
  const not = asSchema(schema["not"]);
  if (not !== undefined) checkBranch(not, [...path, "not"], "not", false, add);
}

/** @param within the keyword that the branch belongs to */
function checkBranch(branch: Schema, path: Path, within: string, anyOf: boolean, add: Add): void {
  for (const keyword of forbiddenInLogic) {
    const value = branch[keyword];
    if (!isSet(value) || (keyword !== "default" && isZero(keyword, value))) continue;
    add(
      [...path, keyword],
      `${keyword} within ${within}`,
      ["default", "description", "title"].includes(keyword)
        ? `move it to where the field is declared, outside of ${within}, or leave it out`
        : `declare it where the field is declared, outside of ${within}, which may only restrict values (required, enum, pattern, …)`,
    );
  }
  const properties = asSchema(branch["properties"]) ?? {};
  if (Object.hasOwn(properties, "metadata")) {
    add(
      [...path, "properties", "metadata"],
      `metadata within ${within}`,
      `leave it out: ${within} cannot restrict metadata`,
    );
  }
  if (branch["uniqueItems"] === true) {
    add([...path, "uniqueItems"], "uniqueItems cannot be true", "use x-kubernetes-list-type: set");
  }
  checkValues(branch, path, add);
  checkBranches(branch, path, anyOf, false, add);
  const items = asSchema(branch["items"]);
  if (items !== undefined) checkBranch(items, [...path, "items"], within, false, add);
  for (const [name, property] of Object.entries(properties))
    checkBranch(asSchema(property) ?? {}, [...path, "properties", name], within, false, add);
}

/** The fields that a branch restricts must be declared outside of it. */
export function checkCompleteness(branch: Schema, schema: Schema, path: Path, add: Add): void {
  for (const keyword of logic) {
    for (const [index, inner] of schemas(branch[keyword]).entries())
      checkRestricted(inner, schema, [...path, keyword, index], keyword, add);
  }
  const not = asSchema(branch["not"]);
  if (not !== undefined) checkRestricted(not, schema, [...path, "not"], "not", add);
}

function checkRestricted(branch: Schema, schema: Schema | undefined, path: Path, within: string, add: Add): void {
  if (schema === undefined) {
    const what = path.at(-2) === "properties" ? `property ${describe(path.at(-1))}` : "items";
    add(path, `${within} restricts ${what}, not declared outside of it`, `declare it there too, with its type`);
    return;
  }
  checkCompleteness(branch, schema, path, add);
  const items = asSchema(branch["items"]);
  if (items !== undefined) checkRestricted(items, asSchema(schema["items"]), [...path, "items"], within, add);
  const declared = asSchema(schema["properties"]) ?? {};
  for (const [name, property] of Object.entries(asSchema(branch["properties"]) ?? {})) {
    const known = Object.hasOwn(declared, name) ? (asSchema(declared[name]) ?? {}) : undefined;
    checkRestricted(asSchema(property) ?? {}, known, [...path, "properties", name], within, add);
  }
}

/** What a server takes for left out. */
function isZero(keyword: string, value: unknown): boolean {
  if (keyword === "x-kubernetes-preserve-unknown-fields") return false;
  const isEmpty = (value === "" && !keyword.startsWith("x-")) || (Array.isArray(value) && value.length === 0);
  return isEmpty || value === false;
}

function isIntOrStringPattern(value: unknown): boolean {
  const branches = schemas(value);
  const types = branches.map((branch) => Object.entries(branch).filter(([, item]) => isSet(item)));
  return (
    types.length === 2 &&
    types.every(
      (entries, index) =>
        entries.length === 1 && entries[0]![0] === "type" && entries[0]![1] === ["integer", "string"][index],
    )
  );
}

function schemas(value: unknown): Schema[] {
  return (Array.isArray(value) ? value : []).map((item) => asSchema(item) ?? {});
}
