/**
 * The objects of one resource, their recent history, and who follows it. Counterparts: etcd's keyspace and the API
 * server's watch cache (`storage/cacher`), in one, because here nothing can come between them.
 */
import { metaNamespaceKey } from "../api/keys.js";
import type { ObjectMeta } from "../api/object-meta.js";
import type { Clock } from "../util/clock.js";
import { stringifyJson } from "./json.js";

/** An object as it is stored. Shared by everyone who reads it, so nobody changes it. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta & { readonly name: string };
  readonly [field: string]: unknown;
}

/** One state of one object. */
export class StoredObject {
  readonly key: string;
  readonly revision: number;
  readonly object: ApiObject;
  #tail: string | undefined;

  constructor(object: ApiObject, revision: number) {
    this.key = metaNamespaceKey(object.metadata.namespace, object.metadata.name);
    this.revision = revision;
    this.object = object;
  }

  /**
   * The object's JSON after `apiVersion` and `kind`, from `"metadata"` to the closing brace. It is the same in every
   * version that the resource is served at, and is encoded once for all who are sent it.
   */
  get tail(): string {
    if (this.#tail === undefined) {
      const { apiVersion: _, kind: __, ...rest } = this.object;
      this.#tail = stringifyJson(rest).slice(1);
    }
    return this.#tail;
  }

  /** This state under another revision: what a watch is told when an object was deleted or has left its selector. */
  at(revision: number): StoredObject {
    const metadata = { ...this.object.metadata, resourceVersion: String(revision) };
    return new StoredObject({ ...this.object, metadata }, revision);
  }
}

export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  /** For DELETED the last state, under the revision of the deletion. */
  readonly stored: StoredObject;
  readonly previous: StoredObject | undefined;
}

/** The one count of all writes. Counterpart: etcd's revision. */
export class Revision {
  #current = 1;
  readonly #waiting = new Set<() => void>();

  get current(): number {
    return this.#current;
  }

  next(): number {
    this.#current += 1;
    for (const look of [...this.#waiting]) look();
    return this.#current;
  }

  /** Goes back, as an etcd does that was restored from a backup. */
  reset(revision: number): void {
    this.#current = revision;
  }

  /** Settles when `revision` is reached: true; or when the time is over, or the signal aborts: false. */
  reached(revision: number, withinMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
    if (this.#current >= revision) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (reached: boolean) => {
        this.#waiting.delete(look);
        timer.cancel();
        signal.removeEventListener("abort", giveUp);
        resolve(reached);
      };
      const look = () => {
        if (this.#current >= revision) settle(true);
      };
      const giveUp = () => settle(false);
      const timer = clock.after(withinMs, giveUp);
      this.#waiting.add(look);
      signal.addEventListener("abort", giveUp);
    });
  }
}

/** A page of a list. */
export interface Page {
  readonly items: readonly StoredObject[];
  /** Where the next page starts; undefined on the last. */
  readonly next: string | undefined;
  /** Keys from `next` on, whether or not they would match. */
  readonly remaining: number;
}

export interface PageRequest {
  /** Lists as of this revision. */
  readonly revision: number;
  /** Only keys that start so: a namespace and a slash, or `""`. */
  readonly prefix: string;
  /** First key of the page. */
  readonly start: string;
  /** Most items; 0 for all. */
  readonly limit: number;
  readonly matches: (stored: StoredObject) => boolean;
}

/** Sorted after every key that starts with the same characters: keys are ASCII. */
const AFTER_ALL = "\uffff";

export class ObjectStore {
  readonly #revision: Revision;
  readonly #historyLimit: number;
  #objects = new Map<string, StoredObject>();
  /** Every key, and since the last {@link #sorted} perhaps some that are gone. */
  #keys: string[] = [];
  #isSorted = true;
  readonly #countByNamespace = new Map<string, number>();
  /** Only those from `#oldest` on count: the others are dropped in bulk. */
  #history: StoreEvent[] = [];
  #oldest = 0;
  /** Watches may start from here on, and lists may look back so far. */
  #floor: number;
  readonly #followers = new Set<(event: StoreEvent) => void>();

  /** `pods`, `crontabs.stable.example.com`: what is stored here. */
  readonly name: string;

  /** @param historyLimit events kept; older ones are forgotten, and asking for them is answered "Expired" */
  constructor(name: string, revision: Revision, historyLimit: number) {
    this.name = name;
    this.#revision = revision;
    this.#historyLimit = historyLimit;
    this.#floor = revision.current;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  get size(): number {
    return this.#objects.size;
  }

  countIn(namespace: string): number {
    return this.#countByNamespace.get(namespace) ?? 0;
  }

  /** The oldest revision from which history is whole. */
  get floor(): number {
    return this.#floor;
  }

  /** Creates or replaces; `build` is given the revision to put into the object. */
  put(key: string, build: (revision: number) => ApiObject): StoredObject {
    const previous = this.#objects.get(key);
    const revision = this.#revision.next();
    const stored = new StoredObject(build(revision), revision);
    this.#objects.set(key, stored);
    if (previous === undefined) {
      if (this.#keys.length > 0 && key < this.#keys.at(-1)!) this.#isSorted = false;
      this.#keys.push(key);
      this.#count(stored, 1);
    }
    this.#record({ type: previous === undefined ? "ADDED" : "MODIFIED", revision, stored, previous });
    return stored;
  }

  /** Returns what was there, under the revision of its deletion; undefined when nothing was. */
  remove(key: string): StoredObject | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    const revision = this.#revision.next();
    const stored = previous.at(revision);
    this.#objects.delete(key);
    this.#isSorted = false;
    this.#count(stored, -1);
    this.#record({ type: "DELETED", revision, stored, previous });
    return stored;
  }

  /** Keys that start with `prefix`, sorted. */
  keys(prefix = ""): string[] {
    const keys = this.#sorted();
    return keys.slice(lowerBound(keys, prefix), lowerBound(keys, prefix + AFTER_ALL));
  }

  /** States in the order of their keys, as of the newest revision. */
  objects(prefix = ""): StoredObject[] {
    return this.keys(prefix).map((key) => this.#objects.get(key)!);
  }

  /** One page, consistent with its revision; undefined when that is older than what history reaches. */
  page({ revision, prefix, start, limit, matches }: PageRequest): Page | undefined {
    const past = this.#changedSince(revision);
    if (past === undefined) return undefined;
    const keys = past.size === 0 ? this.#sorted() : this.#keysAt(past);
    const end = lowerBound(keys, prefix + AFTER_ALL);
    const items: StoredObject[] = [];
    let at = lowerBound(keys, start > prefix ? start : prefix);
    for (; at < end && (limit === 0 || items.length < limit); at++) {
      const key = keys[at]!;
      const stored = past.has(key) ? past.get(key) : this.#objects.get(key);
      if (stored !== undefined && matches(stored)) items.push(stored);
    }
    return { items, next: at < end ? keys[at] : undefined, remaining: end - at };
  }

  /** Events after `revision`, oldest first; undefined when some of them are forgotten. */
  since(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#floor) return undefined;
    let low = this.#oldest;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#history[middle]!.revision > revision) high = middle;
      else low = middle + 1;
    }
    return this.#history.slice(low);
  }

  /** Calls back at each event, in the same turn. Returns how to stop. */
  follow(follower: (event: StoreEvent) => void): () => void {
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  /** Forgets all history. */
  compact(): void {
    this.#history = [];
    this.#oldest = 0;
    this.#floor = this.#revision.current;
  }

  /** The present states; {@link restore} takes them back. */
  snapshot(): ReadonlyMap<string, StoredObject> {
    return new Map(this.#objects);
  }

  /** Puts old states back without an event, as an etcd does that starts from a backup. */
  restore(objects: ReadonlyMap<string, StoredObject>): void {
    this.#objects = new Map(objects);
    this.#keys = [...objects.keys()];
    this.#isSorted = false;
    this.#countByNamespace.clear();
    for (const stored of objects.values()) this.#count(stored, 1);
    this.compact();
  }

  #record(event: StoreEvent): void {
    this.#history.push(event);
    if (this.#history.length - this.#oldest > this.#historyLimit) {
      this.#floor = this.#history[this.#oldest]!.revision;
      this.#oldest += 1;
      if (this.#oldest >= Math.max(this.#historyLimit / 4, 16)) {
        this.#history = this.#history.slice(this.#oldest);
        this.#oldest = 0;
      }
    }
    for (const follower of [...this.#followers]) follower(event);
  }

  /** The state at `revision` of every key that has changed since; `undefined` for one that did not exist. */
  #changedSince(revision: number): Map<string, StoredObject | undefined> | undefined {
    if (revision < this.#floor) return undefined;
    const past = new Map<string, StoredObject | undefined>();
    for (let i = this.#history.length - 1; i >= this.#oldest && this.#history[i]!.revision > revision; i--) {
      const { stored, previous } = this.#history[i]!;
      past.set(stored.key, previous);
    }
    return past;
  }

  #keysAt(past: ReadonlyMap<string, StoredObject | undefined>): string[] {
    const kept = this.#sorted().filter((key) => !past.has(key));
    for (const [key, stored] of past) if (stored !== undefined) kept.push(key);
    return kept.sort();
  }

  /** In order, and no other than those of the objects: put right when it is needed, as many writes come without a read. */
  #sorted(): readonly string[] {
    if (!this.#isSorted) {
      // A key that was removed and created again is there twice.
      const keys = [...new Set(this.#keys)].filter((key) => this.#objects.has(key));
      this.#keys = keys.sort();
      this.#isSorted = true;
    }
    return this.#keys;
  }

  #count({ object }: StoredObject, change: 1 | -1): void {
    const { namespace = "" } = object.metadata;
    this.#countByNamespace.set(namespace, this.countIn(namespace) + change);
  }
}

/** Index of the first key that is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
