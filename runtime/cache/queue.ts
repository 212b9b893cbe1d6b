/** Between reflector and controller. Counterpart: the `Queue` interface of tools/cache/fifo.go, with AtomicFIFO's deltas. */
import type { KubernetesObject } from "../api/object-meta.js";
import { type Deferred, deferred } from "../util/abort.js";
import { RingQueue } from "../util/ring-queue.js";
import type { Entry } from "./entry.js";

/** One change of one object, as the server reported it. */
export interface Delta<T extends KubernetesObject> {
  readonly type: "Added" | "Updated" | "Deleted";
  readonly entry: Entry<T>;
}

/** Changes of one object, oldest first. */
export interface Deltas<T extends KubernetesObject> {
  readonly type: "Deltas";
  readonly key: string;
  readonly deltas: Delta<T>[];
}

/** What is popped, in the order in which it came in. */
export type QueueItem<T extends KubernetesObject> =
  | Deltas<T>
  /** The whole content, from a list. Objects that are not in it were deleted while nobody looked. */
  | { readonly type: "ReplacedAll"; readonly entries: readonly Entry<T>[]; readonly resourceVersion: string }
  /** Every object is to be told again to the handlers that asked for a resync. */
  | { readonly type: "SyncAll" }
  /** What the server has, to be held against the cache. */
  | { readonly type: "Comparison"; readonly comparison: Comparison<T> }
  /** Nothing changed up to this resourceVersion. */
  | { readonly type: "Bookmark"; readonly resourceVersion: string };

/** Changes nothing; but where it stands in the queue says what the cache holds then. */
export interface Comparison<T extends KubernetesObject> {
  /** Everything that the server has. */
  readonly entries: readonly Entry<T>[];
  /** Keys of which nothing can be said: they changed meanwhile. */
  readonly changed: ReadonlySet<string>;
  /** Is told the keys of what is not in the cache as the server has it, or is there alone. */
  readonly report: (wrong: readonly string[]) => void;
}

/**
 * One producer, the reflector; one consumer, the controller. Nothing is lost and nothing overtakes: two changes of one key
 * are popped in order, and what came before a replace is popped before it.
 */
export interface Queue<T extends KubernetesObject> {
  enqueue(delta: Delta<T>): void;
  replace(entries: readonly Entry<T>[], resourceVersion: string): void;
  /** Asks for a resync. One that still waits serves for two. */
  resync(): void;
  bookmark(resourceVersion: string): void;
  compare(comparison: Comparison<T>): void;
  /**
   * Up to which resourceVersion everything that was queued has been popped: of the last change, list or bookmark before the
   * first one that still waits. A consumer that has done what it popped is as new as this, and no newer.
   */
  readonly drainedTo: string;
  /** The oldest item; `undefined` when there is none. Never waits. */
  pop(): QueueItem<T> | undefined;
  /** Resolves when there is something to pop, or the queue is closed. For one waiter. */
  ready(): Promise<void>;
  /**
   * Absent while few changes wait. Otherwise the producer is to take in no more before it resolves: when all are popped, or the
   * queue is closed.
   */
  readonly room: Promise<void> | undefined;
  /** What is queued can still be popped; what comes later is dropped. */
  close(): void;
  /** The same, but {@link closed} only once all of it was popped and was asked for again. */
  finish(): void;
  readonly closed: boolean;
  /** Items that wait. */
  readonly length: number;
}

/** So many changes may be queued between two moments at which none is. They hold a few MB of what was read. */
const MAX_CHANGES = 1_000;

/** All of a queue but the question how changes are collected. */
export abstract class Fifo<T extends KubernetesObject> implements Queue<T> {
  readonly #items = new RingQueue<QueueItem<T>>();
  /** For each item, the resourceVersion that was queued last before it. */
  readonly #before = new RingQueue<string>();
  #newest = "";
  #waiter: Deferred<void> | undefined;
  #room: Deferred<void> | undefined;
  /** Since the queue was empty. */
  #changes = 0;
  #syncQueued = false;
  #closed = false;
  #finishing = false;

  /** Puts a delta where it belongs, by {@link push} or into an item that waits. Not called once closed. */
  protected abstract collect(delta: Delta<T>): void;

  enqueue(delta: Delta<T>): void {
    if (this.#closed || this.#finishing) return;
    this.collect(delta);
    if (++this.#changes >= MAX_CHANGES) this.#room ??= deferred();
    this.#newest = delta.entry.resourceVersion;
  }

  get drainedTo(): string {
    return this.#before.peek() ?? this.#newest;
  }

  get length(): number {
    return this.#items.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  replace(entries: readonly Entry<T>[], resourceVersion: string): void {
    this.push({ type: "ReplacedAll", entries, resourceVersion });
    this.#newest = resourceVersion;
  }

  resync(): void {
    if (this.#syncQueued) return;
    this.#syncQueued = true;
    this.push({ type: "SyncAll" });
  }

  bookmark(resourceVersion: string): void {
    this.push({ type: "Bookmark", resourceVersion });
    this.#newest = resourceVersion;
  }

  compare(comparison: Comparison<T>): void {
    this.push({ type: "Comparison", comparison });
  }

  pop(): QueueItem<T> | undefined {
    const item = this.#items.shift();
    this.#before.shift();
    if (item === undefined && this.#finishing) this.close();
    if (this.#items.length === 0) this.#giveRoom();
    if (item?.type === "SyncAll") this.#syncQueued = false;
    return item;
  }

  ready(): Promise<void> {
    if (this.#items.length > 0 || this.#closed || this.#finishing) return Promise.resolve();
    this.#waiter ??= deferred();
    return this.#waiter.promise;
  }

  get room(): Promise<void> | undefined {
    return this.#room?.promise;
  }

  close(): void {
    this.#closed = true;
    this.#giveRoom();
    this.#wake();
  }

  finish(): void {
    this.#finishing = true;
    this.#giveRoom();
    this.#wake();
  }

  protected push(item: QueueItem<T>): void {
    if (this.#closed || this.#finishing) return;
    this.#items.push(item);
    this.#before.push(this.#newest);
    this.#wake();
  }

  #giveRoom(): void {
    this.#changes = 0;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #wake(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }
}
