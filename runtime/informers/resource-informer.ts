/** What a factory's accessor gives for one resource. Counterpart: the generated `PodInformer` interface of `k8s.io/client-go/informers`. */
import type { KubernetesObject } from "../api/object-meta.js";
import type { ResourceScope } from "../api/resource-descriptor.js";
import type { StopOptions, StopResult } from "../cache/informer-options.js";
import type { GenericLister, Lister, NamespacedLister } from "../cache/lister.js";
import type { SharedInformer } from "../cache/shared-informer.js";
import type { ResourceOptions } from "./resource-options.js";

/** The lister that fits a scope; where the scope is not known at compile time, one that can do both. */
export type ListerFor<T extends KubernetesObject, Scope extends ResourceScope> = ResourceScope extends Scope
  ? GenericLister<T>
  : Scope extends "Namespaced"
    ? NamespacedLister<T>
    : Lister<T>;

/**
 * Each member registers the resource with its factory on first use; every later call gives the same instance. Options are those
 * that the informer is made with: who gives some for one that is there must give the same.
 */
export interface ResourceInformer<T extends KubernetesObject, Scope extends ResourceScope = ResourceScope> {
  /** For as long as the factory lives. @throws InformerError `conflict` when it is there with other options */
  informer(options?: ResourceOptions<T>): SharedInformer<T>;
  /** That of {@link informer}. */
  lister(): ListerFor<T, Scope>;
  /**
   * For as long as the caller needs it: `await using pods = factory.core().v1().pods().acquire()`. When the last of those who
   * acquired it lets go, the informer stops and leaves the factory, unless somebody asked for {@link informer} as well. Who
   * asks afterwards gets a new one. @throws InformerError `conflict` when it is there with other options
   */
  acquire(options?: ResourceOptions<T>): AcquiredInformer<T, Scope>;
}

/** One user's part in an informer. Handlers stay while others use the informer: remove yours, or hold them with `await using`. */
export interface AcquiredInformer<T extends KubernetesObject, Scope extends ResourceScope = ResourceScope>
  extends AsyncDisposable {
  readonly informer: SharedInformer<T>;
  readonly lister: ListerFor<T, Scope>;
  /** Lets go; a second time it does nothing. Resolves when the informer has stopped, or at once while others use it. */
  release(options?: StopOptions): Promise<StopResult>;
}
