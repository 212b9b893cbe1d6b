import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Controller } from "../../runtime/cache/controller.js";
import { DeltaFIFO } from "../../runtime/cache/delta-fifo.js";
import { Entry } from "../../runtime/cache/entry.js";
import type { ProcessorListener } from "../../runtime/cache/processor.js";
import { SlabAllocator, type SlabReader } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { type Deferred, deferred } from "../../runtime/util/abort.js";
import { ControllerBench } from "../support/controller-bench.js";
import { type Thing, thing } from "../support/entries.js";
import { SlowTurn } from "../support/informer.js";
import { settle, turnUntil } from "../support/settle.js";

let bench: ControllerBench;
beforeEach(() => {
  bench = new ControllerBench();
});
afterEach(async () => {
  bench.queue.close();
  // A handler that blocks holds up the controller until it is removed.
  void bench.processor.stop();
  await bench.run;
});

describe("a change", () => {
  test("is an add, an update or a delete by what the cache knew, whatever the server called it", async () => {
    const log = bench.record();
    bench.queue.replace([thing("a", "1")], "1");
    bench.enqueue("Added", thing("a", "2"));
    bench.enqueue("Updated", thing("b", "3"));
    bench.enqueue("Deleted", thing("never-seen", "4"));
    bench.enqueue("Deleted", thing("a", "5"));
    await settle();
    expect(log).toEqual(["add a@1 initial", "update a@1→2", "delete a@5", "add b@3"]);
    expect(bench.indexer.listKeys()).toEqual(["b"]);
  });

  test("that deletes is no tombstone, also when the server says nothing new of the object", async () => {
    const log = bench.record();
    const last = thing("a", "1");
    bench.queue.replace([last], "1");
    bench.enqueue("Deleted", last);
    await settle();
    expect(log).toEqual(["add a@1 initial", "delete a@1"]);
  });

  test("is in the cache and its indexes before the handler hears of it", async () => {
    const seen: unknown[] = [];
    bench.indexer.addIndexers({ value: (object) => [object.spec?.value ?? ""] });
    bench.listen(({ type, key }) => {
      seen.push([type, key, bench.indexer.get(key)?.metadata.resourceVersion, bench.indexer.indexKeys("value", "x")]);
    });
    bench.queue.replace([], "1");
    bench.enqueue("Added", thing("a", "2", { value: "x" }));
    await settle();
    bench.enqueue("Deleted", thing("a", "3"));
    await settle();
    expect(seen).toEqual([
      ["add", "a", "2", ["a"]],
      ["delete", "a", undefined, []],
    ]);
  });

  test("from one object to another under the same name is a tombstone and an add", async () => {
    const log = bench.record();
    bench.queue.replace([thing("a", "1", { uid: "first" })], "1");
    bench.enqueue("Updated", thing("a", "5", { uid: "second" }));
    await settle();
    expect(log).toEqual(["add a@1 initial", "tombstone a@1", "add a@5"]);
  });

  test("moves the resourceVersion of the cache up to the first change that is still missing, and says so", async () => {
    bench.queue.replace([], "100");
    await settle();
    bench.enqueue("Added", thing("a", "101"));
    bench.enqueue("Added", thing("b", "102"));
    bench.enqueue("Updated", thing("a", "103"));
    await settle();
    expect(bench.advancedTo).toEqual(["100", "101", "103"]);
    expect(bench.indexer.listKeys()).toEqual(["a", "b"]);
  });

  test("moves the resourceVersion of the cache, and so does a bookmark", async () => {
    bench.queue.replace([], "1");
    bench.enqueue("Added", thing("a", "7"));
    await settle();
    expect(bench.indexer.resourceVersion).toBe("7");
    bench.queue.bookmark("20");
    await settle();
    expect(bench.indexer.resourceVersion).toBe("20");
  });
});

test("slabs that were written enough of are compacted between two changes, by what is cached then", async () => {
  bench.queue.close();
  await bench.run;
  const compacted: number[] = [];
  class FullSlabs extends SlabAllocator {
    override get wantsCompaction() {
      return true;
    }
    override *compacting(cached: () => Iterable<SlabReader>) {
      const { length } = [...cached()];
      // However long it takes, with turns of the loop in between.
      for (let i = 0; i < 40; i++) yield;
      compacted.push(length);
    }
  }
  bench = new ControllerBench(new SlowTurn(bench.clock), new FullSlabs());
  bench.queue.replace([thing("a", "1")], "1");
  bench.enqueue("Added", thing("b", "2"));
  await turnUntil("all of it is taken in", () => compacted.length === 3);
  expect(compacted).toEqual([0, 1, 2]);
});

test("lists of two namespaces that come together are taken in one after the other", async () => {
  const { indexer, processor, clock } = bench;
  const turn = new SlowTurn(clock);
  const controllers = ["one", "two"].map((namespace) => {
    const queue = new DeltaFIFO<Thing>();
    const options = { queue, namespace, indexer, processor, slabs: undefined, clock, turn };
    const controller = new Controller({ ...options, resyncing: () => [], onSynced: () => {}, onAdvanced: () => {} });
    queue.replace(
      Array.from({ length: 10 }, (_, at) => thing(`${namespace}/t${at}`, "5")),
      "5",
    );
    return { queue, run: controller.run() };
  });
  await turnUntil(
    "both are there",
    () => indexer.resourceVersionOf("one") === "5" && indexer.resourceVersionOf("two") === "5",
  );
  expect(indexer.size).toBe(20);
  for (const { queue } of controllers) queue.close();
  await Promise.all(controllers.map(({ run }) => run));
});

describe("a list", () => {
  test("tells of deletions first, then of the rest in its order, and not of what is as it was", async () => {
    const log = bench.record();
    bench.queue.replace([thing("gone", "1"), thing("same", "2"), thing("changed", "3")], "3");
    await settle();
    log.length = 0;
    const kept = bench.indexer.getEntry("same");
    bench.queue.replace([thing("new", "9"), thing("changed", "8"), thing("same", "2")], "9");
    await settle();
    expect(log).toEqual(["tombstone gone@1", "add new@9", "update changed@3→8"]);
    expect(bench.indexer.getEntry("same")).toBe(kept);
    expect(bench.indexer.resourceVersion).toBe("9");
  });

  test("with another object under a name is a tombstone and an add", async () => {
    const log = bench.record();
    bench.queue.replace([thing("a", "1", { uid: "first" })], "1");
    bench.queue.replace([thing("a", "5", { uid: "second" })], "5");
    await settle();
    expect(log).toEqual(["add a@1 initial", "tombstone a@1", "add a@5"]);
  });

  test("is the initial one only the first time, also when it is empty", async () => {
    const log = bench.record();
    bench.queue.replace([], "1");
    await settle();
    expect(bench.synced).toBe(1);
    bench.queue.replace([thing("a", "2")], "2");
    await settle();
    expect(log).toEqual(["add a@2"]);
    expect(bench.synced).toBe(1);
  });

  test("whose object is no JSON after all is listed without it in the indexes, and the rest goes on", async () => {
    bench.indexer.addIndexers({ value: (object) => [object.spec?.value ?? ""] });
    const meta = { key: "bad", uid: "u", resourceVersion: "1" };
    const bad = Entry.fromBytes<Thing>(meta, new SlabAllocator(), Buffer.from('{"metadata":{},"spec":broken}'));
    bench.queue.replace([bad, thing("good", "2", { value: "x" })], "2");
    await settle();
    expect(bench.synced).toBe(1);
    expect(bench.indexer.listKeys()).toEqual(["bad", "good"]);
    expect(bench.indexer.listIndexValues("value")).toEqual(["x"]);
    expect(bench.errors.map(({ code }) => code)).toEqual(["decode"]);
  });
});

describe("in slices", () => {
  const many = (resourceVersion: string) => Array.from({ length: 50 }, (_, i) => thing(`t${i}`, resourceVersion));

  beforeEach(async () => {
    bench.queue.close();
    await bench.run;
    bench = new ControllerBench(new SlowTurn(new VirtualClock()));
  });

  test("the loop turns between two notifications, and readers see the old list or the new one, never half", async () => {
    const log = bench.record();
    bench.queue.replace(many("1"), "1");
    await turnUntil("the first list is told of", () => log.length === 50);
    bench.queue.replace(many("2").slice(0, 25), "2");
    const sizes = new Set<number>();
    const told = new Set<number>();
    await turnUntil("the relist is told of", () => {
      sizes.add(bench.indexer.size);
      told.add(log.length);
      return log.length === 100;
    });
    expect([...sizes].filter((size) => size !== 50)).toEqual([25]);
    expect(told.size).toBeGreaterThan(10);
    expect(log.slice(50)).toEqual([
      ...many("1")
        .slice(25)
        .map(({ key }) => `tombstone ${key}@1`),
      ...many("2")
        .slice(0, 25)
        .map(({ key }) => `update ${key}@1→2`),
    ]);
  });

  test("what is queued meanwhile comes after", async () => {
    const log = bench.record();
    bench.queue.replace(many("1"), "1");
    await turnUntil("some of it is told of", () => log.length > 5);
    bench.enqueue("Deleted", thing("t0", "60"));
    await turnUntil("all of it is told of", () => log.length === 51);
    expect(log.at(-1)).toBe("delete t0@60");
    expect(new Set(log).size).toBe(51);
  });

  test("a handler that joins meanwhile is not told by them: it was given the new content as a whole", async () => {
    const log = bench.record();
    bench.queue.replace(many("1"), "1");
    await turnUntil("some of it is told of", () => log.length > 5);
    const late = bench.record();
    await turnUntil("all of it is told of", () => log.length === 50 && bench.synced === 1);
    bench.enqueue("Added", thing("x", "2"));
    await turnUntil("the next change is told of", () => log.length === 51);
    await settle(5);
    expect(late).toEqual(["add x@2"]);
  });

  test("a stop in the middle ends them, and what was told of in part is no sync", async () => {
    const log = bench.record();
    bench.queue.replace(many("1"), "1");
    await turnUntil("some of it is told of", () => log.length > 5);
    bench.queue.close();
    await bench.run;
    const { length } = log;
    await settle(20);
    expect(log.length - length).toBeLessThanOrEqual(1);
    expect(bench.synced).toBe(0);
  });
});

test("a resync tells those that are due of every object, as an update from itself to itself", async () => {
  const log = bench.record();
  const due: string[] = [];
  bench.resyncing.push(
    bench.listen({ onUpdate: (old, object) => void due.push(`${object.metadata.name} ${old === object}`) }),
  );
  bench.queue.replace([thing("a", "1"), thing("b", "2")], "2");
  bench.queue.resync();
  await settle();
  expect(due).toEqual(["a true", "b true"]);
  expect(log).toEqual(["add a@1 initial", "add b@2 initial"]);
});

test("a resync leaves out objects of which something waits for the handler already", async () => {
  const call = deferred();
  const due: string[] = [];
  const listener = bench.listen(({ type, key }) => {
    due.push(`${type} ${key}`);
    return call.promise;
  });
  bench.resyncing.push(listener);
  bench.queue.replace([thing("a", "1"), thing("b", "2"), thing("c", "3")], "3");
  for (let i = 0; i < 3; i++) {
    bench.queue.resync();
    await settle();
  }
  expect(listener.pending).toBe(3);
  call.resolve();
  await settle();
  expect(due).toEqual(["add a", "add b", "add c", "update a"]);
});

test("a handler finds the cache as new as what it is told of", async () => {
  const seen: string[] = [];
  bench.listen(({ key }) => void seen.push(`${key} at ${bench.indexer.resourceVersion}`));
  bench.queue.replace([thing("a", "1")], "3");
  await settle();
  bench.enqueue("Updated", thing("a", "4"));
  await settle();
  expect(seen).toEqual(["a at 3", "a at 4"]);
});

describe("a handler that blocks when its queue is full", () => {
  let call: Deferred<void>;
  let listener: ProcessorListener<Thing>;
  beforeEach(async () => {
    call = deferred();
    listener = bench.listen(() => call.promise, { maxPending: 2, onOverflow: "block" });
    bench.queue.replace([], "1");
    await settle();
  });

  test("holds up cache and queue until half of it is handled, and is told of everything then", async () => {
    const log = bench.record();
    for (let version = 2; version < 12; version++) bench.enqueue("Updated", thing(`k${version}`, String(version)));
    await settle();
    // One is handled, two wait, and one too many was on its way.
    expect(log).toHaveLength(4);
    expect(bench.indexer.size).toBe(4);
    expect(bench.queue.length).toBe(6);
    call.resolve();
    await settle();
    expect(log).toHaveLength(10);
    expect(listener.health).toMatchObject({ pending: 0, coalesced: 0, dropped: 0 });
  });

  test("holds up the changes of one object as well, that were collected", async () => {
    const log = bench.record();
    for (let version = 2; version < 12; version++) bench.enqueue("Updated", thing("a", String(version)));
    await settle();
    expect(log).toHaveLength(3);
    expect(bench.indexer.getEntry("a")?.resourceVersion).toBe("4");
    expect(bench.indexer.resourceVersion).toBe("1");
    bench.enqueue("Updated", thing("b", "12"));
    call.resolve();
    await settle();
    expect(log).toHaveLength(11);
    expect(bench.indexer.resourceVersion).toBe("12");
  });

  test("holds up a relist too, and lets it go on", async () => {
    const things = Array.from({ length: 10 }, (_, i) => thing(`k${i}`, "5"));
    const log = bench.record();
    bench.queue.replace(things, "5");
    await settle();
    expect(log).toHaveLength(3);
    call.resolve();
    await settle();
    expect(log).toHaveLength(10);
  });

  test("does not hold up what others are told after it was removed", async () => {
    const log = bench.record();
    for (let version = 2; version < 12; version++) bench.enqueue("Updated", thing(`k${version}`, String(version)));
    await settle();
    void bench.processor.remove(listener);
    await settle();
    expect(log).toHaveLength(10);
  });
});

test("what is queued when it stops is dropped", async () => {
  const log = bench.record();
  bench.enqueue("Added", thing("a", "1"));
  bench.queue.replace([thing("b", "2")], "2");
  bench.queue.close();
  await bench.run;
  await settle();
  expect(log).toEqual([]);
  expect(bench.indexer.listKeys()).toEqual([]);
});
