/** What single keywords of a Kubernetes schema mean. Every function takes a schema as it was read and trusts nothing in it. */
import { GeneratorError } from "./errors.js";
import { asSchema, type Schema } from "./model.js";

export type Literal = string | number | boolean | null;

export function groupVersionKinds(schema: Schema): { group: string; version: string; kind: string }[] {
  const list = schema["x-kubernetes-group-version-kind"];
  return (Array.isArray(list) ? list : []).flatMap((item: unknown) => {
    const { group, version, kind } = asSchema(item) ?? {};
    return typeof group === "string" && typeof version === "string" && typeof kind === "string"
      ? [{ group, version, kind }]
      : [];
  });
}

/** The schema that a `$ref` names, also when `allOf` wraps it, as Kubernetes does to give it a description. */
export function referenceOf(schema: Schema): string | undefined {
  const direct = schema["$ref"];
  const wrapper = schema["allOf"];
  const inner = Array.isArray(wrapper) && wrapper.length === 1 ? asSchema(wrapper[0])?.["$ref"] : undefined;
  const reference = typeof direct === "string" ? direct : inner;
  if (typeof reference !== "string") return undefined;
  const key = /^#\/(?:components\/schemas|definitions)\/([^/]+)$/.exec(reference)?.[1];
  if (key === undefined) {
    throw new GeneratorError(
      "input",
      `$ref ${JSON.stringify(reference.slice(0, 200))} does not lead to a schema of its own document`,
      {
        hint: "only #/components/schemas/NAME is followed; nothing is read from other files or hosts",
      },
    );
  }
  return decodePointer(key);
}

function decodePointer(segment: string): string {
  let text = segment;
  try {
    text = decodeURIComponent(segment);
  } catch {
    // Not percent-encoded after all: the name is meant as it stands.
  }
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

export function isIntOrString(schema: Schema): boolean {
  return schema["x-kubernetes-int-or-string"] === true || schema["format"] === "int-or-string";
}

/** One type name; `["string", "null"]` counts as its first (the union is `nullable`, which OpenAPI 3.0 says elsewhere). */
export function typeOf(schema: Schema): string | undefined {
  const type = Array.isArray(schema["type"]) ? schema["type"].find((name) => name !== "null") : schema["type"];
  if (typeof type === "string" && type !== "") return type;
  if (asSchema(schema["properties"]) !== undefined || asSchema(schema["additionalProperties"]) !== undefined)
    return "object";
  if (asSchema(schema["items"]) !== undefined) return "array";
  return schema["x-kubernetes-embedded-resource"] === true ? "object" : undefined;
}

/** Whether a schema becomes an interface: it declares fields, or has those of every Kubernetes object. */
export function isObjectType(schema: Schema): boolean {
  const declares = Object.keys(asSchema(schema["properties"]) ?? {}).length > 0;
  return (typeOf(schema) === "object" && declares) || schema["x-kubernetes-embedded-resource"] === true;
}

export function isScalar(schema: Schema): boolean {
  return ["string", "number", "integer", "boolean"].includes(String(schema["type"]));
}

/** Whether fields beyond the declared ones may be there. */
export function isOpen(schema: Schema): boolean {
  const more = schema["additionalProperties"];
  return schema["x-kubernetes-preserve-unknown-fields"] === true || more === true || asSchema(more) !== undefined;
}

/** The scalars of an enum that its type lets be; undefined where there are none, or values of other kinds. */
export function enumValues(schema: Schema): Literal[] | undefined {
  const list = schema["enum"];
  if (!Array.isArray(list) || !list.every(isLiteral)) return undefined;
  const values = [...new Set(list)].filter((value) => value === null || kindsOf(schema).includes(typeof value));
  return values.length === 0 ? undefined : values;
}

function isLiteral(value: unknown): value is Literal {
  return value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
}

function kindsOf(schema: Schema): string[] {
  const type = typeOf(schema);
  if (type === "string" || type === "boolean") return [type];
  if (type === "integer" || type === "number") return ["number"];
  return isIntOrString(schema) ? ["number", "string"] : ["boolean", "number", "string"];
}

export function isNullable(schema: Schema): boolean {
  return schema["nullable"] === true || (Array.isArray(schema["type"]) && schema["type"].includes("null"));
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
