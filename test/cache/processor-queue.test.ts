import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import type { Entry } from "../../runtime/cache/entry.js";
import { deliver, Notification } from "../../runtime/cache/event-handler.js";
import type { ListenerOptions } from "../../runtime/cache/processor.js";
import type { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { type Deferred, deferred } from "../../runtime/util/abort.js";
import { recorder, type Thing, thing } from "../support/entries.js";
import { ListenerBench, slowHandler } from "../support/listener.js";
import { isSettled } from "../support/settle.js";

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
    await delivered();
    listener.add(add("filler"));
    for (const notification of notifications) listener.add(notification);
    go();
    await delivered();
    return log.slice(2);
  }

  test("tells what waits of one object as one change", async () => {
    expect(await toldOf(add("a", "1"), update("a", 1, 2), update("a", 2, 3))).toEqual(["add a@3"]);
    expect(await toldOf(update("a", 1, 2), update("a", 2, 3), update("a", 3, 4))).toEqual(["update a@1→4"]);
    expect(await toldOf(update("a", 1, 2), remove("a", 2, 3))).toEqual(["delete a@3"]);
    expect(await toldOf(remove("a", 2, 3), add("a", "4"), update("a", 4, 5))).toEqual(["update a@2→5"]);
    const lost = at("a", 2);
    expect(await toldOf(update("a", 1, 2), Notification.delete(lost, undefined, 0))).toEqual(["tombstone a@2"]);
  });

  test("tells nothing of an object that came and went", async () => {
    expect(await toldOf(add("a", "1"), update("a", 1, 2), remove("a", 2, 3), add("b"))).toEqual(["add b@1"]);
  });

  test("keeps two objects of one name apart", async () => {
    const first = at("a", 1, "first");
    const second = Notification.add(at("a", 5, "second"), false, 0);
    const told = await toldOf(Notification.delete(first, undefined, 0), second, add("b"));
    expect(told).toEqual(["add b@1", "tombstone a@1", "add a@5"].sort((x, y) => told.indexOf(x) - told.indexOf(y)));
    expect(told.indexOf("tombstone a@1")).toBeLessThan(told.indexOf("add a@5"));
    expect(
      await toldOf(
        Notification.delete(first, undefined, 0),
        second,
        Notification.delete(at("a", 5, "second"), at("a", 6, "second"), 0),
      ),
    ).toEqual(["tombstone a@1"]);
  });

  test("tells what filled it unmerged and first, then one change for each key in the order of their first", async () => {
    const { listener, log, go } = held({ maxPending: 2 });
    await delivered();
    for (const n of [add("a"), update("a", 1, 2), update("b", 1, 2), update("a", 2, 3), update("b", 2, 4)])
      listener.add(n);
    expect(listener.health).toMatchObject({ pending: 4, coalesced: 1 });
    go();
    await delivered();
    expect(log).toEqual(["add held@1", "add a@1", "update a@1→2", "update b@1→4", "update a@2→3"]);
    listener.add(update("b", 4, 5));
    await delivered();
    expect(log.at(-1)).toBe("update b@4→5");
  });

  test("takes the initial list whole all the same, also where others are dropped", async () => {
    const { listener, log, go } = held({ onOverflow: () => {} });
    await delivered();
    for (const key of ["a", "b", "c"]) listener.add(initial(key));
    listener.initialListAdded();
    go();
    await delivered();
    expect(log.slice(1)).toEqual(["add a@1 initial", "add b@1 initial", "add c@1 initial"]);
    expect(listener.hasSynced).toBe(true);
  });

  test("tells the deletions of a namespace before what is listed when it is followed again, or nothing of what is as it was", async () => {
    const gone = (key: string, entry = at(key, 1)) => Notification.delete(entry, undefined, clock.now());
    const other = Notification.add(at("other", 5, "second"), true, 0);
    expect(
      await toldOf(gone("same"), gone("changed"), gone("other"), initial("same"), initial("changed", "2"), other),
    ).toEqual(["tombstone other@1", "update changed@1→2", "add other@5 initial"]);
  });

  test("has given a handler its initial list also when some of that was told with what waited, or not at all", async () => {
    const { listener, go } = held();
    await delivered();
    for (const key of ["a", "b"]) listener.add(initial(key));
    for (const key of ["a", "b"]) listener.add(remove(key, 1, 2));
    listener.add(initial("a", "3"));
    listener.add(remove("a", 3, 4));
    listener.add(initial("b", "5"));
    listener.initialListAdded();
    expect(listener.hasSynced).toBe(false);
    go();
    await delivered();
    expect(listener.hasSynced).toBe(true);
  });

  test("grows with the objects, not with the events", async () => {
    const { listener } = held({ maxPending: 10 });
    await delivered();
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
    await delivered();
    calls[0]!.resolve();
    await delivered();
    expect(await isSettled(room)).toBe(false);
    calls[1]!.resolve();
    await delivered();
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
    await delivered();
    for (const n of [add("a"), add("b"), update("a", 1, 2)]) listener.add(n);
    go();
    await delivered();
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
          await delivered();
        } else if (action === "write") {
          const entry = next(old?.uid ?? `uid-${version}`);
          objects.set(key, entry);
          listener.add(old === undefined ? Notification.add(entry, false, 0) : Notification.update(old, entry, 0));
        } else if (old !== undefined) {
          objects.delete(key);
          listener.add(Notification.delete(old, action === "delete" ? next(old.uid) : undefined, 0));
          if (action === "delete") continue;
          const entry = next(`uid-${version}`);
          objects.set(key, entry);
          listener.add(Notification.add(entry, false, 0));
        }
        expect(listener.pending).toBeLessThanOrEqual(maxPending + 2 * 3 + 3);
      }
      for (let i = 0; i < 500 && (calls.length > 0 || listener.pending > 0); i++) {
        calls.shift()?.resolve();
        await delivered();
      }
      const really = [...objects].map(([key, { uid, resourceVersion }]) => [key, uid + resourceVersion]);
      expect([...told].sort()).toEqual(really.sort());
      expect(errors).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
