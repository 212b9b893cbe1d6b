/** Fault matrix, N rows: the way to the server. Those of sockets are in test/transport. */
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { HttpTransport } from "../../runtime/transport/http-transport.js";
import { readAll } from "../support/bodies.js";
import { thingJson } from "../support/entries.js";
import { FaultBench } from "../support/fault-bench.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { line } from "../support/wire-server.js";

const refused = () => new InformerError("connection", "connect ECONNREFUSED 127.0.0.1:6443");

test("N1 refused at the start: it says so, and syncs by itself when the server appears", async () => {
  const bench = new FaultBench();
  bench.server.write("a");
  bench.server.fault = refused;
  await bench.start();
  await bench.advance(20_000);
  expect(bench.informer.hasSynced()).toBe(false);
  expect(bench.informer.health()).toMatchObject({ phase: "waiting", failingSinceMs: expect.any(Number) });
  expect(bench.reported).toEqual(["connection"]);
  await bench.recovers();
  expect(bench.failing).toEqual([true, false]);
});

test("N2 refused in the middle: resumed from the last resourceVersion, no list, no event", async () => {
  const bench = await new FaultBench().synced("a", "b");
  bench.server.fault = refused;
  bench.server.endWatches("break");
  await bench.advance(5_000);
  expect(new Set(bench.server.log)).toEqual(new Set(["watch 102"]));
  expect(bench.log).toEqual([]);
  expect(bench.reported).toEqual(["connection"]);
  await bench.recovers();
});

test("N3 reset in the middle of a line: the half is discarded, and the event comes with the next watch", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  const [stream] = server.streams;
  server.write("b");
  await bench.advance(0);
  stream!.send('{"type":"ADDED","object":{"kind":"Thing","metadata":{"name":"c","resour').break();
  await bench.advance(0);
  expect(bench.log).toEqual(["add b@102"]);
  server.write("c");
  await bench.advance(2_000);
  expect(bench.log).toEqual(["add b@102", "add c@103"]);
  expect(server.log).toEqual(["watch 102"]);
  await bench.recovers();
});

test("N4 closed in the middle of a line: a protocol error, and the half event is no progress", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.streams[0]!.send('{"type":"MODIFIED","object":{"kind":"Thing","metadata":{').end();
  await bench.advance(2_000);
  expect(bench.reported).toEqual(["protocol"]);
  expect(bench.server.log).toEqual(["watch 101"]);
  await bench.recovers();
});

test("N5 half-open: the connection is silent though the server should have ended the watch", async () => {
  const bench = await new FaultBench({ probeAfterMs: 0 }).synced("a");
  await bench.advance(304_999);
  expect(bench.server.log).toEqual([]);
  await bench.advance(1);
  expect(bench.reported).toEqual(["timeout"]);
  expect(bench.server.log).toEqual(["watch 101"]);
  await bench.recovers();
});

test("N5 half-open, with the server out of reach: found by the question after 90 s", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = ({ verb }) => (verb === "list" ? "silence" : undefined);
  await bench.advance(100_000);
  expect(bench.reported).toEqual(["timeout"]);
  await bench.recovers();
});

test("N5 half-open, and the connection that the next watch is asked on is dead as well: asked anew after 90 s", async () => {
  const bench = await new FaultBench().synced("a");
  // The server is well: another connection would do.
  bench.server.fault = ({ verb }) => (verb === "watch" ? "silence" : undefined);
  bench.server.endWatches("break");
  await bench.advance(80_000);
  bench.server.fault = () => undefined;
  await bench.advance(15_000);
  expect(bench.server.log.filter((request) => request.startsWith("watch"))).toEqual(["watch 101", "watch 101"]);
  await bench.recovers();
});

test("N7 headers never arrive: a list is given up after a minute, a watch with its deadline", async () => {
  const bench = new FaultBench({ streaming: false });
  bench.server.fault = ({ verb }) => (verb === "list" ? "silence" : undefined);
  await bench.start();
  await bench.advance(60_000);
  expect(bench.reported).toEqual(["timeout"]);
  expect(bench.server.requests.length).toBeLessThanOrEqual(2);
  await bench.recovers();
});

test("N9 a list that trickles for ten minutes is taken: silence is limited, not the whole", async () => {
  const bench = new FaultBench({ streaming: false });
  bench.server.write("a");
  const text = bench.server.list();
  bench.server.fault = ({ verb }) => (verb === "list" ? {} : undefined);
  await bench.start();
  for (let at = 0; at < 20; at++) {
    const part = Math.ceil(text.length / 20);
    bench.server.streams[0]!.send(text.slice(at * part, (at + 1) * part));
    await bench.advance(30_000);
  }
  bench.server.streams[0]!.end();
  await bench.advance(0);
  expect(bench.cached).toEqual(["a@101"]);
  expect(bench.reported).toEqual([]);
  await bench.recovers();
});

test("N12 of a name's addresses the one that lives is found, anew for each connection", async () => {
  const server = await loopback((_, response) => response.end("here"), { host: "127.0.0.1" });
  const transport = new HttpTransport(kubeConfigFor(server.url.replace("127.0.0.1", "localhost")), new VirtualClock());
  const request = { path: "/", accept: "*/*", kind: "list", signal: new AbortController().signal } as const;
  expect(await readAll((await transport.get(request)).body)).toBe("here");
  const closed = once(server.sockets[0]!, "close");
  transport.close();
  await closed;
  expect(await readAll((await transport.get(request)).body)).toBe("here");
  expect(server.sockets).toHaveLength(2);
});

test("N8 a byte a second: no failure while bytes come", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  server.version++;
  const bytes = Buffer.from(
    line("ADDED", `{"kind":"Thing","apiVersion":"v1","metadata":{"name":"b","resourceVersion":"102","uid":"u"}}`),
  );
  for (const byte of bytes) {
    server.send(Buffer.from([byte]));
    await bench.advance(1_000);
  }
  expect(bench.cached).toEqual(["a@101", "b@102"]);
  // What waits within the line is late, which is true, and no reason to end the watch.
  expect(bench.reported).toEqual(["delayed"]);
  expect(server.log.filter((request) => request.startsWith("watch"))).toEqual([]);
  await bench.stops();
});

test.each([60_000, 240_000])(
  "N11 a proxy cuts connections that are idle for %i ms: resumed, without a list or a report",
  async (idleMs) => {
    const bench = await new FaultBench().synced("a");
    for (let cuts = 0; cuts < 5; cuts++) {
      await bench.advance(idleMs);
      bench.server.endWatches();
    }
    expect(new Set(bench.server.log.filter((request) => request !== "list"))).toEqual(new Set(["watch 101"]));
    expect(bench.reported).toEqual([]);
    await bench.recovers();
  },
);

test("N18 a thousand reconnects leave nothing behind", async () => {
  const bench = await new FaultBench().synced("a");
  for (let cuts = 0; cuts < 1_000; cuts++) {
    bench.server.endWatches("break");
    await bench.advance(60_000);
    expect(bench.clock.pendingTimers).toBeLessThanOrEqual(2);
  }
  await bench.recovers();
});

describe("recovery after outages of different kinds", () => {
  test("does not add up: a watch that lasted is resumed at once", async () => {
    const bench = await new FaultBench().synced("a");
    const { server } = bench;
    server.fault = refused;
    server.endWatches("break");
    await bench.advance(120_000);
    server.fault = () => undefined;
    await bench.advance(60_000);
    server.endWatches("break");
    await bench.advance(0);
    await bench.advance(15_000);
    server.requests.length = 0;
    server.endWatches("break");
    await bench.advance(0);
    expect(server.log).toEqual(["watch 101"]);
    await bench.recovers();
  });
});

test("N10, P24 a proxy holds events back: told once when the bookmark is late, and over when they come; nothing is lost", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  const states: boolean[] = [];
  bench.informer.onHealthChange(({ delayedSinceMs }) => states.push(delayedSinceMs !== undefined));
  await bench.advance(60_000);
  server.bookmark();
  await bench.advance(0);
  const [stream] = server.streams;
  const held: string[] = [];
  const json = thingJson("b", String(++server.version));
  server.objects.set("b", json);
  held.push(line("ADDED", json));
  await bench.advance(89_999);
  expect(bench.reported).toEqual([]);
  await bench.advance(100_000);
  expect(bench.reported).toEqual(["delayed"]);
  expect(bench.informer.health().delayedSinceMs).toBeDefined();
  expect(bench.informer.health().failingSinceMs).toBeUndefined();
  stream!.send(...held);
  await bench.advance(0);
  expect(bench.log).toEqual(["add b@102"]);
  expect(states).toEqual([true, false]);
  await bench.recovers();
});

test("N10 a server that sends no bookmarks is not taken for delayed", async () => {
  const bench = await new FaultBench({ streaming: false }).synced("a");
  bench.server.version += 10;
  await bench.advance(200_000);
  expect(bench.reported).toEqual([]);
  await bench.stops();
});
