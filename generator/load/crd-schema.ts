/** The shape of a CRD's schema: what each keyword must be for a server to read it at all. */
import { asSchema, type Schema } from "../model.js";
import { checkForm, describe, type Form, type Problem, texts } from "./forms.js";
import type { Path } from "./yaml.js";

/** What holds schemas, beside what holds plain values. */
type SchemaForm = "items" | "schema" | "schemas" | "map" | "schema or boolean";

function keywords<F>(form: F, ...names: string[]): [name: string, form: F][] {
  return names.map((name) => [name, form]);
}

const rules: Form = {
  list: {
    fields: {
      ...Object.fromEntries(keywords<Form>("text", "rule", "message", "messageExpression", "reason", "fieldPath")),
      optionalOldSelf: "boolean",
    },
  },
};

const forms: ReadonlyMap<string, Form | SchemaForm> = new Map<string, Form | SchemaForm>([
  ...keywords<Form>("text", "$schema", "$ref", "description", "format", "id", "pattern", "title", "type"),
  ...keywords<Form>("text", "x-kubernetes-list-type", "x-kubernetes-map-type"),
  ...keywords<Form>("boolean", "exclusiveMaximum", "exclusiveMinimum", "nullable", "uniqueItems"),
  ...keywords<Form>("boolean", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
  ...keywords<Form>("boolean", "x-kubernetes-preserve-unknown-fields"),
  ...keywords<Form>("number", "maximum", "minimum", "multipleOf"),
  ...keywords<Form>("int64", "maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"),
  ...keywords<Form>(texts, "required", "x-kubernetes-list-map-keys"),
  ["enum", { list: "anything" }],
  ["x-kubernetes-validations", rules],
  ["externalDocs", { fields: { description: "text", url: "text" } }],
  ["items", "items"],
  ["not", "schema"],
  ...keywords<SchemaForm>("schemas", "allOf", "anyOf", "oneOf"),
  ["properties", "map"],
  ["additionalProperties", "schema or boolean"],
]);

const expected: Readonly<Record<SchemaForm, string>> = {
  items: "expected a schema",
  schema: "expected a schema",
  schemas: "expected a list of schemas",
  map: "expected a map of names to schemas",
  "schema or boolean": "expected a schema, true or false",
};

/** Keywords of JSON Schema that no server takes. */
const unsupported = ["$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];
/** Those that are as good as left out when they are empty. */
const nothingWhenEmpty = ["$schema", "definitions", "id", "patternProperties"];

const types = ["array", "boolean", "integer", "number", "object", "string"];

/** Every keyword that is not what it must be. */
export function checkCrdSchema(value: unknown, path: Path = []): Problem[] {
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

function ownKeywords(schema: Schema, path: Path): Problem[] {
  const problems: Problem[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (value === null || value === undefined) continue;
    const at = [...path, keyword];
    const isEmpty = value === "" || Object.keys(asSchema(value) ?? { some: 1 }).length === 0;
    if (unsupported.includes(keyword) && !(isEmpty && nothingWhenEmpty.includes(keyword))) {
      problems.push({
        path: at,
        message: `a CustomResourceDefinition cannot use ${keyword}`,
        hint: keyword === "$ref" ? "write the schema out where it is used" : "leave it out",
      });
      continue;
    }
    const form = forms.get(keyword);
    if (form === undefined) continue;
    if (!isSchemaForm(form)) problems.push(...checkForm(value, form, at));
    else if (!fits(value, form))
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

function isSchemaForm(form: Form | SchemaForm): form is SchemaForm {
  return typeof form === "string" && form in expected;
}

function fits(value: unknown, form: SchemaForm): boolean {
  switch (form) {
    case "schemas":
      return Array.isArray(value);
    case "items":
      // A server takes a scalar for a schema that says nothing.
      return !Array.isArray(value) || value.length === 0;
    case "map":
    case "schema":
      return asSchema(value) !== undefined;
    case "schema or boolean":
      return typeof value === "boolean" || asSchema(value) !== undefined;
  }
}

/** Takes what is wrong. */
export type Add = (path: Path, message: string, hint: string) => void;

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Of a list of texts; null is the empty one, as in Go. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
