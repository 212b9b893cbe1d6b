/** Defaults are values: they must be what the schema says of values. */
import { asSchema, type Schema } from "../model.js";
import { isIntOrString } from "../schema-keywords.js";

/** What is wrong with a default, or undefined. Patterns, formats and CEL are left to the server. */
export function checkDefault(value: unknown, schema: Schema): string | undefined {
  if (value === null) return schema["nullable"] === true ? undefined : "is null, and the schema is not nullable";
  return typeProblem(value, schema) ?? boundProblem(value, schema) ?? childProblem(value, schema);
}

function typeProblem(value: unknown, schema: Schema): string | undefined {
  const { type, enum: values } = schema;
  const is = typeName(value);
  // Without a type a server takes any default here.
  if (isIntOrString(schema) && (type === undefined || type === null)) return undefined;
  // A list passes for anything with a format: a server asks the format first.
  if (is === "array" && typeof schema["format"] === "string" && type !== "integer") return undefined;
  if (typeof type === "string" && type !== "" && type !== is && !(type === "number" && is === "integer")) {
    return `is of type ${is}, not ${type}`;
  }
  const listed =
    !Array.isArray(values) ||
    values.length === 0 ||
    values.some((item) => JSON.stringify(item) === JSON.stringify(value));
  return listed ? undefined : `${JSON.stringify(value)} is not one of enum`;
}

function boundProblem(value: unknown, schema: Schema): string | undefined {
  const bound = (keyword: string) => (typeof schema[keyword] === "number" ? schema[keyword] : undefined);
  const [size, least, most] =
    typeof value === "number"
      ? [value, bound("minimum"), bound("maximum")]
      : typeof value === "string"
        ? [[...value].length, bound("minLength"), bound("maxLength")]
        : Array.isArray(value)
          ? [value.length, bound("minItems"), bound("maxItems")]
          : [Object.keys(value as object).length, bound("minProperties"), bound("maxProperties")];
  if (least !== undefined && size < least) return `is less than ${least}`;
  return most !== undefined && size > most ? `is more than ${most}` : undefined;
}

function childProblem(value: unknown, schema: Schema): string | undefined {
  if (Array.isArray(value)) {
    const items = asSchema(schema["items"]);
    return items === undefined ? undefined : first(value.map((item) => checkDefault(item, items)));
  }
  const object = asSchema(value);
  if (object === undefined) return undefined;
  const properties = asSchema(schema["properties"]) ?? {};
  const more = schema["additionalProperties"];
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || more === true;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return first([
    ...Object.entries(object).map(([name, item]) => {
      const property = Object.hasOwn(properties, name) ? (asSchema(properties[name]) ?? {}) : asSchema(more);
      if (property !== undefined) return checkDefault(item, property);
      return open || (embedded && ["apiVersion", "kind", "metadata"].includes(name))
        ? undefined
        : `has ${JSON.stringify(name)}, which the schema does not declare`;
    }),
    ...required.map((name: unknown) => {
      const property = asSchema(properties[String(name)]);
      const there = Object.hasOwn(object, String(name)) || property?.["default"] !== undefined;
      return there ? undefined : `lacks ${JSON.stringify(name)}`;
    }),
  ]);
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  return typeof value;
}
