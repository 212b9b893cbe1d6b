/**
 * That no option is dead: each has a row here, or this file does not compile, of what is seen without it and with it. What a
 * factory's options say for all resources, and a resource's own for itself, is seen the same. One long table on purpose: who adds an
 * option finds all its neighbours.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { EventHandlerOptions, StopOptions } from "../../runtime/cache/informer-options.js";
import type { ReflectorTunables } from "../../runtime/cache/reflector.js";
import type { SharedInformer } from "../../runtime/cache/shared-informer.js";
import type { ResourceOptions } from "../../runtime/informers/resource-options.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer, type LoggedRequest } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { Impersonation } from "../../runtime/transport/impersonation.js";
import { collectGarbage } from "../support/collect-garbage.js";
import { type ConfigMap, configMaps } from "../support/config-maps.js";
import { settle, turnUntil } from "../support/settle.js";

interface Row<Options> {
  readonly option: Options;
  /** What is said both times. */
  readonly beside?: Options | undefined;
  /** @param options what was not said when the run was made */
  readonly seen: (run: Run, options: Options) => unknown;
  readonly without: unknown;
  readonly with: unknown;
}
type Rows<Options> = { readonly [Name in keyof Required<Options>]: Row<Options> };

let server: EmbeddedApiServer;
/** By whom something was told of. */
let told: string[];

/** An informer of config maps, of which `default` has `a` and `b`. */
class Run implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly factory: InformerFactory;
  readonly informer: SharedInformer<ConfigMap>;
  readonly #before = server.requests.length;

  constructor(ofFactory: InformerFactoryOptions = {}, own?: ResourceOptions<ConfigMap>) {
    this.factory = new InformerFactory(server.kubeConfig(), { clock: this.clock, ...ofFactory });
    this.informer = this.factory.informerFor(configMaps, own);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.factory.shutdown();
  }

  async synced(): Promise<this> {
    this.factory.start();
    await this.factory.waitForCacheSync();
    return this;
  }

  get requests(): readonly LoggedRequest[] {
    return server.requests.slice(this.#before);
  }

  /** What the first request asks for. */
  async asks(name: string): Promise<string | null> {
    this.factory.start();
    await turnUntil("something is asked", () => this.requests.length > 0);
    return this.requests[0]!.query.get(name);
  }

  /** Whether it comes true within so many seconds; the sockets have a moment after each. */
  async within(seconds: number, isSo: () => boolean): Promise<boolean> {
    this.factory.start();
    await settle(200);
    for (let second = 0; second < seconds && !isSo(); second++) {
      await this.clock.advance(1_000);
      await settle(200);
    }
    return isSo();
  }

  /** Whether such a list is asked for within ten seconds, after that of the sync. */
  async lists(isMeant: (query: URLSearchParams) => boolean): Promise<boolean> {
    await this.synced();
    return this.within(10, () => this.requests.some(({ query }) => !query.has("watch") && isMeant(query)));
  }

  async keys(): Promise<string[]> {
    await this.synced();
    return this.informer.indexer.listKeys().sort();
  }
}

/** A handler that does not return from its first call until it is let go. */
function hold(informer: SharedInformer<ConfigMap>, options: EventHandlerOptions<ConfigMap> = {}) {
  const events: string[] = [];
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  informer.addEventHandler(({ type, key }) => {
    events.push(`${type} ${key.slice(-1)}`);
    return held;
  }, options);
  return { events, go };
}

function change(name: string, value: string): string {
  return String(server.patch(configMaps, name, { data: { value } }).metadata.resourceVersion);
}

/** What becomes of ten changes of one object while the handler is busy. */
async function overflow(run: Run, options: EventHandlerOptions<ConfigMap>): Promise<string> {
  const { go } = hold(run.informer, options);
  const { informer } = await run.synced();
  for (let i = 0; i < 10; i++) await informer.waitFor(change("a", String(i)));
  const [handler] = informer.health().handlers;
  go();
  return handler!.coalesced > 0 ? "coalesced" : handler!.dropped > 0 ? "dropped" : "all wait";
}

/** Given by the factory, the resource or the handler. */
const ofHandlers: Rows<EventHandlerOptions<ConfigMap>> = {
  name: {
    option: { name: "mine" },
    seen: async ({ informer }, options) => {
      hold(informer, options).go();
      return informer.health().handlers[0]?.name;
    },
    without: "configmaps.v1#1",
    with: "mine",
  },
  resyncPeriodMs: {
    option: { resyncPeriodMs: 5_000 },
    seen: async (run, options) => {
      const { events, go } = hold(run.informer, options);
      go();
      return run.within(10, () => events.includes("update a"));
    },
    without: false,
    with: true,
  },
  maxPending: { option: { maxPending: 3 }, seen: overflow, without: "all wait", with: "coalesced" },
  onOverflow: {
    beside: { maxPending: 3 },
    option: { onOverflow: () => {} },
    seen: overflow,
    without: "coalesced",
    with: "dropped",
  },
};
const { name: _, ...handlerDefaults } = ofHandlers;

const ofReflectors: Rows<ReflectorTunables> = {
  streaming: {
    option: { streaming: false },
    seen: (run) => run.asks("sendInitialEvents"),
    without: "true",
    with: null,
  },
  pageSize: {
    beside: { streaming: false },
    option: { pageSize: 7 },
    seen: (run) => run.asks("limit"),
    without: "500",
    with: "7",
  },
  watchTimeoutSeconds: {
    option: { watchTimeoutSeconds: [7, 8] },
    seen: async (run) => Number(await run.asks("timeoutSeconds")) < 300,
    without: false,
    with: true,
  },
  bookmarkDeadlineMs: {
    option: { bookmarkDeadlineMs: 5_000 },
    seen: (run) => {
      server.intercept(() => ({ rewrite: (line) => (line.includes("BOOKMARK") ? undefined : line) }));
      return run.within(10, () => run.requests.some(({ query }) => !query.has("watch")));
    },
    without: false,
    with: true,
  },
  listSilenceMs: {
    beside: { streaming: false },
    option: { listSilenceMs: 5_000 },
    seen: (run) => {
      server.intercept(() => ({ end: "open" }));
      return run.within(10, () => run.requests.length > 1);
    },
    without: false,
    with: true,
  },
  backoff: {
    option: { backoff: { baseMs: 60_000, capMs: 60_000 } },
    seen: (run) => {
      server.intercept(() => ({ end: "reset" }));
      return run.within(10, () => run.requests.length > 1);
    },
    without: true,
    with: false,
  },
  probeAfterMs: {
    option: { probeAfterMs: 5_000 },
    seen: (run) => run.lists((query) => query.get("limit") === "1"),
    without: false,
    with: true,
  },
  verifyEveryMs: {
    option: { verifyEveryMs: 5_000 },
    seen: (run) => run.lists((query) => query.get("limit") === "500"),
    without: false,
    with: true,
  },
  verifyAfterSync: {
    option: { verifyAfterSync: true },
    seen: (run) => run.lists((query) => query.get("resourceVersionMatch") === "Exact"),
    without: false,
    with: true,
  },
};

function inReflector({ beside, option, seen, ...row }: Row<ReflectorTunables>): Row<ResourceOptions<ConfigMap>> {
  const given = { beside: { reflector: { ...beside } }, option: { reflector: { ...beside, ...option } } };
  return { ...row, ...given, seen: (run) => seen(run, {}) };
}

const ofResources: Rows<ResourceOptions<ConfigMap>> = {
  ...handlerDefaults,
  reflector: inReflector(ofReflectors.streaming),
  namespaces: {
    option: { namespaces: ["kube-system"] },
    seen: (run) => run.keys(),
    without: ["default/a", "default/b"],
    with: [],
  },
  labelSelector: {
    option: { labelSelector: "of=a" },
    seen: (run) => run.keys(),
    without: ["default/a", "default/b"],
    with: ["default/a"],
  },
  fieldSelector: {
    option: { fieldSelector: "metadata.name=b" },
    seen: (run) => run.keys(),
    without: ["default/a", "default/b"],
    with: ["default/b"],
  },
  tweakListOptions: {
    option: { tweakListOptions: (options) => ({ ...options, labelSelector: "of=b" }) },
    seen: (run) => run.keys(),
    without: ["default/a", "default/b"],
    with: ["default/b"],
  },
  transform: {
    option: { transform: ({ data: _, ...object }) => object },
    seen: async (run) => (await run.synced()).informer.lister.list("of=a")[0]?.data,
    without: { value: "1" },
    with: undefined,
  },
  freeze: {
    option: { freeze: false },
    seen: async (run) => Object.isFrozen((await run.synced()).informer.lister.list()[0]),
    without: true,
    with: false,
  },
  retention: {
    option: { retention: "bytes" },
    seen: async (run) => {
      await run.synced();
      const read = new WeakRef(run.informer.lister.list("of=a")[0]!);
      for (let i = 0; i < 10 && read.deref() !== undefined; i++) {
        await settle();
        collectGarbage();
      }
      return read.deref() === undefined ? "given up" : "kept";
    },
    without: "kept",
    with: "given up",
  },
  managedFields: {
    option: { managedFields: "drop" },
    seen: async (run) => {
      const managed = '"metadata":{"managedFields":[{"manager":"me"}],';
      server.intercept(() => ({ rewrite: (line) => line.replace('"metadata":{', managed) }));
      return "managedFields" in (await run.synced()).informer.lister.list()[0]!.metadata;
    },
    without: true,
    with: false,
  },
  queue: {
    option: { queue: "RealFIFO" },
    seen: async (run) => {
      const { events, go } = hold(run.informer, { maxPending: 1, onOverflow: "block" });
      const { informer } = await run.synced();
      // The first is taken in, and then nothing more until the handler goes on.
      await informer.waitFor(change("a", "2"));
      const last = ["b", "a", "b", "a"].map((name, i) => change(name, `${3 + i}`)).at(-1);
      await turnUntil("all is queued", () => informer.lastSyncResourceVersion() === last);
      go();
      await turnUntil("all is told", () => events.length === 7);
      return events.slice(3).join();
    },
    without: "update b,update b,update a,update a",
    with: "update b,update a,update b,update a",
  },
  onError: {
    option: { onError: () => void told.push("the function") },
    seen: async (run) => {
      server.intercept(() => ({ end: "reset" }));
      run.factory.start();
      await turnUntil("a failure is told", () => told.length > 0);
      return told;
    },
    without: ["the process"],
    with: ["the function"],
  },
};

const ofFactories: {
  readonly [Name in Exclude<keyof InformerFactoryOptions, keyof ResourceOptions>]-?: Row<InformerFactoryOptions>;
} = {
  namespace: {
    option: { namespace: "kube-system" },
    seen: (run) => run.keys(),
    without: ["default/a", "default/b"],
    with: [],
  },
  clock: {
    option: { clock: new VirtualClock(5) },
    seen: ({ informer }) => informer.health().sinceMs,
    without: new VirtualClock().wallNow(),
    with: 5,
  },
  impersonate: {
    option: { impersonate: { user: "jane" } },
    seen: async (run) => (await headers(run))["impersonate-user"],
    without: undefined,
    with: "jane",
  },
  onWarning: {
    beside: { onError: () => {} },
    option: { onWarning: () => void told.push("the function") },
    seen: async (run) => {
      server.intercept(() => ({ status: 500, headers: { warning: '299 - "old"' } }));
      run.factory.start();
      await turnUntil("a warning is told", () => told.length > 0);
      return told;
    },
    without: ["the process"],
    with: ["the function"],
  },
};

const ofImpersonation: Rows<Impersonation> = {
  user: {
    beside: { user: "joe" },
    option: { user: "jane" },
    seen: async (run) => (await headers(run))["impersonate-user"],
    without: "joe",
    with: "jane",
  },
  uid: {
    beside: { user: "jane" },
    option: { user: "jane", uid: "u-1" },
    seen: async (run) => (await headers(run))["impersonate-uid"],
    without: undefined,
    with: "u-1",
  },
  groups: {
    beside: { user: "jane" },
    option: { user: "jane", groups: ["g", "h"] },
    seen: async (run) => (await headers(run))["impersonate-group"],
    without: undefined,
    with: "g, h",
  },
  extra: {
    beside: { user: "jane" },
    option: { user: "jane", extra: { Scopes: ["view"] } },
    seen: async (run) => (await headers(run))["impersonate-extra-scopes"],
    without: undefined,
    with: "view",
  },
};

async function headers(run: Run): Promise<Record<string, unknown>> {
  const sent: Record<string, unknown>[] = [];
  server.intercept((request) => void sent.push(request.headers));
  await run.synced();
  return sent[0]!;
}

/** Two objects are told of; the handler does not return from the first before the informer has stopped. */
async function dropped(run: Run, options: StopOptions): Promise<number> {
  const { go } = hold(run.informer);
  const { informer } = await run.synced();
  const stopped = informer.stop(options);
  await turnUntil("it is stopped", () => informer.isStopped());
  go();
  return (await stopped).dropped;
}

const ofStops: Rows<StopOptions> = {
  drain: { option: { drain: true }, seen: dropped, without: 1, with: 0 },
  signal: {
    beside: { drain: true },
    option: { signal: AbortSignal.abort() },
    seen: dropped,
    without: 0,
    with: 1,
  },
};

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
  for (const name of ["a", "b"])
    server.create(configMaps, { metadata: { name, labels: { of: name } }, data: { value: "1" } });
  told = [];
  vi.spyOn(process, "emitWarning").mockImplementation(() => void told.push("the process"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

/** @param make of the options that are given to the run, which also does what goes before */
async function expectRow<Options extends object>(
  { beside, option, seen, without, with: expected }: Row<Options>,
  make: (options: Options) => Run,
): Promise<void> {
  for (const [given, outcome] of [
    [{ ...beside } as Options, without],
    [{ ...beside, ...option }, expected],
  ] as const) {
    told = [];
    await using run = make(given);
    expect(await seen(run, given)).toEqual(outcome);
  }
}

describe("each option has its effect:", () => {
  const reflectorRows = Object.entries(ofReflectors).map(
    ([name, row]) => [`reflector.${name}`, inReflector(row)] as const,
  );

  test.each([...Object.entries(ofResources), ...reflectorRows])("%s, of all resources and of one", async (_, row) => {
    const unsaid = { ...row, seen: (run: Run) => row.seen(run, {}) };
    await expectRow(unsaid, (options) => new Run(options as InformerFactoryOptions));
    await expectRow(unsaid, (options) => new Run({}, options));
  });

  test.each(Object.entries(ofFactories))("%s, of a factory", (_, row) => expectRow(row, (options) => new Run(options)));

  test.each(Object.entries(ofImpersonation))("impersonate.%s", (_, row) =>
    expectRow(row, (impersonate) => new Run({ impersonate })),
  );

  test.each(Object.entries(ofHandlers))("%s, of a handler", (_, row) => expectRow(row, () => new Run()));

  test.each(Object.entries(ofStops))("%s, of a stop", (_, row) => expectRow(row, () => new Run()));
});
