/** The shapes that an object takes on its way into the store. */
import { INITIAL_STATUS } from "./builtin-resources.js";
import { isJsonObject, type JsonObject, withProperty } from "./json.js";
import { type NamedMeta, updatedMetadata } from "./object-metadata.js";
import type { ApiObject } from "./object-store.js";
import type { ServedResource } from "./resource-registry.js";
import { metadataOf } from "./write-checks.js";

/** The object as a version shows it: the conversion strategy is None, so `apiVersion` alone differs. */
export function versioned({ apiVersion }: ServedResource, object: ApiObject): ApiObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

/** `kind` and `apiVersion` first, as built-in objects are written. */
export function assemble(resource: ServedResource, body: JsonObject, metadata: NamedMeta): ApiObject {
  const rest = Object.fromEntries(
    Object.entries(body).filter(([key]) => key !== "kind" && key !== "apiVersion" && key !== "metadata"),
  );
  return { kind: resource.kind, apiVersion: resource.apiVersion, metadata, ...rest };
}

/** A write to the status: of a custom resource that alone is taken, of others the labels and annotations as well. */
export function withStatusOf(resource: ServedResource, current: ApiObject, body: JsonObject): ApiObject {
  const metadata =
    resource.custom === undefined ? updatedMetadata(current.metadata, metadataOf(body)) : current.metadata;
  return assemble(resource, withProperty(current, "status", body["status"]), metadata);
}

/** What a generation counts changes of. */
export function specOf(object: ApiObject, hasStatus: boolean): JsonObject {
  const ignored = ["apiVersion", "kind", "metadata", ...(hasStatus ? ["status"] : [])];
  return Object.fromEntries(Object.entries(object).filter(([key]) => !ignored.includes(key)));
}

/** As an object begins, where its status is written on its own: a client has no say in it. */
export function withInitialStatus(resource: ServedResource, sent: JsonObject): JsonObject {
  if (!resource.subresources.includes("status")) return sent;
  const status = resource.custom === undefined ? (INITIAL_STATUS.get(resource.resource) ?? {}) : undefined;
  return withProperty(sent, "status", status);
}

/** A Secret's `stringData` is for writing alone. */
export function withSecretDefaults(sent: JsonObject): JsonObject {
  const { stringData, type = "Opaque", ...rest } = sent;
  if (!isJsonObject(stringData)) return { ...rest, type };
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString("base64"),
  ]);
  const data = isJsonObject(rest["data"]) ? Object.entries(rest["data"]) : [];
  return { ...rest, data: Object.fromEntries([...data, ...encoded]), type };
}

export function withRevision(object: ApiObject, revision: number): ApiObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** Of an object that was never written: it has none. */
export function withoutRevision(object: ApiObject): ApiObject {
  const { resourceVersion, ...metadata } = object.metadata;
  return resourceVersion === "" ? { ...object, metadata } : object;
}

/** Counts as a change of the spec, as it changes what is wanted. */
export function markDeleted(object: ApiObject, deletionTimestamp: string): ApiObject {
  const { generation } = object.metadata;
  const metadata = {
    ...object.metadata,
    ...(generation === undefined ? {} : { generation: generation + 1 }),
    deletionTimestamp,
    deletionGracePeriodSeconds: 0,
  };
  return { ...object, metadata };
}
