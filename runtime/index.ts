/** The public names of the hand-written runtime. The package's entry adds the generated factory. */
export { fieldSelector } from "./api/field-selector.js";
export { apiVersionOf, formatGroupVersionResource, type GroupVersionResource } from "./api/group-version-resource.js";
export { InformerError, type InformerErrorCode, isInformerError } from "./api/informer-error.js";
export { metaNamespaceKey, splitMetaNamespaceKey } from "./api/keys.js";
export type { ListOptions } from "./api/list-options.js";
export { NamespaceSet, type Namespaces } from "./api/namespaces.js";
export {
  type Cached,
  type Immutable,
  type KubernetesObject,
  type ListMeta,
  type ManagedFieldsEntry,
  type Mutable,
  mutableCopy,
  type ObjectMeta,
  type OwnerReference,
  type Unstructured,
} from "./api/object-meta.js";
export { type MetadataResource, metadataOnly, type PartialObjectMetadata } from "./api/partial-object-metadata.js";
export type { ResourceDescriptor, ResourceScope } from "./api/resource-descriptor.js";
export { compareResourceVersions } from "./api/resource-version.js";
export {
  LabelSelector,
  type LabelSelectorInput,
  type LabelSelectorObject,
  type LabelSelectorRequirement,
  type Labels,
  parseLabelSelector,
} from "./api/selectors.js";
export type { ResourceEvent, ResourceEventHandler, ResourceEventHandlerFunc } from "./cache/event-handler.js";
export { type FilterCandidate, filteringResourceEventHandler } from "./cache/filtering-handler.js";
export type { OverflowPolicy } from "./cache/handler-queue.js";
export type { InformerHealth, InformerPhase, NamespaceHealth, StreamHealth } from "./cache/health.js";
export type {
  EventHandlerOptions,
  HandlerDefaults,
  QueueKind,
  ResourceEventHandlerRegistration,
  StopOptions,
  StopResult,
  TransformFunc,
} from "./cache/informer-options.js";
export type { GenericLister, Lister, NamespacedLister } from "./cache/lister.js";
export type { HandlerHealth } from "./cache/processor.js";
export type { ReflectorTunables } from "./cache/reflector.js";
export type { SharedInformer } from "./cache/shared-informer.js";
export type { RetentionOptions } from "./cache/slab.js";
export { type Indexers, type IndexFunc, NAMESPACE_INDEX, type Store } from "./cache/store.js";
export type { CacheSyncResult, CacheSyncResults } from "./informers/cache-sync.js";
export { DynamicSharedInformerFactory } from "./informers/dynamic-shared-informer-factory.js";
export type { AcquiredInformer, ListerFor, ResourceInformer } from "./informers/resource-informer.js";
export type { ResourceOptions } from "./informers/resource-options.js";
export type { PolicyRule, Role } from "./informers/roles.js";
export {
  InformerFactory,
  type InformerFactoryOptions,
  type InformerFactorySource,
} from "./informers/shared-informer-factory.js";
export type { KubeConfigLike } from "./transport/credentials.js";
export type { Impersonation } from "./transport/impersonation.js";
export type { InformerWarning, InformerWarningCode } from "./transport/warnings.js";
export type { Backoff } from "./util/backoff.js";
export { type Clock, systemClock, type Timer } from "./util/clock.js";
