// The floors for an informer in Node: what reading the stream costs with all left out that can be.
//   drain   bytes are read and thrown away
//   raw     + cut at newlines, each line copied into a Map
//   parse   + cut at newlines, JSON.parse, the object put into a Map
// Prints one JSON line, as scripts/bench-client.ts does.
import http from "node:http";
import { parseArgs } from "node:util";
import { atRate, bursts, cpuMs, settled, statusMiB } from "./process.js";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:18080" },
    mode: { type: "string", default: "parse" },
    count: { type: "string", default: "10000" },
    burst: { type: "string", default: "20000" },
    "warm-up": { type: "string", default: "0" },
    "idle-ms": { type: "string", default: "200" },
    rate: { type: "string", default: "500" },
    "rate-events": { type: "string", default: "0" },
  },
  strict: false,
});
const count = Number(flags["count"]);
const { rssMiB: baseRssMiB, heldMiB: baseHeldMiB } = await settled(Number(flags["idle-ms"]));
const store = new Map<number | string, unknown>();
let lines = 0;
let wanted = count + 1;
let reached: () => void = () => {};
const until = (target: number): Promise<void> => {
  wanted = target;
  return new Promise((resolve) => {
    reached = resolve;
  });
};
const keep: Readonly<Record<string, (line: Buffer) => void>> = {
  drain: () => {},
  raw: (line) => store.set(lines % count, Buffer.from(line)),
  parse: (line) => {
    const { object } = JSON.parse(line.toString("latin1")) as {
      object: { metadata: { namespace?: string; name?: string } };
    };
    if (object.metadata.name !== undefined) store.set(`${object.metadata.namespace}/${object.metadata.name}`, object);
  },
};
const SENT = Buffer.from('"bench.example.com/sent":"');
const latenciesMs: number[] = [];
const measureLatency = (line: Buffer): void => {
  const at = line.indexOf(SENT);
  if (at === -1) return;
  const sent = line.toString("latin1", at + SENT.length, line.indexOf(34, at + SENT.length));
  latenciesMs.push(performance.timeOrigin + performance.now() - Number(BigInt(sent) / 1000n) / 1e3);
};
let measuring = false;
const onLine = keep[String(flags["mode"])]!;

const startMs = performance.now();
const startCpuMs = cpuMs();
const synced = until(count + 1);
const query = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
http.get(`${flags["url"]}/api/v1/pods?${query}`, (response) => {
  let rest: Buffer | undefined;
  response.on("data", (chunk: Buffer) => {
    let start = 0;
    for (let newline = chunk.indexOf(10); newline !== -1; newline = chunk.indexOf(10, start)) {
      const line = chunk.subarray(start, newline);
      const whole = rest === undefined ? line : Buffer.concat([rest, line]);
      onLine(whole);
      if (measuring) measureLatency(whole);
      rest = undefined;
      if (++lines === wanted) reached();
      start = newline + 1;
    }
    if (start === chunk.length) return;
    const tail = chunk.subarray(start);
    rest = rest === undefined ? Buffer.from(tail) : Buffer.concat([rest, tail]);
  });
});
await synced;
const syncMs = performance.now() - startMs;
const syncCpuMs = cpuMs() - startCpuMs;
const peakRssMiB = statusMiB("VmHWM");
const { rssMiB: settledRssMiB, heldMiB: settledHeldMiB } = await settled(Number(flags["idle-ms"]));

const result: Record<string, unknown> = {
  client: `limit ${flags["mode"]}`,
  count,
  baseRssMiB,
  syncMs,
  syncCpuMs,
  peakRssMiB,
  settledRssMiB,
  heldMiB: settledHeldMiB - baseHeldMiB,
};
const told = (events: number) => until(lines + events);
const rateEvents = Number(flags["rate-events"]);
measuring = true;
Object.assign(result, await atRate(String(flags["url"]), Number(flags["rate"]), rateEvents, told, () => latenciesMs));
measuring = false;
Object.assign(result, await bursts(String(flags["url"]), Number(flags["warm-up"]), Number(flags["burst"]), told));
console.log(JSON.stringify(result));
process.exit(0);
