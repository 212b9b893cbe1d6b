/** Fault matrix, L rows: handlers that join, leave and are stopped; and R5, a handler that cannot keep up. */
import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StopResult } from "../../runtime/cache/informer-options.js";
import { deferred } from "../../runtime/util/abort.js";
import { thing, things } from "../support/entries.js";
import { InformerBench, SlowTurn } from "../support/informer.js";
import {
  added,
  endBookmark,
  errorEvent,
  expired,
  modified,
  ScriptedWatch,
  synced,
} from "../support/scripted-lister-watcher.js";
import { isSettled, settle, turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

let bench: InformerBench;
beforeEach(() => {
  bench = new InformerBench();
});
afterEach(async () => {
  const stopped = bench.stop();
  await bench.clock.advance(2_000);
  await stopped;
});

describe("L3: a stop while things wait for a handler", () => {
  /** A handler whose first call runs until it is let go on. */
  const slow = async () => {
    bench.server.onWatch(synced(...things(3)));
    const call = deferred();
    const began: string[] = [];
    bench.informer.addEventHandler(({ key }) => {
      began.push(key);
      return call.promise;
    });
    await bench.start();
    expect(bench.informer.health().handlers[0]?.pending).toBe(2);
    return { call, began };
  };

  test("drops them and says how many, and waits for the call that runs", async () => {
    const { call, began } = await slow();
    const stopped = bench.informer.stop();
    expect(await isSettled(stopped)).toBe(false);
    call.resolve();
    expect(await stopped).toEqual({ dropped: 2 });
    expect(began).toEqual(["t0"]);
    expect(await bench.informer.stop()).toEqual({ dropped: 2 });
  });

  test("with drain tells of all that was read, and reads nothing more", async () => {
    const { call, began } = await slow();
    const stopped = bench.informer.stop({ drain: true });
    await bench.clock.advance(600_000);
    expect(await isSettled(stopped)).toBe(false);
    expect(bench.server.requests).toHaveLength(1);
    call.resolve();
    expect(await stopped).toEqual({ dropped: 0 });
    expect(began).toEqual(["t0", "t1", "t2"]);
    expect(bench.informer.isStopped()).toBe(true);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("with drain takes in what is queued behind a handler that blocks", async () => {
    const call = deferred();
    const began: string[] = [];
    const handler = ({ key }: { key: string }) => {
      began.push(key);
      return call.promise;
    };
    bench.informer.addEventHandler(handler, { maxPending: 1, onOverflow: "block" });
    bench.server.onWatch(synced().send(...things(5, "101").map(added)));
    await bench.start();
    expect(bench.informer.indexer.size).toBeLessThan(5);
    const stopped = bench.informer.stop({ drain: true });
    call.resolve();
    expect(await stopped).toEqual({ dropped: 0 });
    expect(began).toHaveLength(5);
    expect(bench.informer.indexer.size).toBe(5);
  });

  test.each<[string, (abort: AbortController) => void]>([
    ["its signal", (abort) => abort.abort()],
    ["a second stop without drain", () => void bench.informer.stop()],
  ])("drains no longer than until %s", async (_, end) => {
    const { call, began } = await slow();
    const abort = new AbortController();
    const stopped = bench.informer.stop({ drain: true, signal: abort.signal });
    await settle();
    end(abort);
    call.resolve();
    expect(await stopped).toEqual({ dropped: 2 });
    expect(began).toEqual(["t0"]);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("with drain that the handler itself asks for does not wait for itself, and says what it was not told of", async () => {
    bench.server.onWatch(synced(...things(3)));
    const stopped = deferred<StopResult>();
    bench.informer.addEventHandler(async () => stopped.resolve(await bench.informer.stop({ drain: true })));
    await bench.start();
    expect(await stopped.promise).toEqual({ dropped: 2 });
    expect(bench.informer.isStopped()).toBe(true);
  });

  test("before the start leaves nothing to drain, and nothing to wait for", async () => {
    const { registration } = bench.record();
    const waits = informerErrorOf(registration.synced());
    expect(await bench.informer.stop({ drain: true })).toEqual({ dropped: 0 });
    expect((await waits).code).toBe("stopped");
  });
});

test("L5: a handler leaves with the scope that holds its registration", async () => {
  bench.server.onWatch(synced(...things(1)));
  await bench.start();
  {
    await using registration = bench.record().registration;
    await registration.synced();
    expect(bench.informer.health().handlers).toHaveLength(1);
  }
  expect(bench.informer.health().handlers).toEqual([]);
});

/** Moments in the life of an informer that lists 20 objects in slices, follows a change of each, and relists. */
const MOMENTS = [
  "before the start",
  "within the list",
  "in its slices",
  "after it",
  "with changes",
  "at the relist",
] as const;

async function live(act: (moment: (typeof MOMENTS)[number]) => void): Promise<void> {
  bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
  const first = new ScriptedWatch(...things(10).map(added));
  const relist = [...things(15, "150"), thing("new", "160")];
  bench.server.onWatch(first, new ScriptedWatch(...relist.map(added), endBookmark("200")));
  const { log } = bench.record();
  act("before the start");
  await bench.start();
  act("within the list");
  first.send(...things(20).slice(10).map(added), endBookmark("100"));
  await turnUntil("some of the list is told of", () => log.length > 5);
  act("in its slices");
  await turnUntil("the list is told of", () => log.length === 20 && bench.informer.hasSynced());
  act("after it");
  first.send(...things(20, "120").map(modified));
  await turnUntil("some changes are told of", () => log.length > 30);
  act("with changes");
  await turnUntil("all are", () => log.length === 40);
  first.send(errorEvent(expired()));
  await bench.clock.advance(0);
  await turnUntil("some of the relist is told of", () => log.length > 45);
  act("at the relist");
  await turnUntil("all of it is", () => log.length === 40 + 5 + 15 + 1);
  await settle(100);
}

describe.each(MOMENTS)("a handler at this moment: %s", (moment) => {
  test("L4: that joins is told of each object once as there, then of each change", async () => {
    let joined!: ReturnType<InformerBench["record"]>;
    await live((now) => {
      if (now === moment) joined = bench.record();
    });
    const versions = new Map<string, string>();
    for (const line of joined.log) {
      const [, type, key, from, to] = /^(\w+) (\S+?)@(\d+)(?:→(\d+))?/.exec(line)!;
      if (type === "add") expect(versions.has(key!), line).toBe(false);
      else expect(versions.get(key!), line).toBe(from);
      if (type === "tombstone") versions.delete(key!);
      else versions.set(key!, to ?? from!);
    }
    const cached = bench.informer.indexer.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
    expect([...versions].sort()).toEqual(cached.sort());
    expect(joined.registration.hasSynced()).toBe(true);
  });

  test("L5: that leaves hears of nothing more", async () => {
    const leaver = { log: [] as string[], length: -1 };
    await live((now) => {
      if (now === "before the start") Object.assign(leaver, bench.record());
      if (now !== moment) return;
      void (leaver as unknown as ReturnType<InformerBench["record"]>).registration.remove();
      leaver.length = leaver.log.length;
    });
    expect(leaver.log).toHaveLength(leaver.length);
  });
});

describe("L9: a loop over events", () => {
  test.each<[string, number]>([
    ["that breaks", 1],
    ["that throws", 2],
  ])("%s leaves no handler behind, and the informer runs on", async (_, throwAt) => {
    bench.server.onWatch(synced(...things(3)));
    await bench.start();
    let seen = 0;
    const loop = async () => {
      for await (const _event of bench.informer.events()) {
        if (++seen === throwAt) throw new Error("no");
        if (throwAt === 1) break;
      }
    };
    await loop().catch(() => {});
    expect(bench.informer.health()).toMatchObject({ handlers: [], phase: "watching" });
  });

  test("that never reads on holds no more than there are objects, and does not hold up a stop", async () => {
    const watch = synced(...things(3));
    bench.server.onWatch(watch);
    await bench.start();
    const events = bench.informer.events({ maxPending: 4 });
    await events.next();
    for (let version = 101; version < 1_101; version++) watch.send(modified(thing("t0", String(version))));
    await settle();
    expect(bench.informer.health().handlers[0]?.pending).toBeLessThanOrEqual(4 + 3);
    await bench.stop();
    expect((await events.next()).done).toBe(true);
  });
});

test("R5: a handler that blocks stops the reading of the watch, and the cache goes on from there", async () => {
  const watch = synced();
  let reads = 0;
  const next = watch.next.bind(watch);
  watch.next = () => {
    reads++;
    return next();
  };
  bench.server.onWatch(watch);
  const call = deferred();
  const seen: string[] = [];
  bench.informer.addEventHandler(
    ({ key }) => {
      seen.push(key);
      return call.promise;
    },
    { maxPending: 10, onOverflow: "block" },
  );
  await bench.start();
  const CHUNKS = 100;
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const at = (i: number) => String(101 + chunk * 100 + i);
    watch.send(...Array.from({ length: 100 }, (_, i) => added(thing(`k${at(i)}`, at(i)))));
  }
  // Longer than a watch may be silent, and it is not taken for dead: the silence is ours.
  await bench.clock.advance(1_200_000);
  // What waits for the handler, a queue of a thousand changes, and the chunk that filled it.
  expect(reads).toBeLessThan(15);
  expect(bench.informer.indexer.size).toBeLessThan(15);
  call.resolve();
  await turnUntil("all is handled", () => seen.length === CHUNKS * 100);
  expect(bench.server.requests.filter(({ verb }) => verb === "watch")).toHaveLength(1);
  expect(bench.errors).toEqual([]);
  // A connection that dies afterwards is noticed as ever.
  await bench.clock.advance(700_000);
  expect(bench.errors.map(({ code }) => code)).toEqual(["timeout"]);
});
