/** What a factory's accessor gives for one resource. Counterpart: the generated `PodInformer` interface of `k8s.io/client-go/informers`. */
import type { KubernetesObject } from "../api/object-meta.js";
import type { ResourceScope } from "../api/resource-descriptor.js";
import type { GenericLister, Lister, NamespacedLister } from "../cache/lister.js";
import type { SharedInformer } from "../cache/shared-informer.js";

/** The lister that fits a scope; where the scope is not known at compile time, one that can do both. */
export type ListerFor<T extends KubernetesObject, Scope extends ResourceScope> = ResourceScope extends Scope
  ? GenericLister<T>
  : Scope extends "Namespaced"
    ? NamespacedLister<T>
    : Lister<T>;

/** Both members register the resource with its factory on first use; every later call gives the same instance. */
export interface ResourceInformer<T extends KubernetesObject, Scope extends ResourceScope = ResourceScope> {
  informer(): SharedInformer<T>;
  lister(): ListerFor<T, Scope>;
}
