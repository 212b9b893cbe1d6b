/** The cache itself: entries by key and by index. Counterpart: tools/cache/thread_safe_store.go. */
import { InformerError, toInformerError } from "../api/informer-error.js";
import { metaNamespaceKey } from "../api/keys.js";
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import { compareResourceVersions } from "../api/resource-version.js";
import { Entry } from "./entry.js";
import { type Indexers, type IndexFunc, NAMESPACE_INDEX, type Store } from "./store.js";

/** What a replace changed, for notifications: deletions, then the rest in the order of the list. */
export interface Replaced<T extends KubernetesObject> {
  readonly deleted: readonly Entry<T>[];
  /** `old` is absent for an object that is new. Objects whose content and resourceVersion are as they were are not among them. */
  readonly changed: readonly { readonly old: Entry<T> | undefined; readonly entry: Entry<T> }[];
}

/** Entries by index value. An index value that no entry has any more is removed, so indexes never outgrow the store. */
interface Index<T extends KubernetesObject> {
  readonly values: (entry: Entry<T>) => readonly string[];
  /** What tells entries of one value apart: the key, or the name within a namespace. */
  readonly idOf: (entry: Entry<T>) => string;
  entries: Map<string, Map<string, Entry<T>>>;
  /** What each entry was filed under, when that takes a user's function to tell; else its key alone tells. */
  filed: Map<string, readonly string[]> | undefined;
}

const NO_VALUES: readonly string[] = [];
const keyOf = (entry: Entry): string => entry.key;

/** Every write is one synchronous step: no reader, and no index, ever sees half of it. */
export class Indexer<T extends KubernetesObject> implements Store<T> {
  readonly #onError: (error: InformerError) => void;
  /** Entries that were reported as not being JSON. */
  readonly #undecodable = new WeakSet<Entry<T>>();
  readonly #namespaces: Index<T> = {
    values: (entry) => [entry.namespace],
    idOf: (entry) => entry.name,
    entries: new Map(),
    filed: undefined,
  };
  readonly #indexes = new Map<string, Index<T>>([[NAMESPACE_INDEX, this.#namespaces]]);
  #entries = new Map<string, Entry<T>>();
  /** By namespace, where the content is followed by namespaces; else one under `""`. */
  readonly #resourceVersions = new Map<string, string>();
  /** While a part of the content is replaced, in steps: nothing else may write before it resolves. */
  replaced: Promise<void> | undefined;

  /**
   * @param onError told when an index function throws or gives no array: the object stays out of that index; and once of each
   *   object that turns out not to be JSON: it stays out of lists
   */
  constructor(onError: (error: InformerError) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#entries.size;
  }

  get resourceVersion(): string {
    return oldestOf(this.#resourceVersions.values());
  }

  /** How far the content of one namespace goes. */
  resourceVersionOf(namespace: string): string {
    return this.#resourceVersions.get(namespace) ?? this.#resourceVersions.get("") ?? "";
  }

  get(key: string): Cached<T> | undefined {
    return this.#entries.get(key)?.object;
  }

  /** As {@link get}, without making a key; `""` is the namespace of cluster-scoped objects. */
  getIn(namespace: string, name: string): Cached<T> | undefined {
    return this.#namespaces.entries.get(namespace)?.get(name)?.object;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  list(): Cached<T>[] {
    return this.objects(this.#entries.values());
  }

  listKeys(): string[] {
    return [...this.#entries.keys()];
  }

  byIndex(indexName: string, value: string): Cached<T>[] {
    return this.objects(this.entriesByIndex(indexName, value));
  }

  indexKeys(indexName: string, value: string): string[] {
    return Array.from(this.entriesByIndex(indexName, value), keyOf);
  }

  index(indexName: string, object: Cached<T>): Cached<T>[] {
    const index = this.#index(indexName);
    const found = new Set<Entry<T>>();
    for (const value of index.values(asEntry(object))) {
      for (const entry of index.entries.get(value)?.values() ?? []) found.add(entry);
    }
    return this.objects(found);
  }

  listIndexValues(indexName: string): string[] {
    return [...this.#index(indexName).entries.keys()];
  }

  /**
   * The objects of these entries. One that is not JSON after all is reported and left out: it must not take the rest along.
   * @param matches is asked first, so that what does not match is never decoded
   */
  objects(entries: Iterable<Entry<T>>, matches?: (entry: Entry<T>) => boolean): Cached<T>[] {
    const objects: Cached<T>[] = [];
    for (const entry of entries) {
      try {
        if (matches === undefined || matches(entry)) objects.push(entry.object);
      } catch (error) {
        if (this.#undecodable.has(entry)) continue;
        this.#undecodable.add(entry);
        this.#onError(toInformerError(error, "decode", entry.key));
      }
    }
    return objects;
  }

  /** Whether an index function looks at each object. */
  get readsObjects(): boolean {
    return this.#indexes.size > 1;
  }

  /** Undecoded access, for listers that look at labels first and for replay to a late handler. */
  getEntry(key: string): Entry<T> | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<Entry<T>> {
    return this.#entries.values();
  }

  /** Of one namespace, or all. */
  entriesIn(namespace: string | undefined): Iterable<Entry<T>> {
    return namespace === undefined ? this.#entries.values() : this.entriesByIndex(NAMESPACE_INDEX, namespace);
  }

  entriesByIndex(indexName: string, value: string): Iterable<Entry<T>> {
    return this.#index(indexName).entries.get(value)?.values() ?? [];
  }

  /** Adds or updates; gives back what was there before. */
  put(entry: Entry<T>): Entry<T> | undefined {
    const old = this.#entries.get(entry.key);
    this.#entries.set(entry.key, entry);
    for (const index of this.#indexes.values()) file(index, old, entry);
    return old;
  }

  /** Removes by key; gives back what was there. */
  delete(key: string): Entry<T> | undefined {
    const old = this.#entries.get(key);
    if (old !== undefined) {
      this.#entries.delete(key);
      for (const index of this.#indexes.values()) unfile(index, old);
    }
    return old;
  }

  /** All of {@link replacing} at once. */
  replace(entries: Iterable<Entry<T>>, resourceVersion: string): Replaced<T> {
    const steps = this.replacing(entries, resourceVersion);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /**
   * Swaps the whole content and says what changed. The new content is made beside the old one, one object a step, so that
   * others can work in between; the swap itself is the last step, and short. Nothing else may write meanwhile. An entry whose
   * uid, resourceVersion and content are as before is kept as it is, with whatever was decoded of it. Of a key that is there
   * twice, which is reported, the last counts.
   * @param namespace of which this is the whole content; what is in others stays
   */
  *replacing(
    entries: Iterable<Entry<T>>,
    resourceVersion: string,
    namespace?: string,
  ): Generator<undefined, Replaced<T>> {
    const before = this.#entries;
    const after = new Map<string, Entry<T>>();
    if (namespace !== undefined) {
      yield* eachIn(before.values(), (entry) => {
        if (entry.namespace !== namespace) after.set(entry.key, entry);
      });
    }
    let count = after.size;
    let twice: string | undefined;
    yield* eachIn(entries, (entry) => {
      const old = before.get(entry.key);
      after.set(entry.key, old !== undefined && isSame(old, entry) ? old : entry);
      if (++count - after.size === 1) twice ??= entry.key;
    });
    if (twice !== undefined) {
      const text = `${count - after.size} objects are in the list twice, the last counts: ${JSON.stringify(twice)} is one`;
      this.#onError(new InformerError("protocol", text));
    }
    const indexes = Array.from(this.#indexes.values(), (index) => ({ index, refilled: refilled(index) }));
    const changed: { old: Entry<T> | undefined; entry: Entry<T> }[] = [];
    yield* eachIn(after.values(), (entry) => {
      const old = before.get(entry.key);
      if (old !== entry) changed.push({ old, entry });
      for (const { index, refilled } of indexes) {
        fileAs(refilled, entry, (old === entry ? index.filed?.get(entry.key) : undefined) ?? index.values(entry));
      }
    });
    const deleted: Entry<T>[] = [];
    yield* eachIn(before.values(), (old) => {
      if (!after.has(old.key)) deleted.push(old);
    });
    for (const { index, refilled } of indexes) {
      index.entries = refilled.entries;
      index.filed = refilled.filed;
    }
    this.#entries = after;
    this.advance(resourceVersion, namespace);
    // Indexes that were added meanwhile.
    for (const index of this.#indexes.values()) {
      if (indexes.some((prepared) => prepared.index === index)) continue;
      for (const old of deleted) unfile(index, old);
      for (const { old, entry } of changed) file(index, old, entry);
    }
    return { deleted, changed };
  }

  /** Takes note up to where the content follows the server. Only who knows that nothing before it is missing can say so. */
  advance(resourceVersion: string, namespace = ""): void {
    this.#resourceVersions.set(namespace, resourceVersion);
  }

  /** The namespace is followed no more, so it holds up nobody. */
  forget(namespace: string): void {
    this.#resourceVersions.delete(namespace);
  }

  /**
   * Adds indexes and files what is there, before it returns.
   * @throws InformerError `usage` when a name is taken; nothing is added then
   */
  addIndexers(indexers: Indexers<T>): void {
    for (const name of Object.keys(indexers)) {
      if (this.#indexes.has(name)) throw new InformerError("usage", `there is an index "${name}" already`);
    }
    for (const [name, indexFunc] of Object.entries(indexers)) {
      const values = this.#guarded(name, indexFunc);
      const index: Index<T> = { values, idOf: keyOf, entries: new Map(), filed: new Map() };
      for (const entry of this.#entries.values()) file(index, undefined, entry);
      this.#indexes.set(name, index);
    }
  }

  listIndexes(): string[] {
    return [...this.#indexes.keys()];
  }

  #guarded(name: string, indexFunc: IndexFunc<T>): (entry: Entry<T>) => readonly string[] {
    return (entry) => {
      try {
        const values: unknown = indexFunc(entry.object);
        if (Array.isArray(values)) return values as string[];
        throw new TypeError(`returned ${typeof values}, not an array of strings`);
      } catch (error) {
        this.#onError(toInformerError(error, "index", `index "${name}" of ${entry.key}`));
        return NO_VALUES;
      }
    };
  }

  #index(name: string): Index<T> {
    const index = this.#indexes.get(name);
    if (index !== undefined) return index;
    const known = [...this.#indexes.keys()].join(", ");
    throw new InformerError("usage", `there is no index "${name}"; there are: ${known}. Add it with addIndexers()`);
  }
}

/** `""` where they have no order, or one is not known: nothing can be said then. */
export function oldestOf(resourceVersions: Iterable<string>): string {
  let oldest: string | undefined;
  for (const version of resourceVersions) {
    const order = oldest === undefined || oldest === version ? -1 : compareResourceVersions(version, oldest);
    if (order === undefined) return "";
    if (order < 0) oldest = version;
  }
  return oldest ?? "";
}

/** Whether the server said the same of the object. */
export function isSame(old: Entry, entry: Entry): boolean {
  if (old === entry) return true;
  if (old.resourceVersion !== entry.resourceVersion || old.uid !== entry.uid) return false;
  const [before, after] = [old.checksum, entry.checksum];
  return before === after || before === undefined || after === undefined;
}

/** One item a step. */
function* eachIn<Item>(items: Iterable<Item>, work: (item: Item) => void): Generator<undefined> {
  for (const item of items) {
    work(item);
    yield;
  }
}

function file<T extends KubernetesObject>(index: Index<T>, old: Entry<T> | undefined, entry: Entry<T>): void {
  const values = index.values(entry);
  if (old !== undefined && index.filed !== undefined) {
    const before = index.filed.get(old.key) ?? NO_VALUES;
    for (const value of before) if (!values.includes(value)) remove(index, value, index.idOf(old));
  }
  fileAs(index, entry, values);
}

function fileAs<T extends KubernetesObject>(index: Index<T>, entry: Entry<T>, values: readonly string[]): void {
  const id = index.idOf(entry);
  for (const value of values) {
    const filed = index.entries.get(value);
    if (filed === undefined) index.entries.set(value, new Map([[id, entry]]));
    else filed.set(id, entry);
  }
  index.filed?.set(entry.key, values);
}

/** The same index without content. */
function refilled<T extends KubernetesObject>(index: Index<T>): Index<T> {
  return { ...index, entries: new Map(), filed: index.filed === undefined ? undefined : new Map() };
}

function unfile<T extends KubernetesObject>(index: Index<T>, old: Entry<T>): void {
  const values = index.filed === undefined ? index.values(old) : (index.filed.get(old.key) ?? NO_VALUES);
  for (const value of values) remove(index, value, index.idOf(old));
  index.filed?.delete(old.key);
}

function remove<T extends KubernetesObject>(index: Index<T>, value: string, id: string): void {
  const filed = index.entries.get(value);
  filed?.delete(id);
  if (filed?.size === 0) index.entries.delete(value);
}

function asEntry<T extends KubernetesObject>(object: Cached<T>): Entry<T> {
  const { namespace, name, uid, resourceVersion } = object.metadata as {
    namespace?: string;
    name: string;
    uid: string;
    resourceVersion: string;
  };
  return Entry.fromObject({ key: metaNamespaceKey(namespace, name), uid, resourceVersion }, object);
}
