/**
 * Hands notifications to handlers, each at its own pace. Counterpart: `sharedProcessor` and `processorListener` of
 * tools/cache/shared_informer.go.
 */
import { type InformerError, toInformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { type Deferred, deferred } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { RingQueue } from "../util/ring-queue.js";
import type { Turn } from "../util/turn.js";
import type { Notification, ResourceEventHandler, ResourceEventHandlerFunc } from "./event-handler.js";

/** What all listeners of an informer share. */
export interface ProcessorEnvironment {
  readonly clock: Clock;
  readonly turn: Turn;
  /** Told of what a handler throws or rejects with; the next notification is delivered all the same. */
  readonly onHandlerError: (error: InformerError) => void;
}

export interface ListenerOptions {
  /** For messages and health. */
  readonly name: string;
  /** 0 for none. */
  readonly resyncPeriodMs: number;
}

export class ProcessorListener<T extends KubernetesObject> {
  readonly name: string;
  readonly resyncPeriodMs: number;
  readonly #handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>;
  readonly #environment: ProcessorEnvironment;
  readonly #pending = new RingQueue<Notification<T>>();
  readonly #synced: Deferred<void> = deferred();
  /** Counts from the end of the initial list, which tells the handler of everything anyway. */
  #nextResyncMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #removed = false;
  #added = 0;
  #handled = 0;
  /** How many notifications must be handled before the handler has seen the whole initial list. */
  #initialCount = Number.POSITIVE_INFINITY;
  #hasSynced = false;

  constructor(
    handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>,
    options: ListenerOptions,
    environment: ProcessorEnvironment,
  ) {
    this.name = options.name;
    this.resyncPeriodMs = options.resyncPeriodMs;
    this.#handler = handler;
    this.#environment = environment;
  }

  /** Notifications that wait for the handler. */
  get pending(): number {
    return this.#pending.length;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves when the handler has been given every object of the initial list. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  add(notification: Notification<T>): void {
    if (this.#removed) return;
    this.#pending.push(notification);
    this.#added++;
    this.#running ??= this.#run();
  }

  /** To be called when the informer is synced and all initial notifications are added. */
  initialListAdded(): void {
    this.#initialCount = Math.min(this.#initialCount, this.#added);
    if (this.resyncPeriodMs > 0) this.#nextResyncMs = this.#environment.clock.now() + this.resyncPeriodMs;
    this.#checkSynced();
  }

  /** When the next resync is due, on the monotonic clock; infinity when there is none to come. */
  get nextResyncMs(): number {
    return this.#nextResyncMs;
  }

  /** Whether a resync is due; the next is due a period later. */
  resyncDue(nowMs: number): boolean {
    if (nowMs < this.#nextResyncMs) return false;
    this.#nextResyncMs = nowMs + this.resyncPeriodMs;
    return true;
  }

  /** Drops what is pending. Resolves when a call that runs has returned; in a handler it must not be awaited. */
  async remove(): Promise<void> {
    this.#removed = true;
    this.#pending.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Handlers run after the step that made the notifications is over, not inside it.
    await undefined;
    const { turn, onHandlerError } = this.#environment;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      try {
        const result = next.deliver(this.#handler);
        if (result !== undefined) await result;
      } catch (error) {
        onHandlerError(toInformerError(error, "handler", `handler ${this.name}, ${next.type} of ${next.key}`));
      }
      this.#handled++;
      if (!this.#hasSynced) this.#checkSynced();
      if (turn.exhausted()) await turn.next();
    }
    this.#running = undefined;
  }

  #checkSynced(): void {
    if (this.#handled < this.#initialCount) return;
    this.#hasSynced = true;
    this.#synced.resolve();
  }
}

/** The handlers of one informer. Order is kept within a handler; there is none between two. */
export class SharedProcessor<T extends KubernetesObject> {
  #listeners: readonly ProcessorListener<T>[] = [];
  /** Removed, but a call of theirs may still run. */
  readonly #leaving = new Set<Promise<void>>();

  /** A snapshot: a handler that joins later is not in it. */
  get listeners(): readonly ProcessorListener<T>[] {
    return this.#listeners;
  }

  add(listener: ProcessorListener<T>): void {
    this.#listeners = [...this.#listeners, listener];
  }

  remove(listener: ProcessorListener<T>): Promise<void> {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    const leaving = listener.remove().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    return leaving;
  }

  /** Resolves when no handler runs any more; what was pending is dropped. */
  async stop(): Promise<void> {
    await Promise.all([...this.#leaving, ...this.#listeners.map((listener) => listener.remove())]);
  }
}

export function distribute<T extends KubernetesObject>(
  listeners: readonly ProcessorListener<T>[],
  notification: Notification<T>,
): void {
  for (const listener of listeners) listener.add(notification);
}
