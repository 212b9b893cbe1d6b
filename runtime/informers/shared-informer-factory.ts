/**
 * Hands out one informer for each resource, over one connection. Counterpart: `SharedInformerFactory` of client-go's
 * informers/factory.go; generated factories add the typed accessors.
 */
import { formatGroupVersionResource, type GroupVersionResource } from "../api/group-version-resource.js";
import { InformerError } from "../api/informer-error.js";
import type { ListOptions } from "../api/list-options.js";
import type { KubernetesObject, Unstructured } from "../api/object-meta.js";
import type { MetadataResource, PartialObjectMetadata } from "../api/partial-object-metadata.js";
import type { ResourceDescriptor, ResourceScope } from "../api/resource-descriptor.js";
import type { InformerHealth } from "../cache/health.js";
import type { StopOptions, StopResult } from "../cache/informer-options.js";
import { ListWatch } from "../cache/list-watch.js";
import { SharedInformer } from "../cache/shared-informer.js";
import { SlabAllocator } from "../cache/slab.js";
import { ApiClient } from "../transport/api-client.js";
import type { KubeConfigLike } from "../transport/credentials.js";
import { HttpTransport } from "../transport/http-transport.js";
import type { Impersonation } from "../transport/impersonation.js";
import type { Transport } from "../transport/transport.js";
import type { InformerWarning } from "../transport/warnings.js";
import { onAbort } from "../util/abort.js";
import { type Clock, systemClock } from "../util/clock.js";
import { systemRandom } from "../util/random.js";
import { Turn } from "../util/turn.js";
import { type CacheSyncResults, waitForCacheSync } from "./cache-sync.js";
import { servedInstead } from "./discovery.js";
import type { AcquiredInformer, ResourceInformer } from "./resource-informer.js";
import { namespaceSelection, type ResourceOptions, refuseConflict, resourceOptions } from "./resource-options.js";
import { type Role, rolesOf } from "./roles.js";

export interface InformerFactoryOptions extends ResourceOptions {
  /** Short for `namespaces: [namespace]`. Counterpart: `WithNamespace`. */
  readonly namespace?: string;
  /**
   * Told once of each text in the server's `Warning` headers, such as that a version is deprecated, and of what is doubtful about
   * the credentials. Without it they become process warnings of type `InformerWarning`. Counterpart: `WarningHandler`.
   */
  readonly onWarning?: (warning: InformerWarning) => void;
  /** Acts as somebody else, by rights that the kubeconfig's user must have. */
  readonly impersonate?: Impersonation;
  /** Where time comes from: for tests. */
  readonly clock?: Clock;
}

/** How long an error message waits for what the server serves instead, in milliseconds. */
const DISCOVERY_DEADLINE_MS = 5_000;

/** Where a factory connects to; or another factory, whose connection, options and informers it then shares. */
export type InformerFactorySource = KubeConfigLike | InformerFactory;

/** An informer, and how many need it. */
interface Registered {
  readonly name: string;
  readonly resource: GroupVersionResource;
  readonly options: ResourceOptions;
  readonly informer: SharedInformer<KubernetesObject>;
  /** Those who acquired it and have not let go; infinitely many once somebody asked for it for good. */
  users: number;
  isStarted: boolean;
}

/** A resource and what is known of it: a descriptor, a name, or either of them for its metadata alone. */
type InformedResource = GroupVersionResource & {
  readonly kind?: string;
  readonly scope?: ResourceScope;
  readonly metadataOnly?: boolean;
};

/** What factories over one another share. */
interface Shared {
  readonly options: ResourceOptions;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly transport: Transport;
  readonly client: ApiClient;
  /** In the order in which they were asked for. */
  readonly informers: Map<string, Registered>;
  /** Informers that nobody needs any more, until they have stopped. */
  readonly leaving: Set<Promise<StopResult>>;
  /** Aborts when the factory is shut down. */
  readonly abort: AbortController;
  /** Signals that end it all, each listened to once however often it is given. */
  readonly signals: WeakSet<AbortSignal>;
  /** No informer is started any more. */
  isShutDown: boolean;
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

  /**
   * The informer of a descriptor, for as long as the factory lives; the same however often it is asked for.
   * @param options what it is made with; who gives some for one that is there must give the same
   * @throws InformerError `conflict` when it is there with other options
   */
  informerFor<T extends KubernetesObject>(
    descriptor: ResourceDescriptor<T>,
    options?: ResourceOptions<T>,
  ): SharedInformer<T> {
    return this.#informerFor(descriptor, options);
  }

  /**
   * Access to one resource. By a generated descriptor it is typed; by group, version and name alone objects are unstructured,
   * over the same informer. With `metadataOnly` the metadata of objects is read in their place, by another informer. Whether the
   * server serves it shows when the informer starts.
   */
  forResource<Scope extends ResourceScope>(
    resource: MetadataResource<Scope>,
  ): ResourceInformer<PartialObjectMetadata, Scope>;
  forResource<T extends KubernetesObject, Scope extends ResourceScope>(
    resource: ResourceDescriptor<T, Scope>,
  ): ResourceInformer<T, Scope>;
  forResource(resource: GroupVersionResource): ResourceInformer<Unstructured>;
  forResource(resource: InformedResource): ResourceInformer<Unstructured> | ResourceInformer<PartialObjectMetadata> {
    const known = this.#resources.get(formatGroupVersionResource(resource));
    const described = resource.kind === undefined ? { ...known, ...resource } : resource;
    const access: ResourceInformer<Unstructured> = {
      informer: (options) => this.#informerFor(described, options),
      lister: () => access.informer().lister,
      acquire: (options) => this.#acquire(described, options),
    };
    return access;
  }

  /**
   * Starts the informers that were asked for and do not run yet. Call it again after asking for more.
   * @param signal ends them all, like {@link shutdown}
   * @throws InformerError `stopped` after a shutdown
   */
  start(signal?: AbortSignal): void {
    const { informers, abort, signals, isShutDown } = this.#shared;
    if (isShutDown) throw new InformerError("stopped", "start: the factory was shut down; make a new one");
    if (signal !== undefined && !signals.has(signal)) {
      signals.add(signal);
      const release = onAbort(signal, () => void this.shutdown());
      abort.signal.addEventListener("abort", release, { once: true });
    }
    for (const registered of informers.values()) {
      registered.isStarted = true;
      void registered.informer.run(abort.signal);
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
    const { informers, clock, abort } = this.#shared;
    const waitedFor = Array.from(informers.values(), (registered) => ({
      informer: registered.informer,
      isStarted: registered.isStarted,
      isNeeded: () => registered.users > 0,
      servedInstead: () => this.#servedInstead(registered.resource),
    }));
    return waitForCacheSync(waitedFor, clock, [abort.signal, signal]);
  }

  /**
   * Stops all informers. Resolves when nothing of them runs any more, handlers included; a handler's call
   * that runs on for two seconds is reported and not waited for. Call it as often as you like, also in a handler.
   */
  async shutdown(options: StopOptions = {}): Promise<StopResult> {
    const { informers, leaving, abort, transport } = this.#shared;
    this.#shared.isShutDown = true;
    if (options.drain !== true) abort.abort();
    const stops = Array.from(informers.values(), ({ informer }) => informer.stop(options));
    const results = await Promise.all([...stops, ...leaving]);
    abort.abort();
    transport.close();
    return { dropped: results.reduce((sum, { dropped }) => sum + dropped, 0) };
  }

  /** A snapshot for each informer, in the order in which they were asked for. */
  health(): InformerHealth[] {
    return Array.from(this.#shared.informers.values(), ({ informer }) => informer.health());
  }

  /** Whether every informer that was asked for runs and has synced: for a readiness probe. An outage later on changes nothing. */
  ready(): boolean {
    return this.health().every(({ phase, synced }) => synced && phase !== "stopped");
  }

  /** Whether no informer has stopped: for a liveness probe. A server that is away is no reason to restart a client. */
  live(): boolean {
    return !this.#shared.isShutDown && this.health().every(({ phase }) => phase !== "stopped");
  }

  /**
   * The least rights that the informers which were asked for need, as `kubectl apply` takes them: a ClusterRole for what is
   * followed everywhere, and a Role in each namespace for what is followed there. Nothing is asked of the server, and nothing
   * need run.
   * @param name of each of them
   */
  roles(name: string): Role[] {
    const followed = Array.from(this.#shared.informers.values(), ({ resource, options }) => {
      const isClusterWide = (resource as InformedResource).scope === "Cluster";
      return { resource, namespaces: isClusterWide ? undefined : namespaceSelection(options.namespaces).namespaces };
    });
    return rolesOf(followed, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
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
    resource: InformedResource,
    options: ResourceOptions<T> | undefined,
  ): SharedInformer<T> {
    const registered = this.#registered(resource, options);
    registered.users = Number.POSITIVE_INFINITY;
    return registered.informer as unknown as SharedInformer<T>;
  }

  #acquire<T extends KubernetesObject>(
    resource: InformedResource,
    options: ResourceOptions<T> | undefined,
  ): AcquiredInformer<T> {
    const registered = this.#registered(resource, options);
    registered.users++;
    const informer = registered.informer as unknown as SharedInformer<T>;
    let released: Promise<StopResult> | undefined;
    const release = (stopOptions?: StopOptions) => {
      released ??= this.#release(registered, stopOptions);
      return released;
    };
    const dispose = async () => void (await release());
    return { informer, lister: informer.lister, release, [Symbol.asyncDispose]: dispose };
  }

  #release(registered: Registered, options: StopOptions | undefined): Promise<StopResult> {
    const { informers, leaving } = this.#shared;
    if (--registered.users > 0) return Promise.resolve({ dropped: 0 });
    informers.delete(registered.name);
    const stopped = registered.informer.stop(options).finally(() => leaving.delete(stopped));
    leaving.add(stopped);
    return stopped;
  }

  #registered<T extends KubernetesObject>(
    resource: InformedResource,
    asked: ResourceOptions<T> | undefined,
  ): Registered {
    const { informers, options: ofFactory } = this.#shared;
    refuseUnnamed(resource);
    const name = formatGroupVersionResource(resource) + (resource.metadataOnly === true ? " (metadata)" : "");
    const found = informers.get(name);
    if (found !== undefined && asked === undefined) return found;
    if (resource.scope === "Cluster" && asked?.namespaces !== undefined)
      throw new InformerError("usage", `${name} is cluster-scoped: it has no namespaces to choose from`);
    const options = resourceOptions(ofFactory, asked);
    if (found !== undefined) {
      refuseConflict(name, found.options as unknown as ResourceOptions<T>, options);
      return found;
    }
    const informer = this.#makeInformer(name, resource, options) as unknown as SharedInformer<KubernetesObject>;
    const made = {
      name,
      resource,
      options: options as unknown as ResourceOptions,
      informer,
      users: 0,
      isStarted: false,
    };
    informers.set(name, made);
    return made;
  }

  #makeInformer<T extends KubernetesObject>(
    name: string,
    resource: InformedResource,
    options: ResourceOptions<T>,
  ): SharedInformer<T> {
    const { clock, turn, client } = this.#shared;
    const { labelSelector, fieldSelector, namespaces, tweakListOptions, onError = warn, freeze, ...rest } = options;
    const slabs = new SlabAllocator(options);
    const scoped = resource.scope === "Cluster" ? {} : namespaceSelection(namespaces);
    const fields = [fieldSelector, ...(scoped.fieldSelectors ?? [])].filter((selector) => selector !== undefined);
    const listerWatcher = (namespace: string | undefined) =>
      new ListWatch<T>(client, slabs, {
        resource,
        kind: resource.kind,
        metadataOnly: resource.metadataOnly,
        namespace,
        tweakListOptions: (listOptions) => {
          const selecting = { ...listOptions, labelSelector, fieldSelector: fields.join(",") } as ListOptions;
          return tweakListOptions?.(selecting, resource) ?? selecting;
        },
      });
    return new SharedInformer<T>({
      ...rest,
      listerWatcher,
      namespaces: scoped.namespaces,
      slabs,
      resource: name,
      freeze: freeze ?? process.env["NODE_ENV"] !== "production",
      clock,
      turn,
      random: systemRandom,
      onError,
    });
  }
}

/** JavaScript may leave out the group, which is `""` for the core group, or give a name alone. */
function refuseUnnamed({ group, version, resource }: Partial<GroupVersionResource>): void {
  if ([group, version, resource].every((part) => typeof part === "string")) return;
  const given = JSON.stringify({ group, version, resource });
  throw new InformerError(
    "usage",
    `a resource has a group ("" for the core group), a version and a name, not ${given}`,
  );
}

function connect(kubeConfig: KubeConfigLike, factoryOptions: InformerFactoryOptions): Shared {
  const { clock = systemClock, impersonate, namespace, onWarning = warn, ...options } = factoryOptions;
  if (namespace !== undefined && options.namespaces !== undefined)
    throw new InformerError("usage", "give either namespace or namespaces, not both");
  const transport = new HttpTransport(kubeConfig, clock, impersonate, onWarning);
  return {
    options: namespace === undefined || namespace === "" ? options : { ...options, namespaces: [namespace] },
    clock,
    turn: new Turn(clock),
    transport,
    client: new ApiClient(transport, clock),
    informers: new Map(),
    leaving: new Set(),
    abort: new AbortController(),
    signals: new WeakSet(),
    isShutDown: false,
  };
}

/** Seen by default, and silenced like any warning: with `process.on("warning")` or `--disable-warning=InformerWarning`. */
function warn({ message, code }: InformerError | InformerWarning): void {
  process.emitWarning(message, { type: "InformerWarning", code });
}
