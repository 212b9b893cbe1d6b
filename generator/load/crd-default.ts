/**
 * Defaults are values: they must be what the schema says of values, as a server judges them (kube-openapi `validation/validate`,
 * apiextensions `schema/defaulting`). Only their rules of CEL are left to it.
 */
import { isDeepStrictEqual } from "node:util";
import { grammar } from "../grammar.js";
import { asSchema, type Schema } from "../model.js";
import { checkMetadata } from "./crd-metadata.js";
import { matches } from "./crd-pattern.js";
import { text, textsOf } from "./crd-schema.js";
import { hasFormat } from "./formats.js";
import { checkForm, metadataForm } from "./forms.js";

type Check = (value: unknown, schema: Schema) => string | undefined;

/** What is wrong with a default, or undefined. */
export function checkDefault(value: unknown, schema: Schema): string | undefined {
  return unknownField(value, schema) ?? embeddedProblem(value, schema) ?? valueProblem(value, schema);
}

/** The same of a default within metadata. @param object what the default makes of an object that has nothing else */
export function checkMetaDefault(object: Schema, value: unknown, schema: Schema): string | undefined {
  return resourceProblem(object) ?? valueProblem(value, schema);
}

const typeMeta = ["apiVersion", "kind", "metadata"];

/** A server drops what a schema does not declare, and takes no default that it would have to cut. */
function unknownField(value: unknown, schema: Schema | undefined, ofOpenList = false): string | undefined {
  const open = ofOpenList || schema?.["x-kubernetes-preserve-unknown-fields"] === true;
  if (Array.isArray(value)) {
    const items = asSchema(schema?.["items"]);
    return open && items === undefined ? undefined : first(value.map((item) => unknownField(item, items, open)));
  }
  const properties = asSchema(schema?.["properties"]) ?? {};
  const more = schema?.["additionalProperties"];
  const embedded = schema?.["x-kubernetes-embedded-resource"] === true;
  return first(
    Object.entries(asSchema(value) ?? {}).map(([name, item]) => {
      if (embedded && typeMeta.includes(name)) return undefined;
      if (Object.hasOwn(properties, name)) return unknownField(item, asSchema(properties[name]) ?? {});
      if (asSchema(more) !== undefined) return unknownField(item, asSchema(more));
      if (open) return undefined;
      // Of a map whose values are free, what is below a value is not declared anywhere.
      if (more === true || more === false) return unknownField(item, undefined);
      return `has ${JSON.stringify(name)}, which the schema does not declare`;
    }),
  );
}

/** An object within an object says what it is. */
function embeddedProblem(value: unknown, schema: Schema): string | undefined {
  if (Array.isArray(value)) {
    const items = asSchema(schema["items"]);
    return items === undefined ? undefined : first(value.map((item) => embeddedProblem(item, items)));
  }
  const object = asSchema(value);
  if (object === undefined) return undefined;
  const own = schema["x-kubernetes-embedded-resource"] === true ? resourceProblem(object) : undefined;
  const properties = asSchema(schema["properties"]) ?? {};
  const more = asSchema(schema["additionalProperties"]);
  return (
    own ??
    first(
      Object.entries(object).map(([name, item]) => {
        const property = Object.hasOwn(properties, name) ? asSchema(properties[name]) : more;
        return property === undefined ? undefined : embeddedProblem(item, property);
      }),
    )
  );
}

function resourceProblem({ apiVersion, kind, metadata }: Schema): string | undefined {
  if (apiVersion === undefined || kind === undefined) return "of an embedded resource lacks apiVersion and kind";
  if (typeof apiVersion !== "string" || !/^(?=.)[^/]*\/?[^/]*$/.test(apiVersion)) {
    return `has the apiVersion ${JSON.stringify(apiVersion)}, not a VERSION or GROUP/VERSION`;
  }
  if (typeof kind !== "string" || grammar.kind(kind) !== undefined)
    return `has the kind ${JSON.stringify(kind)}, which Kubernetes does not accept`;
  return [...checkForm(metadata, metadataForm, ["metadata"]), ...checkMetadata(metadata)][0]?.message;
}

const valueRules = firstOf(
  typeProblem,
  logicProblem,
  textProblem,
  numberProblem,
  listProblem,
  enumProblem,
  objectProblem,
);

function valueProblem(value: unknown, schema: Schema): string | undefined {
  if (value !== null) return valueRules(value, schema);
  if (text(schema["type"]) !== "" && schema["nullable"] !== true) return "is null, and the schema is not nullable";
  return enumProblem(value, schema);
}

function typeProblem(value: unknown, schema: Schema): string | undefined {
  const [type, format, is] = [text(schema["type"]), text(schema["format"]), typeName(value)];
  if (type === "" && format === "") return undefined;
  const isNumeric = type === "number" || type === "integer";
  const fits = type === is || (type === "number" && is === "integer");
  // A server asks the format first, and takes lists and texts for anything that has one.
  if (format !== "" && (is === "string" || is === "array") && !isNumeric) return undefined;
  if (fits || (format === "int64" && is === "integer")) return fits ? undefined : wrongType(is, type);
  return wrongType(is, type || format);
}

function wrongType(is: string, type: string): string {
  return `is of type ${is}, not ${type}`;
}

function logicProblem(value: unknown, schema: Schema): string | undefined {
  const valid = (keyword: string) =>
    (Array.isArray(schema[keyword]) ? schema[keyword] : []).map(
      (branch: unknown) => valueProblem(value, asSchema(branch) ?? {}) === undefined,
    );
  const [all, any, one] = ["allOf", "anyOf", "oneOf"].map(valid) as [boolean[], boolean[], boolean[]];
  if (any.length > 0 && !any.includes(true)) return "fits no schema of anyOf";
  if (one.length > 0 && one.filter((fits) => fits).length !== 1) return "does not fit exactly one schema of oneOf";
  if (all.includes(false)) return "does not fit all schemas of allOf";
  const not = asSchema(schema["not"]);
  return not !== undefined && valueProblem(value, not) === undefined ? "fits the schema of not" : undefined;
}

function textProblem(value: unknown, schema: Schema): string | undefined {
  if (typeof value !== "string") return undefined;
  const [format, pattern] = [text(schema["format"]), text(schema["pattern"])];
  const shown = JSON.stringify(value).slice(0, 100);
  const size = sizeProblem([...value].length, schema, "Length");
  if (size !== undefined) return size;
  if (pattern !== "" && !matches(pattern, value)) return `${shown} does not match ${pattern}`;
  return hasFormat(value, format) ? undefined : `${shown} is not of the format ${format}`;
}

function numberProblem(value: unknown, schema: Schema): string | undefined {
  if (typeof value !== "number") return undefined;
  const { type, format } = schema;
  const isWhole = typeName(value) === "integer";
  if (type === "integer" && !isWhole) return "is no whole number of 64 bits";
  if (type === "integer" && format === "int32" && (value < -(2 ** 31) || value >= 2 ** 31))
    return "is no number of 32 bits";
  if (type === "number" && format === "float" && Math.abs(value) > 3.4028234663852886e38)
    return "is no number of 32 bits";
  for (const keyword of ["minimum", "maximum", "multipleOf"]) {
    const given = schema[keyword];
    if (typeof given !== "number") continue;
    if (type === "integer" && !Number.isInteger(given)) return `of an integer whose ${keyword} is ${given}`;
    // A server compares whole numbers with whole numbers.
    const bound = isWhole ? Math.trunc(given) : given;
    const exclusive = schema[keyword === "minimum" ? "exclusiveMinimum" : "exclusiveMaximum"] === true;
    if (keyword === "minimum" && (value < bound || (exclusive && value === bound))) return `is less than ${given}`;
    if (keyword === "maximum" && (value > bound || (exclusive && value === bound))) return `is more than ${given}`;
    if (keyword === "multipleOf" && !(bound > 0 && isMultiple(value, bound))) return `is no multiple of ${given}`;
  }
  return undefined;
}

/** Within what a server allows for fractions, which no number holds exactly (go-openapi `swag.IsFloat64AJSONInteger`). */
function isMultiple(value: number, of: number): boolean {
  const times = of < 1 ? (1 / of) * value : value / of;
  const whole = Math.trunc(times);
  return times === whole || Math.abs(times - whole) / (Math.abs(times) + Math.abs(whole)) < 1e-9;
}

function listProblem(value: unknown, schema: Schema): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = asSchema(schema["items"]);
  const inner = items === undefined ? [] : value.map((item) => valueProblem(item, items));
  return first(inner) ?? sizeProblem(value.length, schema, "Items");
}

function enumProblem(value: unknown, schema: Schema): string | undefined {
  const values = schema["enum"];
  if (!Array.isArray(values) || values.length === 0) return undefined;
  // No null of the list counts.
  const isListed = value !== null && values.some((item) => isDeepStrictEqual(item, value));
  return isListed ? undefined : `${JSON.stringify(value).slice(0, 100)} is not one of enum`;
}

function objectProblem(value: unknown, schema: Schema): string | undefined {
  const object = asSchema(value);
  if (object === undefined) return undefined;
  const properties = asSchema(schema["properties"]) ?? {};
  const more = schema["additionalProperties"];
  return (
    sizeProblem(Object.keys(object).length, schema, "Properties") ??
    first(
      Object.entries(object).map(([name, item]) => {
        if (Object.hasOwn(properties, name)) return valueProblem(item, asSchema(properties[name]) ?? {});
        if (more === false) return `has ${JSON.stringify(name)}, which the schema does not allow`;
        const values = asSchema(more);
        return values === undefined ? undefined : valueProblem(item, values);
      }),
    ) ??
    first(
      textsOf(schema["required"]).map((name) =>
        Object.hasOwn(object, name) ? undefined : `lacks ${JSON.stringify(name)}`,
      ),
    )
  );
}

function sizeProblem(size: number, schema: Schema, what: "Length" | "Items" | "Properties"): string | undefined {
  const [least, most] = [schema[`min${what}`], schema[`max${what}`]];
  if (typeof least === "number" && size < least) return `is less than ${least}`;
  return typeof most === "number" && size > most ? `is more than ${most}` : undefined;
}

function firstOf(...checks: readonly Check[]): Check {
  return (value, schema) => {
    for (const check of checks) {
      const problem = check(value, schema);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

/** A whole number beyond 64 bits is a number and no integer. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return Math.abs(value as number) < 2 ** 63 ? "integer" : "number";
  return typeof value;
}
