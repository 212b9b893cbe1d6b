/** What can be read of an informer's cache. Counterpart: `Store` and `Indexer` of tools/cache/{store,index}.go, the reading half. */
import type { Cached, KubernetesObject } from "../api/object-meta.js";

/**
 * The values to find an object by. It runs at every write of an object, which decodes it; none for an object that the index
 * is to leave out. An error is reported and leaves the object out of this index alone.
 */
export type IndexFunc<T extends KubernetesObject> = (object: Cached<T>) => readonly string[];

/** Index functions by the name of their index. */
export type Indexers<T extends KubernetesObject> = { readonly [indexName: string]: IndexFunc<T> };

/** The index that every namespaced lister uses: objects by namespace. Always there, and decodes nothing. */
export const NAMESPACE_INDEX = "namespace";

/**
 * The cache of one informer, read from memory. Objects are shared and deeply readonly; arrays belong to the caller.
 * A handler finds the cache as new as its event or newer, never older.
 */
export interface Store<T extends KubernetesObject> {
  readonly size: number;
  /** Key is `namespace/name`, or `name` for a cluster-scoped object. */
  get(key: string): Cached<T> | undefined;
  has(key: string): boolean;
  list(): Cached<T>[];
  listKeys(): string[];
  /** Objects for which the index function gave this value. @throws InformerError `usage` when there is no such index */
  byIndex(indexName: string, value: string): Cached<T>[];
  /** As {@link byIndex}, keys alone: decodes nothing. */
  indexKeys(indexName: string, value: string): string[];
  /** Objects that share any index value with this one. */
  index(indexName: string, object: Cached<T>): Cached<T>[];
  /** Every value that some object has now. */
  listIndexValues(indexName: string): string[];
  /** Names of the indexes that there are: `namespace`, and what `addIndexers` added. Counterpart: `GetIndexers`. */
  listIndexes(): string[];
  /** How far the content goes: the resourceVersion of the last write, list or bookmark; `""` before the first. */
  readonly resourceVersion: string;
}
