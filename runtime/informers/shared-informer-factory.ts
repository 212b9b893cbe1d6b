/**
 * Hands out one informer for each resource, over one connection. Counterpart: `SharedInformerFactory` of client-go's
 * informers/factory.go; generated factories add the typed accessors.
 */
import { formatGroupVersionResource, type GroupVersionResource } from "../api/group-version-resource.js";
import { InformerError, isInformerError } from "../api/informer-error.js";
import type { ListOptions } from "../api/list-options.js";
import type { KubernetesObject, Unstructured } from "../api/object-meta.js";
import type { ResourceDescriptor, ResourceScope } from "../api/resource-descriptor.js";
import type { InformerHealth } from "../cache/health.js";
import { ListWatch } from "../cache/list-watch.js";
import type { ReflectorTunables } from "../cache/reflector.js";
import { type QueueKind, SharedInformer, type TransformFunc } from "../cache/shared-informer.js";
import { type RetentionOptions, SlabAllocator } from "../cache/slab.js";
import { ApiClient } from "../transport/api-client.js";
import type { Impersonation, KubeConfigLike } from "../transport/credentials.js";
import { HttpTransport } from "../transport/http-transport.js";
import type { Transport } from "../transport/transport.js";
import { onAbort } from "../util/abort.js";
import { type Clock, systemClock } from "../util/clock.js";
import { systemRandom } from "../util/random.js";
import { Turn } from "../util/turn.js";
import { type CacheSyncResults, waitForCacheSync } from "./cache-sync.js";
import { servedInstead } from "./discovery.js";
import type { ResourceInformer } from "./resource-informer.js";

export interface InformerFactoryOptions extends RetentionOptions {
  /** Only objects of this namespace. Cluster-scoped resources are not affected. */
  readonly namespace?: string;
  /** How often handlers are told of every object anew, without asking the server; 0, the default, for never. */
  readonly resyncPeriodMs?: number;
  /** Another resync period for some resources. Counterpart: `WithCustomResyncConfig`. */
  readonly customResync?: Iterable<readonly [resource: GroupVersionResource, periodMs: number]>;
  /** A last word on the query of every LIST and WATCH, as for selectors. Counterpart: `WithTweakListOptions`. */
  readonly tweakListOptions?: (options: ListOptions, resource: GroupVersionResource) => ListOptions;
  /** Changes every object before it is cached. Must be idempotent and keep the metadata. Counterpart: `WithTransform`. */
  readonly transform?: TransformFunc<KubernetesObject>;
  /**
   * Whether cached objects are frozen all the way down, so that a handler which writes to one gets a TypeError there and then,
   * in place of a cache that lies to everyone else. By default unless `NODE_ENV` is `production`: it makes decoding half as
   * expensive again. Types say the same at compile time. `mutableCopy` gives an object to change.
   */
  readonly freeze?: boolean;
  /**
   * Told of every failure that an informer gets over by itself, once for each kind in a row: a lost connection, a missing
   * right, a handler that threw. Without it they become process warnings of type `InformerWarning`.
   */
  readonly onError?: (error: InformerError) => void;
  /** Acts as somebody else, by rights that the kubeconfig's user must have. */
  readonly impersonate?: Impersonation;
  /** How lists and watches are asked for. */
  readonly reflector?: ReflectorTunables;
  /**
   * `DeltaFIFO`, the default, collects the changes of an object that wait, and keeps the order of each object; `RealFIFO` keeps
   * the order of all, as client-go does since 1.36.
   */
  readonly queue?: QueueKind;
  /** Where time comes from: for tests. */
  readonly clock?: Clock;
}

/** How long an error message waits for what the server serves instead, in milliseconds. */
const DISCOVERY_DEADLINE_MS = 5_000;

/** Where a factory connects to; or another factory, whose connection, options and informers it then shares. */
export type InformerFactorySource = KubeConfigLike | InformerFactory;

/** What factories over one another share. */
interface Shared {
  readonly options: InformerFactoryOptions;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly transport: Transport;
  readonly client: ApiClient;
  readonly informers: Map<string, SharedInformer<KubernetesObject>>;
  readonly resources: Map<string, GroupVersionResource>;
  readonly abort: AbortController;
  readonly running: Map<string, Promise<void>>;
  /** Signals that end it all, each listened to once however often it is given. */
  readonly signals: WeakSet<AbortSignal>;
  readonly resyncPeriodsMs: ReadonlyMap<string, number>;
}

export class InformerFactory implements AsyncDisposable {
  readonly #shared: Shared;
  readonly #resources: ReadonlyMap<string, ResourceDescriptor<KubernetesObject>>;

  /**
   * @param resources what {@link forResource} knows the kind and scope of
   * @throws InformerError `usage` when the KubeConfig has no current cluster, or options are given along with a factory
   */
  constructor(
    source: InformerFactorySource,
    options?: InformerFactoryOptions,
    resources: readonly ResourceDescriptor<KubernetesObject>[] = [],
  ) {
    if (source instanceof InformerFactory) {
      if (options !== undefined)
        throw new InformerError("usage", "a factory over another factory has that one's options: give none");
      this.#shared = source.#shared;
    } else {
      this.#shared = connect(source, options ?? {});
    }
    this.#resources = new Map(resources.map((resource) => [formatGroupVersionResource(resource), resource]));
  }

  /** The informer of a descriptor; the same however often it is asked for. */
  informerFor<T extends KubernetesObject>(descriptor: ResourceDescriptor<T>): SharedInformer<T> {
    return this.#informerFor(descriptor);
  }

  /**
   * Access to one resource. By a generated descriptor it is typed; by group, version and name alone objects are unstructured,
   * over the same informer. Whether the server serves it shows when the informer starts.
   */
  forResource<T extends KubernetesObject, Scope extends ResourceScope>(
    resource: ResourceDescriptor<T, Scope>,
  ): ResourceInformer<T, Scope>;
  forResource(resource: GroupVersionResource): ResourceInformer<Unstructured>;
  forResource(resource: GroupVersionResource & Partial<ResourceDescriptor>): ResourceInformer<Unstructured> {
    const known = this.#resources.get(formatGroupVersionResource(resource));
    const described = resource.kind === undefined ? (known as ResourceDescriptor | undefined) : undefined;
    let found: SharedInformer<Unstructured> | undefined;
    const informer = () => {
      found ??= this.#informerFor<Unstructured>(described ?? resource);
      return found;
    };
    return { informer, lister: () => informer().lister };
  }

  /**
   * Starts the informers that were asked for and do not run yet. Call it again after asking for more.
   * @param signal ends them all, like {@link shutdown}
   * @throws InformerError `stopped` after a shutdown
   */
  start(signal?: AbortSignal): void {
    const { informers, running, abort, signals } = this.#shared;
    if (abort.signal.aborted) throw new InformerError("stopped", "start: the factory was shut down; make a new one");
    if (signal !== undefined && !signals.has(signal)) {
      signals.add(signal);
      const release = onAbort(signal, () => abort.abort(signal.reason));
      abort.signal.addEventListener("abort", release, { once: true });
    }
    for (const [resource, informer] of informers) {
      if (!running.has(resource)) running.set(resource, informer.run(abort.signal));
    }
  }

  /**
   * Resolves when every started informer's cache holds its whole list.
   * @param signal how long to wait
   * @throws InformerError `not-synced`, naming each resource and its cause, when one that was asked for was not started, when
   *   the signal aborts or the factory is shut down first, or when a resource cannot sync: it is forbidden or not served, and
   *   stays so over three attempts and five seconds. Then it says which rule of a role is missing, or what is served instead
   */
  waitForCacheSync(signal?: AbortSignal): Promise<CacheSyncResults> {
    const { informers, resources, running, clock, abort } = this.#shared;
    const waitedFor = Array.from(informers, ([name, informer]) => ({
      informer,
      isStarted: running.has(name),
      servedInstead: () => {
        const resource = resources.get(name);
        return resource === undefined ? Promise.resolve("") : this.#servedInstead(resource);
      },
    }));
    return waitForCacheSync(waitedFor, clock, [abort.signal, signal]);
  }

  /**
   * Stops all informers. Resolves when nothing of them runs any more, handlers included; a handler's call
   * that runs on for two seconds is reported and not waited for. Call it as often as you like, also in a handler.
   */
  async shutdown(): Promise<void> {
    this.#shared.abort.abort();
    await Promise.all(this.#shared.running.values());
    this.#shared.transport.close();
  }

  /** A snapshot for each informer, in the order in which they were asked for. */
  health(): InformerHealth[] {
    return Array.from(this.#shared.informers.values(), (informer) => informer.health());
  }

  /** Whether every informer that was asked for runs and has synced: for a readiness probe. An outage later on changes nothing. */
  ready(): boolean {
    return this.health().every(({ phase, synced }) => synced && phase !== "stopped");
  }

  /** Whether no informer has stopped: for a liveness probe. A server that is away is no reason to restart a client. */
  live(): boolean {
    return !this.#shared.abort.signal.aborted && this.health().every(({ phase }) => phase !== "stopped");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #servedInstead(resource: GroupVersionResource): Promise<string> {
    const { client, clock } = this.#shared;
    const abort = new AbortController();
    const timer = clock.after(DISCOVERY_DEADLINE_MS, () => abort.abort());
    try {
      return await servedInstead(client, resource, abort.signal);
    } finally {
      timer.cancel();
    }
  }

  #informerFor<T extends KubernetesObject>(
    resource: GroupVersionResource & Partial<ResourceDescriptor<T>>,
  ): SharedInformer<T> {
    const { informers, resources } = this.#shared;
    const name = formatGroupVersionResource(resource);
    let informer = informers.get(name) as SharedInformer<T> | undefined;
    if (informer === undefined) {
      informer = this.#makeInformer<T>(name, resource);
      resources.set(name, resource);
      informers.set(name, informer as unknown as SharedInformer<KubernetesObject>);
    }
    return informer;
  }

  #makeInformer<T extends KubernetesObject>(
    name: string,
    resource: GroupVersionResource & Partial<ResourceDescriptor<T>>,
  ): SharedInformer<T> {
    const { options, clock, turn, client, resyncPeriodsMs } = this.#shared;
    const { tweakListOptions, onError = warn } = options;
    const slabs = new SlabAllocator(options);
    const listerWatcher = new ListWatch<T>(client, slabs, {
      resource,
      kind: resource.kind,
      namespace: resource.scope === "Cluster" ? undefined : options.namespace,
      tweakListOptions: tweakListOptions && ((listOptions) => tweakListOptions(listOptions, resource)),
    });
    return new SharedInformer<T>({
      listerWatcher,
      slabs,
      resource: name,
      resyncPeriodMs: resyncPeriodsMs.get(name) ?? options.resyncPeriodMs ?? 0,
      reflector: options.reflector,
      queue: options.queue,
      transform: options.transform as TransformFunc<T> | undefined,
      freeze: options.freeze ?? process.env["NODE_ENV"] !== "production",
      clock,
      turn,
      random: systemRandom,
      onError,
    });
  }
}

function connect(kubeConfig: KubeConfigLike, options: InformerFactoryOptions): Shared {
  const clock = options.clock ?? systemClock;
  const transport = new HttpTransport(kubeConfig, clock, options.impersonate);
  return {
    options,
    clock,
    turn: new Turn(clock),
    transport,
    client: new ApiClient(transport, clock),
    informers: new Map(),
    resources: new Map(),
    abort: new AbortController(),
    running: new Map(),
    signals: new WeakSet(),
    resyncPeriodsMs: new Map(
      Array.from(options.customResync ?? [], ([resource, periodMs]) => [
        formatGroupVersionResource(resource),
        periodMs,
      ]),
    ),
  };
}

/** Seen by default, and silenced like any warning: with `process.on("warning")` or `--disable-warning=InformerWarning`. */
function warn(error: InformerError): void {
  process.emitWarning(isInformerError(error) ? error.message : String(error), {
    type: "InformerWarning",
    code: error.code,
  });
}
