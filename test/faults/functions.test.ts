/** Fault matrix, U rows: transforms, index functions, and who is told of errors; and the memory of what they read. */
import { describe, expect, test } from "vitest";
import { Entry } from "../../runtime/cache/entry.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { collectGarbage } from "../support/collect-garbage.js";
import { type Thing, thing, thingJson } from "../support/entries.js";
import { HandlerBench } from "../support/handler-bench.js";
import {
  added,
  deleted,
  endBookmark,
  errorEvent,
  expired,
  modified,
  ScriptedWatch,
} from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

const the = new HandlerBench();

describe("a transform that", () => {
  test("U10: throws for an object keeps it out, and says so; the cache moves on, and the next list tries again", async () => {
    let refuses = true;
    const relisted = new ScriptedWatch(
      added(thing("ns/a", "1", { value: "x" })),
      added(thing("ns/b", "101")),
      endBookmark("200"),
    );
    the.newBench({
      transform: (object) => {
        if (refuses && object.metadata?.name === "b") throw new Error("no");
        return object;
      },
    });
    the.bench.server.onWatch(relisted);
    const { log } = the.record();
    await the.bench.start();
    the.watch.send(added(thing("ns/b", "101")));
    await settle();
    expect(the.reported()).toEqual(["transform: transform of things.v1 ns/b: no"]);
    expect(the.bench.informer.lastSyncResourceVersion()).toBe("101");
    refuses = false;
    the.watch.send(errorEvent(expired()));
    await the.bench.clock.advance(0);
    expect(log).toEqual(["add ns/a@1 initial", "add ns/b@101"]);
  });

  test.each<[string, string, (object: Thing) => unknown]>([
    ["U11", "loses the metadata", () => ({ kind: "Thing" })],
    ["U11", "gives another name", (object) => ({ ...object, metadata: { ...object.metadata, name: "other" } })],
    [
      "U11",
      "gives another namespace",
      (object) => ({ ...object, metadata: { ...object.metadata, namespace: "other" } }),
    ],
    ["U12", "gives a promise", (object) => Promise.resolve(object)],
    ["U12", "gives nothing", () => undefined],
  ])("%s: %s is refused, object by object", async (_, __, transform) => {
    the.newBench({ transform: (object) => (object.metadata?.name === "a" ? (transform(object) as Thing) : object) });
    const { log } = the.record();
    await the.bench.start();
    the.watch.send(added(thing("ns/b", "101")));
    await settle();
    expect(log).toEqual(["add ns/b@101"]);
    expect(the.bench.errors.map(({ code, cause }) => [code, cause instanceof TypeError])).toEqual([
      ["transform", true],
    ]);
  });
});

describe("an index function that", () => {
  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["gives no array", () => "ns/a"],
    ["gives a promise", () => Promise.resolve(["x"])],
  ])("U13: %s leaves the object out of that index alone", async (_, values) => {
    the.bench.informer.addIndexers({ bad: values as () => string[], good: () => ["x"] });
    const { log } = the.record();
    await the.bench.start();
    expect(log).toEqual(["add ns/a@1 initial"]);
    const { indexer } = the.bench.informer;
    expect([indexer.listIndexValues("bad"), indexer.indexKeys("good", "x")]).toEqual([[], ["ns/a"]]);
    expect(the.bench.errors.map(({ code }) => code)).toEqual(["index"]);
  });

  test("U14: gives the values that break objects finds by them", async () => {
    const VALUES = ["__proto__", "constructor", "hasOwnProperty", "", "x".repeat(1_000_000), "\u0000", "\ud800"];
    the.bench.informer.addIndexers({ all: () => VALUES });
    await the.bench.start();
    const { indexer } = the.bench.informer;
    expect(VALUES.map((value) => indexer.indexKeys("all", value))).toEqual(VALUES.map(() => ["ns/a"]));
    expect(indexer.indexKeys("all", "toString")).toEqual([]);
    the.watch.send(deleted(thing("ns/a", "101")));
    await settle();
    expect(indexer.listIndexValues("all")).toEqual([]);
  });
});

test.each<[string, () => unknown]>([
  [
    "throws",
    () => {
      throw new Error("the reporter is broken");
    },
  ],
  ["rejects", () => Promise.reject(new Error("the reporter is broken"))],
  ["never settles", () => new Promise(() => {})],
])("U16, U17: whoever is told of errors and %s, harms nobody", async (_, onError) => {
  the.newBench({ onError: onError as () => void });
  the.bench.informer.onHealthChange(onError as () => void);
  the.bench.informer.addEventHandler(() => {
    throw new Error("no");
  });
  const { log } = the.record();
  await the.bench.start();
  the.watch.break();
  the.bench.server.onWatch(new ScriptedWatch(modified(thing("ns/a", "101"))));
  await the.bench.clock.advance(10_000);
  expect(log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
});

test("R8: one object that is kept does not keep the bytes of those beside it", async () => {
  let kept: unknown;
  const slabs: WeakRef<Buffer>[] = [];
  (() => {
    const allocator = new SlabAllocator();
    for (let i = 0; i < 1_000; i++) {
      const meta = { key: `k${i}`, uid: "u", resourceVersion: "1" };
      const bytes = Buffer.from(thingJson(meta.key, "1", { value: "v".repeat(500) }));
      const entry = Entry.fromBytes<Thing>(meta, allocator, bytes);
      if (entry.slab !== undefined) slabs.push(new WeakRef(entry.slab.buffer));
      if (i === 500) kept = entry.object;
    }
  })();
  const left = () => new Set(slabs.map((slab) => slab.deref())).size - (slabs.some((slab) => !slab.deref()) ? 1 : 0);
  for (let i = 0; i < 10 && left() > 0; i++) {
    await settle();
    collectGarbage();
  }
  expect(left()).toBe(0);
  expect(kept).toMatchObject({ spec: { value: "v".repeat(500) } });
});

test("R9: index values that no object has any more are forgotten", async () => {
  the.bench.informer.addIndexers({ value: ({ spec }) => (spec?.value === undefined ? [] : [spec.value]) });
  await the.bench.start();
  const MANY = 20_000;
  for (let i = 0; i < MANY; i++) the.watch.send(modified(thing("ns/a", String(101 + i), { value: `v${i}` })));
  for (let i = 0; i < 100; i++) the.watch.send(added(thing(`ns/k${i}`, String(101 + MANY + i), { value: `k${i}` })));
  await the.bench.clock.advance(0);
  const { indexer } = the.bench.informer;
  expect(indexer.listIndexValues("value")).toHaveLength(101);
  for (let i = 0; i < 100; i++) the.watch.send(deleted(thing(`ns/k${i}`, String(201 + MANY + i))));
  the.watch.send(deleted(thing("ns/a", String(301 + MANY))));
  await the.bench.clock.advance(0);
  expect([indexer.listIndexValues("value"), indexer.listIndexValues("namespace")]).toEqual([[], []]);
});
