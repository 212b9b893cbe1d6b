/** What every {@link Queue} promises: the controller relies on no more. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Delta, Queue, QueueItem } from "../../runtime/cache/queue.js";
import { thing } from "../support/entries.js";

export const delta = (type: Delta<object>["type"], name: string, version: number): Delta<object> => ({
  type,
  entry: thing(name, String(version)),
});

export function popAll(queue: Queue<object>): QueueItem<object>[] {
  const items: QueueItem<object>[] = [];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) items.push(item);
  return items;
}

/** An item as a line: `a: Added 1, Updated 2`. */
export function describeItem(item: QueueItem<object>): string {
  switch (item.type) {
    case "Deltas":
      return `${item.key}: ${item.deltas.map(({ type, entry }) => `${type} ${entry.resourceVersion}`).join(", ")}`;
    case "ReplacedAll":
      return `replaced ${item.resourceVersion}: ${item.entries.map(({ key }) => key).join(", ")}`;
    case "Bookmark":
      return `bookmark ${item.resourceVersion}`;
    case "SyncAll":
      return "sync";
    case "Comparison":
      return "comparison";
  }
}

/** Whether a promise has settled by now. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

type Step = "enqueue" | "replace" | "bookmark" | "resync" | "pop";

export function describeQueueContract(name: string, create: () => Queue<object>): void {
  describe(`${name} as a queue`, () => {
    test("is empty at first, and pop does not wait", () => {
      const queue = create();
      expect(queue.length).toBe(0);
      expect(queue.pop()).toBeUndefined();
      expect(queue.closed).toBe(false);
    });

    test("gives items in the order in which their first change came", () => {
      const queue = create();
      queue.enqueue(delta("Added", "b", 1));
      queue.replace([thing("a", "1")], "2");
      queue.bookmark("3");
      queue.resync();
      queue.enqueue(delta("Added", "a", 4));
      expect(queue.length).toBe(5);
      expect(popAll(queue).map(describeItem)).toEqual([
        "b: Added 1",
        "replaced 2: a",
        "bookmark 3",
        "sync",
        "a: Added 4",
      ]);
      expect(queue.length).toBe(0);
    });

    test("a key that comes again does not jump the queue", () => {
      const queue = create();
      queue.enqueue(delta("Added", "a", 1));
      queue.pop();
      queue.enqueue(delta("Added", "b", 2));
      queue.enqueue(delta("Updated", "a", 3));
      expect(popAll(queue).map(describeItem)).toEqual(["b: Added 2", "a: Updated 3"]);
    });

    test("a deletion before a replace is told before it, or a re-creation would pass for an update", () => {
      const queue = create();
      queue.enqueue(delta("Deleted", "a", 5));
      queue.replace([thing("a", "6", { uid: "second" })], "6");
      expect(popAll(queue).map(describeItem)).toEqual(["a: Deleted 5", "replaced 6: a"]);
    });

    test.each(["replace", "bookmark"] as const)("a change after a %s is popped after it", (barrier) => {
      const queue = create();
      queue.enqueue(delta("Added", "a", 1));
      if (barrier === "replace") queue.replace([], "2");
      else queue.bookmark("2");
      queue.enqueue(delta("Updated", "a", 3));
      const items = popAll(queue).map(describeItem);
      expect(items).toHaveLength(3);
      expect([items[0], items[2]]).toEqual(["a: Added 1", "a: Updated 3"]);
    });

    test("an empty replace is an item: it says that there is nothing", () => {
      const queue = create();
      queue.replace([], "7");
      expect(queue.pop()).toEqual({ type: "ReplacedAll", entries: [], resourceVersion: "7" });
    });

    test("a resync that waits serves for two; once popped there can be another", () => {
      const queue = create();
      queue.resync();
      queue.resync();
      expect(queue.length).toBe(1);
      expect(queue.pop()).toEqual({ type: "SyncAll" });
      queue.resync();
      expect(queue.length).toBe(1);
    });

    test.each(["constructor", "__proto__", "toString", "a/b"])("takes %j as a key like any other", (key) => {
      const queue = create();
      queue.enqueue(delta("Added", key, 1));
      queue.enqueue(delta("Updated", key, 2));
      const versions = popAll(queue).flatMap((item) =>
        item.type === "Deltas" ? item.deltas.map(({ entry }) => [item.key, entry.resourceVersion]) : [],
      );
      expect(versions).toEqual([
        [key, "1"],
        [key, "2"],
      ]);
    });

    test("a comparison is popped where it was queued: what comes later does not join what came before", () => {
      const queue = create();
      queue.enqueue(delta("Updated", "a", 1));
      queue.compare({ entries: [], changed: new Set(), report: () => {} });
      queue.enqueue(delta("Updated", "a", 2));
      expect(popAll(queue).map(describeItem)).toEqual(["a: Updated 1", "comparison", "a: Updated 2"]);
    });

    test("says how far it is drained: never past a change that still waits", () => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom("a", "b", "c", "bookmark", "replace", "pop"), { maxLength: 60 }),
          (steps) => {
            const queue = create();
            const waiting = new Set<number>();
            let version = 0;
            for (const step of [...steps, ...steps.map(() => "pop")]) {
              if (step === "pop") {
                const item = queue.pop();
                if (item?.type === "Deltas")
                  for (const { entry } of item.deltas) waiting.delete(Number(entry.resourceVersion));
                else if (item?.type === "Bookmark" || item?.type === "ReplacedAll")
                  waiting.delete(Number(item.resourceVersion));
              } else {
                waiting.add(++version);
                if (step === "bookmark") queue.bookmark(String(version));
                else if (step === "replace") queue.replace([], String(version));
                else queue.enqueue(delta("Updated", step, version));
              }
              const oldest = Math.min(...waiting);
              expect(Number(queue.drainedTo)).toBe(waiting.size === 0 ? version : oldest - 1);
            }
          },
        ),
      );
    });

    test("loses nothing and overtakes nothing, however producer and consumer take turns", () => {
      const step = fc.constantFrom<Step>(
        "enqueue",
        "enqueue",
        "enqueue",
        "replace",
        "bookmark",
        "resync",
        "pop",
        "pop",
      );
      fc.assert(
        fc.property(
          fc.array(fc.tuple(step, fc.constantFrom("a", "b", "c", "constructor")), { maxLength: 60 }),
          (steps) => {
            const queue = create();
            const popped: QueueItem<object>[] = [];
            const pushed: { key: string; version: number; epoch: number }[] = [];
            let version = 0;
            let epoch = 0;
            let syncs = 0;
            for (const [what, key] of steps) {
              version++;
              if (what === "enqueue") {
                queue.enqueue(delta("Updated", key, version));
                pushed.push({ key, version, epoch });
              } else if (what === "replace") {
                queue.replace([], String(version));
                epoch++;
              } else if (what === "bookmark") {
                queue.bookmark(String(version));
                epoch++;
              } else if (what === "resync") {
                queue.resync();
                syncs++;
              } else {
                const item = queue.pop();
                if (item !== undefined) popped.push(item);
              }
            }
            popped.push(...popAll(queue));

            // Each change comes between the same two barriers as it went in, and in the order of its key's changes.
            let seenEpoch = 0;
            const seen: typeof pushed = [];
            for (const item of popped) {
              if (item.type === "ReplacedAll" || item.type === "Bookmark") seenEpoch++;
              if (item.type !== "Deltas") continue;
              for (const { entry } of item.deltas) {
                expect(entry.key).toBe(item.key);
                seen.push({ key: entry.key, version: Number(entry.resourceVersion), epoch: seenEpoch });
              }
            }
            const ofKey = (all: typeof pushed, wanted: string) => all.filter(({ key }) => key === wanted);
            for (const key of ["a", "b", "c", "constructor"]) expect(ofKey(seen, key)).toEqual(ofKey(pushed, key));
            expect(seenEpoch).toBe(epoch);
            expect(popped.some(({ type }) => type === "SyncAll")).toBe(syncs > 0);
            expect(queue.length).toBe(0);
          },
        ),
      );
    });
  });

  describe(`waiting for ${name}`, () => {
    const pushes: [string, (queue: Queue<object>) => void][] = [
      ["a change", (queue) => queue.enqueue(delta("Added", "a", 1))],
      ["a replace", (queue) => queue.replace([], "1")],
      ["a bookmark", (queue) => queue.bookmark("1")],
      ["a resync", (queue) => queue.resync()],
      ["its end", (queue) => queue.close()],
    ];

    test.each(pushes)("ends with %s, and not before", async (_, push) => {
      const queue = create();
      const ready = queue.ready();
      expect(await hasSettled(ready)).toBe(false);
      push(queue);
      expect(await hasSettled(ready)).toBe(true);
    });

    test.each(pushes)("does not begin after %s", async (_, push) => {
      const queue = create();
      push(queue);
      expect(await hasSettled(queue.ready())).toBe(true);
    });

    test("begins anew once all is popped", async () => {
      const queue = create();
      queue.bookmark("1");
      await queue.ready();
      queue.pop();
      expect(await hasSettled(queue.ready())).toBe(false);
    });
  });

  describe(`the room in ${name}`, () => {
    const enqueueMany = (queue: Queue<object>, key: (i: number) => string) => {
      for (let i = 0; i < 1_000; i++) queue.enqueue(delta("Updated", key(i), i));
    };

    test.each<[string, (i: number) => string]>([
      ["a thousand objects", (i) => `k${i}`],
      ["one object", () => "a"],
    ])("is used up by a thousand changes of %s, and there again when all are popped", async (_, key) => {
      const queue = create();
      queue.enqueue(delta("Added", "a", 1));
      expect(queue.room).toBeUndefined();
      enqueueMany(queue, key);
      const room = queue.room!;
      while (queue.length > 1) queue.pop();
      expect(await hasSettled(room)).toBe(queue.length === 0);
      queue.pop();
      expect(await hasSettled(room)).toBe(true);
      expect(queue.room).toBeUndefined();
    });

    test("is given when it is closed: nobody is held up for ever", async () => {
      const queue = create();
      enqueueMany(queue, () => "a");
      const room = queue.room!;
      queue.close();
      expect(await hasSettled(room)).toBe(true);
    });
  });

  describe(`a closed ${name}`, () => {
    test("gives what was queued, and takes nothing more, not even for a key that waits", () => {
      const queue = create();
      queue.enqueue(delta("Added", "a", 1));
      queue.close();
      queue.enqueue(delta("Updated", "a", 2));
      queue.enqueue(delta("Added", "b", 3));
      queue.replace([], "4");
      queue.bookmark("5");
      queue.resync();
      expect(queue.closed).toBe(true);
      expect(popAll(queue).map(describeItem)).toEqual(["a: Added 1"]);
    });
  });
}
