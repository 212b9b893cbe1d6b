/** Fault matrix, P rows: what comes is not what the protocol says. Cuts at every byte are in test/cache/list-watch.test.ts. */
import { describe, expect, test } from "vitest";
import { thingJson } from "../support/entries.js";
import { FaultBench } from "../support/fault-bench.js";
import { line, statusOf, type WireFault } from "../support/wire-server.js";

const listWith = (items: string, metadata = '{"resourceVersion":"101"}') =>
  ({ body: `{"kind":"ThingList","apiVersion":"v1","metadata":${metadata},"items":${items}}` }) satisfies WireFault;

test("P1 an event that is cut at any byte, within a character or an escape, is the same event", async () => {
  const text = line("ADDED", thingJson("ä/ö", "102", { value: "\u20ac \ud83d\ude00" })).replace("\u20ac", "\\u20ac");
  const bytes = Buffer.from(`${text.trim()}\r\n`);
  for (let at = 1; at < bytes.length; at++) {
    const bench = await new FaultBench().synced("a");
    bench.server.send(bytes.subarray(0, at), bytes.subarray(at));
    await bench.advance(0);
    expect(bench.log).toEqual(["add ä/ö@102"]);
    expect(bench.informer.lister.namespace("ä").get("ö")?.spec?.value).toBe("\u20ac \ud83d\ude00");
    expect(bench.reported).toEqual([]);
    await bench.stops();
  }
});

test("P2 many events in a chunk, blank lines, CRLF and no newline at the end: all are taken", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  const [stream] = server.streams;
  const text = ["b", "c", "d"].map((key) => {
    const json = thingJson(key, String(++server.version));
    server.objects.set(key, json);
    return line("ADDED", json).trim();
  });
  stream!.send(`\n\r\n${text[0]}\r\n\n${text[1]}\n${text[2]}`).end();
  await bench.advance(0);
  expect(bench.log).toEqual(["add b@102", "add c@103", "add d@104"]);
  await bench.recovers();
});

describe("what ends the watch, and is resumed from the last good resourceVersion", () => {
  test.each([
    ["P3 a line that is garbage", "<html>\n", "decode"],
    ["P5 an event without an object", '{"type":"ADDED"}\n', "protocol"],
    ["P5 an object without metadata", line("ADDED", { kind: "Thing" }), "decode"],
    ["P5 an object without a resourceVersion", line("ADDED", { kind: "Thing", metadata: { name: "x" } }), "protocol"],
    ["P7 a Table", line("ADDED", { kind: "Table", metadata: { resourceVersion: "200" }, rows: [] }), "protocol"],
    ["P7 a list", line("ADDED", { kind: "ThingList", metadata: { resourceVersion: "200" }, items: [] }), "protocol"],
    [
      "P7 an object of another kind",
      line("ADDED", { kind: "Secret", metadata: { name: "x", resourceVersion: "200" } }),
      "protocol",
    ],
    [
      "P27 an object of another kind, deleted",
      line("DELETED", { kind: "Secret", metadata: { name: "a", resourceVersion: "200" } }),
      "protocol",
    ],
  ])("%s", async (_, text, code) => {
    const bench = await new FaultBench().synced("a");
    bench.server.send(text);
    await bench.advance(2_000);
    expect(bench.reported).toEqual([code]);
    expect(bench.server.log).toEqual(["watch 101"]);
    expect(bench.log).toEqual([]);
    await bench.recovers();
  });

  test("P8 an object of another namespace than was asked for", async () => {
    const bench = await new FaultBench({}, "shop").synced("shop/a");
    bench.server.send(line("ADDED", thingJson("other/a", "200")));
    await bench.advance(2_000);
    expect(bench.reported).toEqual(["protocol"]);
    expect(bench.server.log).toEqual(["watch 101"]);
    await bench.stops();
  });
});

test("P4 an event of an unknown type: told once, the stream goes on, and it is no progress", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  for (let i = 0; i < 3; i++) server.send(line("FOO", thingJson("a", "900")));
  await bench.advance(0);
  expect(bench.reported).toEqual(["protocol"]);
  expect(bench.informer.lastSyncResourceVersion()).toBe("101");
  server.write("b");
  await bench.advance(0);
  expect(bench.log).toEqual(["add b@102"]);
  expect(server.log).toEqual([]);
  await bench.recovers();
});

test.each([
  ["a Pod", { kind: "Pod", metadata: { name: "x" } }],
  ["null", "null"],
  ["a string", '"oops"'],
])("P6 an ERROR whose object is %s is a server error, listed anew after three times", async (_, object) => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  server.fault = ({ verb }) => (verb === "watch" ? { body: line("ERROR", object) } : undefined);
  server.endWatches();
  await bench.advance(15_000);
  expect(bench.reported).toEqual(["server"]);
  expect(server.log.slice(0, 4)).toEqual(["watch 101", "watch 101", "watch 101", "watchList"]);
  await bench.recovers();
});

describe("P9 a list", () => {
  test.each([
    ["whose items are null", "null"],
    ["whose items are none", "[]"],
  ])("%s is empty", async (_, items) => {
    const bench = new FaultBench({ streaming: false });
    bench.server.fault = ({ verb }) => (verb === "list" ? listWith(items) : undefined);
    bench.server.version = 101;
    await bench.start();
    expect(bench.informer.hasSynced()).toBe(true);
    expect(bench.cached).toEqual([]);
    await bench.recovers();
  });

  test("with an item that is null is refused", async () => {
    const bench = new FaultBench({ streaming: false });
    bench.server.fault = ({ verb }) => (verb === "list" ? listWith("[null]") : undefined);
    await bench.start();
    expect(bench.reported).toEqual(["decode"]);
    expect(bench.informer.hasSynced()).toBe(false);
    await bench.recovers();
  });

  test("with an object twice has the last one, and it is told", async () => {
    const bench = new FaultBench({ streaming: false });
    const items = `[${thingJson("a", "1")},${thingJson("b", "2")},${thingJson("a", "3")}]`;
    bench.server.fault = ({ verb }) => (verb === "list" ? listWith(items) : undefined);
    await bench.start();
    expect(bench.cached.sort()).toEqual(["a@3", "b@2"]);
    expect(bench.log).toEqual(["add a@3", "add b@2"]);
    expect(bench.reported).toEqual(["protocol"]);
    expect(bench.bench.errors[0]?.message).toContain('"a"');
    await bench.stops();
  });
});

test.each(["{}", '{"resourceVersion":""}', '{"resourceVersion":101}'])(
  "P10 a list of metadata %s is no list",
  async (metadata) => {
    const bench = new FaultBench({ streaming: false });
    bench.server.fault = ({ verb }) => (verb === "list" ? listWith("[]", metadata) : undefined);
    await bench.start();
    expect(bench.reported).toEqual(["protocol"]);
    expect(bench.informer.hasSynced()).toBe(false);
    await bench.recovers();
  },
);

describe("P11 continue tokens that never end", () => {
  test.each([
    ["the same again and again", () => "same", 2],
    ["always another", (n: number) => `t${n}`, 10_000],
  ])("%s are refused", async (_, token, pages) => {
    const bench = new FaultBench({ streaming: false });
    let asked = 0;
    bench.server.fault = ({ verb }) =>
      verb === "list" ? listWith("[]", `{"resourceVersion":"5","continue":"${token(asked++)}"}`) : undefined;
    await bench.start();
    for (let turns = 0; turns < 20_000 && bench.reported.length === 0; turns++) await bench.advance(0);
    expect(bench.reported).toEqual(["protocol"]);
    expect(asked).toBeLessThanOrEqual(pages + 1);
    expect(bench.informer.hasSynced()).toBe(false);
    await bench.stops();
  });
});

test("P12 a second page of another resourceVersion: the watch begins at the first page's, and misses nothing", async () => {
  const bench = new FaultBench({ streaming: false });
  const { server } = bench;
  server.fault = ({ verb, query }) => {
    if (verb !== "list") return undefined;
    return query.has("continue")
      ? listWith(`[${thingJson("b", "103")}]`, '{"resourceVersion":"90"}')
      : listWith(`[${thingJson("a", "101")}]`, '{"resourceVersion":"102","continue":"t"}');
  };
  await bench.start();
  expect(server.log.at(-1)).toBe("watch 102");
  await bench.stops();
});

test("P13 410 on a later page: the whole list anew, never two snapshots in one", async () => {
  const bench = new FaultBench({ streaming: false });
  const { server } = bench;
  for (const key of ["a", "b"]) server.write(key);
  server.fault = ({ verb, query }) => {
    if (verb !== "list" || !query.has("limit")) return undefined;
    if (query.has("continue"))
      return { status: 410, body: statusOf(410, "Expired", { metadata: { continue: "inconsistent" } }) };
    return listWith(`[${thingJson("gone", "50")}]`, '{"resourceVersion":"60","continue":"t"}');
  };
  await bench.start();
  expect(bench.cached).toEqual(["a@101", "b@102"]);
  await bench.recovers();
});

describe.each([
  ["P14 the end bookmark never comes", ""],
  [
    'P15 its annotation is "false"',
    line("BOOKMARK", {
      kind: "Thing",
      metadata: { resourceVersion: "101", annotations: { "k8s.io/initial-events-end": "false" } },
    }),
  ],
  ["P18 the server sends changes alone, being old", line("MODIFIED", thingJson("a", "101"))],
])("%s", (_, text) => {
  test("listed after a minute, and the server is not asked to stream again", async () => {
    const bench = new FaultBench();
    const { server } = bench;
    server.write("a");
    server.fault = ({ verb }) => (verb === "watchList" ? {} : undefined);
    await bench.start();
    server.send(text === "" ? "\n" : text);
    await bench.advance(59_999);
    expect(bench.informer.hasSynced()).toBe(false);
    await bench.advance(1);
    expect(bench.informer.hasSynced()).toBe(true);
    expect(server.log).toEqual(["watchList", "list 0", "watch 101"]);
    server.version++;
    server.compact();
    server.endWatches();
    await bench.advance(5_000);
    expect(server.log.slice(3).filter((request) => request.startsWith("watchList"))).toEqual([]);
    await bench.recovers();
  });
});

test("P16 changes and deletions before the end bookmark are in what becomes visible", async () => {
  const bench = new FaultBench();
  const { server } = bench;
  server.fault = ({ verb }) => (verb === "watchList" ? {} : undefined);
  await bench.start();
  server.send(
    line("ADDED", thingJson("a", "1")),
    line("ADDED", thingJson("b", "2")),
    line("MODIFIED", thingJson("a", "3")),
    line("DELETED", thingJson("b", "4")),
  );
  await bench.advance(0);
  expect(bench.cached).toEqual([]);
  server.send(
    line("BOOKMARK", { metadata: { resourceVersion: "5", annotations: { "k8s.io/initial-events-end": "true" } } }),
  );
  await bench.advance(0);
  expect(bench.log).toEqual(["add a@3"]);
  await bench.stops();
});

test("P17 a bookmark that goes back is not followed", async () => {
  const bench = await new FaultBench().synced("a", "b");
  bench.server.bookmark(50);
  await bench.advance(0);
  expect(bench.informer.lastSyncResourceVersion()).toBe("102");
  expect(bench.informer.indexer.resourceVersion).toBe("102");
  await bench.recovers();
});

test("P19 a server that knows no bookmarks works", async () => {
  const bench = await new FaultBench().synced("a");
  await bench.advance(400_000);
  expect(bench.reported.filter((code) => code !== "timeout")).toEqual([]);
  bench.server.write("b");
  await bench.advance(0);
  expect(bench.log).toEqual(["add b@102"]);
  await bench.recovers();
});

test("P20 an event and then the end, each time at once: few requests, nothing lost", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  const [first] = server.streams;
  server.write("b");
  first!.end();
  server.fault = ({ verb }) => {
    if (verb !== "watch") return undefined;
    const json = thingJson("b", String(++server.version));
    server.objects.set("b", json);
    return { body: line("MODIFIED", json) };
  };
  await bench.advance(60_000);
  expect(server.requests.length).toBeLessThanOrEqual(10);
  await bench.recovers();
});

test("P21 ended at once without an event, each time: listed anew from the newest after three", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  server.fault = ({ verb }) => (verb === "watch" ? { body: "" } : undefined);
  server.endWatches();
  await bench.advance(20_000);
  expect(server.log).toContain("watchList");
  await bench.recovers();
});

test("P25 hostile numbers and keys in an object change nothing but that object", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  const json =
    '{"kind":"Thing","apiVersion":"v1","metadata":{"name":"b","uid":"u","resourceVersion":"102","labels":{"a":"1","a":"2"}},"spec":{"n":1e400,"z":-0,"s":"\\ud800","__proto__":{"polluted":true}}}';
  server.version = 102;
  server.objects.set("b", json);
  server.send(line("ADDED", json));
  await bench.advance(0);
  const object = bench.informer.lister.get("b") as { metadata: { labels?: object }; spec?: object } | undefined;
  expect(object?.metadata.labels).toEqual({ a: "2" });
  expect(object?.spec).toMatchObject({ n: Number.POSITIVE_INFINITY, z: -0, s: "\ud800" });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  await bench.recovers();
});

test.each([
  ["nested 100,000 deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["of 100,000 keys", `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join()}}`],
])("P25 an object %s is read, frozen and told of like any other", async (_, value) => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  server.version = 102;
  server.objects.set("b", thingJson("b", "102").replace(/}$/, `,"spec":{"value":${value}}}`));
  server.send(line("ADDED", server.objects.get("b")!));
  await bench.advance(0);
  expect(bench.log).toEqual(["add b@102"]);
  const { spec } = bench.informer.lister.get("b") as unknown as { spec: { value: object } };
  expect(Object.isFrozen(Object.values(spec.value)[0])).toBe(true);
  await bench.recovers();
});

test("P26 a number beyond 2^53 is read as JavaScript reads it; a resourceVersion never is", async () => {
  const bench = await new FaultBench().synced("a");
  const large = "9007199254740993";
  const json = thingJson("b", large).replace(/}$/, `,"spec":{"count":${large}}}`);
  bench.server.send(line("ADDED", json));
  await bench.advance(0);
  expect(bench.informer.lister.get("b")).toMatchObject({
    metadata: { resourceVersion: large },
    spec: { count: 9007199254740992 },
  });
  expect(bench.informer.lastSyncResourceVersion()).toBe(large);
  await bench.stops();
});

test("P27 a list that answers another request is refused, and the cache keeps what it has", async () => {
  const bench = await new FaultBench({ streaming: false }).synced("a");
  const { server } = bench;
  server.version++;
  server.compact();
  server.fault = ({ verb }) =>
    verb === "list"
      ? { body: '{"kind":"SecretList","apiVersion":"other/v1","metadata":{"resourceVersion":"500"},"items":[]}' }
      : undefined;
  server.endWatches();
  await bench.advance(5_000);
  expect(bench.reported).toEqual(["protocol"]);
  expect(bench.cached).toEqual(["a@101"]);
  await bench.recovers();
});
