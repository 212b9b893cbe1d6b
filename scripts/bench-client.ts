// One run of the benchmark's phases with this project's informer: sync, look-ups, latency at a rate, burst.
// Prints one JSON line. Run: npm run bench:client -- --url http://127.0.0.1:18080 --mode keys|objects|dynamic
import { readFileSync } from "node:fs";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import {
  type Cached,
  type KubeConfigLike,
  type KubernetesObject,
  type ResourceEvent,
  SharedInformerFactory,
} from "kube-informers";
import type { Pod } from "kube-informers/core/v1";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:18080" },
    mode: { type: "string", default: "keys" },
    count: { type: "string", default: "10000" },
    rate: { type: "string", default: "1000" },
    "rate-events": { type: "string", default: "5000" },
    burst: { type: "string", default: "100000" },
    "managed-fields": { type: "string" },
    retention: { type: "string" },
  },
});
const count = Number(flags.count);
const SENT = "bench.example.com/sent";

const statusMiB = (field: string): number =>
  Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`^${field}:\\s+(\\d+)`, "m"))![1]) / 1024;
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};
/** Of the main thread alone: what the rest of the process uses is the garbage collector's, for the most part. */
const mainThreadCpuMs = (): number =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
const sleepMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const control = async (path: string): Promise<void> => {
  for (let i = 0; i < 100; i++) {
    if ((await fetch(flags.url + path).catch(() => undefined))?.ok) return;
    await sleepMs(50);
  }
  throw new Error(`${path}: the load server does not answer`);
};

// What the handlers count.
let adds = 0;
let updates = 0;
let wanted = { adds: count, updates: Number.POSITIVE_INFINITY };
let reached: () => void = () => {};
const latenciesMs: number[] = [];
const until = (target: Partial<typeof wanted>): Promise<void> => {
  wanted = { adds: Number.POSITIVE_INFINITY, updates: Number.POSITIVE_INFINITY, ...target };
  return new Promise((resolve) => {
    reached = resolve;
  });
};
const added = (): void => {
  if (++adds === wanted.adds) reached();
};
const updated = (): void => {
  if (++updates === wanted.updates) reached();
};
const measureLatency = (object: Cached<KubernetesObject>): void => {
  const sent = object.metadata.annotations?.[SENT];
  if (sent !== undefined)
    latenciesMs.push(performance.timeOrigin + performance.now() - Number(BigInt(sent) / 1000n) / 1e3);
};

const result: Record<string, unknown> = {
  client: `project ${[flags.mode, flags["managed-fields"], flags.retention].filter(Boolean).join(" ")}`,
  node: process.version,
  count,
  baseRssMiB: statusMiB("VmRSS"),
};
const kubeConfig: KubeConfigLike = {
  getCurrentCluster: () => ({ server: flags.url }),
  applyToHTTPSOptions: async () => {},
};
// As it is deployed: in development objects are frozen.
process.env["NODE_ENV"] ??= "production";
const factory = new SharedInformerFactory(kubeConfig, {
  managedFields: flags["managed-fields"] === "drop" ? "drop" : "keep",
  retention: flags.retention === "bytes" ? "bytes" : "object",
});
const pods = factory.core().v1().pods();
const dynamic = factory.forResource({ group: "", version: "v1", resource: "pods" });
const { informer, lister } = pods;
let measuring = false;
if (flags.mode === "keys") {
  // As a controller that enqueues keys: only while latency is measured does it read the object, for the send time.
  informer().addEventHandler((event: ResourceEvent<Pod>) => {
    if (event.type === "add") return added();
    if (measuring) measureLatency(event.object);
    updated();
  });
} else if (flags.mode === "objects") {
  informer().addIndexers({ nodeName: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]) });
  informer().addEventHandler({
    onAdd: added,
    onUpdate: (_old, pod) => {
      measureLatency(pod);
      updated();
    },
  });
} else {
  dynamic.informer().addIndexers({
    nodeName: (object) => {
      const { nodeName } = object["spec"] as { nodeName?: string };
      return nodeName === undefined ? [] : [nodeName];
    },
  });
  dynamic.informer().addEventHandler({
    onAdd: added,
    onUpdate: (_old, object) => {
      measureLatency(object);
      updated();
    },
  });
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
globalThis.gc?.();
await sleepMs(200);
globalThis.gc?.();
result["settledRssMiB"] = statusMiB("VmRSS");

// 2. look-ups
const names = informer()
  .indexer.listKeys()
  .map((key) => key.split("/") as [string, string]);
const getAll = (gets: number): number => {
  const start = performance.now();
  let hits = 0;
  for (let i = 0; i < gets; i++) {
    const [namespace, name] = names[(i * 997) % names.length]!;
    if (lister().namespace(namespace).get(name) !== undefined) hits++;
  }
  if (hits !== gets) throw new Error(`${gets - hits} of ${gets} objects were not found`);
  return (gets / (performance.now() - start)) * 1e3;
};
if (flags.mode === "keys") result["coldGetPerSec"] = getAll(names.length);
result["getPerSec"] = getAll(1_000_000);
if (flags.mode !== "keys") {
  const start = performance.now();
  const LOOKUPS = 20_000;
  let rows = 0;
  for (let i = 0; i < LOOKUPS; i++) rows += informer().indexer.byIndex("nodeName", `node-${i % 500}`).length;
  result["byIndexPerSec"] = (LOOKUPS / (performance.now() - start)) * 1e3;
  result["byIndexRows"] = rows;
}

// 3. latency at a rate
const rateEvents = Number(flags["rate-events"]);
if (rateEvents > 0) {
  measuring = true;
  const start = cpuMs();
  const done = until({ updates: rateEvents });
  await Promise.all([control(`/control/rate?count=${rateEvents}&rate=${flags.rate}`), done]);
  latenciesMs.sort((a, b) => a - b);
  result["rate"] = Number(flags.rate);
  result["rateP50Ms"] = latenciesMs[latenciesMs.length >> 1];
  result["rateP99Ms"] = latenciesMs[Math.floor(latenciesMs.length * 0.99)];
  result["rateMaxMs"] = latenciesMs.at(-1);
  result["rateCpuUsPerEvent"] = ((cpuMs() - start) * 1e3) / rateEvents;
  measuring = false;
}

// 4. burst
const burst = Number(flags.burst);
if (burst > 0) {
  const start = performance.now();
  const startCpu = cpuMs();
  const startMain = mainThreadCpuMs();
  const done = until({ updates: updates + burst });
  await Promise.all([control(`/control/burst?count=${burst}`), done]);
  result["burstEventsPerSec"] = (burst / (performance.now() - start)) * 1e3;
  result["burstCpuUsPerEvent"] = ((cpuMs() - startCpu) * 1e3) / burst;
  result["burstMainThreadUsPerEvent"] = ((mainThreadCpuMs() - startMain) * 1e3) / burst;
  result["burstPeakRssMiB"] = statusMiB("VmHWM");
}
console.log(JSON.stringify(result));
await factory.shutdown();
process.exit(0);
