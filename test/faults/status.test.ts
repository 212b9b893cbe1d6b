/** Fault matrix, H rows: what the server answers with instead. */
import { describe, expect, test } from "vitest";
import { FaultBench } from "../support/fault-bench.js";
import { line, statusOf, type WireFault } from "../support/wire-server.js";

const TOO_LARGE = {
  details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] },
};

const answer = (status: number, body: string | object = statusOf(status), headers = {}): WireFault => ({
  status,
  body,
  headers,
});
const inStream = (status: object): WireFault => ({ body: line("ERROR", status) });

test("H1 429 with Retry-After: 7 on a list is not asked again sooner", async () => {
  const bench = new FaultBench({ streaming: false });
  bench.server.fault = () => answer(429, statusOf(429), { "retry-after": "7" });
  await bench.start();
  await bench.advance(6_999);
  expect(bench.server.log).toHaveLength(1);
  await bench.advance(1);
  expect(bench.server.log).toHaveLength(2);
  expect(bench.reported).toEqual(["throttled"]);
  await bench.recovers();
});

test.each([
  ["H2 429 on the opening of a watch", answer(429)],
  ["H3 429 in the stream", inStream(statusOf(429, "TooManyRequests"))],
  ["H10 503 of a gateway", answer(503, "upstream connect error", { "content-type": "text/plain" })],
])("%s: backs off and resumes, without a list", async (_, fault) => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = () => fault;
  bench.server.endWatches();
  await bench.advance(20_000);
  expect(new Set(bench.server.log)).toEqual(new Set(["watch 101"]));
  expect(bench.reported).toHaveLength(1);
  expect(bench.cached).toEqual(["a@101"]);
  await bench.recovers();
});

test("H4 429 for ever, as for a broken conversion webhook, is told with the server's words, and asked seldom", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = () => answer(429, statusOf(429, "TooManyRequests", { message: "storage is (re)initializing" }));
  bench.server.endWatches();
  await bench.advance(600_000);
  expect(bench.informer.health().lastError?.message).toContain("storage is (re)initializing");
  const late = bench.server.requests.filter(({ atMs }) => atMs > 540_000);
  expect(late.length).toBeLessThanOrEqual(6);
  await bench.recovers();
});

describe.each([
  ["H5 410 as an answer", answer(410, statusOf(410, "Expired"))],
  ["H6 410 in the stream", inStream(statusOf(410, "Expired"))],
])("%s", (_, fault) => {
  test("is a relist from the last resourceVersion; what is gone meanwhile is deleted; nobody is bothered", async () => {
    const bench = await new FaultBench().synced("a", "b");
    bench.server.fault = ({ verb }) => (verb === "watch" ? fault : undefined);
    bench.server.endWatches();
    bench.server.delete("a");
    await bench.advance(2_000);
    expect(bench.server.log.slice(0, 2)).toEqual(["watch 102", "watchList 102"]);
    expect(bench.log).toEqual(["delete a"]);
    expect(bench.reported).toEqual([]);
    await bench.recovers();
  });
});

test("H7 410 on a list at the last resourceVersion: at once the newest", async () => {
  const bench = await new FaultBench({ streaming: false }).synced("a");
  const { server } = bench;
  server.fault = ({ query }) =>
    query.get("resourceVersion") === "101" ? answer(410, statusOf(410, "Expired")) : undefined;
  server.endWatches();
  await bench.advance(2_000);
  expect(server.log).toEqual(["watch 101", "list 101", "list", "watch 101"].slice(0, server.log.length));
  expect(server.log.length).toBeGreaterThanOrEqual(3);
  await bench.recovers();
});

test("H8 410 to everything, the newest as well: never a tight loop", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = () => answer(410, statusOf(410, "Expired"));
  bench.server.endWatches();
  await bench.advance(60_000);
  expect(bench.server.requests.length).toBeLessThanOrEqual(12);
  await bench.recovers();
});

test.each([
  ["by the reason of a cause", statusOf(504, "Timeout", TOO_LARGE)],
  [
    "by the message of a cause",
    statusOf(504, "Timeout", { details: { causes: [{ message: "Too large resource version" }] } }),
  ],
  [
    "by its message, as before 1.17",
    statusOf(504, "Timeout", { message: "Too large resource version: 9, current: 5" }),
  ],
])("H9 a resourceVersion that is too large, said %s: the newest is listed", async (_, status) => {
  const bench = await new FaultBench({ streaming: false }).synced("a");
  const { server } = bench;
  server.fault = ({ query }) => (query.get("resourceVersion") === "101" ? answer(504, status) : undefined);
  server.endWatches();
  await bench.advance(5_000);
  expect(server.log).toContain("list");
  await bench.recovers();
});

test("H10 500 to everything: the cache serves on, and says that it is failing", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = () => answer(500);
  bench.server.endWatches();
  await bench.advance(60_000);
  expect(bench.cached).toEqual(["a@101"]);
  expect(bench.informer.health().failingSinceMs).toBeDefined();
  expect(bench.reported).toEqual(["server"]);
  await bench.recovers();
  expect(bench.failing).toEqual([true, false]);
});

test("H11 500 for a resourceVersion that the server cannot read: after three times it is dropped", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  server.fault = ({ query }) => (query.get("resourceVersion") === "101" ? answer(500) : undefined);
  server.endWatches();
  await bench.advance(20_000);
  expect(server.log.slice(0, 4)).toEqual(["watch 101", "watch 101", "watch 101", "watchList"]);
  await bench.recovers();
});

test.each([
  ["H12", 401, "unauthorized"],
  ["H14", 403, "forbidden"],
  ["H15", 404, "not-served"],
])("%s %i later on: told once, asked seldom, nothing leaves the cache", async (_, status, code) => {
  const bench = await new FaultBench().synced("a");
  const body = status === 404 ? "404 page not found" : statusOf(status);
  bench.server.fault = () => answer(status, body, status === 404 ? { "content-type": "text/plain" } : {});
  bench.server.endWatches();
  await bench.advance(300_000);
  expect(bench.reported).toEqual([code]);
  expect(bench.cached).toEqual(["a@101"]);
  expect(bench.log).toEqual([]);
  const late = bench.server.requests.filter(({ atMs }) => atMs > 240_000);
  expect(late.length).toBeLessThanOrEqual(2);
  await bench.recovers();
});

describe.each([
  ["H13 403 from the start", 403, "forbidden"],
  ["H15 404 from the start, as before a CRD is there", 404, "not-served"],
])("%s", (_, status, code) => {
  test("told once, asked every half minute at most, and synced by itself when it is mended", async () => {
    const bench = new FaultBench();
    const { server } = bench;
    server.write("a");
    server.fault = () => answer(status);
    await bench.start();
    await bench.advance(600_000);
    expect(bench.reported).toEqual([code]);
    const times = server.requests.map(({ atMs }) => atMs);
    const clear = times.slice(6);
    for (const [i, at] of clear.entries())
      expect(at - (clear[i - 1] ?? 0)).toBeGreaterThanOrEqual(i === 0 ? 0 : 30_000);
    expect(times.filter((at) => at < 30_000).length).toBeLessThanOrEqual(6);
    server.fault = () => undefined;
    await bench.advance(60_000);
    expect(bench.informer.hasSynced()).toBe(true);
    await bench.recovers();
  });
});

test.each([406, 415, 400, 405])("H16 %i to a streaming list: lists, and does not ask for one again", async (status) => {
  const bench = new FaultBench();
  bench.server.write("a");
  bench.server.fault = ({ verb }) => (verb === "watchList" ? answer(status) : undefined);
  await bench.start();
  expect(bench.server.log).toEqual(["watchList", "list 0", "watch 101"]);
  bench.server.compact();
  bench.server.version++;
  bench.server.compact();
  bench.server.endWatches();
  await bench.advance(5_000);
  expect(bench.server.log.slice(3)).not.toContain("watchList 101");
  await bench.recovers();
});

test("H17 a redirect is not followed", async () => {
  const bench = new FaultBench();
  bench.server.fault = () => answer(302, "", { location: "https://elsewhere/" });
  await bench.start();
  await bench.advance(1_000);
  expect(bench.reported).toEqual(["status"]);
  await bench.recovers();
});

test("H18 200 with HTML: a protocol error that repeats little of it", async () => {
  const bench = new FaultBench();
  bench.server.fault = () => answer(200, `<html>${"x".repeat(10_000)}`, { "content-type": "text/html" });
  await bench.start();
  await bench.advance(1_000);
  expect(bench.reported).toEqual(["protocol"]);
  expect(bench.bench.errors[0]!.message.length).toBeLessThan(600);
  await bench.recovers();
});

test.each([
  ["a date", "Thu, 01 Jan 2026 00:00:20 GMT", 20_000],
  ["a date long gone", "Thu, 01 Jan 1970 00:00:20 GMT", 800],
  ["negative", "-5", 800],
  ["ten to the ten", "10000000000", 300_000],
  ["no number", "NaN", 800],
])(
  "H19 503 with a Retry-After that is %s waits at least and at most as long as makes sense",
  async (_, retryAfter, waitMs) => {
    const bench = new FaultBench({ streaming: false });
    bench.server.fault = () => answer(503, "", { "retry-after": retryAfter });
    await bench.start();
    await bench.advance(waitMs - 1);
    expect(bench.server.log).toHaveLength(1);
    await bench.advance(1);
    expect(bench.server.log).toHaveLength(2);
    await bench.stops();
  },
);
