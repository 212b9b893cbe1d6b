/** Metadata without the object. Counterpart: `meta/v1 PartialObjectMetadata`, and client-go's metadata/metadatainformer. */
import type { GroupVersionResource } from "./group-version-resource.js";
import type { KubernetesObject } from "./object-meta.js";
import type { ResourceScope } from "./resource-descriptor.js";

/** `apiVersion` and `kind` are its own, `meta.k8s.io/v1` and `PartialObjectMetadata`, not those of the object. */
export interface PartialObjectMetadata extends KubernetesObject {}

/** A resource of which the metadata alone is read. `kind` is that of the whole object, where it is known. */
export interface MetadataResource<Scope extends ResourceScope = ResourceScope> extends GroupVersionResource {
  readonly kind?: string;
  readonly scope?: Scope;
  readonly metadataOnly: true;
}

/**
 * The same resource, of which the server is to send the metadata alone: `factory.forResource(metadataOnly(secrets))`. Its
 * informer has a cache and a watch of its own, beside that of the whole objects. For owner references, labels, or to count.
 */
export function metadataOnly<Scope extends ResourceScope>({
  group,
  version,
  resource,
  kind,
  scope,
}: GroupVersionResource & { readonly kind?: string; readonly scope?: Scope }): MetadataResource<Scope> {
  const known = { ...(kind !== undefined && { kind }), ...(scope !== undefined && { scope }) };
  return { group, version, resource, ...known, metadataOnly: true };
}
