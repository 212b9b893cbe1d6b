/** Fault matrix, U rows and what of the R rows concerns handlers: functions that the user gave, and the memory that they cost. */
import v8 from "node:v8";
import vm from "node:vm";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import type { Cached } from "../../runtime/api/object-meta.js";
import { Entry } from "../../runtime/cache/entry.js";
import type { ResourceEventHandlerRegistration } from "../../runtime/cache/shared-informer.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { recorder, type Thing, thing, thingJson } from "../support/entries.js";
import { InformerBench } from "../support/informer.js";
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

let bench: InformerBench;
let watch: ScriptedWatch;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeEach(() => {
  watch = new ScriptedWatch(added(thing("ns/a", "1", { value: "x" })), endBookmark("100"));
  newBench();
  rejections.length = 0;
  process.on("unhandledRejection", onRejection);
});
afterEach(async () => {
  const stopped = bench.stop();
  await bench.clock.advance(2_000);
  await stopped;
  process.off("unhandledRejection", onRejection);
  expect(rejections).toEqual([]);
});

function newBench(...options: ConstructorParameters<typeof InformerBench>): void {
  bench = new InformerBench(...options);
  bench.server.onWatch(watch);
}

function record(): { readonly log: string[]; readonly registration: ResourceEventHandlerRegistration } {
  const { log, handler } = recorder();
  return { log, registration: bench.informer.addEventHandler(handler) };
}

const health = (name: string) => bench.informer.health().handlers.find((handler) => handler.name === name);
const reported = () => bench.errors.map(({ code, message }) => `${code}: ${message}`);

describe.each<[string, string, (key: string) => void | Promise<void>]>([
  [
    "U1",
    "throws",
    (key) => {
      throw new Error(`no ${key}`);
    },
  ],
  ["U2", "rejects", async (key) => Promise.reject(new Error(`no ${key}`))],
])("%s: a handler that %s", (_, __, fail) => {
  test("is named with the event, given the next, and unnoticed by others", async () => {
    bench.informer.addEventHandler(({ key }) => fail(key), { name: "bad" });
    const { log } = record();
    await bench.start();
    watch.send(modified(thing("ns/a", "101")));
    await settle();
    expect(reported()).toEqual([
      "handler: handler bad, add of ns/a: no ns/a",
      "handler: handler bad, update of ns/a: no ns/a",
    ]);
    expect(log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
    expect(health("bad")).toMatchObject({ failures: 2, pending: 0 });
  });

  test("U5: during the initial list has synced all the same", async () => {
    const registration = bench.informer.addEventHandler(({ key }) => fail(key), { name: "bad" });
    await bench.start();
    await registration.synced();
    expect(health("bad")).toMatchObject({ synced: true, failures: 1 });
  });
});

describe("U3, R4: a handler that never settles", () => {
  test("waits by keys: 1,000 events a second for a minute hold no more than there are objects", async () => {
    bench.informer.addEventHandler(() => new Promise(() => {}), { name: "stuck", maxPending: 100 });
    const { log } = record();
    await bench.start();
    let version = 100;
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 500; i++) {
        watch.send(modified(thing("ns/a", String(++version))));
        const name = `ns/short-${version}`;
        watch.send(added(thing(name, String(++version))), deleted(thing(name, String(++version))));
      }
      await bench.clock.advance(1_000);
    }
    expect(log.length).toBeGreaterThan(3 * 500 * 60 - 500);
    const { pending, oldestPendingMs, runningMs, coalesced } = health("stuck")!;
    expect(pending).toBeLessThanOrEqual(100 + 2);
    expect(coalesced).toBeGreaterThan(59_000);
    expect([oldestPendingMs, runningMs]).toEqual([60_000, 60_000]);
    expect(bench.informer.health().phase).toBe("watching");
  });

  test("is waited for by a stop for two seconds, and then said to run on", async () => {
    bench.informer.addEventHandler(() => new Promise(() => {}), { name: "stuck" });
    await bench.start();
    const stopped = bench.stop();
    await bench.clock.advance(2_000);
    await stopped;
    expect(reported()).toEqual([
      "handler: handler stuck: a call runs on 2000 ms after the end, and is not waited for any more",
    ]);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

test("U4: a handler that holds the loop for five seconds is no stall of the watch", async () => {
  const clock = new (class extends VirtualClock {
    heldMs = 0;
    override now(): number {
      return super.now() + this.heldMs;
    }
  })();
  newBench({}, clock);
  bench.informer.addEventHandler(() => {
    clock.heldMs += 5_000;
  });
  const { log } = record();
  await bench.start();
  watch.send(modified(thing("ns/a", "101")));
  await clock.advance(1_000);
  expect(log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
  expect(bench.server.requests).toHaveLength(1);
  expect(bench.errors).toEqual([]);
});

describe("U6: a handler that writes to the object", () => {
  const configMaps = {
    group: "",
    version: "v1",
    resource: "configmaps",
    kind: "ConfigMap",
    scope: "Namespaced",
  } as const;

  async function writeThrough(options: InformerFactoryOptions): Promise<{ errors: InformerError[]; cached: unknown }> {
    const server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
    server.create(configMaps, { metadata: { name: "a", labels: { app: "web" } } });
    const errors: InformerError[] = [];
    const factory = new InformerFactory(server.kubeConfig(), { onError: (error) => errors.push(error), ...options });
    onTestFinished(async () => {
      await factory.shutdown();
      await server.close();
    });
    const { informer, lister } = factory.forResource({ group: "", version: "v1", resource: "configmaps" });
    const registration = informer().addEventHandler({
      onAdd: (object) => {
        (object.metadata.labels as Record<string, string>)["app"] = "mine";
      },
    });
    factory.start();
    await registration.synced();
    return { errors, cached: lister().namespace("default").get("a")?.metadata.labels?.["app"] };
  }

  test("fails there and then in development, and others see the object as it was", async () => {
    const { errors, cached } = await writeThrough({});
    expect(errors.map(({ cause }) => cause)).toEqual([expect.any(TypeError)]);
    expect(errors[0]?.message).toContain("'app'");
    expect(cached).toBe("web");
  });

  test.each<[string, InformerFactoryOptions]>([
    ["in production", {}],
    ["where it is switched off", { freeze: false }],
  ])("is not looked for %s", async (where, options) => {
    if (where === "in production") vi.stubEnv("NODE_ENV", "production");
    try {
      const { errors, cached } = await writeThrough(options);
      expect(errors).toEqual([]);
      expect(cached).toBe("mine");
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("U7: a handler that", () => {
  test("removes itself and waits for it hears of nothing more, and is not in its own way", async () => {
    const seen: string[] = [];
    const registration = bench.informer.addEventHandler(async ({ key }) => {
      seen.push(key);
      await registration.remove();
      seen.push("removed");
    });
    await bench.start();
    watch.send(modified(thing("ns/a", "101")));
    await settle();
    expect(seen).toEqual(["ns/a", "removed"]);
    expect(bench.clock.pendingTimers).toBe(1);
  });

  test("removes another takes it out after the call that runs", async () => {
    const other = record();
    bench.informer.addEventHandler(async ({ type }) => {
      if (type === "update") await other.registration.remove();
    });
    await bench.start();
    watch.send(modified(thing("ns/a", "101")));
    await settle();
    watch.send(modified(thing("ns/a", "102")));
    await settle();
    expect(other.log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
  });

  test("adds one has it told of all that is there, once", async () => {
    let late: ReturnType<typeof record> | undefined;
    bench.informer.addEventHandler(() => {
      late ??= record();
    });
    await bench.start();
    watch.send(modified(thing("ns/a", "101")));
    await settle();
    expect(late?.log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
  });
});

describe("U8: a handler that stops its informer and waits for it", () => {
  test("before its first await is not in its own way", async () => {
    const seen: string[] = [];
    bench.informer.addEventHandler(async () => {
      await bench.stop();
      seen.push("stopped");
    });
    await bench.start();
    expect(seen).toEqual(["stopped"]);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.errors).toEqual([]);
  });

  test("later waits for itself for two seconds, which is reported, and not for ever", async () => {
    const seen: string[] = [];
    bench.informer.addEventHandler(async () => {
      await settle();
      await bench.stop();
      seen.push("stopped");
    });
    await bench.start();
    await settle();
    expect(seen).toEqual([]);
    await bench.clock.advance(2_000);
    expect(seen).toEqual(["stopped"]);
    expect(reported()).toEqual([expect.stringContaining("runs on 2000 ms after the end")]);
  });
});

test("U9: a handler reads, adds an index and asks for a stop within its call: reads agree with one another", async () => {
  const seen: unknown[] = [];
  bench.informer.addEventHandler(({ type, key }) => {
    const { indexer, lister } = bench.informer;
    const name = `${type}`;
    bench.informer.addIndexers({ [name]: (object: Cached<Thing>) => [object.spec?.value ?? "none"] });
    const cached = indexer.get(key)!;
    const ways = [lister.namespace("ns").get("a"), indexer.index(name, cached)[0], lister.list()[0], indexer.list()[0]];
    seen.push(
      ways.every((object) => object === cached),
      indexer.indexKeys(name, cached.spec?.value ?? "none"),
    );
    if (type === "update") void bench.stop();
  });
  await bench.start();
  watch.send(modified(thing("ns/a", "101", { value: "y" })));
  await settle();
  expect(seen).toEqual([true, ["ns/a"], true, ["ns/a"]]);
  expect(bench.errors).toEqual([]);
  expect(bench.informer.isStopped()).toBe(true);
});

describe("a transform that", () => {
  test("U10: throws for an object keeps it out, and says so; the cache moves on, and the next list tries again", async () => {
    let refuses = true;
    const relisted = new ScriptedWatch(
      added(thing("ns/a", "1", { value: "x" })),
      added(thing("ns/b", "101")),
      endBookmark("200"),
    );
    newBench({
      transform: (object) => {
        if (refuses && object.metadata?.name === "b") throw new Error("no");
        return object;
      },
    });
    bench.server.onWatch(relisted);
    const { log } = record();
    await bench.start();
    watch.send(added(thing("ns/b", "101")));
    await settle();
    expect(reported()).toEqual(["transform: transform of things.v1 ns/b: no"]);
    expect(bench.informer.lastSyncResourceVersion()).toBe("101");
    refuses = false;
    watch.send(errorEvent(expired()));
    await bench.clock.advance(0);
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
    newBench({ transform: (object) => (object.metadata?.name === "a" ? (transform(object) as Thing) : object) });
    const { log } = record();
    await bench.start();
    watch.send(added(thing("ns/b", "101")));
    await settle();
    expect(log).toEqual(["add ns/b@101"]);
    expect(bench.errors.map(({ code, cause }) => [code, cause instanceof TypeError])).toEqual([["transform", true]]);
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
    bench.informer.addIndexers({ bad: values as () => string[], good: () => ["x"] });
    const { log } = record();
    await bench.start();
    expect(log).toEqual(["add ns/a@1 initial"]);
    const { indexer } = bench.informer;
    expect([indexer.listIndexValues("bad"), indexer.indexKeys("good", "x")]).toEqual([[], ["ns/a"]]);
    expect(bench.errors.map(({ code }) => code)).toEqual(["index"]);
  });

  test("U14: gives the values that break objects finds by them", async () => {
    const VALUES = ["__proto__", "constructor", "hasOwnProperty", "", "x".repeat(1_000_000), "\u0000", "\ud800"];
    bench.informer.addIndexers({ all: () => VALUES });
    await bench.start();
    const { indexer } = bench.informer;
    expect(VALUES.map((value) => indexer.indexKeys("all", value))).toEqual(VALUES.map(() => ["ns/a"]));
    expect(indexer.indexKeys("all", "toString")).toEqual([]);
    watch.send(deleted(thing("ns/a", "101")));
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
  newBench({ onError: onError as () => void });
  bench.informer.onHealthChange(onError as () => void);
  bench.informer.addEventHandler(() => {
    throw new Error("no");
  });
  const { log } = record();
  await bench.start();
  watch.break();
  bench.server.onWatch(new ScriptedWatch(modified(thing("ns/a", "101"))));
  await bench.clock.advance(10_000);
  expect(log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
});

test("R8: one object that is kept does not keep the bytes of those beside it", async () => {
  v8.setFlagsFromString("--expose-gc");
  const collectGarbage = vm.runInNewContext("gc") as () => void;
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
  bench.informer.addIndexers({ value: ({ spec }) => (spec?.value === undefined ? [] : [spec.value]) });
  await bench.start();
  const MANY = 20_000;
  for (let i = 0; i < MANY; i++) watch.send(modified(thing("ns/a", String(101 + i), { value: `v${i}` })));
  for (let i = 0; i < 100; i++) watch.send(added(thing(`ns/k${i}`, String(101 + MANY + i), { value: `k${i}` })));
  await bench.clock.advance(0);
  const { indexer } = bench.informer;
  expect(indexer.listIndexValues("value")).toHaveLength(101);
  for (let i = 0; i < 100; i++) watch.send(deleted(thing(`ns/k${i}`, String(201 + MANY + i))));
  watch.send(deleted(thing("ns/a", String(301 + MANY))));
  await bench.clock.advance(0);
  expect([indexer.listIndexValues("value"), indexer.listIndexValues("namespace")]).toEqual([[], []]);
});
