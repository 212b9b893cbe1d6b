// What informers cost that have little to do: all built-in kinds without an object, or --informers 100 of --count objects each.
// Prints one JSON line. Needs test/bench/kinds-server.ts.
import { parseArgs } from "node:util";
import { type GroupVersionResource, InformerFactory, type KubeConfigLike } from "kube-informers";
import { BUILTIN_RESOURCES } from "../../runtime/testing/builtin-resources.js";
import { cpuMs, settled, sleepMs, statusMiB } from "./process.js";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:18080" },
    count: { type: "string", default: "0" },
    informers: { type: "string" },
    /** How long the idle process is looked at. */
    "idle-ms": { type: "string", default: "10000" },
  },
});
const idleMs = Number(flags["idle-ms"]);
const resources: readonly GroupVersionResource[] =
  flags.informers === undefined
    ? BUILTIN_RESOURCES.filter(({ verbs }) => verbs.includes("watch"))
    : Array.from({ length: Number(flags.informers) }, (_, i) => ({
        group: "bench.example.com",
        version: "v1",
        resource: `things${i}`,
      }));
process.env["NODE_ENV"] ??= "production";
const kubeConfig: KubeConfigLike = {
  getCurrentCluster: () => ({ server: flags.url, skipTLSVerify: true }),
  applyToHTTPSOptions: async (options: { rejectUnauthorized?: boolean }) => {
    options.rejectUnauthorized = false;
  },
};

// The first connection loads Node's own code for it; that is no informer's.
const first = new InformerFactory(kubeConfig, { onWarning: () => {} });
first.forResource({ group: "bench.example.com", version: "v1", resource: "first" }).informer();
first.start();
await first.waitForCacheSync();
await first.shutdown();
const base = await settled(200);

const startMs = performance.now();
const startCpuMs = cpuMs();
const factory = new InformerFactory(kubeConfig, { onWarning: () => {} });
for (const resource of resources)
  factory
    .forResource(resource)
    .informer()
    .addEventHandler(() => {});
factory.start();
await factory.waitForCacheSync();
const syncMs = performance.now() - startMs;
const syncCpuMs = cpuMs() - startCpuMs;
const peakRssMiB = statusMiB("VmHWM");
const { rssMiB, heldMiB } = await settled(200);
const idleCpuMs = cpuMs();
await sleepMs(idleMs);
const result = {
  client: "project",
  informers: resources.length,
  count: Number(flags.count),
  syncMs,
  syncCpuMs,
  peakRssMiB,
  rssKiBPerInformer: ((rssMiB - base.rssMiB) * 1024) / resources.length,
  heldKiBPerInformer: ((heldMiB - base.heldMiB) * 1024) / resources.length,
  idleCpuMsPerSec: (cpuMs() - idleCpuMs) / (idleMs / 1e3),
  sockets: process.getActiveResourcesInfo().filter((name) => /^(?:TCPSocket|TLS)Wrap$/.test(name)).length,
};
console.log(JSON.stringify(result));
process.exit(0);
