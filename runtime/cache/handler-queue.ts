/**
 * What waits for one handler. Counterpart: the ring buffer of `processorListener` in tools/cache/shared_informer.go, which has
 * no bound.
 */
import type { KubernetesObject } from "../api/object-meta.js";
import { type Deferred, deferred } from "../util/abort.js";
import { RingQueue } from "../util/ring-queue.js";
import type { Notification, ResourceEvent } from "./event-handler.js";

/**
 * What becomes of a change when `maxPending` notifications wait for a handler already.
 * - `coalesce` it is told together with what waits of the same object, as one change: an object that came and went meanwhile
 *   is not told of. So the queue grows with the number of objects, never with the number of events
 * - `block` nothing more is taken in until half of the queue is handled: the cache stands still, for all handlers, and the
 *   connection is read no further
 * - a function: it is given what is dropped. The handler may then be told of the change of an object that it never saw come
 */
export type OverflowPolicy<T extends KubernetesObject> = "coalesce" | "block" | ((dropped: ResourceEvent<T>) => void);

/** Notifications in the order of their changes: of all objects up to `maxPending`, of each object beyond. */
export class HandlerQueue<T extends KubernetesObject> {
  readonly #maxPending: number;
  readonly #onOverflow: OverflowPolicy<T>;
  readonly #ring = new RingQueue<Notification<T>>();
  /** What comes after the ring once that is full: by key, one for each, in the order of their first change. */
  #overflow: Map<string, Notification<T>> | undefined;
  #room: Deferred<void> | undefined;
  #coalesced = 0;
  #dropped = 0;
  #initial = 0;

  /** @param onOverflow if it is a function, it must not throw */
  constructor(maxPending: number, onOverflow: OverflowPolicy<T>) {
    this.#maxPending = maxPending;
    this.#onOverflow = onOverflow;
  }

  get length(): number {
    return this.#ring.length + (this.#overflow?.size ?? 0);
  }

  get oldest(): Notification<T> | undefined {
    return this.#ring.peek() ?? this.#overflow?.values().next().value;
  }

  /** Changes that were merged into one that waited. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** Changes that went to the overflow function. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Of what waits, how much is of an initial list. */
  get initial(): number {
    return this.#initial;
  }

  /** Absent when there is room; else resolves when there is. Only a queue that blocks is ever without. */
  get room(): Promise<void> | undefined {
    return this.#room?.promise;
  }

  /** The keys of what waits. */
  keys(): Set<string> {
    const keys = new Set(this.#overflow?.keys());
    for (const { key } of this.#ring) keys.add(key);
    return keys;
  }

  /**
   * The initial list is never dropped: there is no more of it than there are objects. Nor does it overtake: of a namespace that was
   * let go and is followed again, the deletions may still wait.
   */
  push(notification: Notification<T>): void {
    const { isInInitialList, key } = notification;
    const isFull = this.#overflow !== undefined || this.#ring.length >= this.#maxPending;
    if (isInInitialList) this.#initial++;
    if (isFull && (!isInInitialList || this.#overflow?.has(key) === true)) this.#pushBeyond(notification);
    else this.#ring.push(notification);
  }

  shift(): Notification<T> | undefined {
    if (this.#ring.length === 0 && this.#overflow !== undefined) {
      for (const notification of this.#overflow.values()) this.#ring.push(notification);
      this.#overflow = undefined;
    }
    const next = this.#ring.shift();
    if (next?.isInInitialList === true) this.#initial--;
    if (this.#room !== undefined && this.#ring.length * 2 <= this.#maxPending) this.#giveRoom();
    return next;
  }

  clear(): void {
    this.#ring.clear();
    this.#overflow = undefined;
    this.#initial = 0;
    this.#giveRoom();
  }

  #pushBeyond(notification: Notification<T>): void {
    if (this.#onOverflow === "coalesce") {
      this.#overflow ??= new Map();
      this.#coalesce(this.#overflow, notification);
    } else if (this.#onOverflow === "block") {
      this.#room ??= deferred();
      this.#ring.push(notification);
    } else {
      this.#dropped++;
      this.#onOverflow(notification as unknown as ResourceEvent<T>);
    }
  }

  #coalesce(overflow: Map<string, Notification<T>>, notification: Notification<T>): void {
    const { key } = notification;
    const waiting = overflow.get(key);
    if (waiting === undefined || !waiting.isOfSameObject(notification)) {
      // The deletion of an object that the handler knows goes before another object under its name.
      if (waiting !== undefined) this.#ring.push(waiting);
      overflow.set(key, notification);
      return;
    }
    this.#coalesced++;
    const merged = waiting.followedBy(notification);
    if (merged === undefined) overflow.delete(key);
    else overflow.set(key, merged);
    this.#initial += count(merged) - count(waiting) - count(notification);
  }

  #giveRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

function count(notification: { readonly isInInitialList: boolean } | undefined): number {
  return notification?.isInInitialList === true ? 1 : 0;
}
