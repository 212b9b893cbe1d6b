/**
 * Hands notifications to handlers, each at its own pace. Counterpart: `sharedProcessor` and `processorListener` of
 * tools/cache/shared_informer.go.
 */
import { InformerError, toInformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { type Deferred, deferred } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import type { Turn } from "../util/turn.js";
import {
  deliver,
  type Notification,
  type ResourceEvent,
  type ResourceEventHandler,
  type ResourceEventHandlerFunc,
} from "./event-handler.js";
import { HandlerQueue, type OverflowPolicy } from "./handler-queue.js";

/** How long a call that runs is waited for when its handler is removed or its informer stops. */
const GRACE_MS = 2_000;

/** What all listeners of an informer share. */
export interface ProcessorEnvironment {
  readonly clock: Clock;
  readonly turn: Turn;
  /** Told of what a handler throws or rejects with; the next notification is delivered all the same. */
  readonly onHandlerError: (error: InformerError) => void;
}

export interface ListenerOptions<T extends KubernetesObject> {
  /** For messages and health. */
  readonly name: string;
  /** 0 for none. */
  readonly resyncPeriodMs: number;
  readonly maxPending: number;
  readonly onOverflow: OverflowPolicy<T>;
}

/** What one handler is at. Durations in milliseconds, counted by a clock that does not jump. */
export interface HandlerHealth {
  readonly name: string;
  /** Whether it has returned from every object of its initial list. */
  readonly synced: boolean;
  /** Notifications that wait, without the one that is being handled. */
  readonly pending: number;
  /** For how long the oldest of them has waited. */
  readonly oldestPendingMs: number | undefined;
  /** For how long the promise of the running call has not settled. */
  readonly runningMs: number | undefined;
  /** Calls that threw or rejected. */
  readonly failures: number;
  /** Changes that were told together with an earlier one, or not at all because the object came and went. */
  readonly coalesced: number;
  /** Changes that were given to the overflow function in place of the handler. */
  readonly dropped: number;
}

export class ProcessorListener<T extends KubernetesObject> {
  readonly #handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>;
  readonly #options: ListenerOptions<T>;
  readonly #environment: ProcessorEnvironment;
  readonly #queue: HandlerQueue<T>;
  readonly #synced: Deferred<void> = deferred();
  /** Counts from the end of the initial list, which tells the handler of everything anyway. */
  #nextResyncMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  /** While the handler's own code runs, up to its first `await`: whoever calls in now is the handler. */
  #isCalling = false;
  #callSinceMs: number | undefined;
  #removed = false;
  #left: Promise<void> | undefined;
  /** Whether the call that runs is of the initial list. */
  #isInitialCall = false;
  #initialListAdded = false;
  #hasSynced = false;
  #failures = 0;

  constructor(
    handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>,
    options: ListenerOptions<T>,
    environment: ProcessorEnvironment,
  ) {
    this.#handler = handler;
    this.#options = options;
    this.#environment = environment;
    const { maxPending, onOverflow } = options;
    this.#queue = new HandlerQueue(
      maxPending,
      typeof onOverflow === "function" ? (dropped) => this.#drop(dropped, onOverflow) : onOverflow,
    );
    // Whoever waits for it hears of it; nobody has to.
    this.#synced.promise.catch(() => {});
  }

  get name(): string {
    return this.#options.name;
  }

  /** Whether the handler is given each object, and not what it may read one from. */
  get readsObjects(): boolean {
    return typeof this.#handler !== "function" && (this.#handler.onAdd ?? this.#handler.onUpdate) !== undefined;
  }

  /** Notifications that wait for the handler. */
  get pending(): number {
    return this.#queue.length;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves when the handler has been given every object of the initial list; rejects when it is removed before. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get health(): HandlerHealth {
    const nowMs = this.#environment.clock.now();
    const { length, oldest, coalesced, dropped } = this.#queue;
    return {
      name: this.name,
      synced: this.#hasSynced,
      pending: length,
      oldestPendingMs: oldest && nowMs - oldest.sinceMs,
      runningMs: this.#callSinceMs === undefined ? undefined : nowMs - this.#callSinceMs,
      failures: this.#failures,
      coalesced,
      dropped,
    };
  }

  /** To be followed by {@link deliver} or {@link deliverLater}, once what is told of is done. */
  add(notification: Notification<T>): void {
    if (!this.#removed) this.#queue.push(notification);
  }

  /** Hands out what waits, as far as it goes without waiting for the handler; the rest later. */
  deliver(): void {
    if (this.#running !== undefined) return;
    const wait = this.#work();
    if (wait !== undefined) this.#running = this.#run(wait);
  }

  /** The same, but not before whoever calls has returned. */
  deliverLater(): void {
    this.#running ??= this.#run(Promise.resolve());
  }

  /** Resolves when nothing waits and no call runs; at once for a handler that asked for the stop. */
  get idle(): Promise<void> {
    return this.#left ?? this.#running ?? Promise.resolve();
  }

  /** Resolves when the controller may go on; absent when it may at once. */
  get room(): Promise<void> | undefined {
    return this.#queue.room;
  }

  /** Keys of which something waits: a resync has nothing to tell of them. */
  pendingKeys(): Set<string> {
    return this.#queue.keys();
  }

  /** To be called when the informer is synced and all initial notifications are added. */
  initialListAdded(): void {
    const { resyncPeriodMs } = this.#options;
    this.#initialListAdded = true;
    if (resyncPeriodMs > 0) this.#nextResyncMs = this.#environment.clock.now() + resyncPeriodMs;
    this.#checkSynced();
  }

  /** When the next resync is due, on the monotonic clock; infinity when there is none to come. */
  get nextResyncMs(): number {
    return this.#nextResyncMs;
  }

  /** Whether a resync is due; the next is due a period later. */
  resyncDue(nowMs: number): boolean {
    if (nowMs < this.#nextResyncMs) return false;
    this.#nextResyncMs = nowMs + this.#options.resyncPeriodMs;
    return true;
  }

  /** To be called in the very turn in which a stop is asked for: a handler that asks must not be waited for by the stop. */
  stopAsked(): void {
    if (this.#isCalling) this.#left = Promise.resolve();
  }

  /**
   * Drops what is pending. Resolves when a call that runs has returned, or has been given {@link GRACE_MS} to; at once in a
   * handler that removes itself.
   */
  remove(): Promise<void> {
    this.stopAsked();
    if (!this.#removed) {
      this.#removed = true;
      this.#queue.clear();
      if (!this.#hasSynced) {
        this.#synced.reject(new InformerError("stopped", `handler ${this.name} was removed before it had synced`));
      }
    }
    this.#left ??= this.#callReturned();
    return this.#left;
  }

  #callReturned(): Promise<void> {
    const { clock, onHandlerError } = this.#environment;
    const running = this.#running;
    if (running === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.after(GRACE_MS, () => {
        const message = `handler ${this.name}: a call runs on ${GRACE_MS} ms after the end, and is not waited for any more`;
        onHandlerError(new InformerError("handler", message));
        resolve();
      });
      void running.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Nobody waits for the function, but it may be an async one: its failure is seen all the same. */
  #drop(dropped: ResourceEvent<T>, onOverflow: (dropped: ResourceEvent<T>) => void): void {
    const context = `the overflow function of handler ${this.name}, ${dropped.type} of ${dropped.key}`;
    try {
      const result: unknown = onOverflow(dropped);
      if (result instanceof Promise) result.catch((error) => this.#failed(error, context));
    } catch (error) {
      this.#failed(error, context);
    }
  }

  async #run(before: Promise<void>): Promise<void> {
    for (let wait: Promise<void> | undefined = before; wait !== undefined; wait = this.#work()) await wait;
    this.#running = undefined;
  }

  /** Hands out what waits, until it is to be asked again after what it gives back, or nothing is left. */
  #work(): Promise<void> | undefined {
    const { turn } = this.#environment;
    for (;;) {
      const next = this.#queue.shift();
      const running = next && this.#call(next);
      if (next === undefined || running !== undefined) return running;
      if (turn.exhausted()) return turn.next();
    }
  }

  #call(next: Notification<T>): Promise<void> | undefined {
    this.#isInitialCall = next.isInInitialList;
    this.#isCalling = true;
    try {
      const result = deliver(next as unknown as ResourceEvent<T>, this.#handler);
      if (result !== undefined) return this.#settled(result, next);
    } catch (error) {
      this.#failed(error, nameOf(this, next));
    }
    this.#returned();
    return undefined;
  }

  async #settled(result: PromiseLike<unknown>, next: Notification<T>): Promise<void> {
    this.#isCalling = false;
    this.#callSinceMs = this.#environment.clock.now();
    try {
      await result;
    } catch (error) {
      this.#failed(error, nameOf(this, next));
    }
    this.#callSinceMs = undefined;
    this.#returned();
  }

  #returned(): void {
    this.#isCalling = false;
    this.#isInitialCall = false;
    this.#checkSynced();
  }

  #failed(error: unknown, context: string): void {
    this.#failures++;
    this.#environment.onHandlerError(toInformerError(error, "handler", context));
  }

  #checkSynced(): void {
    if (this.#hasSynced || this.#removed || !this.#initialListAdded) return;
    if (this.#isInitialCall || this.#queue.initial > 0) return;
    this.#hasSynced = true;
    this.#synced.resolve();
  }
}

function nameOf<T extends KubernetesObject>({ name }: ProcessorListener<T>, { type, key }: Notification<T>): string {
  return `handler ${name}, ${type} of ${key}`;
}

/** The handlers of one informer. Order is kept within a handler; there is none between two. */
export class SharedProcessor<T extends KubernetesObject> {
  #listeners: readonly ProcessorListener<T>[] = [];
  #readsObjects = false;
  /** Removed, but a call of theirs may still run. */
  readonly #leaving = new Set<Promise<void>>();

  /** A snapshot: a handler that joins later is not in it. */
  get listeners(): readonly ProcessorListener<T>[] {
    return this.#listeners;
  }

  /** Whether one of them is given each object. */
  get readsObjects(): boolean {
    return this.#readsObjects;
  }

  /** Absent when every handler that blocks has room; else to be awaited, and asked for again. */
  get room(): Promise<void> | undefined {
    for (const { room } of this.#listeners) if (room !== undefined) return room;
    return undefined;
  }

  add(listener: ProcessorListener<T>): void {
    this.#renew([...this.#listeners, listener]);
  }

  remove(listener: ProcessorListener<T>): Promise<void> {
    this.#renew(this.#listeners.filter((other) => other !== listener));
    const leaving = listener.remove().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    return leaving;
  }

  /** See {@link ProcessorListener.stopAsked}. */
  stopAsked(): void {
    for (const listener of this.#listeners) listener.stopAsked();
  }

  /** Resolves when the handlers have been told of all that waits for them. */
  async idle(): Promise<void> {
    await Promise.all(this.#listeners.map(({ idle }) => idle));
  }

  /** Resolves when no handler runs any more; what was pending is dropped. */
  async stop(): Promise<void> {
    await Promise.all([...this.#leaving, ...this.#listeners.map((listener) => listener.remove())]);
  }

  #renew(listeners: readonly ProcessorListener<T>[]): void {
    this.#listeners = listeners;
    this.#readsObjects = listeners.some(({ readsObjects }) => readsObjects);
  }
}

/** Lets the handlers be told, once what is told of is done. */
export function deliverTo<T extends KubernetesObject>(listeners: readonly ProcessorListener<T>[]): void {
  for (const listener of listeners) listener.deliver();
}

export function distribute<T extends KubernetesObject>(
  listeners: readonly ProcessorListener<T>[],
  notification: Notification<T>,
): void {
  for (const listener of listeners) listener.add(notification);
}
