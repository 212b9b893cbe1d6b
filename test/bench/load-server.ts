// A synthetic API server that serves pods from memory faster than clients take them in: bytes are made before they are asked
// for, and a burst sends them again with another resourceVersion written over. Run by scripts/bench.ts in a process of its own:
//   tsx test/bench/load-server.ts --addr 127.0.0.1:18080 -n 10000 [--slim] [--gzip] [--mbit 100] [--tls]
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { Transform, type Writable } from "node:stream";
import { parseArgs } from "node:util";
import { createGzip } from "node:zlib";
import { podJson } from "./pod.js";

const { values: flags } = parseArgs({
  options: {
    addr: { type: "string", default: "127.0.0.1:18080" },
    count: { type: "string", short: "n", default: "10000" },
    slim: { type: "boolean", default: false },
    /** Lists are zipped, as kube-apiserver does it where it is asked to: at level 1. Watches are not, nor are its. */
    gzip: { type: "boolean", default: false },
    /** No more than so many Mbit/s go out in lists. */
    mbit: { type: "string", default: "0" },
    /** And over TLS at the next port, by HTTP/2 to who speaks it. */
    tls: { type: "boolean", default: false },
  },
});
const [host, port] = flags.addr.split(":") as [string, string];
const pods = Number(flags.count);
const { slim } = flags;
const bytesPerMs = (Number(flags.mbit) * 1e6) / 8 / 1e3;
const FIRST_VERSION = 1_000_000_000;
/** Events for each write to the socket. */
const BATCH = 16;
let version = FIRST_VERSION + pods;
const watches = new Set<ServerResponse>();

const added = Array.from({ length: pods }, (_, i) =>
  Buffer.from(`{"type":"ADDED","object":${podJson(i, FIRST_VERSION + i, slim)}}\n`),
);
const VERSION_KEY = '"resourceVersion":"';
/** Where each pod's resourceVersion stands in its frame; all have as many digits. */
const versionAt = added.map((frame) => frame.indexOf(VERSION_KEY) + VERSION_KEY.length);
const HEAD_LENGTH = '{"type":"ADDED","object":'.length;

/** The next change of a pod. */
function modified(i: number): Buffer {
  const frame = added[i]!;
  const out = Buffer.allocUnsafe(frame.length + 3);
  out.write('{"type":"MODIFIED","object":', 0, "latin1");
  frame.copy(out, HEAD_LENGTH + 3, HEAD_LENGTH);
  out.write(String(++version), versionAt[i]! + 3, "latin1");
  return out;
}

async function write(response: Writable, frames: readonly Buffer[]): Promise<void> {
  if (!response.write(Buffer.concat(frames))) await new Promise((resolve) => response.once("drain", resolve));
}

/** What goes through it leaves no faster than the link is. */
function throttled(): Transform {
  const start = performance.now();
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const dueMs = start + bytes / bytesPerMs - performance.now();
      const pass = () => done(undefined, chunk);
      if (dueMs > 1) setTimeout(pass, dueMs);
      else pass();
    },
  });
}

async function list(answer: ServerResponse): Promise<void> {
  const link = bytesPerMs > 0 ? [throttled()] : [];
  if (flags.gzip) answer.setHeader("content-encoding", "gzip");
  const steps = [...(flags.gzip ? [createGzip({ level: 1 })] : []), ...link];
  const response = steps[0] ?? answer;
  for (const [i, step] of steps.entries()) step.pipe(steps[i + 1] ?? answer);
  response.write(`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"${version}"},"items":[`);
  for (let i = 0; i < pods; i += BATCH) {
    const items = added.slice(i, i + BATCH).flatMap((frame, at) => {
      const item = frame.subarray(HEAD_LENGTH, frame.length - 2);
      return i + at === 0 ? [item] : [Buffer.from(","), item];
    });
    await write(response, items);
  }
  response.end("]}\n");
}

async function watch(response: ServerResponse, initial: boolean): Promise<void> {
  response.flushHeaders();
  if (initial) {
    for (let i = 0; i < pods; i += BATCH) await write(response, added.slice(i, i + BATCH));
    const metadata = { resourceVersion: String(version), annotations: { "k8s.io/initial-events-end": "true" } };
    const object = { kind: "Pod", apiVersion: "v1", metadata };
    response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
  }
  watches.add(response);
  response.on("close", () => watches.delete(response));
}

async function burst(events: number): Promise<void> {
  for (let i = 0; i < events; i += BATCH) {
    const frames = Array.from({ length: Math.min(BATCH, events - i) }, (_, at) => modified((i + at) % pods));
    await Promise.all(Array.from(watches, (response) => write(response, frames)));
  }
}

/** Ends every watch, so that clients list again. All is as it was, but for the first pods, which are given new versions. */
function relist(changes: number): string {
  for (let i = 0; i < changes; i++) added[i]!.write(String(++version), versionAt[i]!, "latin1");
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Expired", code: 410 };
  for (const response of watches) response.end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
  return String(++version);
}

async function atRate(events: number, perSecond: number): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < events; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const due = Math.min(events, Math.floor(((performance.now() - start) * perSecond) / 1e3));
    for (; sent < due; sent++) {
      const nowNs = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
      const frame = `{"type":"MODIFIED","object":${podJson(sent % pods, ++version, slim, nowNs)}}\n`;
      for (const response of watches) response.write(frame);
    }
  }
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "", "http://localhost");
  const asked = (name: string) => url.searchParams.get(name);
  const answer = async (): Promise<void> => {
    response.setHeader("content-type", "application/json");
    if (url.pathname === "/api/v1/pods") {
      if (asked("watch") === "true") return watch(response, asked("sendInitialEvents") === "true");
      return list(response);
    }
    if (url.pathname === "/control/burst") await burst(Number(asked("count")));
    else if (url.pathname === "/control/rate") await atRate(Number(asked("count")), Number(asked("rate")));
    else if (url.pathname === "/control/relist") return void response.end(relist(Number(asked("changes"))));
    else if (url.pathname !== "/version") response.statusCode = 404;
    response.end("{}\n");
  };
  void answer();
}

createServer(serve).listen(Number(port), host);
if (flags.tls) {
  const pem = (name: string) => readFileSync(new URL(`../transport/fixtures/tls/${name}.pem`, import.meta.url));
  const options = { cert: pem("server"), key: pem("server-key"), allowHTTP1: true };
  const serveBoth = serve as unknown as Parameters<typeof createSecureServer>[1];
  createSecureServer(options, serveBoth).listen(Number(port) + 1, host);
}
