/**
 * The rules of structural schemas, as apiextensions.k8s.io/v1 demands them: a schema that says of every value what it is, with
 * `allOf`, `anyOf`, `oneOf` and `not` left for validation alone. What is accepted here is what a server accepts, but for the
 * expressions of CEL, which nobody evaluates before a server does.
 */
import { asSchema, type Schema } from "../model.js";
import { checkDefault } from "./crd-default.js";
import { patternProblem } from "./crd-pattern.js";
import { childrenOf } from "./crd-schema.js";
import { describe, type Problem } from "./forms.js";
import type { Path } from "./yaml.js";

type Level = "root" | "item" | "field";

const logic = ["allOf", "anyOf", "oneOf"] as const;

/** The status is validated on its own, so that these, which speak of the whole, would be lost. */
const notBesideStatus = [
  ...logic,
  "not",
  "enum",
  "default",
  "maxProperties",
  "minProperties",
  "x-kubernetes-map-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-int-or-string",
  "x-kubernetes-embedded-resource",
  "definitions",
  "patternProperties",
];

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

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

/** @param root a schema without problems of form */
export function checkStructural(root: Schema, statusSubresource: boolean): Problem[] {
  const rules = new Rules();
  if (root["nullable"] === true) rules.add(["nullable"], "the root cannot be nullable", "leave it out");
  if (statusSubresource) {
    for (const keyword of notBesideStatus) {
      if (isSet(root[keyword]) && root[keyword] !== false) {
        rules.add(
          [keyword],
          `${keyword} at the root is not allowed beside the status subresource`,
          "move it into spec",
        );
      }
    }
  }
  rules.structural(root, "root", []);
  rules.complete(root, root, []);
  // A default is checked against a schema that holds.
  if (rules.problems.length === 0) rules.defaults(root, []);
  return rules.problems;
}

class Rules {
  readonly problems: Problem[] = [];

  add(path: Path, message: string, hint: string): void {
    this.problems.push({ path, message, hint });
  }

  structural(schema: Schema, level: Level, path: Path): void {
    const type = text(schema["type"]);
    const items = asSchema(schema["items"]);
    const open = schema["x-kubernetes-preserve-unknown-fields"];
    const intOrString = schema["x-kubernetes-int-or-string"] === true;
    const embedded = schema["x-kubernetes-embedded-resource"] === true;
    const properties = asSchema(schema["properties"]) ?? {};

    if (type === "array" && items === undefined) this.add(path, "an array needs items", "add items with a type");
    if (embedded && type !== "object") this.add(path, "an embedded resource needs type: object", "add type: object");
    else if (type === "" && !intOrString && open !== true) {
      this.add(path, `type is missing${level === "root" ? " at the root" : ""}`, missingType(schema));
    }
    if (level === "root" && type !== "" && type !== "object") {
      this.add([...path, "type"], `the root is of type ${type}`, "expected type: object");
    }
    this.#additional(schema, level, embedded, properties, path);
    if (open === false) {
      const at = [...path, "x-kubernetes-preserve-unknown-fields"];
      this.add(at, "x-kubernetes-preserve-unknown-fields is false", "leave it out, or make it true");
    }
    if (intOrString && (open === true || embedded)) {
      this.add(path, "x-kubernetes-int-or-string excludes the other extensions", "leave one of them out");
    }
    if (schema["uniqueItems"] === true) {
      this.add([...path, "uniqueItems"], "uniqueItems cannot be true", "use x-kubernetes-list-type: set");
    }
    if (embedded && open !== true && Object.keys(properties).length === 0) {
      this.add(path, "an embedded resource without properties", "add x-kubernetes-preserve-unknown-fields: true");
    }
    if (level === "root" || embedded) this.#typeMeta(properties, level, path);
    this.#collections(schema, type, items, path);
    this.#values(schema, path);
    this.#logic(schema, path);

    if (items !== undefined) this.structural(items, "item", [...path, "items"]);
    const values = asSchema(schema["additionalProperties"]);
    if (values !== undefined) this.structural(values, "field", [...path, "additionalProperties"]);
    for (const [name, property] of Object.entries(properties)) {
      this.structural(asSchema(property) ?? {}, "field", [...path, "properties", name]);
    }
  }

  #additional(schema: Schema, level: Level, embedded: boolean, properties: Schema, path: Path): void {
    const more = schema["additionalProperties"];
    if (!isSet(more)) return;
    const at = [...path, "additionalProperties"];
    if (level === "root") this.add(at, "additionalProperties at the root", "move it below spec");
    else if (embedded) this.add(at, "additionalProperties of an embedded resource", "leave it out");
    else if (Object.keys(properties).length > 0 && more !== true) {
      this.add(at, "additionalProperties beside properties", "use x-kubernetes-preserve-unknown-fields: true instead");
    }
  }

  /** apiVersion, kind and metadata are what every object has. */
  #typeMeta(properties: Schema, level: Level, path: Path): void {
    for (const [name, type] of [
      ["apiVersion", "string"],
      ["kind", "string"],
      ["metadata", "object"],
    ] as const) {
      const property = asSchema(properties[name]);
      if (property === undefined) continue;
      const at = [...path, "properties", name];
      if (text(property["type"]) !== type)
        this.add([...at, "type"], `${name} is not of type ${type}`, `expected ${type}`);
      if (level === "root" && isSet(property["default"])) {
        this.add([...at, "default"], `${name} cannot have a default`, "leave it out");
      }
    }
    const metadata = asSchema(properties["metadata"]);
    if (level !== "root" || metadata === undefined) return;
    const fields = Object.keys(asSchema(metadata["properties"]) ?? {});
    const others = Object.keys(metadata).filter(
      (keyword) =>
        isSet(metadata[keyword]) &&
        !["type", "description", "properties", "default"].includes(keyword) &&
        structuralKeyword(keyword, metadata),
    );
    if (
      fields.some((name) => name !== "name" && name !== "generateName") ||
      others.length > 0 ||
      text(metadata["description"]) !== ""
    ) {
      this.add(
        [...path, "properties", "metadata"],
        "metadata restricts more than name and generateName",
        "leave it type: object",
      );
    }
  }

  #collections(schema: Schema, type: string, items: Schema | undefined, path: Path): void {
    const listType = schema["x-kubernetes-list-type"];
    const mapType = schema["x-kubernetes-map-type"];
    if (isSet(mapType)) {
      const at = [...path, "x-kubernetes-map-type"];
      if (type !== "object") this.add(at, "x-kubernetes-map-type without type: object", "add type: object");
      if (mapType !== "atomic" && mapType !== "granular")
        this.add(at, `x-kubernetes-map-type is ${describe(mapType)}`, "expected atomic or granular");
    }
    const keys = texts(schema["x-kubernetes-list-map-keys"]);
    const keysAt = [...path, "x-kubernetes-list-map-keys"];
    if (keys.length > 0 && listType !== "map") {
      this.add(
        keysAt,
        "x-kubernetes-list-map-keys without x-kubernetes-list-type: map",
        "add x-kubernetes-list-type: map",
      );
    }
    if (!isSet(listType)) return;
    const at = [...path, "x-kubernetes-list-type"];
    if (type !== "array") this.add(at, "x-kubernetes-list-type without type: array", "add type: array");
    if (!["atomic", "set", "map"].includes(text(listType))) {
      this.add(at, `x-kubernetes-list-type is ${describe(listType)}`, "expected atomic, set or map");
    }
    if (items === undefined || type !== "array") return;
    if (listType !== "atomic" && items["nullable"] === true) {
      this.add(
        [...path, "items", "nullable"],
        `items of a list of type ${listType} cannot be nullable`,
        "leave it out",
      );
    }
    if (listType === "set") this.#set(items, [...path, "items"]);
    if (listType === "map") this.#keys(items, keys, keysAt);
  }

  #set(items: Schema, path: Path): void {
    const type = text(items["type"]);
    const mapType = items["x-kubernetes-map-type"];
    const listType = items["x-kubernetes-list-type"];
    if (type === "object" && mapType !== "atomic") {
      this.add(path, "objects in a set are not atomic", "add x-kubernetes-map-type: atomic");
    }
    if (type === "array" && isSet(listType) && listType !== "atomic") {
      this.add(path, "lists in a set are not atomic", "use x-kubernetes-list-type: atomic");
    }
  }

  #keys(items: Schema, keys: readonly string[], path: Path): void {
    if (keys.length === 0)
      this.add(
        path,
        "a list of type map needs x-kubernetes-list-map-keys",
        "name the properties that identify an item",
      );
    if (new Set(keys).size < keys.length)
      this.add(path, "x-kubernetes-list-map-keys names one key twice", "expected each once");
    if (text(items["type"]) !== "object") {
      this.add(path, "items of a list of type map are no objects", "expected type: object");
      return;
    }
    const properties = asSchema(items["properties"]) ?? {};
    const required = texts(items["required"]);
    for (const key of keys) {
      const property = Object.hasOwn(properties, key) ? (asSchema(properties[key]) ?? {}) : undefined;
      const name = describe(key);
      if (property === undefined)
        this.add(path, `key ${name} is no property of the items`, "expected names of their properties");
      else if (["array", "object"].includes(text(property["type"])))
        this.add(path, `key ${name} is no scalar`, "expected a scalar");
      else if (property["nullable"] === true) this.add(path, `key ${name} can be null`, "leave nullable out");
      else if (!required.includes(key) && !isSet(property["default"])) {
        this.add(path, `key ${name} is neither required nor has a default`, "add it to required");
      }
    }
  }

  #values(schema: Schema, path: Path): void {
    const problem = patternProblem(text(schema["pattern"]));
    if (problem !== undefined)
      this.add([...path, "pattern"], problem, "expected Go's syntax of regular expressions (RE2)");
    const rules = schema["x-kubernetes-validations"];
    for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
      const { rule: expression, message } = asSchema(rule) ?? {};
      const at = [...path, "x-kubernetes-validations", index];
      this.#ruleFields(asSchema(rule) ?? {}, at);
      if (text(expression).trim() === "") this.add(at, "rule is missing", "expected an expression of CEL");
      else if (/[\r\n]/.test(text(message).trim())) this.add(at, "a message of several lines", "write it on one line");
      else if (/[\r\n]/.test(text(expression).trim()) && text(message).trim() === "") {
        this.add(at, "a rule of several lines without a message", "add a message");
      }
    }
  }

  #ruleFields(rule: Schema, path: Path): void {
    for (const field of ["message", "messageExpression"]) {
      if (/^\s+$/.test(text(rule[field])))
        this.add([...path, field], `${field} is blank`, "leave it out, or say something");
    }
    const { reason } = rule;
    if (isSet(reason) && !reasons.includes(text(reason))) {
      this.add([...path, "reason"], `reason ${describe(reason)} is not known`, `expected ${reasons.join(", ")}`);
    }
    if (rule["optionalOldSelf"] === true && !text(rule["rule"]).includes("oldSelf")) {
      this.add([...path, "optionalOldSelf"], "optionalOldSelf of a rule without oldSelf", "leave it out");
    }
  }

  /** The branches of a schema's logic. The pattern that says int-or-string may name types. */
  #logic(schema: Schema, path: Path): void {
    for (const keyword of logic) {
      for (const [index, branch] of schemas(schema[keyword]).entries()) {
        const at = [...path, keyword, index];
        if (keyword === "anyOf" && isIntOrStringPattern(schema[keyword])) continue;
        const first = keyword === "allOf" && index === 0 && isIntOrStringPattern(branch["anyOf"]);
        this.#branch(branch, at, first);
      }
    }
    const not = asSchema(schema["not"]);
    if (not !== undefined) this.#branch(not, [...path, "not"], false);
  }

  #branch(branch: Schema, path: Path, intOrString: boolean): void {
    for (const keyword of forbiddenInLogic) {
      const value = branch[keyword];
      const unset = value === "" && !keyword.startsWith("x-");
      if (!isSet(value) || unset || value === false || (Array.isArray(value) && value.length === 0)) continue;
      this.add(
        [...path, keyword],
        `${keyword} within ${path.findLast((step) => [...logic, "not"].includes(String(step)))}`,
        "say it outside: what is within only validates",
      );
    }
    const properties = asSchema(branch["properties"]) ?? {};
    if (Object.hasOwn(properties, "metadata")) {
      this.add([...path, "properties", "metadata"], "metadata within logic", "metadata cannot be restricted there");
    }
    if (branch["uniqueItems"] === true) {
      this.add([...path, "uniqueItems"], "uniqueItems cannot be true", "use x-kubernetes-list-type: set");
    }
    this.#values(branch, path);
    if (intOrString) {
      for (const keyword of ["allOf", "oneOf"] as const) {
        for (const [index, inner] of schemas(branch[keyword]).entries())
          this.#branch(inner, [...path, keyword, index], false);
      }
    } else this.#logicOfBranch(branch, path);
    const items = asSchema(branch["items"]);
    if (items !== undefined) this.#branch(items, [...path, "items"], false);
    for (const [name, property] of Object.entries(properties))
      this.#branch(asSchema(property) ?? {}, [...path, "properties", name], false);
  }

  #logicOfBranch(branch: Schema, path: Path): void {
    for (const keyword of logic) {
      for (const [index, inner] of schemas(branch[keyword]).entries())
        this.#branch(inner, [...path, keyword, index], false);
    }
    const not = asSchema(branch["not"]);
    if (not !== undefined) this.#branch(not, [...path, "not"], false);
  }

  /** What logic speaks of must be there outside of it. */
  complete(branch: Schema, schema: Schema | undefined, path: Path): void {
    for (const keyword of logic) {
      for (const [index, inner] of schemas(branch[keyword]).entries())
        this.#spokenOf(inner, schema, [...path, keyword, index]);
    }
    const not = asSchema(branch["not"]);
    if (not !== undefined) this.#spokenOf(not, schema, [...path, "not"]);
  }

  #spokenOf(branch: Schema, schema: Schema | undefined, path: Path): void {
    if (schema === undefined) {
      this.add(path, "logic speaks of what the schema does not declare", "declare it outside, with its type");
      return;
    }
    this.complete(branch, schema, path);
    const items = asSchema(branch["items"]);
    if (items !== undefined) this.#spokenOf(items, asSchema(schema["items"]), [...path, "items"]);
    const declared = asSchema(schema["properties"]) ?? {};
    for (const [name, property] of Object.entries(asSchema(branch["properties"]) ?? {})) {
      const known = Object.hasOwn(declared, name) ? (asSchema(declared[name]) ?? {}) : undefined;
      this.#spokenOf(asSchema(property) ?? {}, known, [...path, "properties", name]);
    }
  }

  defaults(schema: Schema, path: Path): void {
    const value = schema["default"];
    if (isSet(value)) {
      const whole = path.length === 0 && ["apiVersion", "kind"].some((name) => !isSet(asSchema(value)?.[name]));
      const problem = whole ? "of the root lacks apiVersion and kind" : checkDefault(value, schema);
      if (problem !== undefined)
        this.add([...path, "default"], `default ${problem}`, "expected a value that the schema accepts");
    }
    // Defaults of the values of a map are never filled in.
    const followed = ["items", "properties"];
    for (const [child, at] of childrenOf(schema, path)) {
      if (followed.includes(String(at[path.length]))) this.defaults(asSchema(child) ?? {}, at);
    }
  }
}

/** Keywords of the metadata schema that a server reads; it drops those that it does not know. */
function structuralKeyword(keyword: string, metadata: Schema): boolean {
  const value = metadata[keyword];
  if (["additionalProperties", "example"].includes(keyword)) return true;
  if (value === false || value === "") return false;
  if (Array.isArray(value) && value.length === 0) {
    return ["required", "x-kubernetes-list-map-keys", "x-kubernetes-validations"].includes(keyword);
  }
  return /^(?:exclusiveMaximum|exclusiveMinimum|allOf|anyOf|oneOf|not|enum|format|items|maxItems|maxLength|maxProperties|maximum|minItems|minLength|minProperties|minimum|multipleOf|nullable|pattern|required|title|x-kubernetes-.*)$/.test(
    keyword,
  );
}

function missingType(schema: Schema): string {
  if (asSchema(schema["properties"]) !== undefined) return "add type: object";
  if (asSchema(schema["items"]) !== undefined) return "add type: array";
  return "add a type, or x-kubernetes-preserve-unknown-fields: true for any value";
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

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
