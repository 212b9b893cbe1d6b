// What a benchmark's program asks the system about itself. Linux alone tells all of it.
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";

/** Of /proc/self/status: `VmRSS`, what is resident now; `VmHWM`, the most that ever was. */
export const statusMiB = (field: "VmRSS" | "VmHWM"): number =>
  Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`^${field}:\\s+(\\d+)`, "m"))![1]) / 1024;

/** `VmHWM` begins anew with what is resident now. */
export const forgetPeak = (): void => writeFileSync("/proc/self/clear_refs", "5");

/** User and system time of all threads, the garbage collector's among them. */
export const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** Of the main thread alone: what the rest of the process uses is the garbage collector's, for the most part. */
export const mainThreadCpuMs = (): number =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;

/** What shared buffers take, which V8 does not count. */
let sharedBytes = 0;
const shared = new FinalizationRegistry<number>((length) => {
  sharedBytes -= length;
});
globalThis.SharedArrayBuffer = class extends SharedArrayBuffer {
  constructor(...sizes: ConstructorParameters<typeof SharedArrayBuffer>) {
    super(...sizes);
    sharedBytes += this.byteLength;
    shared.register(this, this.byteLength);
  }
};

export const sleepMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What is held once garbage is collected, and what the collector's threads give back has gone. */
export interface Settled {
  readonly rssMiB: number;
  /** What is in use on V8's heap, and what buffers take off it: without what the process keeps to use again. */
  readonly heldMiB: number;
}

/**
 * Needs `node --expose-gc`.
 * @param idleMs after how long. V8 gives back its young generation when it was idle for some seconds, and then a burst is dearer
 */
export async function settled(idleMs: number): Promise<Settled> {
  // Twice and no more: with each collection V8 takes what did not run meanwhile for less hot.
  for (const ms of [idleMs, 100]) {
    globalThis.gc?.();
    await sleepMs(ms);
  }
  let rssMiB = statusMiB("VmRSS");
  for (let i = 0; i < 30; i++) {
    await sleepMs(100);
    const now = statusMiB("VmRSS");
    if (now > rssMiB - 1) break;
    rssMiB = now;
  }
  const { heapUsed, external } = process.memoryUsage();
  return { rssMiB, heldMiB: (heapUsed + external + sharedBytes) / 2 ** 20 };
}

/** Where the load server speaks TLS. */
export function overTls(url: string): string {
  const { hostname, port } = new URL(url);
  return `https://${hostname}:${Number(port) + 1}`;
}

/**
 * Asks the load server for something; it may not have begun to serve the watch. Not by `fetch`, which detaches a buffer: with the
 * first that is, V8 throws away all code that reads bytes.
 */
export async function control(url: string, path: string): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const answer = await ask(url + path).catch(() => undefined);
    if (answer !== undefined) return answer;
    await sleepMs(50);
  }
  throw new Error(`${path}: the load server does not answer`);
}

/** The answer's body; `undefined` unless it is 200. */
function ask(url: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? body : undefined));
    });
    request.on("error", reject);
  });
}

/**
 * A burst to warm up, and the one that counts; one of no events is left out.
 * @param told resolves when the client has been told of so many events more
 * @param also further figures of a burst: called at its beginning, and what that gives at its end
 */
export async function bursts(
  url: string,
  warmUp: number,
  burst: number,
  told: (events: number) => Promise<void>,
  also: (events: number) => () => Readonly<Record<string, number>> = () => () => ({}),
): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const [name, events] of [
    ["firstBurst", warmUp],
    ["burst", burst],
  ] as const) {
    if (events === 0) continue;
    const startMs = performance.now();
    const startCpuMs = cpuMs();
    const rest = also(events);
    const done = told(events);
    await Promise.all([control(url, `/control/burst?count=${events}`), done]);
    result[`${name}EventsPerSec`] = (events / (performance.now() - startMs)) * 1e3;
    result[`${name}CpuUsPerEvent`] = ((cpuMs() - startCpuMs) * 1e3) / events;
    for (const [figure, value] of Object.entries(rest())) result[`${name}${figure}`] = value;
  }
  return result;
}

/**
 * Latency of events at a rate; nothing for no events.
 * @param told resolves when the client has been told of so many events more
 * @param latenciesMs of each event, asked for when all have come
 */
export async function atRate(
  url: string,
  perSecond: number,
  events: number,
  told: (events: number) => Promise<void>,
  latenciesMs: () => number[],
): Promise<Record<string, number | undefined>> {
  if (events === 0) return {};
  const startCpuMs = cpuMs();
  const done = told(events);
  await Promise.all([control(url, `/control/rate?count=${events}&rate=${perSecond}`), done]);
  const rateCpuUsPerEvent = ((cpuMs() - startCpuMs) * 1e3) / events;
  const sorted = latenciesMs().sort((a, b) => a - b);
  return {
    rate: perSecond,
    rateP50Ms: quantile(sorted, 0.5),
    rateP99Ms: quantile(sorted, 0.99),
    rateMaxMs: sorted.at(-1),
    rateCpuUsPerEvent,
  };
}

/** The value that so much of a sorted list is not above: 0.99 for the 99th percentile. */
export const quantile = (sorted: readonly number[], part: number): number | undefined =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
