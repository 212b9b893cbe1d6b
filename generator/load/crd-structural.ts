/**
 * The rules of structural schemas, as apiextensions.k8s.io/v1 demands them: a schema that says of every value what it is, with
 * `allOf`, `anyOf`, `oneOf` and `not` left for validation alone. What is accepted here is what a server accepts, but for the
 * expressions of CEL, of which the syntax alone is read here: a server knows the names, types and costs.
 */
import { asSchema, type Schema } from "../model.js";
import { checkCollections } from "./crd-collections.js";
import { checkDefaults } from "./crd-defaults.js";
import { checkCompleteness, checkLogic } from "./crd-logic.js";
import { type Add, isSet, text } from "./crd-schema.js";
import { checkValues } from "./crd-values.js";
import type { Problem } from "./forms.js";
import type { Path } from "./yaml.js";

type Level = "root" | "item" | "field";

/** The status is validated on its own, so that these, which speak of the whole, would be lost. */
const notBesideStatus = [
  "allOf",
  "anyOf",
  "oneOf",
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
  checkCompleteness(root, root, [], rules.add);
  // A default is checked against a schema that holds.
  return rules.problems.length === 0 ? checkDefaults(root) : rules.problems;
}

class Rules {
  readonly problems: Problem[] = [];

  readonly add: Add = (path, message, hint) => {
    this.problems.push({ path, message, hint });
  };

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
    checkCollections(schema, path, this.add);
    checkValues(schema, path, this.add);
    checkLogic(schema, path, this.add);

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
}

/** Keywords of the metadata schema that a server reads; it drops those that it does not know. */
function structuralKeyword(keyword: string, metadata: Schema): boolean {
  const value = metadata[keyword];
  if (["additionalProperties", "example", "externalDocs"].includes(keyword)) return true;
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
