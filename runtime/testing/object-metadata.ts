/** The metadata that the server keeps of what a client sends. Counterpart: apiserver `registry/rest` BeforeCreate and BeforeUpdate. */
import { randomBytes, randomUUID } from "node:crypto";
import type { ObjectMeta } from "../api/object-meta.js";
import { isJsonObject, type JsonObject } from "./json.js";
import { strings } from "./object-rules.js";

/** `2026-01-01T00:00:00Z`: whole seconds, as `meta/v1 Time` is written. */
export function timestamp(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Metadata with a name, as every stored object has it. */
export type NamedMeta = ObjectMeta & { readonly name: string };

const GENERATED_SUFFIX = "bcdfghjklmnpqrstvwxz2456789";
const GENERATED_SUFFIX_LENGTH = 5;

/** `web-` and five characters. Counterpart: apiserver `names.SimpleNameGenerator`. */
export function generateName(prefix: string): string {
  const characters = Array.from(
    randomBytes(GENERATED_SUFFIX_LENGTH),
    (byte) => GENERATED_SUFFIX[byte % GENERATED_SUFFIX.length],
  );
  return prefix.slice(0, 63 - GENERATED_SUFFIX_LENGTH) + characters.join("");
}

/** Metadata of an object to be created. What only the server may set is not taken from the client. */
export function createdMetadata(
  sent: JsonObject,
  name: string,
  namespace: string,
  wallMs: number,
  generation: number | undefined,
): NamedMeta {
  return {
    name,
    ...(typeof sent["generateName"] === "string" && sent["generateName"] !== ""
      ? { generateName: sent["generateName"] }
      : {}),
    ...(namespace === "" ? {} : { namespace }),
    uid: randomUUID(),
    resourceVersion: "",
    ...(generation === undefined ? {} : { generation }),
    creationTimestamp: timestamp(wallMs),
    ...clientMetadata(sent),
  };
}

/** Metadata after an update: of what was sent, the part that is a client's to change. */
export function updatedMetadata(current: NamedMeta, sent: JsonObject): NamedMeta {
  const { labels: _, annotations: __, ownerReferences: ___, finalizers: ____, ...kept } = current;
  return { ...kept, ...clientMetadata(sent) };
}

/** What a client decides: empty maps and lists are as good as absent. */
function clientMetadata(sent: JsonObject): ObjectMeta {
  const labels = stringMap(sent["labels"]);
  const annotations = stringMap(sent["annotations"]);
  const finalizers = strings(sent["finalizers"]);
  const owners = sent["ownerReferences"];
  return {
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(Array.isArray(owners) && owners.length > 0 ? { ownerReferences: owners } : {}),
    ...(finalizers.length > 0 ? { finalizers: [...new Set(finalizers)] } : {}),
  };
}

function stringMap(value: unknown): { [key: string]: string } | undefined {
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([key, text]) => [key, String(text ?? "")]));
}

const KNOWN_METADATA = new Set([
  ...["name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp"],
  ...[
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
  ],
]);

/** Paths below `metadata` that no object has. */
export function unknownMetadata(sent: JsonObject): string[] {
  return Object.keys(sent)
    .filter((name) => !KNOWN_METADATA.has(name))
    .map((name) => `metadata.${name}`);
}
