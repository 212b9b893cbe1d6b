import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import { Entry } from "../../runtime/cache/entry.js";
import { ListWatch, type ListWatchOptions, type WatchEvent } from "../../runtime/cache/list-watch.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { ApiClient } from "../../runtime/transport/api-client.js";
import { anyCuts, cutAt, everyCut } from "../support/chunks.js";
import { type Thing, thingJson } from "../support/entries.js";
import { spyOnJsonParse } from "../support/json-parse.js";
import { type ScriptedAnswer, ScriptedTransport } from "../support/scripted-transport.js";
import { informerErrorOf } from "../support/thrown.js";

const { signal } = new AbortController();
const PODS = { group: "", version: "v1", resource: "pods" };
const broken = new InformerError("connection", "the connection broke");

function listWatchOf(answer: ScriptedAnswer, options: Partial<ListWatchOptions> = {}) {
  const transport = new ScriptedTransport(answer);
  const client = new ApiClient(transport, new VirtualClock());
  const listWatch = new ListWatch<Thing>(client, new SlabAllocator(), { resource: PODS, ...options });
  return { transport, listWatch };
}

const listOf = (text: string, options?: Partial<ListWatchOptions>) =>
  listWatchOf({ chunks: [text] }, options).listWatch.list({}, signal, () => {});

const line = (type: string, object: string) => `{"type":"${type}","object":${object}}\n`;
const bookmark = (resourceVersion: string, annotations = {}) =>
  JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata: { resourceVersion, annotations } });

/** All events of a watch that the server ends, each as a line. */
async function eventsOf(chunks: Iterable<string | Buffer | InformerError>, options?: Partial<ListWatchOptions>) {
  const watch = await listWatchOf({ chunks }, options).listWatch.watch({}, signal);
  const events: WatchEvent<Thing>[] = [];
  for (let batch = await watch.next(); batch !== undefined; batch = await watch.next()) events.push(...batch);
  return events;
}

function describeEvent(event: WatchEvent<Thing>): string {
  if (event.type === "ERROR" || event.type === "UNKNOWN") return `${event.type} ${event.error.code}`;
  if (event.type === "BOOKMARK") return `BOOKMARK ${event.resourceVersion}${event.initialEventsEnd ? " end" : ""}`;
  return `${event.type} ${event.entry.key}@${event.entry.resourceVersion}`;
}

describe("requests", () => {
  test("name the resource, its namespace and what was asked", async () => {
    const resource = { group: "apps", version: "v1", resource: "deployments" };
    const { listWatch, transport } = listWatchOf({ chunks: [] }, { resource, namespace: "shop" });
    await listWatch.watch({ resourceVersion: "5", allowWatchBookmarks: true }, signal);
    expect(transport.requests[0]).toMatchObject({
      path: "/apis/apps/v1/namespaces/shop/deployments?watch=true&resourceVersion=5&allowWatchBookmarks=true",
      kind: "watch",
      accept: "application/json",
    });
    expect(listWatch.name).toBe('deployments.apps in namespace "shop"');
    expect(listWatchOf({}).listWatch.name).toBe("pods");
  });

  test("leave the last word on the query to tweakListOptions", async () => {
    const tweakListOptions = (options: object) => ({ ...options, labelSelector: "app=web" });
    const { listWatch, transport } = listWatchOf({ chunks: ["{}"] }, { tweakListOptions });
    await informerErrorOf(listWatch.list({ limit: 2 }, signal, () => {}));
    expect(transport.requests[0]?.path).toBe("/api/v1/pods?limit=2&labelSelector=app%3Dweb");
  });
});

describe("list", () => {
  const items = `[${thingJson("ns/a", "1")},${thingJson("ns/b", "2")}]`;

  test("gives entries, resourceVersion and the next page's token, and decodes no item", async () => {
    const parsed = spyOnJsonParse();
    const envelope = '"metadata":{"resourceVersion":"9","continue":"token"}';
    const page = await listOf(`{"kind":"ThingList","apiVersion":"v1",${envelope},"items":${items}}`);
    expect(page.entries.map(({ key, uid, resourceVersion }) => [key, uid, resourceVersion])).toEqual([
      ["ns/a", "uid-ns/a", "1"],
      ["ns/b", "uid-ns/b", "2"],
    ]);
    expect([page.resourceVersion, page.continue]).toEqual(["9", "token"]);
    expect(page.entries.some(({ isDecoded }) => isDecoded)).toBe(false);
    // The envelope alone.
    expect(parsed).toHaveLength(1);
    expect(parsed[0]).not.toContain("uid");
  });

  test.each([
    [
      "the list's, before its items",
      '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[ITEM]}',
      {},
    ],
    [
      "the list's, after its items",
      '{"items":[ITEM],"metadata":{"resourceVersion":"1"},"apiVersion":"v1","kind":"PodList"}',
      {},
    ],
    ["the one that was given", '{"metadata":{"resourceVersion":"1"},"items":[ITEM]}', { kind: "Pod" }],
  ])("items that do not say their kind get it: %s", async (_, text, options) => {
    const { entries } = await listOf(
      text.replace("ITEM", ' { "metadata":{"name":"a","resourceVersion":"1"}}'),
      options,
    );
    expect(entries[0]?.object).toEqual({
      kind: "Pod",
      apiVersion: "v1",
      metadata: { name: "a", resourceVersion: "1" },
    });
  });

  test("items that say their kind keep it, also beside some that do not", async () => {
    const metadata = (name: string) => `"metadata":{"name":"${name}","resourceVersion":"1"}`;
    const list = `[{${metadata("a")}},{"kind":"Own","apiVersion":"x/v1",${metadata("b")}},{${metadata("c")}}]`;
    const text = `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":${list}}`;
    const kinds = (await listOf(text)).entries.map(({ object }) => [
      object.metadata.name,
      object.kind,
      object.apiVersion,
    ]);
    expect(kinds).toEqual([
      ["a", "Pod", "v1"],
      ["b", "Own", "x/v1"],
      ["c", "Pod", "v1"],
    ]);
  });

  test.each(["null", "[]"])("items that are %s are none", async (none) => {
    expect((await listOf(`{"metadata":{"resourceVersion":"1"},"items":${none}}`)).entries).toEqual([]);
  });

  test.each<[string, string, string]>([
    ["a list without resourceVersion", '{"metadata":{},"items":[]}', "protocol"],
    ["a list without metadata", '{"items":[]}', "protocol"],
    ["a Table", '{"kind":"Table","metadata":{"resourceVersion":"1"},"rows":[]}', "protocol"],
    [
      "an item without a name",
      '{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"resourceVersion":"1"}}]}',
      "protocol",
    ],
    [
      "an item without resourceVersion",
      '{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a"}}]}',
      "protocol",
    ],
    ["an item without metadata", '{"metadata":{"resourceVersion":"1"},"items":[{}]}', "decode"],
    ["an item that is null", '{"metadata":{"resourceVersion":"1"},"items":[null]}', "decode"],
    ["a list that is cut off", '{"metadata":{"resourceVersion":"1"},"items":[', "decode"],
  ])("%s is refused", async (_, text, code) => {
    expect((await informerErrorOf(listOf(text))).code).toBe(code);
  });

  test("gives the entry that is cached for an object that is as it was, and takes no bytes for it", async () => {
    const slabs = new SlabAllocator();
    const chunks = [
      `{"kind":"PodList","items":[${thingJson("a", "1")},${thingJson("b", "2")}],"metadata":{"resourceVersion":"9"}}`,
    ];
    const client = new ApiClient(new ScriptedTransport({ chunks }, { chunks }), new VirtualClock());
    const listWatch = new ListWatch<Thing>(client, slabs, { resource: PODS });
    const first = await listWatch.list({}, signal, () => {});
    const [a, b] = first.entries;
    listWatch.reuse((key) =>
      key === "a" ? a : Entry.fromObject({ key, uid: "another", resourceVersion: "2" }, b!.object),
    );
    const { entries } = await listWatch.list({}, signal, () => {});
    expect(entries[0]).toBe(a);
    expect(entries[1]).not.toBe(b);
    expect(entries[1]?.uid).toBe(b?.uid);
  });

  test("objects of another namespace than was asked for are refused", async () => {
    const text = `{"metadata":{"resourceVersion":"1"},"items":[${thingJson("other/a", "1")}]}`;
    const error = await informerErrorOf(listOf(text, { namespace: "shop" }));
    expect(error).toMatchObject({ code: "protocol", message: expect.stringContaining('"other"') });
    expect((await listOf(text)).entries).toHaveLength(1);
  });
});

describe("watch", () => {
  const STREAM =
    line("ADDED", thingJson("ns/a", "1", { value: "日本 }" })) +
    line("MODIFIED", thingJson("ns/a", "2")) +
    `${line("BOOKMARK", bookmark("5"))}\n` +
    line("DELETED", thingJson("ns/a", "6")) +
    line("ERROR", '{"kind":"Status","code":410,"reason":"Expired","message":"too old"}');
  const EVENTS = ["ADDED ns/a@1", "MODIFIED ns/a@2", "BOOKMARK 5", "DELETED ns/a@6", "ERROR expired"];

  test("gives the events however the stream is cut in two", async () => {
    for (const chunks of everyCut(Buffer.from(STREAM))) {
      expect((await eventsOf(chunks)).map(describeEvent)).toEqual(EVENTS);
    }
  });

  test("gives the events for any chunks, in LF or CRLF, with or without the last newline", async () => {
    await fc.assert(
      fc.asyncProperty(anyCuts, fc.boolean(), fc.boolean(), async (cuts, crlf, cutLast) => {
        const whole = crlf ? STREAM.replaceAll("\n", "\r\n") : STREAM;
        const bytes = Buffer.from(cutLast ? whole.trimEnd() : whole);
        const events = await eventsOf(cutAt(bytes, cuts));
        expect(events.map(describeEvent)).toEqual(EVENTS);
        const [first] = events;
        expect(first?.type === "ADDED" && first.entry.object.spec?.value).toBe("日本 }");
      }),
    );
  });

  test("decodes no object, only what bookmarks and errors say", async () => {
    const parsed = spyOnJsonParse();
    const objects =
      line("ADDED", thingJson("a", "1")) + line("MODIFIED", thingJson("a", "2")) + line("DELETED", thingJson("a", "3"));
    const events = await eventsOf([objects]);
    expect(events).toHaveLength(3);
    expect(parsed).toEqual([]);
    await eventsOf([line("BOOKMARK", bookmark("4"))]);
    expect(parsed).toEqual([bookmark("4")]);
  });

  test("what came together is given together", async () => {
    const { listWatch } = listWatchOf({ chunks: [STREAM.slice(0, 20), STREAM.slice(20)] });
    const watch = await listWatch.watch({}, signal);
    expect(await watch.next()).toHaveLength(EVENTS.length);
    expect(await watch.next()).toBeUndefined();
    expect(await watch.next()).toBeUndefined();
  });

  test.each([
    ["spaces", '{ "type" : "ADDED" , "object" : OBJECT }'],
    ["the object first", '{"object":OBJECT,"type":"ADDED"}'],
    ["something else first", '{"x":{"type":"no","object":{}},"type":"ADDED","object":OBJECT}'],
    ["white space at its end", '{"type":"ADDED","object":OBJECT} \t'],
  ])("reads an event with %s", async (_, text) => {
    const [event] = await eventsOf([`${text.replace("OBJECT", thingJson("ns/a", "1", { value: "x" }))}\n`]);
    expect(event && describeEvent(event)).toBe("ADDED ns/a@1");
    expect(event?.type === "ADDED" && event.entry.object.spec?.value).toBe("x");
  });

  test.each([
    [{ "k8s.io/initial-events-end": "true" }, "BOOKMARK 5 end"],
    [{ "k8s.io/initial-events-end": "false" }, "BOOKMARK 5"],
    [{ "k8s.io/initial-events-end": "" }, "BOOKMARK 5"],
    [{ "k8s.io/initial-events-end": true }, "BOOKMARK 5"],
    [{}, "BOOKMARK 5"],
  ])("a bookmark with the annotations %j is %s", async (annotations, text) => {
    expect((await eventsOf([line("BOOKMARK", bookmark("5", annotations))])).map(describeEvent)).toEqual([text]);
  });

  test.each([
    ['{"kind":"Status","code":429,"details":{"retryAfterSeconds":3}}', { code: "throttled", retryAfterMs: 3000 }],
    ['{"code":504,"reason":"Timeout","message":"Too large resource version"}', { code: "too-large-resource-version" }],
    ['{"kind":"Pod","metadata":{"name":"a"}}', { code: "server", status: 500 }],
    ["null", { code: "server" }],
    ['"text"', { code: "server" }],
    ['{"message":{"no":"text"},"details":{"causes":"none"}}', { code: "server" }],
  ])("the ERROR %s is data", async (status, error) => {
    const [event] = await eventsOf([line("ERROR", status)]);
    expect(event).toMatchObject({ type: "ERROR", error });
  });

  test.each<[string, string, string]>([
    ["garbage", "<html>\n", "decode"],
    ["garbage that is short", "x\n", "decode"],
    ["the beginning of an event", '{"type":"AD\n', "decode"],
    ["no object", '{"type":"ADDED"}\n', "protocol"],
    ["no type", '{"object":{}}\n', "protocol"],
    ["a bookmark whose resourceVersion is null", line("BOOKMARK", '{"metadata":{"resourceVersion":null}}'), "protocol"],
    [
      "a bookmark whose resourceVersion is a number",
      line("BOOKMARK", '{"metadata":{"resourceVersion":5}}'),
      "protocol",
    ],
    ["an object that is null", line("ADDED", "null"), "decode"],
    ["an object without metadata", line("ADDED", '{"kind":"Pod"}'), "decode"],
    ["an object without a name", line("ADDED", '{"metadata":{"resourceVersion":"1"}}'), "protocol"],
    ["an object without resourceVersion", line("ADDED", '{"metadata":{"name":"a"}}'), "protocol"],
    ["a Table", line("ADDED", '{"kind":"Table","metadata":{"resourceVersion":"1"},"rows":[]}'), "protocol"],
    ["a bookmark without resourceVersion", line("BOOKMARK", '{"metadata":{}}'), "protocol"],
    ["a bookmark that is null", line("BOOKMARK", "null"), "protocol"],
    ["a name with a broken escape", line("ADDED", '{"metadata":{"name":"\\x","resourceVersion":"1"}}'), "decode"],
  ])("%s ends the watch, after what came whole before it", async (_, text, code) => {
    const { listWatch } = listWatchOf({
      chunks: [line("ADDED", thingJson("a", "1")) + text + line("ADDED", thingJson("b", "2"))],
    });
    const watch = await listWatch.watch({}, signal);
    expect((await watch.next())?.map(describeEvent)).toEqual(["ADDED a@1"]);
    for (let i = 0; i < 2; i++) expect((await informerErrorOf(watch.next())).code).toBe(code);
  });

  test("an unknown type is given as such, and the stream goes on", async () => {
    const text =
      line("ADDED", thingJson("a", "1")) + line(`FOO${"O".repeat(500)}`, "{}") + line("ADDED", thingJson("b", "2"));
    const events = await eventsOf([text]);
    expect(events.map(describeEvent)).toEqual(["ADDED a@1", "UNKNOWN protocol", "ADDED b@2"]);
    const unknown = events[1] as Extract<WatchEvent<Thing>, { type: "UNKNOWN" }>;
    expect(unknown.error.message).toContain("FOOO");
    expect(unknown.error.message.length).toBeLessThan(200);
  });

  describe("of a resource whose kind is known", () => {
    const known = { kind: "Thing" };
    const foreign = thingJson("b", "2").replace('"Thing"', '"Secret"');

    test.each([
      ["its usual beginning", thingJson("a", "1")],
      ["its members in another order", '{"metadata":{"name":"a","resourceVersion":"1"},"kind":"Thing"}'],
      ["no kind", '{"metadata":{"name":"a","resourceVersion":"1"}}'],
      ["white space", '{ "apiVersion":"v1", "kind" : "Thing", "metadata":{"name":"a","resourceVersion":"1"}}'],
    ])("an object with %s is taken", async (_, object) => {
      expect((await eventsOf([line("ADDED", object)], known)).map(describeEvent)).toEqual(["ADDED a@1"]);
    });

    test("an object of another kind ends the watch: the answers were mixed up", async () => {
      const { listWatch } = listWatchOf(
        { chunks: [line("ADDED", thingJson("a", "1")) + line("ADDED", foreign)] },
        known,
      );
      const watch = await listWatch.watch({}, signal);
      expect((await watch.next())?.map(describeEvent)).toEqual(["ADDED a@1"]);
      const error = await informerErrorOf(watch.next());
      expect(error).toMatchObject({ code: "protocol", message: expect.stringContaining('"Secret"') });
    });

    test.each([
      [
        "an item of another kind",
        `{"kind":"ThingList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[${foreign}]}`,
      ],
      [
        "items without a kind in a list of another",
        '{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a","resourceVersion":"1"}}]}',
      ],
      [
        "an empty list of another group",
        '{"kind":"ThingList","apiVersion":"other/v1","metadata":{"resourceVersion":"9"},"items":[]}',
      ],
    ])("a list is refused that has %s", async (_, text) => {
      expect((await informerErrorOf(listOf(text, known))).code).toBe("protocol");
    });

    test("a list may have a name of its own, as a CRD can give it, when its items say their kind", async () => {
      const text = `{"kind":"Things","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[${thingJson("a", "1")}]}`;
      expect((await listOf(text, known)).entries.map(({ key }) => key)).toEqual(["a"]);
    });
  });

  test.each(["<html>\n", "x\n", '{"type":"\n'])(
    "%j at the very beginning is the end as well: nothing after it is given",
    async (text) => {
      const { listWatch } = listWatchOf({ chunks: [text, line("ADDED", thingJson("b", "2"))] });
      const watch = await listWatch.watch({}, signal);
      for (let i = 0; i < 2; i++) expect((await informerErrorOf(watch.next())).code).toBe("decode");
    },
  );

  test("a connection that breaks within an event gives the events before it", async () => {
    const text = line("ADDED", thingJson("a", "1"));
    const { listWatch, transport } = listWatchOf({ chunks: [text + text.slice(0, 40), broken] });
    const watch = await listWatch.watch({}, signal);
    expect(await watch.next()).toHaveLength(1);
    const error = await informerErrorOf(watch.next());
    expect(error).toMatchObject({
      code: "connection",
      message: expect.stringContaining("watch pods at https://server"),
    });
    watch.close();
    expect(transport.open).toBe(0);
  });

  test("an object of another namespace than was asked for is refused", async () => {
    const events = eventsOf([line("ADDED", thingJson("other/a", "1"))], { namespace: "shop" });
    expect((await informerErrorOf(events)).code).toBe("protocol");
  });
});
