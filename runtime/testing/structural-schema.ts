/**
 * What the server does to a custom resource before it stores it: prune, default, validate. Counterpart:
 * apiextensions-apiserver `schema/{pruning,defaulting,validation}`. Rules in CEL (`x-kubernetes-validations`) and
 * `format`s are not evaluated.
 */
import { isJsonObject, type JsonObject, jsonEqual, stringifyJson } from "./json.js";
import type { FieldError } from "./status.js";

/** A `schema.openAPIV3Schema` of a CustomResourceDefinition. */
export interface StructuralSchema {
  readonly type?: string;
  readonly description?: string;
  readonly nullable?: boolean;
  readonly properties?: { readonly [name: string]: StructuralSchema };
  readonly additionalProperties?: StructuralSchema | boolean;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly StructuralSchema[];
  readonly anyOf?: readonly StructuralSchema[];
  readonly oneOf?: readonly StructuralSchema[];
  readonly not?: StructuralSchema;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

/** Fields that every object has, whether or not a schema names them. */
const ENVELOPE = ["apiVersion", "kind", "metadata"];

/** A copy without what the schema does not know. Adds the path of each field dropped to `dropped`. */
export function pruned(schema: StructuralSchema, object: JsonObject, dropped: string[]): JsonObject {
  return pruneObject(schema, object, "", true, dropped);
}

function prune(schema: StructuralSchema, value: unknown, path: string, dropped: string[]): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item, i) => prune(items, item, `${path}[${i}]`, dropped));
  }
  const isResource = schema["x-kubernetes-embedded-resource"] === true;
  return isJsonObject(value) ? pruneObject(schema, value, path, isResource, dropped) : value;
}

function pruneObject(
  schema: StructuralSchema,
  object: JsonObject,
  path: string,
  isResource: boolean,
  dropped: string[],
): JsonObject {
  const kept: [string, unknown][] = [];
  for (const [name, value] of Object.entries(object)) {
    const at = childPath(path, name);
    const known = propertySchema(schema, name);
    if (isResource && ENVELOPE.includes(name)) kept.push([name, value]);
    else if (known !== undefined) kept.push([name, prune(known, value, at, dropped)]);
    else if (schema["x-kubernetes-preserve-unknown-fields"] === true) kept.push([name, value]);
    else if (schema.additionalProperties === true) kept.push([name, value]);
    else dropped.push(at);
  }
  return Object.fromEntries(kept);
}

function propertySchema(
  { properties, additionalProperties }: StructuralSchema,
  name: string,
): StructuralSchema | undefined {
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

function childPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/**
 * A copy with defaults filled in, for fields that are absent, or null where null is not allowed.
 * Such nulls without a default are dropped, as the real server does.
 */
export function defaulted(schema: StructuralSchema, object: JsonObject): JsonObject {
  return withDefaults(schema, object) as JsonObject;
}

function withDefaults(schema: StructuralSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withDefaults(items, item));
  }
  if (!isJsonObject(value)) return value;
  const filled: [string, unknown][] = [];
  for (const [name, child] of Object.entries(value)) {
    const known = propertySchema(schema, name);
    if (known === undefined) filled.push([name, child]);
    else if (child !== null || known.nullable === true) filled.push([name, withDefaults(known, child)]);
  }
  const present = new Set(filled.map(([name]) => name));
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (!present.has(name) && child.default !== undefined)
      filled.push([name, withDefaults(child, structuredClone(child.default))]);
  }
  return Object.fromEntries(filled);
}

/** What is wrong with an object; nothing when it is valid. */
export function schemaErrors(schema: StructuralSchema, object: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  validate(schema, object, "", errors);
  return errors;
}

function validate(schema: StructuralSchema, value: unknown, path: string, errors: FieldError[]): void {
  if (value === null && schema.nullable === true) return;
  if (!hasType(schema, value)) {
    const wanted = schema["x-kubernetes-int-or-string"] === true ? "integer,string" : schema.type;
    const found = typeOf(value);
    const message = `Invalid value: "${found}": ${path} in body must be of type ${wanted}: "${found}"`;
    errors.push({ type: "TypeInvalid", field: path, message });
    return;
  }
  const { enum: allowed } = schema;
  if (allowed !== undefined && !allowed.some((one) => jsonEqual(one, value))) {
    const supported = allowed.map(stringifyJson).join(", ");
    const message = `Unsupported value: ${stringifyJson(value)}: supported values: ${supported}`;
    errors.push({ type: "NotSupported", field: path, message });
  }
  if (typeof value === "number" || typeof value === "bigint") validateNumber(schema, Number(value), path, errors);
  else if (typeof value === "string") validateString(schema, value, path, errors);
  else if (Array.isArray(value)) validateArray(schema, value, path, errors);
  else if (isJsonObject(value)) validateObject(schema, value, path, errors);
  validateJunctors(schema, value, path, errors);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function hasType(schema: StructuralSchema, value: unknown): boolean {
  const found = typeOf(value);
  if (schema["x-kubernetes-int-or-string"] === true) return found === "integer" || found === "string";
  if (schema.type === undefined || schema.type === "") return true;
  return found === schema.type || (found === "integer" && schema.type === "number");
}

function refuse(errors: FieldError[], path: string, value: unknown, rule: string): void {
  errors.push({
    type: "Invalid",
    field: path,
    message: `Invalid value: ${stringifyJson(value)}: ${path} in body should ${rule}`,
  });
}

function validateNumber(schema: StructuralSchema, value: number, path: string, errors: FieldError[]): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    refuse(errors, path, value, `be less than ${exclusiveMaximum === true ? "" : "or equal to "}${maximum}`);
  }
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    refuse(errors, path, value, `be greater than ${exclusiveMinimum === true ? "" : "or equal to "}${minimum}`);
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf))
    refuse(errors, path, value, `be a multiple of ${multipleOf}`);
}

function validateString(
  { minLength, maxLength, pattern }: StructuralSchema,
  value: string,
  path: string,
  errors: FieldError[],
): void {
  const length = [...value].length;
  if (maxLength !== undefined && length > maxLength) {
    errors.push({ type: "TooLong", field: path, message: `Too long: may not be more than ${maxLength} bytes` });
  }
  if (minLength !== undefined && length < minLength) refuse(errors, path, value, `be at least ${minLength} chars long`);
  if (pattern !== undefined && regExp(pattern)?.test(value) === false)
    refuse(errors, path, value, `match '${pattern}'`);
}

/** Patterns are RE2; one that JavaScript cannot read is not checked. */
function regExp(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}

function validateArray(schema: StructuralSchema, value: readonly unknown[], path: string, errors: FieldError[]): void {
  const { minItems, maxItems, uniqueItems, items } = schema;
  if (maxItems !== undefined && value.length > maxItems) {
    const message = `Too many: ${value.length}: must have at most ${maxItems} items`;
    errors.push({ type: "TooMany", field: path, message });
  }
  if (minItems !== undefined && value.length < minItems)
    refuse(errors, path, value.length, `have at least ${minItems} items`);
  const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
  if (uniqueItems === true || schema["x-kubernetes-list-type"] === "set" || keys !== undefined) {
    const seen = new Set<string>();
    value.forEach((item, i) => {
      const identity = keys === undefined ? item : keys.map((key) => (isJsonObject(item) ? item[key] : undefined));
      const text = stringifyJson(identity);
      if (seen.has(text))
        errors.push({ type: "Duplicate", field: `${path}[${i}]`, message: `Duplicate value: ${text}` });
      seen.add(text);
    });
  }
  if (items !== undefined) for (const [i, item] of value.entries()) validate(items, item, `${path}[${i}]`, errors);
}

function validateObject(schema: StructuralSchema, value: JsonObject, path: string, errors: FieldError[]): void {
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name))
      errors.push({ type: "Required", field: childPath(path, name), message: "Required value" });
  }
  const names = Object.keys(value);
  const { minProperties, maxProperties } = schema;
  if (maxProperties !== undefined && names.length > maxProperties) {
    const message = `Too many: ${names.length}: must have at most ${maxProperties} items`;
    errors.push({ type: "TooMany", field: path, message });
  }
  if (minProperties !== undefined && names.length < minProperties) {
    refuse(errors, path, names.length, `have at least ${minProperties} properties`);
  }
  for (const name of names) {
    const known = propertySchema(schema, name);
    if (known !== undefined) validate(known, value[name], childPath(path, name), errors);
  }
}

function validateJunctors(schema: StructuralSchema, value: unknown, path: string, errors: FieldError[]): void {
  const holds = (one: StructuralSchema) => {
    const found: FieldError[] = [];
    validate(one, value, path, found);
    return found.length === 0;
  };
  for (const one of schema.allOf ?? []) validate(one, value, path, errors);
  const { anyOf, oneOf, not } = schema;
  // The pair of types that stands for int-or-string has been checked as such.
  if (anyOf !== undefined && schema["x-kubernetes-int-or-string"] !== true && !anyOf.some(holds)) {
    refuse(errors, path, value, "match at least one schema (anyOf)");
  }
  if (oneOf !== undefined && oneOf.filter(holds).length !== 1)
    refuse(errors, path, value, "match exactly one schema (oneOf)");
  if (not !== undefined && holds(not)) refuse(errors, path, value, "not match the schema (not)");
}
