/**
 * Create, read, update and delete: what a write does to an object, and what refuses it. Counterparts: apiserver
 * `registry/generic/registry.Store` and the strategies of each resource, of which only what every resource shares is here.
 *
 * Simplified: no managedFields, no admission plugins, no defaulting or validation of built-in kinds beyond their metadata,
 * no garbage collection by owner references; a pod is gone as soon as it is deleted, as if a kubelet had seen to it.
 */
import { metaNamespaceKey } from "../api/keys.js";
import type { Clock } from "../util/clock.js";
import { CONDITIONAL_UPDATE, RETURNS_DELETED } from "./builtin-resources.js";
import { type JsonObject, jsonEqual, property, without, withProperty } from "./json.js";
import { createdMetadata, generateName, timestamp, unknownMetadata, updatedMetadata } from "./object-metadata.js";
import { metadataErrors, strings } from "./object-rules.js";
import {
  assemble,
  markDeleted,
  specOf,
  versioned,
  withInitialStatus,
  withoutRevision,
  withRevision,
  withSecretDefaults,
  withStatusOf,
} from "./object-shape.js";
import type { ApiObject, ObjectStore, StoredObject } from "./object-store.js";
import { applyPatch, type PatchType } from "./patch.js";
import type { ResourceRegistry, ServedResource } from "./resource-registry.js";
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  internal,
  invalid,
  modified,
  notFound,
  type Status,
  success,
} from "./status.js";
import { defaulted, pruned } from "./structural-schema.js";
import {
  checkErrors,
  checkKind,
  checkNamespace,
  checkPreconditions,
  checkSchema,
  finalizerErrors,
  immutableErrors,
  metadataOf,
  nameMissing,
  nonEmpty,
} from "./write-checks.js";

export interface WriteOptions {
  /** Answers as if it had been done. */
  readonly dryRun?: boolean;
  /** What happens to fields that a schema does not know; `Warn` when absent. */
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  /** `"status"` writes that alone. */
  readonly subresource?: string;
  /** Told of what was done, but should be known: a `Warning` header. */
  readonly warn?: (text: string) => void;
}

export interface DeleteOptions {
  readonly dryRun?: boolean;
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined };
}

/**
 * A resource whose objects hold others: the namespace its objects, the definition its custom resources. When one is
 * deleted its contents are, and it goes when they have gone.
 */
export interface Container {
  /** What the server makes of an object before it is stored for the first time; it may refuse. */
  created(object: ApiObject): ApiObject;
  /** The same for each later write. */
  updated(object: ApiObject, current: ApiObject): ApiObject;
  /** What is visible on an object while it waits for its contents to go. */
  terminating(object: ApiObject): ApiObject;
  contents(object: ApiObject): readonly { readonly store: ObjectStore; readonly key: string }[];
  isEmpty(object: ApiObject): boolean;
  /** After a write of an object, and after its removal with `undefined`. */
  changed(name: string, object: ApiObject | undefined): void;
}

export interface ObjectApiOptions {
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
}

export class ObjectApi {
  readonly #registry: ResourceRegistry;
  readonly #clock: Clock;
  /** By the name of their store. */
  readonly #containers = new Map<string, Container>();

  constructor({ registry, clock }: ObjectApiOptions) {
    this.#registry = registry;
    this.#clock = clock;
  }

  setContainer(storeName: string, container: Container): void {
    this.#containers.set(storeName, container);
  }

  get(resource: ServedResource, namespace: string, name: string): StoredObject {
    const stored = resource.store.get(metaNamespaceKey(namespace, name));
    if (stored === undefined) throw notFound(resource, name);
    return stored;
  }

  create(resource: ServedResource, namespace: string, sent: JsonObject, options: WriteOptions = {}): ApiObject {
    checkKind(resource, sent);
    const metadata = metadataOf(sent);
    checkNamespace(resource, namespace, metadata);
    if (nonEmpty(metadata["resourceVersion"]))
      throw internal("resourceVersion should not be set on objects to be created");
    const prefix = metadata["generateName"];
    const isGenerated = !nonEmpty(metadata["name"]) && nonEmpty(prefix);
    const name = isGenerated ? generateName(String(prefix)) : String(metadata["name"] ?? "");
    this.#requireNamespace(resource, namespace, name);
    const now = this.#clock.wallNow();
    const generation = resource.hasGeneration ? 1 : undefined;
    const body = this.#admitted(resource, withInitialStatus(resource, sent), metadata, options);
    const created = createdMetadata(metadata, name, namespace, now, generation);
    checkErrors(resource, name, metadataErrors(resource, created));
    let object = assemble(resource, body, created);
    checkSchema(resource, object);
    object = this.#containers.get(resource.store.name)?.created(object) ?? object;
    const key = metaNamespaceKey(namespace, name);
    const present = resource.store.get(key);
    if (present !== undefined) {
      throw alreadyExists(resource, name, present.object.metadata.deletionTimestamp !== undefined);
    }
    return this.#put(resource, key, object, options);
  }

  /** PUT. */
  update(
    resource: ServedResource,
    namespace: string,
    name: string,
    sent: JsonObject,
    options: WriteOptions = {},
  ): ApiObject {
    checkKind(resource, sent);
    const metadata = metadataOf(sent);
    if (!nonEmpty(metadata["name"])) throw nameMissing(name);
    const current = this.get(resource, namespace, name);
    const isConditional = resource.custom !== undefined || CONDITIONAL_UPDATE.has(resource.resource);
    if (isConditional && !nonEmpty(metadata["resourceVersion"])) {
      const message = "Invalid value: 0: must be specified for an update";
      throw invalid({ group: resource.group, kind: resource.resource }, name, [
        { type: "Invalid", field: "metadata.resourceVersion", message },
      ]);
    }
    const { uid } = current.object.metadata;
    if (nonEmpty(metadata["uid"]) && metadata["uid"] !== uid) {
      throw conflict(
        resource,
        name,
        `Precondition failed: UID in precondition: ${metadata["uid"]}, UID in object meta: ${uid}`,
      );
    }
    return this.#replace(resource, namespace, current, sent, options);
  }

  patch(
    resource: ServedResource,
    namespace: string,
    name: string,
    type: PatchType,
    patch: unknown,
    options: WriteOptions = {},
  ): ApiObject {
    const current = this.get(resource, namespace, name);
    const sent = applyPatch(type, { ...current.object, apiVersion: resource.apiVersion }, patch);
    if (!nonEmpty(property(sent["metadata"], "name"))) throw nameMissing(name);
    checkErrors(resource, name, immutableErrors(current.object, sent));
    checkKind(resource, sent, true);
    return this.#replace(resource, namespace, current, sent, options);
  }

  /** The object when it still has to wait for its finalizers, or its last state when it has gone. */
  delete(resource: ServedResource, namespace: string, name: string, options: DeleteOptions = {}): ApiObject | Status {
    const stored = this.get(resource, namespace, name);
    checkPreconditions(resource, stored, options);
    const { metadata } = stored.object;
    if (options.dryRun !== true) {
      const left = this.#terminate(resource.store, stored);
      if (left !== undefined) return versioned(resource, left.object);
    }
    if (RETURNS_DELETED.has(resource.resource) && resource.custom === undefined)
      return versioned(resource, stored.object);
    const group = resource.group === "" ? {} : { group: resource.group };
    return success({ name, ...group, kind: resource.resource, uid: metadata.uid ?? "" });
  }

  /** Deletes all of `objects`, for DELETE of a collection. */
  deleteAll(resource: ServedResource, objects: readonly StoredObject[], { dryRun = false }: DeleteOptions): void {
    if (dryRun) return;
    for (const { key } of objects) {
      const stored = resource.store.get(key);
      if (stored !== undefined) this.#terminate(resource.store, stored);
    }
  }

  #replace(
    resource: ServedResource,
    namespace: string,
    stored: StoredObject,
    sent: JsonObject,
    options: WriteOptions,
  ): ApiObject {
    const current = stored.object;
    const { name } = current.metadata;
    const metadata = metadataOf(sent);
    checkNamespace(resource, namespace, metadata);
    if (metadata["name"] !== name) {
      throw badRequest(`the name of the object (${metadata["name"]}) does not match the name on the URL (${name})`);
    }
    const version = metadata["resourceVersion"];
    if (nonEmpty(version) && version !== current.metadata.resourceVersion) throw modified(resource, name);
    const body = this.#admitted(resource, sent, metadata, options);
    let object =
      options.subresource === "status"
        ? withStatusOf(resource, current, body)
        : this.#withSpecOf(resource, current, body);
    checkErrors(resource, name, [
      ...metadataErrors(resource, object.metadata),
      ...finalizerErrors(current.metadata, object.metadata),
    ]);
    checkSchema(resource, object);
    object = this.#containers.get(resource.store.name)?.updated(object, current) ?? object;
    if (jsonEqual(without(object, "apiVersion"), without(current, "apiVersion"))) return versioned(resource, current);
    if (options.dryRun !== true && this.#isFinished(resource.store, object)) {
      this.#remove(resource.store, stored.key);
      return versioned(resource, object);
    }
    return this.#put(resource, stored.key, object, options);
  }

  /** A write to the object itself: its status stays, where that is written on its own, and its generation counts. */
  #withSpecOf(resource: ServedResource, current: ApiObject, body: JsonObject): ApiObject {
    const hasStatus = resource.subresources.includes("status");
    const sent = hasStatus ? withProperty(body, "status", current["status"]) : body;
    const object = assemble(resource, sent, updatedMetadata(current.metadata, metadataOf(body)));
    if (!resource.hasGeneration || jsonEqual(specOf(object, hasStatus), specOf(current, hasStatus))) return object;
    return { ...object, metadata: { ...object.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
  }

  /** What a custom resource's schema makes of what was sent; anything else stays as it is. */
  #admitted(
    resource: ServedResource,
    sent: JsonObject,
    metadata: JsonObject,
    { fieldValidation = "Warn", warn }: WriteOptions,
  ): JsonObject {
    const dropped: string[] = unknownMetadata(metadata);
    let admitted = sent;
    if (resource.custom !== undefined) {
      const { schema } = resource.custom;
      admitted = defaulted(schema, pruned(schema, sent, dropped));
    } else if (resource.resource === "secrets") admitted = withSecretDefaults(sent);
    if (dropped.length > 0 && fieldValidation === "Strict") {
      const fields = dropped.map((path) => `unknown field "${path}"`).join(", ");
      const { kind, version } = resource;
      throw badRequest(
        `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${fields}`,
      );
    }
    if (fieldValidation === "Warn") for (const path of dropped) warn?.(`unknown field "${path}"`);
    return admitted;
  }

  #put(resource: ServedResource, key: string, object: ApiObject, { dryRun = false }: WriteOptions): ApiObject {
    if (dryRun) return withoutRevision(object);
    const stored = resource.store.put(key, (revision) => withRevision(object, revision));
    this.#containers.get(resource.store.name)?.changed(key, stored.object);
    return stored.object;
  }

  /** Marks or removes an object; returns it while it is still there. */
  #terminate(store: ObjectStore, stored: StoredObject): StoredObject | undefined {
    const container = this.#containers.get(store.name);
    if (container === undefined && strings(stored.object.metadata.finalizers).length === 0) {
      this.#remove(store, stored.key);
      return undefined;
    }
    if (stored.object.metadata.deletionTimestamp === undefined) {
      const marked = markDeleted(stored.object, timestamp(this.#clock.wallNow()));
      const object = container?.terminating(marked) ?? marked;
      store.put(stored.key, (revision) => withRevision(object, revision));
      container?.changed(stored.key, object);
    }
    for (const { store: inner, key } of container?.contents(stored.object) ?? []) {
      const content = inner.get(key);
      if (content !== undefined) this.#terminate(inner, content);
    }
    this.#finish(store, stored.key);
    return store.get(stored.key);
  }

  #remove(store: ObjectStore, key: string): void {
    const removed = store.remove(key);
    if (removed === undefined) return;
    this.#containers.get(store.name)?.changed(key, undefined);
    // Its namespace and its definition may have waited for this one.
    const { namespace } = removed.object.metadata;
    if (namespace !== undefined) this.#finishNamed("namespaces", namespace);
    this.#finishNamed("customresourcedefinitions.apiextensions.k8s.io", store.name);
  }

  #finishNamed(storeName: string, key: string): void {
    const store = this.#registry.stores().get(storeName);
    if (store !== undefined) this.#finish(store, key);
  }

  #finish(store: ObjectStore, key: string): void {
    const object = store.get(key)?.object;
    if (object !== undefined && this.#isFinished(store, object)) this.#remove(store, key);
  }

  #isFinished(store: ObjectStore, object: ApiObject): boolean {
    const { deletionTimestamp, finalizers } = object.metadata;
    if (deletionTimestamp === undefined || strings(finalizers).length > 0) return false;
    return this.#containers.get(store.name)?.isEmpty(object) ?? true;
  }

  #requireNamespace(resource: ServedResource, namespace: string, name: string): void {
    if (resource.scope !== "Namespaced") return;
    const namespaces = this.#registry.find({ group: "", version: "v1", resource: "namespaces" });
    const stored = namespaces?.store.get(namespace);
    if (stored === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
    if (stored.object.metadata.deletionTimestamp === undefined) return;
    const cause = {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    };
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(resource, name, why, [cause]);
  }
}
