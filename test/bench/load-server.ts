// A synthetic API server that serves pods from memory faster than clients take them in: bytes are made before they are asked
// for, and a burst sends them again with another resourceVersion written over. Run by scripts/bench.ts in a process of its own:
//   tsx test/bench/load-server.ts PORT COUNT [slim]
import { createServer, type ServerResponse } from "node:http";
import { podJson } from "./pod.js";

const [port, count, kind] = process.argv.slice(2);
const pods = Number(count);
const slim = kind === "slim";
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

async function write(response: ServerResponse, frames: readonly Buffer[]): Promise<void> {
  if (!response.write(Buffer.concat(frames))) await new Promise((resolve) => response.once("drain", resolve));
}

async function list(response: ServerResponse): Promise<void> {
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

const server = createServer((request, response) => {
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
    else if (url.pathname !== "/version") response.statusCode = 404;
    response.end("{}\n");
  };
  void answer();
});
server.listen(Number(port), "127.0.0.1");
