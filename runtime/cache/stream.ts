/** One list and watch of an informer, of all namespaces or of one: its way from the server into the shared cache. */
import { InformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { childAbort, type Deferred, deferred } from "../util/abort.js";
import { Controller, type ControllerOptions } from "./controller.js";
import { HealthMonitor, type StreamHealth } from "./health.js";
import type { ProcessorListener } from "./processor.js";
import type { Queue } from "./queue.js";
import { Reflector, type ReflectorOptions } from "./reflector.js";

export interface StreamOptions<T extends KubernetesObject> {
  /** `undefined` for all. */
  readonly namespace: string | undefined;
  readonly queue: Queue<T>;
  readonly reflector: Omit<ReflectorOptions<T>, "queue" | "observer">;
  readonly controller: Omit<ControllerOptions<T>, "queue" | "namespace" | "resyncing" | "onSynced">;
  readonly onError: (error: InformerError) => void;
  readonly onHealthChange: () => void;
  /** The first list is in the cache. */
  readonly onSynced: () => void;
}

export class Stream<T extends KubernetesObject> {
  readonly namespace: string | undefined;
  readonly queue: Queue<T>;
  readonly #monitor: HealthMonitor;
  readonly #reflector: Reflector<T>;
  readonly #controller: Controller<T>;
  readonly #synced: Deferred<void> = deferred();
  readonly #left: Deferred<void> = deferred();
  /** Handlers whose resync is due and not yet popped. */
  readonly #resyncing = new Set<ProcessorListener<T>>();
  readonly #leaving = new AbortController();
  hasSynced = false;

  constructor({ namespace, queue, reflector, controller, onError, onHealthChange, onSynced }: StreamOptions<T>) {
    // Whoever waits for it hears of it; nobody has to.
    this.#synced.promise.catch(() => {});
    this.#left.promise.catch(() => {});
    this.namespace = namespace;
    this.queue = queue;
    this.#monitor = new HealthMonitor(controller.clock, onError, onHealthChange);
    this.#reflector = new Reflector({ ...reflector, queue, observer: this.#monitor });
    this.#controller = new Controller({
      ...controller,
      queue,
      namespace,
      resyncing: () => {
        const listeners = [...this.#resyncing];
        this.#resyncing.clear();
        return listeners;
      },
      onSynced: () => {
        if (this.isLeaving) return;
        this.hasSynced = true;
        this.#synced.resolve();
        onSynced();
      },
    });
  }

  get lastSyncResourceVersion(): string {
    return this.isLeaving ? "" : this.#reflector.lastSyncResourceVersion;
  }

  /** Resolves when {@link hasSynced} is true or will not be; for one that leaves, when it has left. */
  get synced(): Promise<void> {
    return this.isLeaving ? this.#left.promise : this.#synced.promise;
  }

  health(resourceVersion: string): StreamHealth {
    const { phase, sinceMs, lastEventMs, lastBookmarkMs, lastError, lastErrorMs } = this.#monitor;
    const { failingSinceMs, consecutiveFailures, delayedSinceMs, lastVerifiedMs, divergences } = this.#monitor;
    return {
      phase,
      sinceMs,
      synced: this.hasSynced,
      resourceVersion: this.isLeaving ? "" : resourceVersion,
      lastEventMs,
      lastBookmarkMs,
      lastError,
      lastErrorMs,
      failingSinceMs,
      consecutiveFailures,
      delayedSinceMs,
      lastVerifiedMs,
      divergences,
    };
  }

  resync(listeners: readonly ProcessorListener<T>[]): void {
    for (const listener of listeners) this.#resyncing.add(listener);
    this.queue.resync();
  }

  /** Reads until the signal aborts or {@link leave} is called. */
  async read(signal: AbortSignal): Promise<void> {
    const abort = childAbort(this.#leaving.signal);
    const stop = () => abort.controller.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    await this.#reflector.run(abort.signal);
    signal.removeEventListener("abort", stop);
    abort.release();
    this.#monitor.stop();
    // Behind all that was read: what is cached of the namespace is gone for those who follow it.
    if (!signal.aborted) this.queue.replace([], "");
    this.queue.finish();
  }

  /** Writes the cache. Resolves when all that was read is written, or the queue was closed. */
  write(): Promise<void> {
    return this.#controller.run();
  }

  /** The namespace is followed no more: its objects are told of as deleted, and nobody need wait for it. */
  leave(): void {
    this.#leaving.abort();
    this.hasSynced = false;
    this.#synced.resolve();
  }

  get isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  /** Nothing of the namespace is left. */
  left(): void {
    this.#left.resolve();
  }

  /** Nobody waits for what will not come. */
  stopped(resource: string): void {
    const error = new InformerError("stopped", `the informer of ${resource} stopped before it had synced`);
    this.#synced.reject(error);
    this.#left.reject(error);
  }
}
