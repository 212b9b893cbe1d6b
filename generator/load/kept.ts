/**
 * The kept schema of Kubernetes itself: what `generated/` is made from, so that rebuilding it needs no cluster. It holds what
 * generation reads and nothing else; no descriptions, so that no other project's sentences are in this repository.
 */
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { groupsOf } from "../discover.js";
import { GeneratorError } from "../errors.js";
import { type ApiDocument, asSchema, byCodeUnit, byKey, type Model, type Resource, type Schema } from "../model.js";
import { isBuiltInGroup } from "../naming.js";

interface Kept {
  readonly resources: readonly Resource[];
  readonly schemas: { readonly [key: string]: Schema };
}

export function readKept(file: string): ApiDocument[] {
  let kept: Kept;
  try {
    kept = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8")) as Kept;
  } catch (cause) {
    throw new GeneratorError("input", `the kept schema ${file} cannot be read`, {
      cause,
      hint: "make it anew: generate --cluster --save-schema FILE",
    });
  }
  const schemas = new Map(Object.entries(kept.schemas));
  return groupsOf(kept.resources).flatMap(({ versions }) =>
    versions.map(({ group, version, resources }) => ({ group, version, complete: true, resources, schemas })),
  );
}

/** The kept form of a model, the same bytes for the same API. */
export function keep(model: Model): Buffer {
  const resources = model.groups
    .filter(({ name }) => isBuiltInGroup(name))
    .flatMap(({ versions }) => versions.flatMap((version) => version.resources));
  const schemas: Record<string, Schema> = {};
  const pending = resources.map(({ schema }) => schema);
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    const schema = model.schemas.get(key);
    if (schema === undefined || Object.hasOwn(schemas, key)) continue;
    const slim = slimmed(schema) as Schema;
    schemas[key] = slim;
    pending.push(
      ...[...JSON.stringify(slim).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]!),
    );
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(byKey(([key]) => key)));
  const bytes = gzipSync(`${JSON.stringify({ resources, schemas: sorted })}\n`, { level: 9 });
  // The header's tenth byte names the operating system that packed it.
  bytes[9] = 255;
  return bytes;
}

/** The keywords that decide a type, sorted; below `properties` every key is a name and stays. */
function slimmed(value: unknown, names = false): unknown {
  if (Array.isArray(value)) return value.map((item) => slimmed(item));
  const object = asSchema(value);
  if (object === undefined) return value;
  return Object.fromEntries(
    Object.entries(object)
      .filter(([key]) => names || kept.has(key))
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([key, item]) => [key, keepAsIs.has(key) && !names ? item : slimmed(item, key === "properties" && !names)]),
  );
}

const keepAsIs = new Set(["enum", "required", "x-kubernetes-group-version-kind"]);
const kept = new Set([
  ...keepAsIs,
  "$ref",
  "additionalProperties",
  "allOf",
  "anyOf",
  "format",
  "items",
  "nullable",
  "oneOf",
  "properties",
  "type",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
]);
