/** What generated code says of a resource: plain data that carries its TypeScript type along. */
import type { GroupVersionResource } from "./group-version-resource.js";
import type { KubernetesObject, Unstructured } from "./object-meta.js";

/** As in a CustomResourceDefinition's `spec.scope`. */
export type ResourceScope = "Namespaced" | "Cluster";

declare const objectType: unique symbol;

/**
 * One resource at one version. `T` is the type of its objects; it exists at compile time alone.
 * Every fact is as the server publishes it (discovery or the CustomResourceDefinition); a list that is empty is left out.
 */
export interface ResourceDescriptor<
  T extends KubernetesObject = Unstructured,
  Scope extends ResourceScope = ResourceScope,
> extends GroupVersionResource {
  readonly kind: string;
  readonly scope: Scope;
  readonly singular?: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly string[];
  readonly [objectType]?: T;
}
