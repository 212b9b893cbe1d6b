import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import type { Entry } from "../../runtime/cache/entry.js";
import {
  deliver,
  Notification,
  type ResourceEventHandler,
  type ResourceEventHandlerFunc,
} from "../../runtime/cache/event-handler.js";
import { distribute, type ListenerOptions, ProcessorListener, SharedProcessor } from "../../runtime/cache/processor.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { type Deferred, deferred } from "../../runtime/util/abort.js";
import { Turn } from "../../runtime/util/turn.js";
import { recorder, type Thing, thing } from "../support/entries.js";
import { isSettled, settle } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

let clock: VirtualClock;
let errors: InformerError[];
beforeEach(() => {
  clock = new VirtualClock();
  errors = [];
});

function listen(
  handler: ResourceEventHandler<Thing> | ResourceEventHandlerFunc<Thing>,
  options: Partial<ListenerOptions<Thing>> = {},
): ProcessorListener<Thing> {
  const environment = { clock, turn: new Turn(clock), onHandlerError: (error: InformerError) => errors.push(error) };
  const defaults = { name: "test", resyncPeriodMs: 0, maxPending: 10_000, onOverflow: "coalesce" } as const;
  return new ProcessorListener(handler, { ...defaults, ...options }, environment);
}

const add = (key: string, version = "1") => Notification.add(thing(key, version), false, clock.now());

const initial = (key: string) => Notification.add(thing(key, "1"), true, clock.now());

/** A handler that begins a call and does not return from it until the test says so. */
function slowHandler() {
  const began: string[] = [];
  const calls: Deferred<void>[] = [];
  const handle: ResourceEventHandlerFunc<Thing> = ({ key }) => {
    began.push(key);
    const call = deferred();
    calls.push(call);
    return call.promise;
  };
  return { began, calls, handle };
}

describe("what a handler is given", () => {
  const lost = thing("ns/b", "2");
  const events = [
    Notification.add(thing("ns/a", "1"), true, 0),
    Notification.add(thing("ns/b", "2"), false, 0),
    Notification.update(thing("ns/a", "1"), thing("ns/a", "3"), 0),
    Notification.delete(thing("ns/a", "3"), thing("ns/a", "4"), 0),
    Notification.delete(lost, lost, 0),
  ];

  test("as an object: objects", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    for (const event of events) listener.add(event);
    await settle();
    expect(log).toEqual(["add ns/a@1 initial", "add ns/b@2", "update ns/a@1→3", "delete ns/a@4", "tombstone ns/b@2"]);
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
    await settle();
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
    await settle();
    expect(entry.isDecoded).toBe(false);
    expect(listener.pending).toBe(0);
  });

  test("not within the step that made it, but after", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    listener.add(add("a"));
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
    await settle();
    expect(began).toEqual(["a"]);
    expect(listener.pending).toBe(2);
    calls[0]!.resolve();
    await settle();
    expect(began).toEqual(["a", "b"]);
    calls[1]!.resolve();
    await settle();
    expect(began).toEqual(["a", "b", "c"]);
  });

  test("does not delay another", async () => {
    const slow = slowHandler();
    const { log, handler } = recorder();
    const listeners = [listen(slow.handle), listen(handler)];
    for (const key of ["a", "b", "c"]) distribute(listeners, add(key));
    await settle();
    expect(slow.began).toEqual(["a"]);
    expect(log).toEqual(["add a@1", "add b@1", "add c@1"]);
  });

  test("goes on with what comes after it had nothing to do", async () => {
    const { log, handler } = recorder();
    const listener = listen(handler);
    listener.add(add("a"));
    await settle();
    listener.add(add("b"));
    await settle();
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
    await settle();
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
    await settle();
    calls[0]!.resolve();
    listener.initialListAdded();
    listener.add(add("live"));
    await settle();
    expect(listener.hasSynced).toBe(false);
    expect(await isSettled(listener.synced)).toBe(false);
    calls[1]!.resolve();
    await settle();
    expect(listener.hasSynced).toBe(true);
    expect(await isSettled(listener.synced)).toBe(true);
  });

  test("not while the list is still handed out, even if the handler keeps up", async () => {
    const listener = listen(() => {});
    listener.add(initial("a"));
    await settle();
    expect(listener.hasSynced).toBe(false);
    listener.initialListAdded();
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
    await settle();
    expect(failing.hasSynced).toBe(true);
  });
});

describe("remove", () => {
  test("drops what is pending, waits for the call that runs, and nothing comes after", async () => {
    const { began, calls, handle } = slowHandler();
    const listener = listen(handle);
    for (const key of ["a", "b"]) listener.add(add(key));
    await settle();
    const removed = listener.remove();
    expect(listener.pending).toBe(0);
    expect(await isSettled(removed)).toBe(false);
    calls[0]!.resolve();
    await removed;
    listener.add(add("c"));
    await settle();
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
    await settle();
    expect(began).toEqual(["a", "removed"]);
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
    await settle();
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
    expect(await waits).toMatchObject({ code: "stopped" });
    listener.initialListAdded();
    expect(listener.hasSynced).toBe(false);
  });
});

describe("a queue that is full", () => {
  const at = (key: string, version: number, uid?: string) =>
    thing(key, String(version), uid === undefined ? {} : { uid });
  const update = (key: string, from: number, to: number) =>
    Notification.update(at(key, from), at(key, to), clock.now());
  const remove = (key: string, from: number, to: number) =>
    Notification.delete(at(key, from), at(key, to), clock.now());

  /** A handler that is held at its first event until `go`, with room for one more. */
  function held(options: Partial<ListenerOptions<Thing>> = {}) {
    const { log, handler } = recorder();
    const gate = deferred();
    const listener = listen(
      (event) => {
        const call = deliver(event, handler);
        return log.length === 1 ? gate.promise : call;
      },
      { maxPending: 1, ...options },
    );
    listener.add(add("held"));
    return { listener, log, go: () => gate.resolve() };
  }

  /** What a held handler is told of these, `filler` being what fills the queue. */
  async function toldOf(...notifications: Notification<Thing>[]): Promise<string[]> {
    const { listener, log, go } = held();
    await settle();
    listener.add(add("filler"));
    for (const notification of notifications) listener.add(notification);
    go();
    await settle();
    return log.slice(2);
  }

  test("tells what waits of one object as one change", async () => {
    expect(await toldOf(add("a", "1"), update("a", 1, 2), update("a", 2, 3))).toEqual(["add a@3"]);
    expect(await toldOf(update("a", 1, 2), update("a", 2, 3), update("a", 3, 4))).toEqual(["update a@1→4"]);
    expect(await toldOf(update("a", 1, 2), remove("a", 2, 3))).toEqual(["delete a@3"]);
    expect(await toldOf(remove("a", 2, 3), add("a", "4"), update("a", 4, 5))).toEqual(["update a@2→5"]);
    const lost = at("a", 2);
    expect(await toldOf(update("a", 1, 2), Notification.delete(lost, lost, 0))).toEqual(["tombstone a@2"]);
  });

  test("tells nothing of an object that came and went", async () => {
    expect(await toldOf(add("a", "1"), update("a", 1, 2), remove("a", 2, 3), add("b"))).toEqual(["add b@1"]);
  });

  test("keeps two objects of one name apart", async () => {
    const first = at("a", 1, "first");
    const second = Notification.add(at("a", 5, "second"), false, 0);
    const told = await toldOf(Notification.delete(first, first, 0), second, add("b"));
    expect(told).toEqual(["add b@1", "tombstone a@1", "add a@5"].sort((x, y) => told.indexOf(x) - told.indexOf(y)));
    expect(told.indexOf("tombstone a@1")).toBeLessThan(told.indexOf("add a@5"));
    expect(
      await toldOf(
        Notification.delete(first, first, 0),
        second,
        Notification.delete(at("a", 5, "second"), at("a", 6, "second"), 0),
      ),
    ).toEqual(["tombstone a@1"]);
  });

  test("tells what filled it unmerged and first, then one change for each key in the order of their first", async () => {
    const { listener, log, go } = held({ maxPending: 2 });
    await settle();
    for (const n of [add("a"), update("a", 1, 2), update("b", 1, 2), update("a", 2, 3), update("b", 2, 4)])
      listener.add(n);
    expect(listener.health).toMatchObject({ pending: 4, coalesced: 1 });
    go();
    await settle();
    expect(log).toEqual(["add held@1", "add a@1", "update a@1→2", "update b@1→4", "update a@2→3"]);
    listener.add(update("b", 4, 5));
    await settle();
    expect(log.at(-1)).toBe("update b@4→5");
  });

  test("takes the initial list whole all the same, also where others are dropped", async () => {
    const { listener, log, go } = held({ onOverflow: () => {} });
    await settle();
    for (const key of ["a", "b", "c"]) listener.add(initial(key));
    listener.initialListAdded();
    go();
    await settle();
    expect(log.slice(1)).toEqual(["add a@1 initial", "add b@1 initial", "add c@1 initial"]);
    expect(listener.hasSynced).toBe(true);
  });

  test("grows with the objects, not with the events", async () => {
    const { listener } = held({ maxPending: 10 });
    await settle();
    for (let i = 0; i < 10_000; i++) {
      listener.add(update(`k${i % 7}`, i, i + 1));
      listener.add(add(`short-lived-${i}`));
      listener.add(remove(`short-lived-${i}`, 1, 2));
    }
    expect(listener.pending).toBeLessThanOrEqual(10 + 7 + 4);
  });

  test("that blocks has no room until half of it is handled, and loses nothing", async () => {
    const { began, calls, handle } = slowHandler();
    const listener = listen(handle, { maxPending: 4, onOverflow: "block" });
    for (const key of ["a", "b", "c", "d"]) listener.add(add(key));
    expect(listener.room).toBeUndefined();
    listener.add(add("e"));
    const room = listener.room!;
    await settle();
    calls[0]!.resolve();
    await settle();
    expect(await isSettled(room)).toBe(false);
    calls[1]!.resolve();
    await settle();
    expect(await isSettled(room)).toBe(true);
    expect(listener.room).toBeUndefined();
    expect(began).toEqual(["a", "b", "c"]);
    expect(listener.pending).toBe(2);
  });

  test("that blocks gives room when its handler is removed", async () => {
    const listener = listen(() => {}, { maxPending: 1, onOverflow: "block" });
    for (const key of ["a", "b"]) listener.add(add(key));
    const room = listener.room!;
    await listener.remove();
    expect(await isSettled(room)).toBe(true);
    expect(listener.room).toBeUndefined();
  });

  test.each<[string, () => void]>([
    [
      "throws",
      () => {
        throw new Error("full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("full"))],
  ])("gives what is dropped to a function, and reports when it %s", async (_, fail) => {
    const dropped: string[] = [];
    const { listener, log, go } = held({
      onOverflow: ({ type, key }) => {
        dropped.push(`${type} ${key}`);
        return fail();
      },
    });
    await settle();
    for (const n of [add("a"), add("b"), update("a", 1, 2)]) listener.add(n);
    go();
    await settle();
    expect(log).toEqual(["add held@1", "add a@1"]);
    expect(dropped).toEqual(["add b", "update a"]);
    expect(listener.health).toMatchObject({ dropped: 2, failures: 2, coalesced: 0 });
    expect(errors[0]?.message).toBe("the overflow function of handler test, add of b: full");
  });
});

test("a full queue tells a well-formed story that ends as it really does, whatever comes and however slow the handler is", async () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "__proto__"),
    action: fc.constantFrom("write", "write", "delete", "recreate", "handle" as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), async (steps, maxPending) => {
      const calls: Deferred<void>[] = [];
      const told = new Map<string, string>();
      const listener = listen(
        (event) => {
          const { type, key } = event;
          const { metadata } = event.object;
          const before = told.get(key);
          expect(type === "add", `${type} of ${key}`).toBe(before === undefined);
          if (event.type !== "add") {
            const { uid, resourceVersion } = event.oldObject.metadata;
            expect(uid + resourceVersion, `what the ${type} of ${key} starts from`).toBe(before);
          }
          if (type === "delete") told.delete(key);
          else told.set(key, metadata.uid + metadata.resourceVersion);
          const call = deferred();
          calls.push(call);
          return call.promise;
        },
        { maxPending },
      );
      const objects = new Map<string, Entry<Thing>>();
      let version = 0;
      for (const { key, action } of steps) {
        const old = objects.get(key);
        const next = (uid: string) => thing(key, String(++version), { uid });
        if (action === "handle") {
          calls.shift()?.resolve();
          await settle();
        } else if (action === "write") {
          const entry = next(old?.uid ?? `uid-${version}`);
          objects.set(key, entry);
          listener.add(old === undefined ? Notification.add(entry, false, 0) : Notification.update(old, entry, 0));
        } else if (old !== undefined) {
          objects.delete(key);
          listener.add(Notification.delete(old, action === "delete" ? next(old.uid) : old, 0));
          if (action === "delete") continue;
          const entry = next(`uid-${version}`);
          objects.set(key, entry);
          listener.add(Notification.add(entry, false, 0));
        }
        expect(listener.pending).toBeLessThanOrEqual(maxPending + 2 * 3 + 3);
      }
      for (let i = 0; i < 500 && (calls.length > 0 || listener.pending > 0); i++) {
        calls.shift()?.resolve();
        await settle();
      }
      const really = [...objects].map(([key, { uid, resourceVersion }]) => [key, uid + resourceVersion]);
      expect([...told].sort()).toEqual(really.sort());
      expect(errors).toEqual([]);
    }),
    { numRuns: 300 },
  );
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
    await clock.advance(1_000);
    listener.add(add("b"));
    await clock.advance(500);
    expect(listener.health).toMatchObject({ pending: 1, oldestPendingMs: 500, runningMs: 1_500, failures: 0 });
    calls[0]!.reject(new Error("no"));
    await settle();
    await clock.advance(10);
    expect(listener.health).toMatchObject({ pending: 0, oldestPendingMs: undefined, runningMs: 10, failures: 1 });
    calls[1]!.resolve();
    await settle();
    expect(listener.health).toMatchObject({ runningMs: undefined, failures: 1 });
  });

  test("counts what waits from its first change, also where later ones were merged into it", async () => {
    const first = deferred();
    const listener = listen(({ key }) => (key === "held" ? first.promise : new Promise(() => {})), { maxPending: 1 });
    listener.add(add("held"));
    await settle();
    listener.add(add("a"));
    await clock.advance(1_000);
    listener.add(add("b"));
    await clock.advance(1_000);
    listener.add(Notification.update(thing("b", "1"), thing("b", "2"), clock.now()));
    expect(listener.health).toMatchObject({ pending: 2, oldestPendingMs: 2_000, runningMs: 2_000, coalesced: 1 });
    first.resolve();
    await settle();
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
    await settle();
    void processor.remove(leaving);
    const stopped = processor.stop();
    stays.calls[0]!.resolve();
    expect(await isSettled(stopped)).toBe(false);
    leaves.calls[0]!.resolve();
    await stopped;
    expect([stays.began, leaves.began]).toEqual([["a"], ["a"]]);
  });
});
