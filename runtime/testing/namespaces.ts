/** Namespaces: what they are given, and what goes with them. Counterpart: the namespace strategy and its controller. */
import type { Container } from "./object-api.js";
import type { ApiObject, ObjectStore } from "./object-store.js";
import type { ResourceRegistry } from "./resource-registry.js";

/** There from the start, as in every cluster. */
export const INITIAL_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];

export class NamespaceContainer implements Container {
  readonly #registry: ResourceRegistry;

  constructor(registry: ResourceRegistry) {
    this.#registry = registry;
  }

  created(object: ApiObject): ApiObject {
    const labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name };
    return { ...object, metadata: { ...object.metadata, labels }, spec: { finalizers: ["kubernetes"] } };
  }

  updated(object: ApiObject): ApiObject {
    return object;
  }

  terminating(object: ApiObject): ApiObject {
    // The finalizer in its spec speaks for its contents; a namespace has no grace period.
    const { deletionGracePeriodSeconds: _, ...metadata } = object.metadata;
    return { ...object, metadata, status: { phase: "Terminating" } };
  }

  contents({ metadata }: ApiObject): { readonly store: ObjectStore; readonly key: string }[] {
    const stores = [...this.#registry.stores().values()];
    return stores.flatMap((store) => store.keys(`${metadata.name}/`).map((key) => ({ store, key })));
  }

  isEmpty({ metadata }: ApiObject): boolean {
    return [...this.#registry.stores().values()].every((store) => store.countIn(metadata.name) === 0);
  }

  changed(): void {}
}
