/**
 * One list and watch, one cache, many handlers. Counterpart: `SharedIndexInformer` of tools/cache/shared_informer.go. Longer than
 * other files, as it is where all parts meet: what each does is in a file of its own.
 */
import { InformerError, toInformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { type Deferred, deferred, onAbort, unlessAborted } from "../util/abort.js";
import type { Timer } from "../util/clock.js";
import { guarded } from "../util/guarded.js";
import { transformed } from "./admit.js";
import { DeltaFIFO } from "./delta-fifo.js";
import type { Entry } from "./entry.js";
import {
  Notification,
  type ResourceEvent,
  type ResourceEventHandler,
  type ResourceEventHandlerFunc,
} from "./event-handler.js";
import { eventStream } from "./event-stream.js";
import { Freshness } from "./freshness.js";
import { type InformerHealth, quiet, worst } from "./health.js";
import { Indexer, oldestOf } from "./indexer.js";
import type {
  EventHandlerOptions,
  ResourceEventHandlerRegistration,
  SharedInformerOptions,
  StopOptions,
  StopResult,
} from "./informer-options.js";
import { IndexerLister } from "./lister.js";
import { type ProcessorEnvironment, ProcessorListener, SharedProcessor } from "./processor.js";
import { RealFIFO } from "./real-fifo.js";
import type { Indexers, Store } from "./store.js";
import { Stream } from "./stream.js";

/** From here on a handler's queue is coalesced. */
const MAX_PENDING = 10_000;
const OVERFLOW_POLICIES: readonly unknown[] = ["coalesce", "block"];
/** client-go's: a handler cannot be resynced more often. */
const MIN_RESYNC_PERIOD_MS = 1_000;

export class SharedInformer<T extends KubernetesObject> {
  readonly resource: string;
  readonly #options: SharedInformerOptions<T>;
  readonly #onError: (error: InformerError) => void;
  readonly #indexer: Indexer<T>;
  readonly #lister: IndexerLister<T>;
  readonly #processor = new SharedProcessor<T>();
  readonly #environment: ProcessorEnvironment;
  /** By namespace; without one the only key is `undefined`. */
  readonly #streams = new Map<string | undefined, Stream<T>>();
  /** What streams do until they have ended, those of namespaces that were removed too. */
  readonly #reading = new Set<Promise<void>>();
  readonly #writing = new Set<Promise<void>>();
  readonly #synced: Deferred<void> = deferred();
  #hasSynced = false;
  #running: Promise<void> | undefined;
  #isRunning = false;
  #stopped = false;
  /** Aborts when a stop is asked for: nothing more is read. */
  readonly #stopping = new AbortController();
  /** Aborts when what waits for handlers is to be dropped. */
  readonly #dropping = new AbortController();
  #dropped = 0;
  /** Aborts when handlers hear of nothing more. */
  readonly #ended = new AbortController();
  #resyncTimer: Timer | undefined;
  #handlersMade = 0;
  readonly #freshness: Freshness;
  readonly #madeMs: number;
  readonly #healthListeners = new Set<(health: InformerHealth) => void>();

  constructor(options: SharedInformerOptions<T>) {
    const { clock, turn, namespaces } = options;
    const onError = guarded(options.onError);
    // Whoever waits for it hears of it; nobody has to.
    this.#synced.promise.catch(() => {});
    this.resource = options.resource;
    this.#options = options;
    this.#onError = onError;
    this.#madeMs = clock.wallNow();
    if (options.slabs !== undefined) options.slabs.freeze = options.freeze === true && options.transform === undefined;
    this.#indexer = new Indexer<T>(onError);
    this.#freshness = new Freshness(this.resource, (namespace) =>
      namespace === undefined ? this.#indexer.resourceVersion : this.#indexer.resourceVersionOf(namespace),
    );
    this.#lister = new IndexerLister(this.#indexer);
    this.#environment = { clock, turn, onHandlerError: onError };
    for (const namespace of namespaces ?? [undefined]) this.#addStream(namespace);
  }

  /** The cache. */
  get indexer(): Store<T> {
    return this.#indexer;
  }

  get lister(): IndexerLister<T> {
    return this.#lister;
  }

  /**
   * Adds indexes, also to a cache that is filled already.
   * @throws InformerError `usage` when a name is taken, `stopped` after the informer was stopped
   */
  addIndexers(indexers: Indexers<T>): void {
    this.#refuseIfStopped("addIndexers");
    this.#indexer.addIndexers(indexers);
  }

  /**
   * Adds a handler, at any time. One that comes late is first given every cached object as an add of its initial list.
   * @throws InformerError `stopped` after the informer was stopped, `usage` when an option makes no sense
   */
  addEventHandler(
    handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>,
    options: EventHandlerOptions<T> = {},
  ): ResourceEventHandlerRegistration {
    this.#refuseIfStopped("addEventHandler");
    if (typeof handler !== "function" && (typeof handler !== "object" || handler === null))
      throw new InformerError("usage", `a handler is a function or an object of functions, not ${handler}`);
    const own = this.#options;
    const { resyncPeriodMs = own.resyncPeriodMs ?? 0, maxPending = own.maxPending ?? MAX_PENDING } = options;
    const { onOverflow = own.onOverflow ?? "coalesce" } = options;
    if (!(maxPending >= 1)) throw new InformerError("usage", `maxPending is at least 1, not ${maxPending}`);
    if (typeof onOverflow !== "function" && !OVERFLOW_POLICIES.includes(onOverflow))
      throw new InformerError(
        "usage",
        `onOverflow: ${JSON.stringify(onOverflow)} is none of coalesce, block, a function`,
      );
    const listener = new ProcessorListener(
      handler,
      {
        name: options.name ?? `${this.resource}#${++this.#handlersMade}`,
        resyncPeriodMs: resyncPeriodMs > 0 ? Math.max(resyncPeriodMs, MIN_RESYNC_PERIOD_MS) : 0,
        maxPending,
        onOverflow,
      },
      this.#environment,
    );
    this.#processor.add(listener);
    const nowMs = this.#environment.clock.now();
    for (const entry of this.#indexer.entries()) listener.add(Notification.add(entry, true, nowMs));
    listener.deliverLater();
    if (this.#hasSynced) {
      listener.initialListAdded();
      this.#scheduleResync();
    }
    const remove = () => this.#processor.remove(listener);
    return {
      name: listener.name,
      hasSynced: () => listener.hasSynced,
      synced: () => listener.synced,
      remove,
      [Symbol.asyncDispose]: remove,
    };
  }

  /**
   * The same as an iterator: `for await (const event of informer.events())`. It listens from the first `next()` on, begins with
   * every cached object, and stops listening when the loop is left, however. It ends when the signal aborts or the informer
   * stops. While an event is worked on, those to come wait as for any handler, by the same options.
   */
  events(
    options: EventHandlerOptions<T> & { readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<ResourceEvent<T>, void> {
    return eventStream((handler) => this.addEventHandler(handler, options), [this.#ended.signal, options.signal]);
  }

  /** Whether the cache has held a whole list. It stays true when the connection is lost: see {@link health}. */
  hasSynced(): boolean {
    return this.#hasSynced;
  }

  /**
   * Resolves when {@link hasSynced} is true and every namespace that is followed now has been listed.
   * @throws InformerError `stopped` when the informer stops before
   */
  async synced(): Promise<void> {
    await this.#synced.promise;
    while (!this.#followed.every(({ hasSynced }) => hasSynced))
      await Promise.all(this.#followed.map(({ synced }) => synced));
  }

  isStopped(): boolean {
    return this.#stopped;
  }

  /** Up to where everything that the server sent has been taken in, of all namespaces; `""` before the first list of each. */
  lastSyncResourceVersion(): string {
    return oldestOf(this.#followed.map((stream) => stream.lastSyncResourceVersion));
  }

  /**
   * Resolves when the cache is as new as this resourceVersion, or newer: to read what was just written. It must be of this
   * resource; that of an object which the informer's selector or namespace leaves out is reached with the next event or bookmark.
   * Where several namespaces are followed that means each of them, and one in which nothing changes moves with bookmarks alone.
   * @param signal ends the wait
   * @param namespace of which alone it has to be
   * @throws InformerError `not-synced` when the signal aborts first, `stopped`, or `usage` for one that is no decimal number:
   *   those have no order (KEP-5504)
   */
  waitFor(resourceVersion: string, signal?: AbortSignal, namespace?: string): Promise<void> {
    return this.#freshness.wait(resourceVersion, signal, namespace);
  }

  /**
   * Follows the server until the signal aborts or {@link stop} is called. Resolves when everything has stopped, handlers
   * included; a second call gives the same promise. A stopped informer cannot run again.
   */
  run(signal: AbortSignal): Promise<void> {
    if (this.#running === undefined) {
      // There before it begins: who hears of its beginning may call this again.
      const running = deferred();
      this.#running = running.promise;
      void this.#run(signal).then(running.resolve, running.reject);
    }
    return this.#running;
  }

  /**
   * Ends it. Resolves when no handler runs any more; a call that runs on for two seconds is reported and not waited for. Call it
   * as often as you like, also before the start and in a handler.
   */
  async stop({ drain = false, signal }: StopOptions = {}): Promise<StopResult> {
    this.#stop(drain);
    const release = drain && signal !== undefined ? onAbort(signal, () => this.#stop(false)) : undefined;
    await this.run(this.#stopping.signal);
    release?.();
    return { dropped: this.#dropped };
  }

  /** A snapshot of now. */
  health(): InformerHealth {
    const { resourceVersion, size } = this.#indexer;
    const phase = this.#stopped ? "stopped" : this.#isRunning ? "watching" : "idle";
    const namespaces = this.#followed.map((stream) => {
      const { namespace = "" } = stream;
      return { namespace, ...stream.health(this.#indexer.resourceVersionOf(namespace)) };
    });
    const { namespace: _, ...all } = { namespace: "", ...worst(namespaces, quiet(phase, this.#madeMs)) };
    return {
      ...all,
      resource: this.resource,
      synced: this.#hasSynced,
      objects: size,
      resourceVersion,
      handlers: this.#processor.listeners.map(({ health }) => health),
      namespaces: this.#options.namespaces === undefined ? [] : namespaces,
    };
  }

  /**
   * Calls back with a snapshot whenever the phase changes, the cache has synced, failures or a delay begin or are over. The result ends
   * the subscription. What the function throws is lost: it must not throw.
   */
  onHealthChange(listener: (health: InformerHealth) => void): () => void {
    // A wrapper of its own for each call: the same function may be given twice.
    const guardedListener = guarded(listener);
    this.#healthListeners.add(guardedListener);
    return () => this.#healthListeners.delete(guardedListener);
  }

  #stop(drain: boolean): void {
    this.#processor.stopAsked();
    this.#stopping.abort();
    if (drain || this.#dropping.signal.aborted) return;
    this.#dropping.abort();
    if (this.#stopped) void this.#drop();
  }

  /** Resolves when no handler runs any more. */
  #drop(): Promise<void> {
    for (const { pending } of this.#processor.listeners) this.#dropped += pending;
    return this.#processor.stop();
  }

  async #run(parent: AbortSignal): Promise<void> {
    const release = onAbort(parent, () => this.#stop(false));
    const unsubscribe = this.#options.namespaces?.subscribe(() => this.#followNamespaces());
    this.#isRunning = true;
    for (const stream of this.#streams.values()) this.#runStream(stream);
    this.#followNamespaces();
    await new Promise<void>((resolve) => onAbort(this.#stopping.signal, resolve));
    unsubscribe?.();
    await Promise.all(this.#reading);
    // client-go's order: no more is taken in, then no more is handed out.
    this.#stopped = true;
    this.#resyncTimer?.cancel();
    if (this.#dropping.signal.aborted) void this.#drop();
    const written = Promise.all(this.#writing);
    const drained = written.then(() => this.#processor.idle());
    await unlessAborted(drained, this.#dropping.signal).catch(() => {});
    release();
    for (const { queue } of this.#streams.values()) queue.close();
    this.#freshness.stop();
    this.#ended.abort();
    this.#synced.reject(new InformerError("stopped", `the informer of ${this.resource} stopped before it had synced`));
    for (const stream of this.#streams.values()) stream.stopped(this.resource);
    // A handler that blocks holds up the controller until it is removed. One that asked for a stop with drain may not be told of all.
    await Promise.all([written, this.#drop()]);
    for (const entry of this.#indexer.entries()) entry.discard();
  }

  /** Without those of namespaces that are wanted no more. One that is wanted again may have to leave first. */
  get #followed(): Stream<T>[] {
    const { namespaces } = this.#options;
    return [...this.#streams.values()].filter(({ namespace }) => namespaces?.has(namespace as string) ?? true);
  }

  /** One for each namespace that is wanted now, and none for the others. */
  #followNamespaces(): void {
    const { namespaces } = this.#options;
    if (namespaces === undefined || this.#stopping.signal.aborted) return;
    for (const namespace of namespaces) if (!this.#streams.has(namespace)) this.#runStream(this.#addStream(namespace));
    for (const [namespace, stream] of this.#streams) if (!namespaces.has(namespace as string)) stream.leave();
    this.#checkSynced();
    this.#healthChanged();
  }

  #addStream(namespace: string | undefined): Stream<T> {
    const { clock, turn, random, slabs, queue } = this.#options;
    const listerWatcher = this.#options.listerWatcher(namespace);
    listerWatcher.reuse?.((key) => this.#indexer.getEntry(key));
    const admit = (entry: Entry<T>) => this.#transform(entry);
    const onAdvanced = () => this.#freshness.advance();
    const stream = new Stream<T>({
      namespace,
      queue: queue === "RealFIFO" ? new RealFIFO() : new DeltaFIFO(),
      reflector: { listerWatcher, clock, turn, random, ...this.#options.reflector, admit },
      controller: { indexer: this.#indexer, processor: this.#processor, slabs, clock, turn, onAdvanced },
      onError: this.#onError,
      onHealthChange: () => this.#healthChanged(),
      onSynced: () => this.#checkSynced(),
    });
    this.#streams.set(namespace, stream);
    // It is as new as nothing until it is listed.
    if (namespace !== undefined) this.#indexer.advance("", namespace);
    return stream;
  }

  #runStream(stream: Stream<T>): void {
    const reading = stream.read(this.#stopping.signal).finally(() => this.#reading.delete(reading));
    const writing = stream.write().finally(() => {
      this.#writing.delete(writing);
      if (stream.isLeaving) this.#left(stream);
    });
    this.#reading.add(reading);
    this.#writing.add(writing);
  }

  #left(stream: Stream<T>): void {
    if (this.#stopping.signal.aborted) return;
    const { namespace = "" } = stream;
    this.#streams.delete(namespace);
    this.#indexer.forget(namespace);
    this.#freshness.advance();
    // It may have been added again meanwhile.
    this.#followNamespaces();
    stream.left();
  }

  /** Every namespace that is followed has been listed. Those that are added later change nothing of it. */
  #checkSynced(): void {
    if (this.#hasSynced || !this.#followed.every(({ hasSynced }) => hasSynced)) return;
    this.#hasSynced = true;
    for (const listener of this.#processor.listeners) listener.initialListAdded();
    this.#synced.resolve();
    this.#healthChanged();
    this.#scheduleResync();
  }

  /** One timer for all handlers, for whichever is due first. */
  #scheduleResync(): void {
    const { clock } = this.#options;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const { nextResyncMs } of this.#processor.listeners) dueMs = Math.min(dueMs, nextResyncMs);
    this.#resyncTimer?.cancel();
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#resyncTimer = clock.after(dueMs - clock.now(), () => {
      const nowMs = clock.now();
      const due = this.#processor.listeners.filter((listener) => listener.resyncDue(nowMs));
      if (due.length > 0) for (const stream of this.#streams.values()) stream.resync(due);
      this.#scheduleResync();
    });
  }

  /** An object that the transform refuses is left out; the rest goes on. */
  #transform(entry: Entry<T>): Entry<T> | undefined {
    const { transform, freeze } = this.#options;
    if (this.#indexer.getEntry(entry.key) === entry) return entry;
    if (transform === undefined) {
      if (this.#readsObjects) entry.decodeEarly();
      return entry;
    }
    try {
      return transformed(entry, transform, freeze === true);
    } catch (error) {
      this.#onError(toInformerError(error, "transform", `transform of ${this.resource} ${entry.key}`));
      return undefined;
    }
  }

  /** Whether each object will be read as it comes: as bytes a whole list of them would wait for it. */
  get #readsObjects(): boolean {
    if (this.#options.slabs?.keepsBytes === true) return false;
    return this.#indexer.readsObjects || this.#processor.readsObjects;
  }

  #healthChanged(): void {
    const health = this.health();
    for (const listener of [...this.#healthListeners]) listener(health);
  }

  #refuseIfStopped(method: string): void {
    if (this.#stopped)
      throw new InformerError(
        "stopped",
        `${method}: the informer of ${this.resource} was stopped; ask its factory, or a new one`,
      );
  }
}
