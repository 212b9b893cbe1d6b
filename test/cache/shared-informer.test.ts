import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Entry } from "../../runtime/cache/entry.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { deferred } from "../../runtime/util/abort.js";
import { type Thing, thing } from "../support/entries.js";
import { InformerBench, SlowTurn } from "../support/informer.js";
import {
  added,
  connectionLost,
  deleted,
  endBookmark,
  errorEvent,
  expired,
  modified,
  refusal,
  ScriptedWatch,
  synced,
} from "../support/scripted-lister-watcher.js";
import { isSettled, settle, turnUntil } from "../support/settle.js";

let bench: InformerBench;
beforeEach(() => {
  bench = new InformerBench();
});
afterEach(() => bench.stop());

describe("from the server to the handlers", () => {
  test("the initial list, then what changes", async () => {
    const watch = synced(thing("ns/a", "1"), thing("ns/b", "2"));
    bench.server.onWatch(watch);
    const { log } = bench.record();
    await bench.start();
    watch.send(modified(thing("ns/a", "101")), deleted(thing("ns/b", "102")), added(thing("ns/c", "103")));
    await settle();
    expect(log).toEqual([
      "add ns/a@1 initial",
      "add ns/b@2 initial",
      "update ns/a@1→101",
      "delete ns/b@102",
      "add ns/c@103",
    ]);
    expect(bench.informer.lister.namespace("ns").list()).toHaveLength(2);
    expect(bench.informer.lastSyncResourceVersion()).toBe("103");
  });

  test("a relist tells of what changed meanwhile, of what went, and of nothing else", async () => {
    const watch = synced(thing("gone", "1"), thing("same", "2"), thing("changed", "3"));
    bench.server.onWatch(
      watch,
      new ScriptedWatch(added(thing("same", "2")), added(thing("changed", "150")), endBookmark("200")),
    );
    const { log } = bench.record();
    await bench.start();
    log.length = 0;
    watch.send(errorEvent(expired()));
    await bench.clock.advance(0);
    expect(log).toEqual(["tombstone gone@1", "update changed@3→150"]);
    expect(bench.errors).toEqual([]);
  });

  test("handlers agree, and see an event when the cache is at it or beyond", async () => {
    const watch = synced();
    bench.server.onWatch(watch);
    const seen: (string | undefined)[] = [];
    bench.informer.addEventHandler(({ key }) => {
      seen.push(bench.informer.indexer.get(key)?.metadata.resourceVersion);
    });
    const { log } = bench.record();
    await bench.start();
    // What comes at once is taken in one by one at first, and then as many as before.
    watch.send(...["101", "102", "103", "104"].map((version) => modified(thing("a", version))));
    await settle();
    expect(seen).toEqual(["101", "102", "104", "104"]);
    expect(log).toEqual(["add a@101", "update a@101→102", "update a@102→103", "update a@103→104"]);
  });

  test("a function that looks at keys alone decodes nothing", async () => {
    const parse = vi.spyOn(JSON, "parse");
    try {
      const watch = synced(thing("ns/a", "1"));
      bench.server.onWatch(watch);
      const keys: string[] = [];
      bench.informer.addEventHandler(({ type, key }) => {
        keys.push(`${type} ${key}`);
      });
      await bench.start();
      watch.send(modified(thing("ns/a", "101")), deleted(thing("ns/a", "102")));
      await settle();
      expect(keys).toEqual(["add ns/a", "update ns/a", "delete ns/a"]);
      expect(parse).not.toHaveBeenCalled();
    } finally {
      parse.mockRestore();
    }
  });

  test.each([
    ["a handler of objects", true, () => bench.informer.addEventHandler({ onAdd: () => {} })],
    ["a handler of objects that has left", false, () => bench.informer.addEventHandler({ onAdd: () => {} }).remove()],
    ["an index", true, () => bench.informer.addIndexers({ values: () => [] })],
    ["a handler of deletions", false, () => bench.informer.addEventHandler({ onDelete: () => {} })],
    ["a handler of events", false, () => bench.informer.addEventHandler(() => {})],
  ])("with %s the objects of a list are decoded as they come: %s", async (_, isDecoded, prepare) => {
    const meta = { key: "ns/b", uid: "b", resourceVersion: "2" };
    const [entry, broken] = [thing("ns/a", "1"), Entry.fromBytes<Thing>(meta, new SlabAllocator(), Buffer.from("{b"))];
    const watch = new ScriptedWatch();
    bench.server.onWatch(watch);
    prepare();
    await bench.start();
    watch.send(added(entry), added(broken));
    await settle();
    expect(entry.isDecoded).toBe(isDecoded);
    // Nobody has read it yet.
    expect(bench.errors).toEqual([]);
  });

  test("handlers and readers of one object decode it once", async () => {
    const parse = vi.spyOn(JSON, "parse");
    try {
      bench.server.onWatch(synced(thing("a", "1", { value: "x" })));
      const objects: unknown[] = [];
      for (let i = 0; i < 3; i++) bench.informer.addEventHandler(({ object }) => void objects.push(object));
      await bench.start();
      objects.push(bench.informer.indexer.get("a"), bench.informer.lister.get("a"));
      expect(new Set(objects).size).toBe(1);
      expect(parse).toHaveBeenCalledTimes(1);
    } finally {
      parse.mockRestore();
    }
  });
});

describe("a handler that joins", () => {
  test.each([undefined, null, "onAdd"])("must be one: %s is refused, and leaves nothing behind", async (handler) => {
    bench.server.onWatch(synced(thing("a", "1")));
    expect(() => bench.informer.addEventHandler(handler as unknown as () => void)).toThrow(/function.*not /);
    const { log } = bench.record();
    await bench.start();
    expect(log).toEqual(["add a@1 initial"]);
    expect(bench.informer.health().handlers).toHaveLength(1);
  });

  test("late is told of nothing before its registration is there", async () => {
    bench.server.onWatch(new ScriptedWatch(added(thing("a", "1")), endBookmark("5")));
    await bench.start();
    const { log } = bench.record();
    expect(log).toEqual([]);
    await settle();
    expect(log).toEqual(["add a@1 initial"]);
  });

  test("late is given what is cached as its initial list, then what changes", async () => {
    const watch = synced(thing("a", "1"), thing("b", "2"));
    bench.server.onWatch(watch);
    await bench.start();
    watch.send(deleted(thing("b", "101")));
    await settle();
    const { log, registration } = bench.record();
    expect(registration.hasSynced()).toBe(false);
    watch.send(modified(thing("a", "102")));
    await settle();
    expect(log).toEqual(["add a@1 initial", "update a@1→102"]);
    expect(registration.hasSynced()).toBe(true);
  });

  test("while a relist is handed out in slices is told of everything once", async () => {
    bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
    const things = (version: string) => Array.from({ length: 30 }, (_, i) => thing(`t${i}`, version));
    const watch = synced(...things("1"));
    bench.server.onWatch(watch, new ScriptedWatch(...things("150").map(added), endBookmark("200")));
    const early = bench.record();
    await bench.start();
    await turnUntil("the first list is told of", () => early.registration.hasSynced());
    early.log.length = 0;
    watch.send(errorEvent(expired()));
    await bench.clock.advance(0);
    await turnUntil("some of the relist is told of", () => early.log.length > 5);
    expect(early.log.length).toBeLessThan(30);
    const late = bench.record();
    await turnUntil("all of it is", () => early.log.length === 30 && late.log.length >= 30);
    await settle(50);
    expect(late.log).toEqual(things("150").map(({ key }) => `add ${key}@150 initial`));
    expect(early.log).toEqual(things("150").map(({ key }) => `update ${key}@1→150`));
  });

  test("while the initial list is handed out has synced when it has seen it all", async () => {
    bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
    const things = Array.from({ length: 30 }, (_, i) => thing(`t${i}`, "1"));
    bench.server.onWatch(synced(...things));
    const early = bench.record();
    await bench.start();
    await turnUntil("some of the list is told of", () => early.log.length > 5);
    expect(bench.informer.hasSynced()).toBe(false);
    const late = bench.record();
    await turnUntil("both have synced", () => early.registration.hasSynced() && late.registration.hasSynced());
    expect(late.log).toEqual(things.map(({ key }) => `add ${key}@1 initial`));
  });

  test("from within a handler is told from then on", async () => {
    const watch = synced(thing("a", "1"));
    bench.server.onWatch(watch);
    let joined: ReturnType<InformerBench["record"]> | undefined;
    bench.informer.addEventHandler(() => {
      joined ??= bench.record();
    });
    await bench.start();
    watch.send(modified(thing("a", "101")));
    await settle();
    expect(joined?.log).toEqual(["add a@1 initial", "update a@1→101"]);
  });
});

describe("a handler that leaves", () => {
  test("hears of nothing more, whatever else goes on", async () => {
    const watch = synced(thing("a", "1"));
    bench.server.onWatch(watch);
    const leaving = bench.record();
    const staying = bench.record();
    await bench.start();
    await leaving.registration.remove();
    await leaving.registration.remove();
    watch.send(modified(thing("a", "101")));
    await settle();
    expect(leaving.log).toEqual(["add a@1 initial"]);
    expect(staying.log).toEqual(["add a@1 initial", "update a@1→101"]);
    expect(bench.informer.health().handlers).toHaveLength(1);
  });

  test("has left when the call that ran has returned", async () => {
    bench.server.onWatch(synced(thing("a", "1"), thing("b", "2")));
    const call = deferred();
    const began: string[] = [];
    const registration = bench.informer.addEventHandler(({ key }) => {
      began.push(key);
      return call.promise;
    });
    await bench.start();
    const removed = registration.remove();
    expect(await isSettled(removed)).toBe(false);
    call.resolve();
    await removed;
    expect(began).toEqual(["a"]);
  });
});

describe("sync", () => {
  test("comes with the whole list in the cache; a handler's, when it has handled it", async () => {
    const watch = new ScriptedWatch(added(thing("a", "1")));
    bench.server.onWatch(watch);
    const call = deferred();
    const registration = bench.informer.addEventHandler(() => call.promise);
    await bench.start();
    expect(bench.informer.hasSynced()).toBe(false);
    expect(bench.informer.indexer.size).toBe(0);
    expect(await isSettled(bench.informer.synced())).toBe(false);
    watch.send(endBookmark("100"));
    await settle();
    expect(bench.informer.hasSynced()).toBe(true);
    expect(await isSettled(bench.informer.synced())).toBe(true);
    expect(registration.hasSynced()).toBe(false);
    call.resolve();
    await settle();
    expect(registration.hasSynced()).toBe(true);
    expect(await isSettled(registration.synced())).toBe(true);
  });

  test("stays when the connection is lost", async () => {
    bench.server.onWatch(synced().break()).onEveryWatch(connectionLost);
    await bench.start();
    await bench.clock.advance(100_000);
    expect(bench.informer.hasSynced()).toBe(true);
  });
});

test("indexes added late hold what is cached already, and what comes", async () => {
  const watch = synced(thing("a", "1", { value: "x" }));
  bench.server.onWatch(watch);
  await bench.start();
  bench.informer.addIndexers({ value: (object) => (object.spec?.value === undefined ? [] : [object.spec.value]) });
  expect(bench.informer.indexer.indexKeys("value", "x")).toEqual(["a"]);
  watch.send(added(thing("b", "101", { value: "x" })), modified(thing("a", "102", { value: "y" })));
  await settle();
  expect(bench.informer.indexer.indexKeys("value", "x")).toEqual(["b"]);
  expect(() => bench.informer.addIndexers({ value: () => [] })).toThrow(/"value"/);
});

describe("stop", () => {
  const PHASES: Readonly<Record<string, (bench: InformerBench) => unknown>> = {
    "before the answer": ({ server }) => server.onWatch("silence"),
    "before the end bookmark": ({ server }) => server.onWatch(new ScriptedWatch(added(thing("a", "1")))),
    "in a list": ({ server }) => server.onWatch(refusal(422)).onList("silence"),
    "in a pause": ({ server }) => server.onEveryWatch(connectionLost),
    "while it watches": ({ server }) => server.onWatch(synced(thing("a", "1"))),
    "before a resync": ({ server, informer }) => {
      informer.addEventHandler(() => {}, { resyncPeriodMs: 5_000 });
      server.onWatch(synced(thing("a", "1")));
    },
  };

  test.each(Object.keys(PHASES))("%s resolves and leaves nothing behind", async (phase) => {
    PHASES[phase]!(bench);
    await bench.start();
    expect(bench.clock.pendingTimers).toBeGreaterThan(0);
    await bench.stop();
    expect(bench.clock.pendingTimers).toBe(0);
    expect(getEventListeners(bench.signal, "abort")).toEqual([]);
    expect(bench.informer.isStopped()).toBe(true);
    expect(bench.informer.health().phase).toBe("stopped");
    const requests = bench.server.requests.length;
    await bench.clock.advance(600_000);
    expect(bench.server.requests).toHaveLength(requests);
  });

  test("before the start asks for nothing", async () => {
    await bench.stop();
    await bench.start();
    expect(bench.server.requests).toEqual([]);
    expect(bench.informer.isStopped()).toBe(true);
  });

  test("while the first list is handed out is no sync, and leaves no timer for a resync", async () => {
    bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
    bench.server.onWatch(synced(...Array.from({ length: 30 }, (_, i) => thing(`t${i}`, "1"))));
    const { log } = bench.record({ resyncPeriodMs: 5_000 });
    await bench.start();
    await turnUntil("some of the list is told of", () => log.length > 5);
    await bench.stop();
    const { length } = log;
    expect(length).toBeLessThan(30);
    expect(bench.informer.hasSynced()).toBe(false);
    expect(bench.clock.pendingTimers).toBe(0);
    await settle(20);
    expect(log).toHaveLength(length);
  });

  test("waits for the calls that run, and drops what is pending", async () => {
    bench.server.onWatch(synced(thing("a", "1"), thing("b", "2")));
    const call = deferred();
    const began: string[] = [];
    bench.informer.addEventHandler(({ key }) => {
      began.push(key);
      return call.promise;
    });
    await bench.start();
    const stopped = bench.stop();
    expect(await isSettled(stopped)).toBe(false);
    call.resolve();
    await stopped;
    expect(began).toEqual(["a"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("is for good, but what is cached can still be read", async () => {
    bench.server.onWatch(synced(thing("a", "1")));
    await bench.start();
    const { registration } = bench.record();
    await bench.stop();
    expect(() => bench.informer.addEventHandler(() => {})).toThrow(/things\.v1 was stopped/);
    expect(() => bench.informer.addIndexers({})).toThrow(/things\.v1 was stopped/);
    expect(await isSettled(bench.informer.run(new AbortController().signal))).toBe(true);
    expect(bench.server.requests).toHaveLength(1);
    expect(bench.informer.lister.get("a")?.metadata.name).toBe("a");
    expect(bench.informer.hasSynced()).toBe(true);
    await registration.remove();
  });

  test("a second run is the first one", async () => {
    bench.server.onWatch(synced());
    await bench.start();
    const again = new AbortController();
    const running = bench.informer.run(again.signal);
    again.abort();
    expect(await isSettled(running)).toBe(false);
    expect(bench.server.requests).toHaveLength(1);
    await bench.stop();
    await running;
  });

  test("a second run is the first one also for who hears of its beginning", async () => {
    bench.server.onWatch(synced(), synced());
    bench.informer.onHealthChange(() => void bench.informer.run(bench.signal));
    await bench.start();
    expect(bench.server.requests).toHaveLength(1);
  });

  test("by one signal of many informers warns of nothing", async () => {
    const warning = vi.fn();
    process.on("warning", warning);
    const abort = new AbortController();
    const running = Array.from({ length: 30 }, () => new InformerBench().informer.run(abort.signal));
    await settle(3);
    abort.abort();
    await Promise.all(running);
    process.off("warning", warning);
    expect(warning).not.toHaveBeenCalled();
  });
});
