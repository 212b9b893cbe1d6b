/** The shapes every Kubernetes object shares. Counterpart: apimachinery `meta/v1`. */

/** Metadata as the server sends it. Times are RFC 3339 strings, never `Date`. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  selfLink?: string;
  uid?: string;
  /** Opaque, except that two of one resource may be ordered (KEP-5504): see `compareResourceVersions`. */
  resourceVersion?: string;
  generation?: number;
  /** Null in the metadata of a template, as servers before 1.34 and many a manifest have it; never in an object's own. */
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: { [key: string]: string };
  annotations?: { [key: string]: string };
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  apiVersion?: string;
  fieldsType?: string;
  fieldsV1?: { [key: string]: unknown };
  manager?: string;
  operation?: string;
  subresource?: string;
  time?: string;
}

export interface ListMeta {
  continue?: string;
  remainingItemCount?: number;
  resourceVersion?: string;
  selfLink?: string;
}

/** What any typed object can be used as. */
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** An object without a type of its own: what dynamic informers give. Counterpart: `unstructured.Unstructured`. */
export interface Unstructured extends KubernetesObject {
  [field: string]: unknown;
}

/** Deeply readonly. What a cache gives out is shared by all its readers. */
export type Immutable<T> = T extends (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** An object as a cache holds it: shared, hence immutable; and with the metadata that the server always fills in. */
export type Cached<T> = Immutable<
  T & { metadata: ObjectMeta & { name: string; uid: string; resourceVersion: string; creationTimestamp?: string } }
>;

/** The writable form of a type, undoing {@link Immutable}. */
export type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

/** A deep copy to change and send back; the cached object stays as it is. */
export function mutableCopy<T extends object>(object: T): Mutable<T> {
  return structuredClone(object) as Mutable<T>;
}
