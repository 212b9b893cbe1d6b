/** The shape of a CRD's schema: what each keyword must be for a server to read it at all. */
import { asSchema, type Schema } from "../model.js";
import type { Path } from "./yaml.js";

export interface SchemaProblem {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

type Form =
  | "text"
  | "boolean"
  | "number"
  | "integer"
  | "list"
  | "texts"
  | "items"
  | "object"
  | "schema"
  | "schemas"
  | "map"
  | "schema or boolean";

const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ...[
    "$schema",
    "description",
    "format",
    "id",
    "pattern",
    "title",
    "type",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
  ].map((name) => [name, "text"] as const),
  ...[
    "exclusiveMaximum",
    "exclusiveMinimum",
    "nullable",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
  ].map((name) => [name, "boolean"] as const),
  ...["maximum", "minimum", "multipleOf"].map((name) => [name, "number"] as const),
  ...["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"].map(
    (name) => [name, "integer"] as const,
  ),
  ...["enum", "x-kubernetes-validations"].map((name) => [name, "list"] as const),
  ...["required", "x-kubernetes-list-map-keys"].map((name) => [name, "texts"] as const),
  ["items", "items"],
  ["not", "schema"],
  ["externalDocs", "object"],
  ...["allOf", "anyOf", "oneOf"].map((name) => [name, "schemas"] as const),
  ["properties", "map"],
  ["additionalProperties", "schema or boolean"],
]);

const expected: Readonly<Record<Form, string>> = {
  text: "expected a text",
  boolean: "expected true or false",
  number: "expected a number",
  integer: "expected a whole number",
  list: "expected a list",
  texts: "expected a list of texts",
  items: "expected a schema",
  object: "expected a map",
  schema: "expected a schema",
  schemas: "expected a list of schemas",
  map: "expected a map of names to schemas",
  "schema or boolean": "expected a schema, true or false",
};

/** Keywords of JSON Schema that no server takes. */
const unsupported = ["$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];

const types = ["array", "boolean", "integer", "number", "object", "string"];

/** Every keyword that is not what it must be. */
export function checkCrdSchema(value: unknown, path: Path = []): SchemaProblem[] {
  // An empty value is an empty schema: any value.
  if (value === null) return [];
  const schema = asSchema(value);
  if (schema === undefined) {
    return [{ path, message: `a schema is expected, not ${describe(value)}`, hint: "expected type, properties, …" }];
  }
  return [
    ...ownKeywords(schema, path),
    ...childrenOf(schema, path).flatMap(([child, at]) => checkCrdSchema(child, at)),
  ];
}

/** The schemas within a schema, with their places. */
export function childrenOf(schema: Schema, path: Path = []): [child: unknown, path: Path][] {
  const children: [unknown, Path][] = [];
  for (const [keyword, form] of forms) {
    const value = schema[keyword];
    if (value === undefined || value === null) continue;
    if (form === "schema" || form === "items" || (form === "schema or boolean" && typeof value !== "boolean")) {
      if (asSchema(value) !== undefined) children.push([value, [...path, keyword]]);
    } else if (form === "schemas" && Array.isArray(value)) {
      children.push(...value.map((child, index): [unknown, Path] => [child, [...path, keyword, index]]));
    } else if (form === "map") {
      for (const [name, child] of Object.entries(asSchema(value) ?? {}))
        children.push([child, [...path, keyword, name]]);
    }
  }
  return children;
}

function ownKeywords(schema: Schema, path: Path): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === null || value === undefined) continue;
    const at = [...path, keyword];
    const empty = asSchema(value) !== undefined && Object.keys(value).length === 0;
    const nothing = keyword === "id" ? value === "" : empty && ["definitions", "patternProperties"].includes(keyword);
    if (unsupported.includes(keyword) && !nothing) {
      problems.push({
        path: at,
        message: `a CustomResourceDefinition cannot use ${keyword}`,
        hint: keyword === "$ref" ? "write the schema out where it is used" : "leave it out",
      });
      continue;
    }
    const form = forms.get(keyword);
    if (form === undefined || fits(value, form)) continue;
    problems.push({ path: at, message: `${keyword} is ${describe(value)}`, hint: expected[form] });
  }
  const { type } = schema;
  if (typeof type === "string" && type !== "" && !types.includes(type)) {
    problems.push({
      path: [...path, "type"],
      message: `type ${describe(type)} is not known`,
      hint:
        type === "null"
          ? "write nullable: true beside another type"
          : `expected object, array, string, integer, number or boolean${closest(type)}`,
    });
  }
  return problems;
}

const meant: Readonly<Record<string, string>> = {
  bool: "boolean",
  dict: "object",
  double: "number",
  float: "number",
  int: "integer",
  int32: "integer",
  int64: "integer",
  list: "array",
  map: "object",
  str: "string",
  text: "string",
};

function closest(type: string): string {
  const guess = meant[type] ?? types.find((name) => name.startsWith(type.toLowerCase().slice(0, 3)));
  return guess === undefined ? "" : `; did you mean ${guess}?`;
}

function fits(value: unknown, form: Form): boolean {
  switch (form) {
    case "text":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    case "integer":
      // What a server keeps in 64 bits.
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63;
    case "list":
      return Array.isArray(value);
    case "texts":
      return Array.isArray(value) && value.every((item) => item === null || typeof item === "string");
    case "schemas":
      return Array.isArray(value);
    case "items":
      // A server takes a scalar for a schema that says nothing.
      return !Array.isArray(value) || value.length === 0;
    case "map":
    case "object":
      return asSchema(value) !== undefined;
    case "schema":
      return asSchema(value) !== undefined;
    case "schema or boolean":
      return typeof value === "boolean" || asSchema(value) !== undefined;
  }
}

export function describe(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : JSON.stringify(value).slice(0, 100);
}
