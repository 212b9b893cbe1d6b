/** What refuses a write because of what it says, before it is carried out. Counterpart: apiserver `rest.BeforeCreate` and `BeforeUpdate`. */
import { isJsonObject, type JsonObject, property } from "./json.js";
import type { DeleteOptions } from "./object-api.js";
import type { NamedMeta } from "./object-metadata.js";
import { strings } from "./object-rules.js";
import type { ApiObject, StoredObject } from "./object-store.js";
import type { ServedResource } from "./resource-registry.js";
import { type ApiError, badRequest, conflict, type FieldError, invalid } from "./status.js";
import { schemaErrors } from "./structural-schema.js";

export function nonEmpty(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** @throws ApiError 400 when it is no object, or its maps hold anything but text */
export function metadataOf(sent: JsonObject): JsonObject {
  const metadata = sent["metadata"] ?? {};
  if (!isJsonObject(metadata)) throw badRequest("metadata must be an object");
  for (const name of ["labels", "annotations"]) {
    const map = metadata[name];
    if (isJsonObject(map) && Object.values(map).some((value) => value !== null && typeof value !== "string")) {
      throw badRequest(`metadata.${name} must be a map of strings`);
    }
  }
  return metadata;
}

/** Of a built-in object kind and version may be left out, as the path says them. */
export function checkKind(resource: ServedResource, sent: JsonObject, isPatched = false): void {
  const { apiVersion, kind } = sent;
  if (resource.custom !== undefined) {
    for (const [field, value] of Object.entries({ Kind: kind, apiVersion })) {
      if (!nonEmpty(value))
        throw badRequest(
          `the object provided is unrecognized (must be of type ${resource.kind}): Object '${field}' is missing`,
        );
    }
  }
  const isOther = (value: unknown, expected: string) => value !== undefined && value !== "" && value !== expected;
  const isOtherKind = isOther(kind, resource.kind);
  if (!isOtherKind && !isOther(apiVersion, resource.apiVersion)) return;
  const found = `${kind ?? resource.kind} in version "${apiVersion ?? resource.apiVersion}"`;
  const message = `${found} cannot be handled as a ${resource.kind} in version "${resource.apiVersion}"`;
  if (resource.custom !== undefined && isOtherKind) {
    const error = {
      type: "Invalid",
      field: "kind",
      message: `Invalid value: ${JSON.stringify(kind)}: must be ${resource.kind}`,
    } as const;
    throw invalid({ group: resource.group, kind: String(kind) }, String(property(sent["metadata"], "name") ?? ""), [
      error,
    ]);
  }
  if (isPatched) throw invalid({ group: "", kind: "" }, "", [{ type: "Invalid", field: "patch", message }]);
  throw badRequest(message);
}

export function checkNamespace(resource: ServedResource, namespace: string, metadata: JsonObject): void {
  const sent = metadata["namespace"];
  if (!nonEmpty(sent) || resource.scope !== "Namespaced" || sent === namespace) return;
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** The name is in the path, and not in the object. */
export function nameMissing(name: string): ApiError {
  return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}

export function checkErrors(resource: ServedResource, name: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(resource, name, errors);
}

export function checkSchema(resource: ServedResource, object: ApiObject): void {
  if (resource.custom !== undefined)
    checkErrors(resource, object.metadata.name, schemaErrors(resource.custom.schema, object));
}

/** Fields of the metadata that are the server's alone; leaving them out leaves them as they are. */
export function immutableErrors(current: ApiObject, sent: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ["uid", "deletionTimestamp"] as const) {
    const value = property(sent["metadata"], field);
    if (value === undefined || value === null || value === current.metadata[field]) continue;
    const message = `Invalid value: ${JSON.stringify(value)}: field is immutable`;
    errors.push({ type: "Invalid", field: `metadata.${field}`, message });
  }
  return errors;
}

export function finalizerErrors(current: NamedMeta, next: NamedMeta): FieldError[] {
  if (current.deletionTimestamp === undefined) return [];
  const added = strings(next.finalizers).filter((finalizer) => !strings(current.finalizers).includes(finalizer));
  if (added.length === 0) return [];
  const names = JSON.stringify(added);
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${names}`;
  return [{ type: "Forbidden", field: "metadata.finalizers", message }];
}

export function checkPreconditions(
  resource: ServedResource,
  { object }: StoredObject,
  { preconditions }: DeleteOptions,
): void {
  const { name, uid, resourceVersion } = object.metadata;
  const kind = { group: resource.group, resource: resource.kind };
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    const why = `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(kind, name, why);
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(kind, name, why);
  }
}
