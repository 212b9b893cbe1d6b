/** What generated code says of a resource: plain data that carries its TypeScript type along. */
import type { GroupVersionResource } from "./group-version-resource.js";
import type { KubernetesObject, Unstructured } from "./object-meta.js";

/** As in a CustomResourceDefinition's `spec.scope`. */
export type ResourceScope = "Namespaced" | "Cluster";

/** A column that `kubectl get` shows. */
export interface PrinterColumn {
  readonly name: string;
  /** `integer`, `number`, `string`, `boolean` or `date`. */
  readonly type: string;
  /** Where the value stands in an object: `.spec.replicas`. */
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  /** Columns above 0 are shown with `-o wide` alone. */
  readonly priority?: number;
}

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
  /** Whether objects are stored at this version. Known of what was generated from a CustomResourceDefinition. */
  readonly storage?: boolean;
  readonly deprecated?: boolean;
  /** What a server warns of when a deprecated version is used, if the definition says so itself. */
  readonly deprecationWarning?: string;
  readonly printerColumns?: readonly PrinterColumn[];
  /** What a field selector may name beside `metadata.name` and `metadata.namespace`: `spec.color`. */
  readonly selectableFields?: readonly string[];
  readonly [objectType]?: T;
}
