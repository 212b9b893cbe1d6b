// One run of the benchmark's phases with this project's informer: sync, look-ups, latency at a rate, burst, relist.
// Prints one JSON line. Run: npm run bench:client -- --url http://127.0.0.1:18080 --mode keys|objects|dynamic
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import {
  type KubeConfigLike,
  type KubernetesObject,
  metaNamespaceKey,
  type ResourceEvent,
  type ResourceEventHandler,
  SharedInformerFactory,
} from "kube-informers";
import type { Pod } from "kube-informers/core/v1";
import {
  atRate,
  bursts,
  control,
  cpuMs,
  forgetPeak,
  mainThreadCpuMs,
  overTls,
  quantile,
  settled,
  sleepMs,
  statusMiB,
} from "../test/bench/process.js";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:18080" },
    mode: { type: "string", default: "keys" },
    count: { type: "string", default: "10000" },
    rate: { type: "string", default: "1000" },
    "rate-events": { type: "string", default: "5000" },
    burst: { type: "string", default: "100000" },
    /** Events of a burst before that one. */
    "warm-up": { type: "string", default: "0" },
    /** Before memory is read. */
    "idle-ms": { type: "string", default: "200" },
    "managed-fields": { type: "string" },
    retention: { type: "string" },
    /** Over TLS, by HTTP/2. */
    tls: { type: "boolean", default: false },
    /** Begins with a list and not with a streaming one. */
    list: { type: "boolean", default: false },
    /** Ends with two relists of the full cache: of what it holds, and of as many objects that have all changed. */
    relist: { type: "boolean", default: false },
  },
});
const count = Number(flags.count);
const SENT = "bench.example.com/sent";

// What the handlers count.
let adds = 0;
let updates = 0;
let wanted = { adds: count, updates: Number.POSITIVE_INFINITY };
let reached: () => void = () => {};
/** Of which object a handler was told while latency was measured, and when. */
const told: (readonly [key: string, atMs: number])[] = [];
const until = (target: Partial<typeof wanted>): Promise<void> => {
  wanted = { adds: Number.POSITIVE_INFINITY, updates: Number.POSITIVE_INFINITY, ...target };
  return new Promise((resolve) => {
    reached = resolve;
  });
};
const toldOf = (events: number): Promise<void> => until({ updates: updates + events });
const added = (): void => {
  if (++adds === wanted.adds) reached();
};
const updated = (): void => {
  if (++updates === wanted.updates) reached();
};

// A client's code is no object of its cache: limit.ts and client-node.ts have loaded it here too.
for (const name of ["node:http", "node:https", "node:crypto"]) process.getBuiltinModule(name);
const { rssMiB: baseRssMiB, heldMiB: baseHeldMiB } = await settled(Number(flags["idle-ms"]));
const result: Record<string, unknown> = {
  client: `project ${[flags.mode, flags["managed-fields"], flags.retention].filter(Boolean).join(" ")}`,
  node: process.version,
  count,
  baseRssMiB,
};
const kubeConfig: KubeConfigLike = {
  getCurrentCluster: () => ({ server: flags.tls ? overTls(flags.url) : flags.url }),
  applyToHTTPSOptions: async (options) => void Object.assign(options, { rejectUnauthorized: false }),
};
// As it is deployed: in development objects are frozen.
process.env["NODE_ENV"] ??= "production";
const factory = new SharedInformerFactory(kubeConfig, {
  managedFields: flags["managed-fields"] === "drop" ? "drop" : "keep",
  retention: flags.retention === "bytes" ? "bytes" : "object",
  reflector: { streaming: !flags.list },
});
const pods = factory.core().v1().pods();
const dynamic = factory.forResource({ group: "", version: "v1", resource: "pods" });
const { informer, lister } = pods;
let measuring = false;
const takingObjects: ResourceEventHandler<KubernetesObject> = {
  onAdd: added,
  onUpdate: (_old, object) => {
    if (measuring) told.push([metaNamespaceKey(object.metadata.namespace, object.metadata.name), performance.now()]);
    updated();
  },
};
if (flags.mode === "keys") {
  // As a controller that enqueues keys: it reads no object.
  informer().addEventHandler((event: ResourceEvent<Pod>) => {
    if (event.type === "add") return added();
    if (measuring) told.push([event.key, performance.now()]);
    updated();
  });
} else if (flags.mode === "objects") {
  informer().addIndexers({ nodeName: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]) });
  informer().addEventHandler(takingObjects);
} else {
  dynamic.informer().addIndexers({
    nodeName: (object) => {
      const { nodeName } = object["spec"] as { nodeName?: string };
      return nodeName === undefined ? [] : [nodeName];
    },
  });
  dynamic.informer().addEventHandler(takingObjects);
}

// 1. sync
const loopDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
loopDelay.enable();
const syncStart = performance.now();
const syncCpu = cpuMs();
const allAdded = until({ adds: count });
factory.start();
await Promise.all([factory.waitForCacheSync(), allAdded]);
result["syncMs"] = performance.now() - syncStart;
result["syncCpuMs"] = cpuMs() - syncCpu;
loopDelay.disable();
result["loopDelayP99Ms"] = loopDelay.percentile(99) / 1e6;
result["loopDelayMaxMs"] = loopDelay.max / 1e6;
result["peakRssMiB"] = statusMiB("VmHWM");
const synced = await settled(Number(flags["idle-ms"]));
result["settledRssMiB"] = synced.rssMiB;
result["heldMiB"] = synced.heldMiB - baseHeldMiB;

// 2. look-ups
if (!flags.relist) {
  // Of a million objects a part, so that not all of them are decoded for it.
  const names = informer()
    .indexer.listKeys()
    .slice(0, 100_000)
    .map((key) => key.split("/") as [string, string]);
  const perSec = (times: number, work: (i: number) => void): number => {
    const start = performance.now();
    for (let i = 0; i < times; i++) work(i);
    return (times / (performance.now() - start)) * 1e3;
  };
  const get = (i: number): void => {
    const [namespace, name] = names[(i * 997) % names.length]!;
    if (lister().namespace(namespace).get(name) === undefined) throw new Error(`${namespace}/${name} is not found`);
  };
  // In keys mode nothing is decoded yet, and the selector decodes only what it selects.
  result["selectorMs"] = 1e3 / perSec(Math.ceil(100_000 / count), (i) => lister().list(`app=app-${i}`));
  if (flags.mode === "keys") {
    const coldMs = new Float64Array(names.length);
    const start = performance.now();
    for (let i = 0; i < names.length; i++) {
      const startMs = performance.now();
      get(i);
      coldMs[i] = performance.now() - startMs;
      // A weak reference is a strong one until the end of the turn.
      if (i % 1_000 === 999) await sleepMs(0);
    }
    result["coldGetPerSec"] = (names.length / (performance.now() - start)) * 1e3;
    result["coldGetP99Ms"] = quantile(Array.from(coldMs.sort()), 0.99);
    if (flags.retention === "bytes") result["readRssMiB"] = (await settled(Number(flags["idle-ms"]))).rssMiB;
  }
  result["getPerSec"] = perSec(1_000_000, get);
  const inNamespace = (i: number) => lister().namespace(`ns-${i % 50}`);
  result["listNamespacePerSec"] = perSec(Math.ceil(10_000_000 / count), (i) => inNamespace(i).list());
  if (flags.mode !== "keys") {
    let rows = 0;
    result["byIndexPerSec"] = perSec(20_000, (i) => {
      rows += informer().indexer.byIndex("nodeName", `node-${i % 500}`).length;
    });
    result["byIndexRows"] = rows;
  }
}

// 3. latency at a rate
const rateEvents = Number(flags["rate-events"]);
if (rateEvents > count) throw new Error("--rate-events: at most one for each object");
measuring = true;
const rateFigures = await atRate(flags.url, Number(flags.rate), rateEvents, toldOf, () =>
  // Each object has changed once at most, so the cache has the send time of every event.
  told.map(([key, atMs]) => {
    const sent = informer().indexer.get(key)?.metadata.annotations?.[SENT];
    return performance.timeOrigin + atMs - Number(BigInt(sent ?? 0) / 1000n) / 1e3;
  }),
);
measuring = false;
Object.assign(result, rateFigures);

// 4. bursts, the first of which warms up
const burstFigures = await bursts(flags.url, Number(flags["warm-up"]), Number(flags.burst), toldOf, (events) => {
  const startMs = mainThreadCpuMs();
  return () => ({
    MainThreadUsPerEvent: ((mainThreadCpuMs() - startMs) * 1e3) / events,
    PeakRssMiB: statusMiB("VmHWM"),
  });
});
Object.assign(result, burstFigures);

// 5. relists of the full cache
if (flags.relist) {
  for (const changes of [0, count]) {
    const before = await settled(Number(flags["idle-ms"]));
    forgetPeak();
    loopDelay.reset();
    loopDelay.enable();
    const start = performance.now();
    const startCpu = cpuMs();
    const done = changes > 0 ? until({ updates: updates + changes }) : undefined;
    const resourceVersion = await control(flags.url, `/control/relist?changes=${changes}`);
    await Promise.all([informer().waitFor(resourceVersion), done]);
    loopDelay.disable();
    const name = changes > 0 ? "changedRelist" : "relist";
    result[`${name}Ms`] = performance.now() - start;
    result[`${name}CpuMs`] = cpuMs() - startCpu;
    result[`${name}PeakRatio`] = statusMiB("VmHWM") / before.rssMiB;
    result[`${name}LoopDelayP99Ms`] = loopDelay.percentile(99) / 1e6;
    result[`${name}LoopDelayMaxMs`] = loopDelay.max / 1e6;
  }
}
console.log(JSON.stringify(result));
await factory.shutdown();
process.exit(0);
