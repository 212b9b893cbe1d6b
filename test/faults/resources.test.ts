/** Fault matrix, R rows: what uses up memory, processor or connections. Those of handlers are in handlers.test.ts. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import { type Thing, thing } from "../support/entries.js";
import { FaultBench } from "../support/fault-bench.js";
import { InformerBench } from "../support/informer.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import {
  added,
  endBookmark,
  page,
  refusal,
  type ScriptedListerWatcher,
  ScriptedWatch,
} from "../support/scripted-lister-watcher.js";
import { soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";
import { line } from "../support/wire-server.js";

test("R1 a large list comes in pages, and the loop turns while one is read", async () => {
  const bench = new FaultBench({ streaming: false });
  for (let i = 0; i < 5_000; i++) bench.server.write(`thing-${i}`);
  let turns = 0;
  const turn = () => {
    turns++;
    ticking = setImmediate(turn);
  };
  let ticking = setImmediate(turn);
  await bench.start();
  clearImmediate(ticking);
  expect(bench.cached).toHaveLength(5_000);
  expect(bench.server.requests[0]?.query.get("limit")).toBe("500");
  expect(turns).toBeGreaterThan(1);
  await bench.stops();
});

const things = Array.from({ length: 2_000 }, (_, i) => thing(`thing-${i}`, "1"));
test.each<[string, (server: ScriptedListerWatcher) => void]>([
  ["list", (server) => server.onWatch(refusal(422)).onList(page("9", things)).onWatch("silence")],
  // All of it in one read of the socket.
  ["streaming list", (server) => server.onWatch(new ScriptedWatch(...things.map(added), endBookmark("9")))],
])("R1 a transform of a large %s, too, holds the loop for a slice at a time", async (_, answer) => {
  const clock = new VirtualClock();
  let inTurn = 0;
  let most = 0;
  const transform = (object: Thing) => {
    clock.stall(1);
    most = Math.max(most, ++inTurn);
    return object;
  };
  const bench = new InformerBench({ transform }, clock);
  answer(bench.server);
  const turned = () => {
    inTurn = 0;
    ticking = setImmediate(turned);
  };
  let ticking = setImmediate(turned);
  await bench.start();
  await soon(bench.informer.synced());
  clearImmediate(ticking);
  expect(bench.informer.indexer.size).toBe(2_000);
  // A slice is 4 ms long, and its end is looked for at every sixteenth.
  expect(most).toBeLessThanOrEqual(32);
  await bench.stop();
});

test("R2 a list of a full cache takes no second place: what is the same is kept", async () => {
  const bench = await new FaultBench({ streaming: false }).synced("a", "b");
  const { indexer } = bench.informer;
  const before = [indexer.get("a"), indexer.get("b")];
  bench.server.compact();
  bench.server.version++;
  bench.server.compact();
  bench.server.endWatches();
  await bench.advance(5_000);
  expect(bench.server.log.filter((request) => request.startsWith("list")).length).toBeGreaterThan(0);
  expect([indexer.get("a"), indexer.get("b")].every((object, at) => object === before[at])).toBe(true);
  expect(bench.log).toEqual([]);
  await bench.recovers();
});

test("R3 an object of 10 MB is one like any other; a line without end is refused at 64 MiB, and the watch resumes", async () => {
  const bench = await new FaultBench().synced("a");
  const large = `{"kind":"Thing","apiVersion":"v1","metadata":{"name":"large","resourceVersion":"102","uid":"u"},"spec":{"value":"${"x".repeat(10_000_000)}"}}`;
  bench.server.version = 102;
  bench.server.objects.set("large", large);
  bench.server.send(line("ADDED", large));
  await bench.advance(0);
  expect(bench.cached).toEqual(["a@101", "large@102"]);
  const endless = Buffer.alloc(1024 * 1024, "x");
  bench.server.send(...Array<Buffer>(65).fill(endless));
  await bench.advance(0);
  expect(bench.reported).toEqual(["limit"]);
  await bench.advance(5_000);
  expect(bench.server.log).toContain("watch 102");
  await bench.recovers();
});

test("R7 no file descriptor left for a connection: an outage like any other", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = () => new InformerError("connection", "connect EMFILE 127.0.0.1:6443");
  bench.server.endWatches("break");
  await bench.advance(120_000);
  expect(bench.reported).toEqual(["connection"]);
  await bench.recovers();
});

test("R10 a process that stood still for half a minute misses nothing, and does not storm", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.write("b");
  bench.server.endWatches("break");
  bench.server.write("c");
  await bench.advance(30_000);
  expect(bench.log).toEqual(["add b@102", "add c@103"]);
  bench.oracle.expectFewRequests();
  await bench.recovers();
});

test("P23 a bomb, small when zipped, is code limit before it fills the memory", async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024, " "));
  const server = await loopback((_, response) =>
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(bomb),
  );
  const transport = new HttpTransport(kubeConfigFor(server.url), new VirtualClock());
  const request = { path: "/", accept: "*/*", kind: "list", signal: new AbortController().signal } as const;
  const { body } = await transport.get(request);
  let bytes = 0;
  const reading = async () => {
    for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) bytes += chunk.length;
  };
  expect((await informerErrorOf(reading())).code).toBe("limit");
  expect(bytes).toBeLessThan(80 * 1024 * 1024);
});
