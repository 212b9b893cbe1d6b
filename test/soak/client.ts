/**
 * The process that is measured: informers and handlers, and nothing else. It tells the parent what its handlers were told,
 * and of itself. Run with `--expose-gc`.
 */
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import {
  type EventHandlerOptions,
  InformerFactory,
  type InformerFactoryOptions,
  type KubeConfigLike,
  type ResourceEvent,
  type SharedInformer,
  type Unstructured,
} from "../../runtime/index.js";
import {
  type ClientConfiguration,
  type FromClient,
  type HandlerKind,
  type Handles,
  isWhole,
  type MadeRequest,
  monotonicMs,
  NAMESPACES,
  RESOURCES,
  type RequestKind,
  type Sample,
  type Snapshot,
  type SoakResource,
  sequenceOf,
  TIERS,
  type ToClient,
  type Told,
  type ToldEvent,
  type View,
} from "./protocol.js";

const TELL_EVERY_MS = 100;
const SLOW_MS = 4;
/** Of the slow handler: small, so that it is full now and then. */
const SLOW_PENDING = 100;
const LATE_EVERY_MS = 7_000;

let token: string | undefined;
let events: ToldEvent[] = [];
let requests: MadeRequest[] = [];
let handlers = 0;

function send(message: FromClient): void {
  process.send?.(message);
}

function tell(): void {
  if (events.length === 0 && requests.length === 0) return;
  send({ type: "told", events, requests });
  events = [];
  requests = [];
}

const broken = (what: string) => (thrown: unknown) =>
  send({
    type: "broken",
    what: "process",
    text: `${what}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`,
  });
process.on("unhandledRejection", broken("unhandled rejection"));
process.on("uncaughtException", broken("uncaught exception"));
process.on("warning", broken("warning"));

/** What follows one resource in one way. */
interface Subject {
  readonly name: string;
  readonly type: SoakResource;
  readonly view: View;
  readonly informer: SharedInformer<Unstructured>;
}

const TOLD = { add: "a", update: "u", delete: "d" } as const;

function record(handler: number, { type }: Subject, event: ResourceEvent<Unstructured>): void {
  const sequence = sequenceOf(event.object);
  // A server has objects of its own.
  if (sequence < 0) return;
  if (type.name !== "large" && !isWhole(type, event.object))
    send({ type: "broken", what: "bytes", text: `${type.name} ${event.key} is not what was written` });
  let told: Told = TOLD[event.type];
  if (event.type === "add" && event.isInInitialList) told = "i";
  if (event.type === "delete" && event.finalStateUnknown) told = "t";
  const before = event.type === "update" ? sequenceOf(event.oldObject) : 0;
  events.push([handler, told, event.key, sequence, before, monotonicMs()]);
}

/** Starts a handler of a kind; gives back how it leaves. */
function join(subject: Subject, kind: HandlerKind, signal: AbortSignal): () => Promise<void> {
  const id = ++handlers;
  const { name, type, view, informer } = subject;
  send({ type: "joined", handler: { id, resource: type.name, informer: name, view, kind }, atMs: monotonicMs() });
  let count = 0;
  const handle = (event: ResourceEvent<Unstructured>): void | Promise<void> => {
    record(id, subject, event);
    if (kind === "async") return nextTurn();
    if (kind === "slow" || kind === "blocking") return sleep(SLOW_MS);
    if (kind === "throwing" && ++count % 7 === 0) throw new Error("this handler throws on purpose");
  };
  const options: EventHandlerOptions<Unstructured> =
    kind === "slow" || kind === "blocking"
      ? { maxPending: SLOW_PENDING, onOverflow: kind === "slow" ? "coalesce" : "block" }
      : {};
  if (kind === "iterator") {
    const loop = async () => {
      for await (const event of informer.events({ ...options, signal })) await handle(event);
    };
    const ended = loop();
    return () => ended;
  }
  const registration = informer.addEventHandler(handle, options);
  return async () => {
    await registration.remove();
    tell();
    send({ type: "left", id });
  };
}

function kindOf(options: { sendInitialEvents?: boolean; timeoutSeconds?: number; continue?: string; limit?: number }) {
  let kind: RequestKind = "list";
  if (options.sendInitialEvents === true) kind = "watchList";
  else if (options.timeoutSeconds !== undefined) kind = "watch";
  else if (options.continue !== undefined && options.continue !== "") kind = "page";
  else if (options.limit === 1) kind = "probe";
  return kind;
}

class Client {
  readonly subjects: Subject[] = [];
  readonly #kubeConfig: KubeConfigLike;
  readonly #configuration: ClientConfiguration;
  readonly #factories: InformerFactory[] = [];
  readonly #leaving: (() => Promise<void>)[] = [];
  readonly #abort = new AbortController();

  constructor(configuration: ClientConfiguration) {
    this.#configuration = configuration;
    this.#kubeConfig = {
      getCurrentCluster: () => ({ server: configuration.server, skipTLSVerify: configuration.ca === undefined }),
      applyToHTTPSOptions: async (options: { headers?: object; ca?: string }) => {
        if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
        if (configuration.ca !== undefined) options.ca = configuration.ca;
      },
    };
  }

  /** One way to follow all resources. */
  #follow(name: string, view: View, options: InformerFactoryOptions, kinds: readonly HandlerKind[]): void {
    const factory = this.#factory(name, view, options);
    for (const type of RESOURCES) {
      const subject: Subject = { name: `${name}/${type.name}`, type, view, informer: informerOf(factory, type) };
      this.subjects.push(subject);
      for (const kind of kinds) {
        if (kind === "late") this.#comeAndGo(subject);
        else this.#leaving.push(join(subject, kind, this.#abort.signal));
      }
    }
  }

  #factory(name: string, view: View, options: InformerFactoryOptions): InformerFactory {
    const { backoffCapMs } = this.#configuration;
    const factory = new InformerFactory(this.#kubeConfig, {
      ...(view.namespace === undefined ? {} : { namespace: view.namespace }),
      ...options,
      // A connection that is dead without a word is found by its silence.
      reflector: { backoff: { baseMs: 800, capMs: backoffCapMs }, probeAfterMs: 5_000, watchTimeoutSeconds: [40, 60] },
      tweakListOptions: (listOptions, { resource }) => {
        const type = RESOURCES.find((known) => known.resource.resource === resource);
        requests.push([`${name}/${type?.name}`, kindOf(listOptions), monotonicMs()]);
        return view.tier === undefined ? listOptions : { ...listOptions, labelSelector: `tier=${view.tier}` };
      },
      onError: ({ code }) => send({ type: "reported", code }),
    });
    this.#factories.push(factory);
    return factory;
  }

  #comeAndGo(subject: Subject): void {
    const round = async () => {
      while (!this.#abort.signal.aborted) {
        const leave = join(subject, "late", this.#abort.signal);
        await sleep(LATE_EVERY_MS, undefined, { signal: this.#abort.signal }).catch(() => {});
        await leave();
      }
    };
    const ended = round();
    this.#leaving.push(() => ended);
  }

  start(): void {
    this.#follow("all", {}, {}, ["plain", "async", "throwing", "slow", "iterator"]);
    this.#follow("namespace", { namespace: NAMESPACES[0] }, { queue: "RealFIFO" }, ["plain", "late"]);
    this.#follow("selector", { tier: TIERS[0] }, { retention: "bytes" }, ["plain", "async"]);
    this.#follow("blocking", { namespace: NAMESPACES[1] }, {}, ["plain", "blocking"]);
    for (const factory of this.#factories) factory.start();
  }

  snapshot(): Snapshot {
    return this.subjects.map(({ name, type, informer }) => {
      const written = informer.lister.list().filter((object) => sequenceOf(object) >= 0);
      const objects = written.map((object) => {
        const { namespace, name: objectName } = object.metadata;
        if (!isWhole(type, object)) send({ type: "broken", what: "bytes", text: `${type.name} ${objectName}, cached` });
        return [`${namespace}/${objectName}`, sequenceOf(object)] as const;
      });
      return [name, objects] as const;
    });
  }

  /** Notifications that wait, and changes that were merged, of all handlers. */
  get waiting(): { pending: number; coalesced: number; objects: number } {
    let [pending, coalesced, objects] = [0, 0, 0];
    for (const { informer } of this.subjects) {
      const health = informer.health();
      objects += health.objects;
      for (const handler of health.handlers) {
        pending += handler.pending;
        coalesced += handler.coalesced;
      }
    }
    return { pending, coalesced, objects };
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#factories.map((factory) => factory.shutdown()));
    await Promise.all(this.#leaving.map((leave) => leave()));
  }

  /** Starts and stops informers at moments of their life; how long each stop took. */
  async stops(count: number): Promise<number[]> {
    const took: number[] = [];
    for (let round = 0; round < count; round++) {
      const factory = new InformerFactory(this.#kubeConfig, { onError: () => {} });
      for (const type of RESOURCES) informerOf(factory, type).addEventHandler(() => nextTurn());
      factory.start();
      await sleep((round * 7) % 150);
      const started = performance.now();
      await factory.shutdown();
      took.push(performance.now() - started);
    }
    return took;
  }
}

function informerOf(factory: InformerFactory, { resource }: SoakResource): SharedInformer<Unstructured> {
  return factory.forResource(resource).informer();
}

function handles(): Handles {
  const resources = process.getActiveResourcesInfo();
  const count = (type: RegExp) => resources.filter((name) => type.test(name)).length;
  let fileDescriptors = 0;
  try {
    fileDescriptors = readdirSync("/proc/self/fd").length;
  } catch {
    // Only Linux tells.
  }
  return { sockets: count(/TCPSocketWrap|TLSWrap/), timers: count(/Timeout/), fileDescriptors };
}

const loop = monitorEventLoopDelay({ resolution: 10 });
let utilization = performance.eventLoopUtilization();

function sample(client: Client): Sample {
  loop.disable();
  const milliseconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 10);
  const loopP50Ms = milliseconds(loop.percentile(50));
  const loopP99Ms = milliseconds(loop.percentile(99));
  const loopMaxMs = milliseconds(loop.max);
  const { utilization: loopBusy } = performance.eventLoopUtilization(utilization);
  globalThis.gc?.();
  const { heapUsed, rss, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const result: Sample = {
    atMs: monotonicMs(),
    heapBytes: heapUsed,
    rssBytes: rss,
    externalBytes: external,
    ...handles(),
    loopP50Ms,
    loopP99Ms,
    loopMaxMs,
    loopBusy,
    cpuMs: (user + system) / 1000,
    ...client.waiting,
  };
  // The forced collection is not the runtime's delay.
  loop.reset();
  loop.enable();
  utilization = performance.eventLoopUtilization();
  return result;
}

async function finish(
  client: Client,
  timers: readonly NodeJS.Timeout[],
  stops: number,
  before: Handles,
): Promise<void> {
  for (const timer of timers) clearInterval(timer);
  loop.disable();
  const stopMs = await client.stops(stops);
  const started = performance.now();
  await client.stop();
  stopMs.push(performance.now() - started);
  tell();
  // A connection says goodbye before it is closed: what is left of it is gone within two seconds, or is a leak.
  const isLeft = () => handles().sockets > before.sockets || handles().timers > before.timers;
  for (let turn = 0; turn < 100 && isLeft(); turn++) await sleep(20);
  send({ type: "finished", stopMs, handlesBefore: before, handlesAfter: handles() });
  process.disconnect();
}

// tsx turns them on, and Node keeps what it reads of them for each file that was in a stack: growth that is not the runtime's.
process.setSourceMapsEnabled(false);

let client: Client | undefined;
let timers: NodeJS.Timeout[] = [];
let before: Handles = { sockets: 0, timers: 0, fileDescriptors: 0 };
process.on("message", (message: ToClient) => {
  switch (message.type) {
    case "start":
      before = handles();
      token = message.configuration.token;
      client = new Client(message.configuration);
      client.start();
      loop.enable();
      timers = [
        setInterval(tell, TELL_EVERY_MS),
        setInterval(() => send({ type: "sample", sample: sample(client!) }), message.configuration.sampleMs),
      ];
      break;
    case "token":
      token = message.token;
      break;
    case "snapshot":
      send({ type: "snapshot", snapshot: client?.snapshot() ?? [] });
      break;
    case "finish":
      void finish(client!, timers, message.stops, before);
      break;
  }
});
send({ type: "ready" });
