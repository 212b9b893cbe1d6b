/**
 * An API server in this process, for tests, demos and examples. It answers as a kube-apiserver 1.36 does, of which each
 * rule was recorded. Counterpart: envtest, without its binaries.
 *
 * Left out: bodies in protobuf or YAML and server-side apply (415; a typed Go client needs `ContentType:
 * "application/json"`), authorization, webhooks, CEL rules, the subresources that reach a node, and whatever controllers,
 * schedulers and kubelets do. ./object-api.ts, ./openapi.ts, ./table.ts and ./patch.ts say what each of them simplifies.
 */
import type { GroupVersionResource } from "../api/group-version-resource.js";
import { metaNamespaceKey } from "../api/keys.js";
import { type Clock, systemClock } from "../util/clock.js";
import { ApiHandler } from "./api-handler.js";
import { CustomResources } from "./custom-resources.js";
import type { Exchange } from "./exchange.js";
import { HttpListener, type TlsOptions } from "./http-listener.js";
import { type Interceptor, intercept } from "./interception.js";
import { type JsonObject, parseJson, stringifyJson } from "./json.js";
import { EmbeddedKubeConfig } from "./kube-config.js";
import { INITIAL_NAMESPACES, NamespaceContainer } from "./namespaces.js";
import { type DeleteOptions, ObjectApi, type WriteOptions } from "./object-api.js";
import { selectObjects } from "./object-list.js";
import { versioned } from "./object-shape.js";
import { type ApiObject, Revision, type StoredObject } from "./object-store.js";
import type { PatchType } from "./patch.js";
import { ResourceRegistry, type ServedResource, storageName } from "./resource-registry.js";
import { internal, isApiError, noSuchResource, unauthorized } from "./status.js";
import { WatchHub } from "./watch-hub.js";

export interface EmbeddedApiServerOptions {
  /** 0, or absent: one that is free. */
  readonly port?: number;
  /** Time for bookmarks, time-outs, waits and timestamps. {@link systemClock} when absent. */
  readonly clock?: Clock;
  /** Asked of every request as a bearer token; without one everybody is let in. */
  readonly token?: string;
  /** Serves HTTPS. */
  readonly tls?: TlsOptions;
  /** Events that a watch can still start before, per resource; 10,000 when absent. */
  readonly historyLimit?: number;
  /** 60,000 when absent. */
  readonly bookmarkIntervalMs?: number;
  /** Events that may wait for a slow reader before its watch is ended; 100,000 when absent. */
  readonly maxWaitingEvents?: number;
  /** Requests that {@link EmbeddedApiServer.requests} remembers; 10,000 when absent. */
  readonly requestLogLimit?: number;
}

/** A request that came in. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Monotonic milliseconds of the server's clock. */
  readonly atMs: number;
}

/** Where an object is; `"default"` when a namespaced one does not say. */
export interface ObjectPlace {
  readonly namespace?: string;
}

export interface ObjectSelection extends ObjectPlace {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** One of {@link EmbeddedApiServer.watches}. */
export interface WatchFacts extends GroupVersionResource {
  /** `""` for all. */
  readonly namespace: string;
}

/** State that {@link EmbeddedApiServer.restore} goes back to, of this server or of another. */
export interface ServerBackup {
  readonly resourceVersion: string;
}

/** What a backup holds: objects by the name of their store, then by key. */
const backups = new WeakMap<ServerBackup, ReadonlyMap<string, ReadonlyMap<string, StoredObject>>>();

export interface PatchOptions extends ObjectPlace, WriteOptions {
  /** `application/merge-patch+json` when absent. */
  readonly type?: PatchType;
}

const DEFINITIONS: GroupVersionResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  resource: "customresourcedefinitions",
};
const DEFINITIONS_STORE = storageName(DEFINITIONS);
const NAMESPACES: GroupVersionResource = { group: "", version: "v1", resource: "namespaces" };

/**
 * Listens on 127.0.0.1 and keeps everything in memory. The methods that read and write are what HTTP does, without HTTP, in
 * the same turn: when one returns, every watch has been told. They throw `ApiError`.
 */
export class EmbeddedApiServer implements AsyncDisposable {
  /** Bearer token asked of requests from now on; undefined lets everybody in. */
  token: string | undefined;
  readonly #clock: Clock;
  readonly #revision = new Revision();
  readonly #registry: ResourceRegistry;
  readonly #objects: ObjectApi;
  readonly #customResources: CustomResources;
  readonly #watches: WatchHub;
  readonly #handler: ApiHandler;
  readonly #listener: HttpListener;
  readonly #interceptors = new Set<Interceptor>();
  readonly #requestLogLimit: number;
  #requests: LoggedRequest[] = [];

  private constructor(options: EmbeddedApiServerOptions) {
    const {
      clock = systemClock,
      historyLimit = 10_000,
      bookmarkIntervalMs = 60_000,
      maxWaitingEvents = 100_000,
    } = options;
    const revision = this.#revision;
    this.token = options.token;
    this.#clock = clock;
    this.#requestLogLimit = options.requestLogLimit ?? 10_000;
    this.#registry = new ResourceRegistry(revision, historyLimit);
    this.#objects = new ObjectApi({ registry: this.#registry, clock });
    this.#customResources = new CustomResources({ registry: this.#registry, revision, clock, historyLimit });
    this.#objects.setContainer("namespaces", new NamespaceContainer(this.#registry));
    this.#objects.setContainer(DEFINITIONS_STORE, this.#customResources);
    this.#watches = new WatchHub({ revision, clock, bookmarkIntervalMs, maxWaiting: maxWaitingEvents });
    this.#handler = new ApiHandler({
      registry: this.#registry,
      revision,
      objects: this.#objects,
      watches: this.#watches,
      clock,
    });
    this.#listener = new HttpListener((exchange) => this.#answer(exchange), options.port ?? 0, options.tls);
    for (const name of INITIAL_NAMESPACES) this.create(NAMESPACES, { metadata: { name } });
  }

  /** A server that listens. */
  static async start(options: EmbeddedApiServerOptions = {}): Promise<EmbeddedApiServer> {
    const server = new EmbeddedApiServer(options);
    await server.listen();
    return server;
  }

  /** `http://127.0.0.1:34567`. */
  get url(): string {
    return this.#listener.url;
  }

  /** For clients in this process; `exportConfig()` of it is a kubeconfig file for others. */
  kubeConfig(): EmbeddedKubeConfig {
    return new EmbeddedKubeConfig(this.url, () => this.token, this.#listener.ca);
  }

  /** Ends every connection and frees the port. Nothing is left open; the objects stay readable. */
  async close(): Promise<void> {
    await this.stopListening();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Installs a CustomResourceDefinition, `apiextensions.k8s.io/v1`: its resources are served when this returns. */
  install(definition: object): ApiObject {
    return this.create(DEFINITIONS, definition);
  }

  /** Of an object that does not say its apiVersion and kind, they are the resource's. */
  create(resource: GroupVersionResource, object: object, options: WriteOptions = {}): ApiObject {
    const served = this.#find(resource);
    return copyOf(
      served,
      this.#objects.create(served, this.#placeOf(served, namespaceOf(object)), sentOf(served, object), options),
    );
  }

  /** Undefined when there is none. */
  get(resource: GroupVersionResource, name: string, { namespace }: ObjectPlace = {}): ApiObject | undefined {
    const served = this.#find(resource);
    const place = this.#placeOf(served, namespace);
    const stored = served.store.get(metaNamespaceKey(place, name));
    return stored === undefined ? undefined : copyOf(served, stored.object);
  }

  /** Replaces an object, as {@link create}; `subresource: "status"` its status. A resourceVersion in it is compared. */
  update(resource: GroupVersionResource, object: object, options: WriteOptions = {}): ApiObject {
    const served = this.#find(resource);
    const sent = sentOf(served, object);
    const name = String((sent["metadata"] as { name?: unknown } | undefined)?.name ?? "");
    return copyOf(
      served,
      this.#objects.update(served, this.#placeOf(served, namespaceOf(object)), name, sent, options),
    );
  }

  patch(resource: GroupVersionResource, name: string, patch: object, options: PatchOptions = {}): ApiObject {
    const { namespace, type = "application/merge-patch+json", ...rest } = options;
    const served = this.#find(resource);
    return copyOf(
      served,
      this.#objects.patch(served, this.#placeOf(served, namespace), name, type, plainCopy(patch), rest),
    );
  }

  delete(
    resource: GroupVersionResource,
    name: string,
    { namespace, ...options }: ObjectPlace & DeleteOptions = {},
  ): void {
    const served = this.#find(resource);
    this.#objects.delete(served, this.#placeOf(served, namespace), name, options);
  }

  /** In the order of their keys; of all namespaces, unless one is named. */
  list(
    resource: GroupVersionResource,
    { namespace = "", labelSelector = "", fieldSelector = "" }: ObjectSelection = {},
  ): ApiObject[] {
    const served = this.#find(resource);
    return selectObjects(served, { namespace, labelSelector, fieldSelector }).map(({ object }) =>
      copyOf(served, object),
    );
  }

  /** Of the last write to anything. */
  get resourceVersion(): string {
    return String(this.#revision.current);
  }

  /** Forgets all history: watches and pages from before now are answered "Expired". */
  compact(): void {
    for (const store of this.#registry.stores().values()) store.compact();
  }

  /** The state of this moment. */
  backup(): ServerBackup {
    const backup = { resourceVersion: this.resourceVersion };
    backups.set(backup, new Map([...this.#registry.stores()].map(([name, store]) => [name, store.snapshot()])));
    return backup;
  }

  /**
   * Goes back to a state, resourceVersion and all, and cuts every watch: an etcd restored from a backup.
   * @throws TypeError when it is not one of {@link backup}
   */
  restore(backup: ServerBackup): void {
    const objects = backups.get(backup);
    if (objects === undefined) throw new TypeError("restore takes what backup() gave");
    this.cutWatches();
    this.#revision.reset(Number(backup.resourceVersion));
    const definitions = [...(objects.get(DEFINITIONS_STORE)?.values() ?? [])];
    this.#customResources.restore(definitions.map(({ object }) => object));
    for (const [name, store] of this.#registry.stores()) store.restore(objects.get(name) ?? new Map());
  }

  /** Watches that are open. */
  get watches(): readonly WatchFacts[] {
    return this.#watches.open.map(({ resource, namespace }) => factsOf(resource, namespace));
  }

  /** Tears down the connections of watches, with an RST; of all that the filter does not spare. Returns how many. */
  cutWatches(filter: (watch: WatchFacts) => boolean = () => true): number {
    const cut = this.#watches.open.filter(({ resource, namespace }) => filter(factsOf(resource, namespace)));
    for (const watch of cut) {
      watch.stream.dispose();
      watch.reset();
    }
    return cut.length;
  }

  /** Ends watches cleanly, as when their time is over. Returns how many. */
  closeWatches(filter: (watch: WatchFacts) => boolean = () => true): number {
    const closed = this.#watches.open.filter(({ resource, namespace }) => filter(factsOf(resource, namespace)));
    for (const watch of closed) watch.stream.end();
    return closed.length;
  }

  /**
   * Refuses new connections, as a server that is down. Open ones are torn down, or kept until they end by themselves, as
   * after a SIGTERM. The data stays.
   */
  async stopListening(open: "reset" | "keep" = "reset"): Promise<void> {
    if (open === "reset") {
      for (const { stream } of this.#watches.open) stream.dispose();
      await this.#listener.stop();
    } else this.#listener.refuse();
  }

  /** Listens again, at the same port. */
  async listen(): Promise<void> {
    await this.#listener.listen();
  }

  /**
   * Puts a function before the server: it may answer a request, spoil the answer, delay it, or let it pass. The one that was
   * added last is asked first; the first that does not let pass decides. Returns how to take it away.
   */
  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.add(interceptor);
    return () => {
      this.#interceptors.delete(interceptor);
    };
  }

  /** What came in, oldest first; the oldest are forgotten. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests.slice(-this.#requestLogLimit);
  }

  clearRequests(): void {
    this.#requests = [];
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { method, path, query, request } = exchange;
    this.#log({ method, path, query, atMs: this.#clock.now() });
    try {
      for (const interceptor of [...this.#interceptors].reverse()) {
        const interception = await interceptor({ method, path, query, headers: request.headers });
        if (interception === undefined) continue;
        if (await intercept(exchange, interception, this.#clock)) return;
        break;
      }
      if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) throw unauthorized();
      await this.#handler.handle(exchange);
    } catch (error) {
      const refusal = isApiError(error) ? error : internal(error instanceof Error ? error.message : String(error));
      if (exchange.response.headersSent) exchange.reset();
      else await exchange.error(refusal);
    }
  }

  #log(request: LoggedRequest): void {
    this.#requests.push(request);
    if (this.#requests.length >= this.#requestLogLimit * 2)
      this.#requests = this.#requests.slice(-this.#requestLogLimit);
  }

  #find(resource: GroupVersionResource): ServedResource {
    const served = this.#registry.find(resource);
    if (served === undefined) throw noSuchResource();
    return served;
  }

  #placeOf({ scope }: ServedResource, namespace: string | undefined): string {
    return scope === "Namespaced" ? (namespace ?? "default") : "";
  }
}

function factsOf({ group, version, resource }: ServedResource, namespace: string): WatchFacts {
  return { group, version, resource, namespace };
}

function namespaceOf(object: object): string | undefined {
  const { metadata } = object as { metadata?: { namespace?: string } };
  return metadata?.namespace;
}

/** As if it had been sent: what is not JSON is gone, and the caller's object is its own. */
function plainCopy(object: object): JsonObject {
  return parseJson(stringifyJson(object)) as JsonObject;
}

function sentOf({ apiVersion, kind }: ServedResource, object: object): JsonObject {
  return { apiVersion, kind, ...plainCopy(object) };
}

function copyOf(resource: ServedResource, object: ApiObject): ApiObject {
  return structuredClone(versioned(resource, object));
}
