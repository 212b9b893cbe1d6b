/** What must hold of a CRD's schema before it is read: the shape of its keywords, not the rules of a server. */
import { asSchema, type Schema } from "../model.js";
import type { Path } from "./yaml.js";

export interface SchemaProblem {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

/** The first keyword that is not what it must be, or undefined. */
export function checkCrdSchema(value: unknown, path: Path = []): SchemaProblem | undefined {
  // An empty value is an empty schema: any value.
  if (value === null) return undefined;
  const schema = asSchema(value);
  if (schema === undefined)
    return { path, message: `a schema is expected, not ${describe(value)}`, hint: "expected type, properties, …" };
  if (schema["$ref"] !== undefined) {
    return {
      path: [...path, "$ref"],
      message: "a CustomResourceDefinition cannot use $ref",
      hint: "write the schema out where it is used",
    };
  }
  return ownKeywords(schema, path) ?? children(schema, path);
}

function ownKeywords(schema: Schema, path: Path): SchemaProblem | undefined {
  const { type } = schema;
  const types = Array.isArray(type) ? type : [type];
  const known = ["array", "boolean", "integer", "null", "number", "object", "string", "", undefined, null];
  const unknown = types.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return {
      path: [...path, "type"],
      message: `type ${describe(unknown)} is not known`,
      hint: "expected object, array, string, integer, number or boolean",
    };
  }
  for (const keyword of ["enum", "required"]) {
    const list = schema[keyword];
    if (list !== undefined && list !== null && !Array.isArray(list)) {
      return { path: [...path, keyword], message: `${keyword} is ${describe(list)}`, hint: "expected a list" };
    }
  }
  return undefined;
}

function children(schema: Schema, path: Path): SchemaProblem | undefined {
  const { properties, items, additionalProperties } = schema;
  if (properties !== undefined && properties !== null) {
    const map = asSchema(properties);
    if (map === undefined)
      return {
        path: [...path, "properties"],
        message: `properties is ${describe(properties)}`,
        hint: "expected a map of names to schemas",
      };
    for (const [name, child] of Object.entries(map)) {
      const problem = checkCrdSchema(child, [...path, "properties", name]);
      if (problem !== undefined) return problem;
    }
  }
  if (items !== undefined && items !== null) {
    const problem = checkCrdSchema(items, [...path, "items"]);
    if (problem !== undefined) return problem;
  }
  if (additionalProperties === undefined || additionalProperties === null || typeof additionalProperties === "boolean")
    return undefined;
  return checkCrdSchema(additionalProperties, [...path, "additionalProperties"]);
}

function describe(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : JSON.stringify(value).slice(0, 100);
}
