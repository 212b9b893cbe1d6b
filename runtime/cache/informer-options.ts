/** What an informer, its handlers and its end are told. Counterpart: `SharedIndexInformerOptions` and `HandlerOptions` of client-go. */
import type { InformerError } from "../api/informer-error.js";
import type { NamespaceSet } from "../api/namespaces.js";
import type { KubernetesObject } from "../api/object-meta.js";
import type { Clock } from "../util/clock.js";
import type { Turn } from "../util/turn.js";
import type { OverflowPolicy } from "./handler-queue.js";
import type { ListerWatcher } from "./list-watch.js";
import type { ReflectorTunables } from "./reflector.js";
import type { SlabAllocator } from "./slab.js";

/** What changes an object before it is cached: to leave out what nobody reads. It decodes every object. */
export type TransformFunc<T extends KubernetesObject> = (object: T) => T;

export type QueueKind = "DeltaFIFO" | "RealFIFO";

export interface SharedInformerOptions<T extends KubernetesObject> extends HandlerDefaults<T> {
  /** What a namespace is read from, or without one all of them. */
  readonly listerWatcher: (namespace: string | undefined) => ListerWatcher<T>;
  /** Namespaces to follow, each by itself, also as they change; without it all at once. */
  readonly namespaces?: NamespaceSet | undefined;
  /** Where the lister-watcher puts the bytes of entries, if they have any. */
  readonly slabs?: SlabAllocator | undefined;
  /** `pods.v1` */
  readonly resource: string;
  readonly transform?: TransformFunc<T> | undefined;
  /** Whether objects are frozen, so that a write to what is shared throws. After the transform, which may write. */
  readonly freeze?: boolean;
  readonly reflector?: ReflectorTunables | undefined;
  readonly queue?: QueueKind | undefined;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly random: () => number;
  /** Told of every failure that the informer gets over by itself. */
  readonly onError: (error: InformerError) => void;
}

/** What handlers may say for themselves, and an informer for those that do not. */
export interface HandlerDefaults<T extends KubernetesObject = KubernetesObject> {
  /**
   * How often `onUpdate` is called for every cached object though nothing changed, without asking the server; 0, the default,
   * for never. At least 1000.
   */
  readonly resyncPeriodMs?: number;
  /** How many notifications may wait for the handler, without those of its initial list; by default 10,000. At least 1. */
  readonly maxPending?: number;
  /** What becomes of those beyond; by default `coalesce`. */
  readonly onOverflow?: OverflowPolicy<T>;
}

export interface EventHandlerOptions<T extends KubernetesObject = KubernetesObject> extends HandlerDefaults<T> {
  /** For messages and health. */
  readonly name?: string;
}

export interface StopOptions {
  /**
   * Whether handlers are first told of all that was read, for however long they take. By default what waits is dropped. A
   * handler that stops its own informer, before its first `await`, is not waited for.
   */
  readonly drain?: boolean;
  /** Ends the draining: the rest is dropped. So does a second stop, without `drain`. */
  readonly signal?: AbortSignal;
}

export interface StopResult {
  /** Notifications that waited for handlers and were dropped. */
  readonly dropped: number;
}

/** Stands for one `addEventHandler`. `await using` removes the handler where its scope ends. */
export interface ResourceEventHandlerRegistration extends AsyncDisposable {
  readonly name: string;
  /** Whether the handler has been given every object of the initial list, and has returned from each. */
  hasSynced(): boolean;
  /** Resolves when {@link hasSynced} becomes true. @throws InformerError `stopped` when the handler is removed before */
  synced(): Promise<void>;
  /**
   * The handler hears of nothing more, not of what is pending either. Resolves when a call that runs has returned; one that
   * runs on for two seconds is reported and not waited for any more. Nor is the running call waited for when the handler
   * itself asks, here or by a stop of its informer, before its first `await`.
   */
  remove(): Promise<void>;
}
