import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ResourceEvent } from "../../runtime/cache/event-handler.js";
import { type Thing, thing } from "../support/entries.js";
import { InformerBench } from "../support/informer.js";
import { added, deleted, modified, type ScriptedWatch, synced } from "../support/scripted-lister-watcher.js";
import { isSettled, settle, soon } from "../support/settle.js";

let bench: InformerBench;
let watch: ScriptedWatch;
beforeEach(async () => {
  bench = new InformerBench();
  watch = synced(thing("a", "1"), thing("b", "2"));
  bench.server.onWatch(watch);
  await bench.start();
});
afterEach(() => bench.stop());

const brief = ({ type, key, object }: ResourceEvent<Thing>) => `${type} ${key}@${object.metadata.resourceVersion}`;
const handlers = () => bench.informer.health().handlers;

/** Follows the events until as many have come. */
async function take(count: number, events = bench.informer.events()): Promise<string[]> {
  const taken: string[] = [];
  for await (const event of events) {
    taken.push(brief(event));
    if (taken.length === count) break;
  }
  return taken;
}

describe("events", () => {
  test("begin with what is cached, then tell of what changes, in order", async () => {
    const taken = take(4);
    await settle();
    watch.send(modified(thing("a", "101")), deleted(thing("b", "102")));
    expect(await soon(taken)).toEqual(["add a@1", "add b@2", "update a@101", "delete b@102"]);
  });

  test("that are refused by their options leave nothing behind", async () => {
    const { signal } = new AbortController();
    const events = bench.informer.events({ maxPending: 0, signal });
    await expect(events.next()).rejects.toThrow("maxPending");
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(handlers()).toEqual([]);
  });

  test("that are over before they begin leave nothing behind", async () => {
    const { signal } = new AbortController();
    await bench.stop();
    expect(await bench.informer.events({ signal }).next()).toEqual({ done: true, value: undefined });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("wait while one is worked on, by the options of a handler", async () => {
    const events = bench.informer.events({ name: "mine", maxPending: 1 });
    expect(brief((await events.next()).value!)).toBe("add a@1");
    for (let version = 101; version < 200; version++) watch.send(modified(thing("a", String(version))));
    await settle();
    expect(handlers().find(({ name }) => name === "mine")).toMatchObject({ pending: 2, coalesced: 98 });
    expect(brief((await events.next()).value!)).toBe("add b@2");
    expect(brief((await events.next()).value!)).toBe("update a@199");
    await events.return!();
  });

  test.each<[string, () => Promise<unknown>]>([
    ["break", () => take(1)],
    [
      "throw",
      async () => {
        const failure = new Error("no");
        const loop = async () => {
          for await (const event of bench.informer.events()) throw event.key === "a" ? failure : undefined;
        };
        await expect(loop()).rejects.toBe(failure);
      },
    ],
    [
      "return",
      async () => {
        const find = async () => {
          for await (const { key } of bench.informer.events()) if (key === "b") return key;
          return undefined;
        };
        expect(await find()).toBe("b");
      },
    ],
  ])("end with a %s, and nothing listens any more", async (_, leave) => {
    await leave();
    expect(handlers()).toEqual([]);
    expect(bench.errors).toEqual([]);
  });

  test("are listened to from the first next on: asking for them alone holds nothing", async () => {
    const events = bench.informer.events();
    expect(handlers()).toEqual([]);
    expect(await events.return!()).toEqual({ done: true, value: undefined });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test("that are returned from while a next waits end at once", async () => {
    const events = bench.informer.events();
    await events.next();
    await events.next();
    const next = events.next();
    expect(await isSettled(next)).toBe(false);
    await events.return!();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(handlers()).toEqual([]);
  });

  test("end when the signal aborts, and leave no listener at it", async () => {
    const abort = new AbortController();
    const taken = take(10, bench.informer.events({ signal: abort.signal }));
    await settle();
    abort.abort();
    expect(await taken).toEqual(["add a@1", "add b@2"]);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    expect(await take(1, bench.informer.events({ signal: abort.signal }))).toEqual([]);
    expect(handlers()).toEqual([]);
  });

  test("leave no listener at a signal that outlives them", async () => {
    const abort = new AbortController();
    await take(1, bench.informer.events({ signal: abort.signal }));
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("end when the informer stops, also for a loop that stops it and waits for that", async () => {
    const waiting = take(10);
    const taken: string[] = [];
    for await (const event of bench.informer.events()) {
      taken.push(brief(event));
      await bench.stop();
    }
    expect(taken).toEqual(["add a@1"]);
    expect(await waiting).toEqual(["add a@1", "add b@2"]);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(await take(1)).toEqual([]);
    expect(bench.errors).toEqual([]);
  });

  test("that nobody reads on with wait without growing", async () => {
    const events = bench.informer.events({ maxPending: 5 });
    await events.next();
    for (let i = 0; i < 500; i++) {
      watch.send(modified(thing("a", String(101 + 3 * i))));
      watch.send(added(thing(`short-${i}`, String(102 + 3 * i))), deleted(thing(`short-${i}`, String(103 + 3 * i))));
    }
    await settle();
    expect(handlers()[0]?.pending).toBeLessThanOrEqual(5 + 3);
    await events.return!();
  });
});
