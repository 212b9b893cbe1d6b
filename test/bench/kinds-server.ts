// An API server of any number of resources, all alike: each has so many small objects, and nothing ever happens to them.
// HTTP/1.1 in the clear, or with --tls HTTP/2. Run by scripts/bench.ts: tsx test/bench/kinds-server.ts --addr 127.0.0.1:18080 -n 100
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createSecureServer } from "node:http2";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    addr: { type: "string", default: "127.0.0.1:18080" },
    count: { type: "string", short: "n", default: "100" },
    tls: { type: "boolean", default: false },
  },
});
const [host, port] = flags.addr.split(":") as [string, string];
const VERSION = "1000000";
const frame = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const content = Array.from({ length: Number(flags.count) }, (_, i) =>
  frame("ADDED", {
    metadata: { name: `object-${i}`, namespace: "default", uid: `uid-${i}`, resourceVersion: String(i + 1) },
    spec: { text: "x".repeat(500) },
  }),
).join("");
const annotations = { "k8s.io/initial-events-end": "true" };
const initial = content + frame("BOOKMARK", { metadata: { resourceVersion: VERSION, annotations } });

const answer: RequestListener = (request, response) => {
  response.setHeader("content-type", "application/json");
  if (request.url?.includes("watch=true") === true) response.write(initial);
  else response.end("{}\n");
};
if (flags.tls) {
  const pem = (name: string) => readFileSync(new URL(`../transport/fixtures/tls/${name}.pem`, import.meta.url));
  // A hundred watches begin at once: more may wait than Node lets a connection hold by itself, in MB.
  const options = { cert: pem("server"), key: pem("server-key"), allowHTTP1: true, maxSessionMemory: 1_000 };
  createSecureServer(options, answer as unknown as Parameters<typeof createSecureServer>[1]).listen(Number(port), host);
} else {
  createServer(answer).listen(Number(port), host);
}
