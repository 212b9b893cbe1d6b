import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import type { Entry } from "../../runtime/cache/entry.js";
import type { InformerHealth } from "../../runtime/cache/health.js";
import type { ListerWatcher } from "../../runtime/cache/list-watch.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { recorder, type Thing, thing } from "../support/entries.js";
import { InformerBench } from "../support/informer.js";
import {
  added,
  bookmark,
  connectionLost,
  deleted,
  endBookmark,
  errorEvent,
  expired,
  modified,
  page,
  refusal,
  ScriptedListerWatcher,
  ScriptedWatch,
  synced,
} from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

let bench: InformerBench;
beforeEach(() => {
  bench = new InformerBench();
});
afterEach(() => bench.stop());

describe("resync", () => {
  const updates = (log: readonly string[]) => log.filter((line) => line.startsWith("update")).length;

  beforeEach(() => {
    bench = new InformerBench({ resyncPeriodMs: 4_000 });
    bench.server.onWatch(synced(thing("a", "1")));
  });

  test("each handler has its own period, its informer's where it does not say", async () => {
    const never = bench.record({ resyncPeriodMs: 0 }).log;
    const two = bench.record({ resyncPeriodMs: 2_000 }).log;
    const three = bench.record({ resyncPeriodMs: 3_000 }).log;
    const four = bench.record().log;
    await bench.start();
    const counts: number[][] = [];
    for (let seconds = 1; seconds <= 8; seconds++) {
      await bench.clock.advance(1_000);
      counts.push([never, two, three, four].map(updates));
    }
    expect(counts).toEqual([
      [0, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 1, 1, 0],
      [0, 2, 1, 1],
      [0, 2, 1, 1],
      [0, 3, 2, 1],
      [0, 3, 2, 1],
      [0, 4, 2, 2],
    ]);
    expect(two).toContain("update a@1→1");
    expect(bench.server.requests).toHaveLength(1);
  });

  test("comes once a second at most", async () => {
    const log = bench.record({ resyncPeriodMs: 1 }).log;
    await bench.start();
    await bench.clock.advance(999);
    expect(updates(log)).toBe(0);
    await bench.clock.advance(9_001);
    expect(updates(log)).toBe(10);
  });

  test("is not put off by handlers that join, and counts for each from its own beginning", async () => {
    const early = bench.record().log;
    await bench.start();
    const late: string[][] = [];
    for (let joins = 0; joins < 5; joins++) {
      await bench.clock.advance(1_000);
      late.push(bench.record().log);
    }
    expect(updates(early)).toBe(1);
    expect(late.map(updates)).toEqual([1, 0, 0, 0, 0]);
  });

  test("begins with a handler that comes late, where nobody else asked for one", async () => {
    await bench.start();
    await bench.clock.advance(10_000);
    const late = bench.record().log;
    await bench.clock.advance(3_999);
    expect(updates(late)).toBe(0);
    await bench.clock.advance(1);
    expect(updates(late)).toBe(1);
  });

  test("ends with the handler", async () => {
    const { log, handler } = recorder();
    const registration = bench.informer.addEventHandler(handler);
    await bench.start();
    await registration.remove();
    await bench.clock.advance(20_000);
    expect(updates(log)).toBe(0);
    // The watch's own deadline is all that is left.
    expect(bench.clock.pendingTimers).toBe(1);
  });

  test("goes on after a handler threw at one", async () => {
    let calls = 0;
    bench.informer.addEventHandler({
      onUpdate: () => {
        calls++;
        throw new Error("no");
      },
    });
    await bench.start();
    await bench.clock.advance(12_000);
    expect(calls).toBe(3);
  });
});

describe("transform", () => {
  test("is what the cache and the handlers get, once for each object that comes in", async () => {
    const seen: string[] = [];
    bench = new InformerBench({
      resyncPeriodMs: 1_000,
      transform: (object) => {
        seen.push(object.metadata!.resourceVersion!);
        return { ...object, spec: { value: "stripped" } };
      },
    });
    const watch = synced(thing("a", "1", { value: "secret" }));
    bench.server.onWatch(watch);
    const values: unknown[] = [];
    bench.informer.addEventHandler(({ object }) => void values.push(object.spec?.value));
    await bench.start();
    watch.send(modified(thing("a", "101", { value: "secret" })));
    await bench.clock.advance(5_000);
    expect(seen).toEqual(["1", "101"]);
    expect(new Set(values)).toEqual(new Set(["stripped"]));
    expect(bench.informer.lister.get("a")?.spec?.value).toBe("stripped");
  });

  test("is not applied to what it gave, where a list finds it still cached", async () => {
    const seen: string[] = [];
    let cached: ((key: string) => Entry<Thing> | undefined) | undefined;
    class Reusing extends ScriptedListerWatcher implements ListerWatcher<Thing> {
      reuse(of: typeof cached) {
        cached = of;
      }
    }
    const clock = new VirtualClock();
    const server = new Reusing(clock);
    const transform = (object: Thing) => {
      seen.push(object.metadata!.resourceVersion!);
      return { ...object, spec: { value: `${object.spec?.value} once` } };
    };
    bench = new InformerBench({ listerWatcher: () => server, transform, reflector: { streaming: false } }, clock);
    const watch = new ScriptedWatch();
    server.onList(page("9", [thing("a", "1", { value: "made" })])).onWatch(watch);
    await bench.start();
    server.onList(page("20", [cached!("a")!, thing("b", "15", { value: "new" })]));
    watch.send(errorEvent(expired()));
    await clock.advance(0);
    expect(seen).toEqual(["1", "15"]);
    expect(bench.informer.lister.list().map(({ spec }) => spec?.value)).toEqual(["made once", "new once"]);
  });

  const REFUSALS: Readonly<Record<string, () => unknown>> = {
    throws: () => {
      throw new Error("no such field");
    },
    "gives back nothing": () => undefined,
    "gives back a promise": () => Promise.resolve({ metadata: { name: "bad" } }),
    "loses the metadata": () => ({ kind: "Thing" }),
  };

  test.each(Object.keys(REFUSALS))("that %s for an object leaves it out, says so, and harms no other", async (name) => {
    bench = new InformerBench({
      transform: (object) => (object.metadata?.name === "bad" ? (REFUSALS[name]!() as Thing) : object),
    });
    const watch = synced(thing("bad", "1"), thing("good", "2"));
    bench.server.onWatch(watch);
    const log = bench.record().log;
    await bench.start();
    watch.send(modified(thing("bad", "101")), modified(thing("good", "102")), deleted(thing("bad", "103")));
    await settle();
    expect(log).toEqual(["add good@2 initial", "update good@2→102"]);
    expect(bench.informer.indexer.listKeys()).toEqual(["good"]);
    expect(bench.errors[0]?.message).toContain("transform of things.v1 bad");
    expect(bench.errors.every(({ code }) => code === "transform")).toBe(true);
    expect(bench.informer.lastSyncResourceVersion()).toBe("103");
  });

  test("that refuses an object which is cached does not keep it from being deleted", async () => {
    let refuses = false;
    bench = new InformerBench({
      transform: (object) => {
        if (refuses) throw new Error("no");
        return object;
      },
    });
    const watch = synced(thing("a", "1"));
    bench.server.onWatch(watch);
    const log = bench.record().log;
    await bench.start();
    refuses = true;
    watch.send(deleted(thing("a", "101")));
    await settle();
    expect(log).toEqual(["add a@1 initial", "delete a@101"]);
    expect(bench.informer.indexer.size).toBe(0);
  });
});

describe("what is reported", () => {
  test("each kind of failure once until things are well, and that a resourceVersion expired not at all", async () => {
    bench.server
      .onWatch(connectionLost(), connectionLost(), refusal(403), connectionLost())
      .onList(refusal(403), page("9"))
      .onEveryWatch(() => new ScriptedWatch(errorEvent(expired())));
    await bench.start();
    await bench.clock.advance(30_000);
    expect(bench.errors.map(({ code }) => code)).toEqual(["connection", "forbidden"]);
  });

  test("an open watch alone is no recovery: one that breaks again at once belongs to the same failure", async () => {
    bench.server.onWatch(synced().break());
    bench.server.onEveryWatch(() => new ScriptedWatch().break());
    await bench.start();
    await bench.clock.advance(120_000);
    expect(bench.errors.map(({ code }) => code)).toEqual(["connection"]);
    expect(bench.informer.health().consecutiveFailures).toBeGreaterThan(3);
  });

  test("anew after things were well", async () => {
    const first = synced();
    const second = new ScriptedWatch(bookmark("110"));
    bench.server.onWatch(first, second);
    await bench.start();
    for (const watch of [first, second]) {
      watch.break();
      await bench.clock.advance(10_000);
    }
    expect(bench.errors.map(({ code }) => code)).toEqual(["connection", "connection"]);
  });

  test("a handler that throws, by the name that it was given, and the others never notice", async () => {
    bench.server.onWatch(synced(thing("a", "1")));
    const failing = bench.informer.addEventHandler(
      () => {
        throw new Error("boom");
      },
      { name: "reconciler" },
    );
    const log = bench.record().log;
    await bench.start();
    expect(bench.errors.map(({ message }) => message)).toEqual(["handler reconciler, add of a: boom"]);
    expect(log).toEqual(["add a@1 initial"]);
    expect(failing.hasSynced()).toBe(true);
  });

  test.each<[string, () => void]>([
    [
      "throws",
      () => {
        throw new Error("the reporter is broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the reporter is broken"))],
  ])("to somebody who %s: nothing else breaks", async (_, onError) => {
    bench = new InformerBench({
      onError,
      transform: (object) => {
        if (object.metadata?.name === "bad") throw new Error("no");
        return object;
      },
    });
    bench.server.onWatch(connectionLost()).onWatch(synced(thing("bad", "1"), thing("good", "2")));
    bench.informer.addIndexers({
      broken: () => {
        throw new Error("no");
      },
    });
    const handled: string[] = [];
    bench.informer.addEventHandler(({ key }) => {
      handled.push(key);
      throw new Error("no");
    });
    await bench.start();
    await bench.clock.advance(1_000);
    expect(handled).toEqual(["good"]);
    expect(bench.informer.hasSynced()).toBe(true);
  });
});

describe("health", () => {
  test("follows the informer through its life", async () => {
    const { informer, clock, server } = bench;
    const first = new ScriptedWatch(added(thing("a", "1")));
    const second = new ScriptedWatch();
    server.onWatch(first, connectionLost(), second);
    informer.addEventHandler(() => {}, { name: "mine" });
    const wallStart = clock.wallNow();
    const now = () => informer.health();
    expect(now()).toMatchObject({
      resource: "things.v1",
      phase: "idle",
      synced: false,
      objects: 0,
      lastError: undefined,
    });

    await clock.advance(1_000);
    await bench.start();
    expect(now()).toMatchObject({ phase: "listing", sinceMs: wallStart + 1_000, synced: false, objects: 0 });
    expect(now().handlers).toMatchObject([{ name: "mine", pending: 0, synced: false }]);

    await clock.advance(1_000);
    first.send(endBookmark("100"));
    await settle();
    expect(now()).toMatchObject({ phase: "watching", sinceMs: wallStart + 2_000, synced: true, objects: 1 });
    expect(now()).toMatchObject({ lastBookmarkMs: wallStart + 2_000, lastEventMs: undefined, resourceVersion: "100" });
    expect(now().handlers).toMatchObject([{ name: "mine", pending: 0, synced: true }]);

    await clock.advance(1_000);
    first.send(modified(thing("a", "101"))).break();
    await clock.advance(0);
    expect(now()).toMatchObject({
      phase: "waiting",
      synced: true,
      consecutiveFailures: 2,
      lastEventMs: wallStart + 3_000,
    });
    expect(now().lastError).toBeInstanceOf(InformerError);
    expect(now().lastErrorMs).toBe(wallStart + 3_000);

    const failing = { consecutiveFailures: 2, failingSinceMs: wallStart + 3_000 };
    await clock.advance(2_000);
    expect(now()).toMatchObject({ phase: "watching", ...failing, resourceVersion: "101" });
    await clock.advance(30_000);
    expect(now()).toMatchObject({ phase: "watching", consecutiveFailures: 0, failingSinceMs: undefined });
    expect(now().lastError?.code).toBe("connection");

    await bench.stop();
    expect(now()).toMatchObject({ phase: "stopped", synced: true, objects: 1 });
  });

  test("says when it changes, until it is asked to stop; a listener that throws harms nobody", async () => {
    const { informer, server, clock } = bench;
    const first = synced();
    const third = new ScriptedWatch();
    server.onWatch(first, connectionLost(), third);
    const seen: string[] = [];
    informer.onHealthChange(() => {
      throw new Error("the listener is broken");
    });
    const listener = ({ phase, synced, failingSinceMs }: InformerHealth) => {
      seen.push(`${phase}${synced ? " synced" : ""}${failingSinceMs === undefined ? "" : " failing"}`);
    };
    const end = informer.onHealthChange(listener);
    await bench.start();
    expect(seen.splice(0)).toEqual(["listing", "watching", "watching synced"]);
    first.break();
    await clock.advance(10_000);
    expect(seen.splice(0)).toEqual([
      "waiting synced failing",
      "watching synced failing",
      "waiting synced failing",
      "watching synced failing",
    ]);
    third.send(modified(thing("a", "101")));
    await settle();
    expect(seen.splice(0)).toEqual(["watching synced"]);
    end();
    await bench.stop();
    expect(seen).toEqual([]);
  });
});
