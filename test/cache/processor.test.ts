/** What one handler is given, and when, and what becomes of it. Over 400 lines, as each rule of H in the specification is a short test. */
import { beforeEach, describe, expect, test } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import { Notification } from "../../runtime/cache/event-handler.js";
import { distribute, type ProcessorListener, SharedProcessor } from "../../runtime/cache/processor.js";
import type { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { deferred } from "../../runtime/util/abort.js";
import { recorder, type Thing, thing } from "../support/entries.js";
import { ListenerBench, slowHandler } from "../support/listener.js";
import { isSettled, settle, soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

let clock: VirtualClock;
let errors: InformerError[];
let listen: ListenerBench["listen"];
let add: ListenerBench["add"];
let delivered: ListenerBench["delivered"];
let initial: ListenerBench["initial"];
beforeEach(() => {
  const bench = new ListenerBench();
  ({ clock, errors } = bench);
  listen = bench.listen.bind(bench);
  add = bench.add.bind(bench);
  delivered = bench.delivered.bind(bench);
  initial = bench.initial.bind(bench);
});

describe("what a handler is given", () => {
  const lost = thing("ns/b", "2");
  const events = [
    Notification.add(thing("ns/a", "1"), true, 0),
    Notification.add(thing("ns/b", "2"), false, 0),
    Notification.update(thing("ns/a", "1"), thing("ns/a", "3"), 0),
    Notification.delete(thing("ns/a", "3"), thing("ns/a", "4"), 0),
    Notification.delete(lost, undefined, 0),
  ];

  test("as an object: objects", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    for (const event of events) listener.add(event);
    await delivered();
    expect(log).toEqual(["add ns/a@1 initial", "add ns/b@2", "update ns/a@1→3", "delete ns/a@4", "tombstone ns/b@2"]);
  });

  test("what gives back something that is no promise has ended", async () => {
    const keys = new Set<string>();
    const given: unknown[] = [keys, 1, null, "then"];
    const listener = listen(({ key }) => keys.add(key) && given.shift());
    for (const event of events) listener.add(event);
    await delivered();
    expect([...keys]).toEqual(["ns/a", "ns/b"]);
    expect([given, errors]).toEqual([[], []]);
    expect(await isSettled(listener.idle)).toBe(true);
  });

  test("what gives back a promise of any library is awaited", async () => {
    const { promise, resolve } = deferred();
    // biome-ignore lint/suspicious/noThenProperty: that of another library
    const listener = listen(() => ({ then: promise.then.bind(promise) }));
    for (const event of events) listener.add(event);
    await delivered();
    expect(listener.pending).toBe(events.length - 1);
    resolve();
    await soon(listener.idle);
    expect(listener.pending).toBe(0);
  });

  test("as a function: the event, whose parts can be taken out", async () => {
    const seen: unknown[] = [];
    const listener = listen((event) => {
      const { type, key, object } = event;
      const old = type !== "add" ? event.oldObject.metadata.resourceVersion : undefined;
      const flag = type === "add" ? event.isInInitialList : type === "delete" ? event.finalStateUnknown : undefined;
      seen.push([type, key, object.metadata.resourceVersion, old, flag]);
    });
    for (const event of events) listener.add(event);
    await delivered();
    expect(seen).toEqual([
      ["add", "ns/a", "1", undefined, true],
      ["add", "ns/b", "2", undefined, false],
      ["update", "ns/a", "3", "1", undefined],
      ["delete", "ns/a", "4", "3", false],
      ["delete", "ns/b", "2", "2", true],
    ]);
  });

  test("nothing, for what it does not handle, and then nothing is decoded", async () => {
    const entry = thing("a", "1");
    const listener = listen({ onDelete: () => {} });
    listener.add(Notification.add(entry, false, 0));
    await delivered();
    expect(entry.isDecoded).toBe(false);
    expect(listener.pending).toBe(0);
  });

  test("not within the step that made it, but after", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    listener.add(add("a"));
    await settle();
    expect(log).toEqual([]);
    listener.deliver();
    expect(log).toEqual(["add a@1"]);
  });

  test("later, where whoever adds it has not returned", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    listener.add(add("a"));
    listener.deliverLater();
    expect(log).toEqual([]);
    await settle();
    expect(log).toEqual(["add a@1"]);
  });
});

describe("a handler that takes its time", () => {
  test("is given one event at a time, in order", async () => {
    const { began, calls, handle } = slowHandler();
    const listener = listen(handle);
    for (const key of ["a", "b", "c"]) listener.add(add(key));
    await delivered();
    expect(began).toEqual(["a"]);
    expect(listener.pending).toBe(2);
    calls[0]!.resolve();
    await delivered();
    expect(began).toEqual(["a", "b"]);
    calls[1]!.resolve();
    await delivered();
    expect(began).toEqual(["a", "b", "c"]);
  });

  test("does not delay another", async () => {
    const slow = slowHandler();
    const { log, handler } = recorder();
    const listeners = [listen(slow.handle), listen(handler)];
    for (const key of ["a", "b", "c"]) distribute(listeners, add(key));
    await delivered();
    expect(slow.began).toEqual(["a"]);
    expect(log).toEqual(["add a@1", "add b@1", "add c@1"]);
  });

  test("goes on with what comes after it had nothing to do", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    listener.add(add("a"));
    await delivered();
    listener.add(add("b"));
    await delivered();
    expect(log).toEqual(["add a@1", "add b@1"]);
  });
});

describe("a handler that fails", () => {
  test.each<[string, (key: string) => void | Promise<void>]>([
    [
      "throws",
      (key) => {
        throw new Error(`no ${key}`);
      },
    ],
    ["rejects", (key) => Promise.reject(new Error(`no ${key}`))],
  ])("%s: is reported with its event, and given the next", async (_, fail) => {
    const listener = listen(({ key }) => fail(key));
    listener.add(add("ns/a"));
    listener.add(add("ns/b"));
    await delivered();
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ["handler", "handler test, add of ns/a: no ns/a"],
      ["handler", "handler test, add of ns/b: no ns/b"],
    ]);
    expect(errors[0]?.cause).toEqual(new Error("no ns/a"));
  });
});

describe("hasSynced", () => {
  test("once it has returned from every event of the initial list, and not before", async () => {
    const { calls, handle } = slowHandler();
    const listener = listen(handle);
    listener.add(initial("a"));
    listener.add(initial("b"));
    await delivered();
    calls[0]!.resolve();
    listener.initialListAdded();
    listener.add(add("live"));
    await delivered();
    expect(listener.hasSynced).toBe(false);
    expect(await isSettled(listener.synced)).toBe(false);
    calls[1]!.resolve();
    await delivered();
    expect(listener.hasSynced).toBe(true);
    expect(await isSettled(listener.synced)).toBe(true);
  });

  test("not while the list is still handed out, even if the handler keeps up", async () => {
    const listener = listen(() => {});
    listener.add(initial("a"));
    await delivered();
    expect(listener.hasSynced).toBe(false);
    listener.initialListAdded();
    expect(listener.hasSynced).toBe(true);
  });

  test("not while the last call of the list runs, when the list has been handed out meanwhile", async () => {
    const { calls, handle } = slowHandler();
    const listener = listen(handle);
    listener.add(initial("a"));
    await delivered();
    listener.initialListAdded();
    expect(listener.hasSynced).toBe(false);
    calls[0]!.resolve();
    await delivered();
    expect(listener.hasSynced).toBe(true);
  });

  test("at once when there is nothing to give, and also when the handler throws", async () => {
    const empty = listen(() => {});
    empty.initialListAdded();
    expect(empty.hasSynced).toBe(true);
    const failing = listen(() => {
      throw new Error("no");
    });
    failing.add(initial("a"));
    failing.initialListAdded();
    await delivered();
    expect(failing.hasSynced).toBe(true);
  });
});

describe("remove", () => {
  test("drops what is pending, waits for the call that runs, and nothing comes after", async () => {
    const { began, calls, handle } = slowHandler();
    const listener = listen(handle);
    for (const key of ["a", "b"]) listener.add(add(key));
    await delivered();
    const removed = listener.remove();
    expect(listener.pending).toBe(0);
    expect(await isSettled(removed)).toBe(false);
    expect(clock.pendingTimers).toBe(1);
    calls[0]!.resolve();
    await removed;
    expect(clock.pendingTimers).toBe(0);
    listener.add(add("c"));
    await delivered();
    expect(began).toEqual(["a"]);
  });

  test("resolves at once for a handler that is idle, and a second time", async () => {
    const listener = listen(() => {});
    expect(await isSettled(listener.remove())).toBe(true);
    expect(await isSettled(listener.remove())).toBe(true);
  });

  test("within the handler's own call does not wait for that call, and takes effect after it", async () => {
    const began: string[] = [];
    const listener: ProcessorListener<Thing> = listen(async ({ key }) => {
      began.push(key);
      await listener.remove();
      began.push("removed");
    });
    listener.add(add("a"));
    listener.add(add("b"));
    await delivered();
    expect(began).toEqual(["a", "removed"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("within a call that came after another was awaited does not wait for that call either", async () => {
    const began: string[] = [];
    const listener: ProcessorListener<Thing> = listen(async ({ key }) => {
      if (key === "a") await undefined;
      else await listener.remove();
      began.push(key);
    });
    for (const key of ["a", "b", "c"]) listener.add(add(key));
    await delivered();
    expect(began).toEqual(["a", "b"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("after an await of the call waits for it for two seconds, and then says so", async () => {
    const began: string[] = [];
    const listener: ProcessorListener<Thing> = listen(async ({ key }) => {
      await undefined;
      await listener.remove();
      began.push(key);
    });
    listener.add(add("a"));
    await delivered();
    await clock.advance(1_999);
    expect(began).toEqual([]);
    await clock.advance(1);
    expect(began).toEqual(["a"]);
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ["handler", "handler test: a call runs on 2000 ms after the end, and is not waited for any more"],
    ]);
  });

  test("before it has synced rejects whoever waits for that, and harms nobody else", async () => {
    const listener = listen(() => {});
    const waits = informerErrorOf(listener.synced);
    await listener.remove();
    expect(await soon(waits)).toMatchObject({ code: "stopped" });
    listener.initialListAdded();
    expect(listener.hasSynced).toBe(false);
  });
});

describe("health", () => {
  test("says what waits since when, what runs, and what failed", async () => {
    const { calls, handle } = slowHandler();
    const listener = listen(handle);
    expect(listener.health).toEqual({
      name: "test",
      synced: false,
      pending: 0,
      oldestPendingMs: undefined,
      runningMs: undefined,
      failures: 0,
      coalesced: 0,
      dropped: 0,
    });
    listener.add(add("a"));
    await delivered();
    await clock.advance(1_000);
    listener.add(add("b"));
    await clock.advance(500);
    expect(listener.health).toMatchObject({ pending: 1, oldestPendingMs: 500, runningMs: 1_500, failures: 0 });
    calls[0]!.reject(new Error("no"));
    await delivered();
    await clock.advance(10);
    expect(listener.health).toMatchObject({ pending: 0, oldestPendingMs: undefined, runningMs: 10, failures: 1 });
    calls[1]!.resolve();
    await delivered();
    expect(listener.health).toMatchObject({ runningMs: undefined, failures: 1 });
  });

  test("counts what waits from its first change, also where later ones were merged into it", async () => {
    const first = deferred();
    const listener = listen(({ key }) => (key === "held" ? first.promise : new Promise(() => {})), { maxPending: 1 });
    listener.add(add("held"));
    await delivered();
    listener.add(add("a"));
    await clock.advance(1_000);
    listener.add(add("b"));
    await clock.advance(1_000);
    listener.add(Notification.update(thing("b", "1"), thing("b", "2"), clock.now()));
    expect(listener.health).toMatchObject({ pending: 2, oldestPendingMs: 2_000, runningMs: 2_000, coalesced: 1 });
    first.resolve();
    await delivered();
    expect(listener.health).toMatchObject({ pending: 1, oldestPendingMs: 1_000, runningMs: 0 });
  });
});

describe("resync", () => {
  test("is due each period, counted from the end of the initial list", async () => {
    const listener = listen(() => {}, { resyncPeriodMs: 2_000 });
    await clock.advance(10_000);
    expect(listener.resyncDue(clock.now())).toBe(false);
    listener.initialListAdded();
    expect(listener.nextResyncMs).toBe(12_000);
    expect(listener.resyncDue(11_999)).toBe(false);
    expect(listener.resyncDue(12_000)).toBe(true);
    expect(listener.resyncDue(12_000)).toBe(false);
    expect(listener.resyncDue(14_500)).toBe(true);
    expect(listener.nextResyncMs).toBe(16_500);
  });

  test("is never due for a handler that asked for none", () => {
    const listener = listen(() => {});
    listener.initialListAdded();
    expect(listener.nextResyncMs).toBe(Number.POSITIVE_INFINITY);
    expect(listener.resyncDue(Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe("the handlers of an informer", () => {
  test("are a snapshot to whoever goes through them", () => {
    const processor = new SharedProcessor<Thing>();
    const first = listen(() => {});
    processor.add(first);
    const { listeners } = processor;
    const second = listen(() => {});
    processor.add(second);
    void processor.remove(first);
    expect(listeners).toEqual([first]);
    expect(processor.listeners).toEqual([second]);
  });

  test("stop when no call runs any more, those of removed handlers included", async () => {
    const processor = new SharedProcessor<Thing>();
    const stays = slowHandler();
    const leaves = slowHandler();
    const leaving = listen(leaves.handle);
    processor.add(listen(stays.handle));
    processor.add(leaving);
    distribute(processor.listeners, add("a"));
    distribute(processor.listeners, add("b"));
    await delivered();
    void processor.remove(leaving);
    const stopped = processor.stop();
    stays.calls[0]!.resolve();
    expect(await isSettled(stopped)).toBe(false);
    leaves.calls[0]!.resolve();
    await stopped;
    expect([stays.began, leaves.began]).toEqual([["a"], ["a"]]);
  });
});
