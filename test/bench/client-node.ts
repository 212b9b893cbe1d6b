// The phases of scripts/bench-client.ts with makeInformer of @kubernetes/client-node. It has no index: a look-up by one is a
// scan of its list. Prints one JSON line.
import { parseArgs } from "node:util";
import { CoreV1Api, KubeConfig, makeInformer, type V1Pod } from "@kubernetes/client-node";
import { atRate, bursts, cpuMs, overTls, settled, statusMiB } from "./process.js";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:18080" },
    count: { type: "string", default: "10000" },
    burst: { type: "string", default: "20000" },
    "warm-up": { type: "string", default: "0" },
    "idle-ms": { type: "string", default: "200" },
    rate: { type: "string", default: "500" },
    "rate-events": { type: "string", default: "2500" },
    tls: { type: "boolean", default: false },
  },
});
const count = Number(flags.count);
const rateEvents = Number(flags["rate-events"]);
const { rssMiB: baseRssMiB, heldMiB: baseHeldMiB } = await settled(Number(flags["idle-ms"]));

const kubeConfig = new KubeConfig();
const server = flags.tls ? overTls(flags.url) : flags.url;
kubeConfig.loadFromClusterAndUser({ name: "bench", server, skipTLSVerify: true }, { name: "bench" });
const api = kubeConfig.makeApiClient(CoreV1Api);
const informer = makeInformer<V1Pod>(kubeConfig, "/api/v1/pods", () => api.listPodForAllNamespaces());
let adds = 0;
let updates = 0;
let wanted = { adds: count, updates: Number.POSITIVE_INFINITY };
let reached: () => void = () => {};
const until = (target: Partial<typeof wanted>): Promise<void> => {
  wanted = { adds: Number.POSITIVE_INFINITY, updates: Number.POSITIVE_INFINITY, ...target };
  return new Promise((resolve) => {
    reached = resolve;
  });
};
const latenciesMs: number[] = [];
informer.on("add", () => {
  if (++adds === wanted.adds) reached();
});
informer.on("update", (pod) => {
  const sent = pod.metadata?.annotations?.["bench.example.com/sent"];
  if (sent !== undefined)
    latenciesMs.push(performance.timeOrigin + performance.now() - Number(BigInt(sent) / 1000n) / 1e3);
  if (++updates === wanted.updates) reached();
});
informer.on("error", (error: unknown) => {
  throw error;
});

const startMs = performance.now();
const startCpuMs = cpuMs();
const allAdded = until({ adds: count });
await informer.start();
await allAdded;
const result: Record<string, unknown> = {
  client: "client-node",
  count,
  baseRssMiB,
  syncMs: performance.now() - startMs,
  syncCpuMs: cpuMs() - startCpuMs,
  peakRssMiB: statusMiB("VmHWM"),
};
const { rssMiB, heldMiB: settledHeldMiB } = await settled(Number(flags["idle-ms"]));
result["settledRssMiB"] = rssMiB;
result["heldMiB"] = settledHeldMiB - baseHeldMiB;

const names = informer.list().map(({ metadata }) => [metadata?.name ?? "", metadata?.namespace ?? ""] as const);
const GETS = 20;
const getMs = performance.now();
for (let i = 0; i < GETS; i++) informer.get(...names[(i * 997) % names.length]!);
result["getPerSec"] = (GETS / (performance.now() - getMs)) * 1e3;
const scanMs = performance.now();
for (let i = 0; i < GETS; i++) informer.list().filter(({ spec }) => spec?.nodeName === `node-${i % 500}`);
result["byIndexPerSec"] = (GETS / (performance.now() - scanMs)) * 1e3;

// The watch begins after the list's adds were told.
await new Promise((resolve) => setTimeout(resolve, 500));
const told = (events: number) => until({ updates: updates + events });
Object.assign(result, await atRate(flags.url, Number(flags.rate), rateEvents, told, () => latenciesMs));
Object.assign(result, await bursts(flags.url, Number(flags["warm-up"]), Number(flags.burst), told));
console.log(JSON.stringify(result));
process.exit(0);
