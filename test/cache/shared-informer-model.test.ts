import fc from "fast-check";
import { expect, test } from "vitest";
import type { ResourceEvent } from "../../runtime/cache/event-handler.js";
import type { ResourceEventHandlerRegistration, SharedInformer } from "../../runtime/cache/shared-informer.js";
import type { Thing } from "../support/entries.js";
import { InformerBench, SlowTurn } from "../support/informer.js";
import { ModelServer } from "../support/model-server.js";
import { settle } from "../support/settle.js";

/** A handler that folds its events to a cache of its own, and holds each against what it was told before. */
class Follower {
  readonly versions = new Map<string, string>();
  readonly registration: ResourceEventHandlerRegistration;
  removed = false;

  /** @param onOverflow of a handler that takes its time, with room for two notifications; absent for one that is quick */
  constructor(informer: SharedInformer<Thing>, onOverflow?: "coalesce" | "block") {
    const slow = onOverflow !== undefined;
    const handle = (event: ResourceEvent<Thing>) => {
      expect(this.removed, "an event after the removal").toBe(false);
      this.#follow(event);
      const cached = informer.indexer.get(event.key);
      const version = Number(event.object.metadata.resourceVersion);
      if (event.type !== "delete") {
        // Deleted meanwhile, or as new as the event, or newer.
        expect(Number(cached?.metadata.resourceVersion ?? version)).toBeGreaterThanOrEqual(version);
      } else if (cached !== undefined) {
        expect(cached.metadata.uid).not.toBe(event.object.metadata.uid);
      }
      return slow ? settle() : undefined;
    };
    this.registration = informer.addEventHandler(handle, slow ? { maxPending: 2, onOverflow } : {});
  }

  #follow(event: ResourceEvent<Thing>): void {
    const { key, object } = event;
    const before = this.versions.get(key);
    const now = object.metadata.resourceVersion;
    switch (event.type) {
      case "add":
        expect(before, `an add of ${key}, which is there`).toBeUndefined();
        this.versions.set(key, now);
        break;
      case "update":
        expect(event.oldObject.metadata.resourceVersion, `what the update of ${key} starts from`).toBe(before);
        expect(event.oldObject.metadata.uid).toBe(object.metadata.uid);
        expect(Number(now)).toBeGreaterThan(Number(before));
        this.versions.set(key, now);
        break;
      case "delete":
        expect(before, `a delete of ${key}, which is not there`).toBeDefined();
        expect(event.oldObject.metadata.resourceVersion, `what the delete of ${key} starts from`).toBe(before);
        expect(Number(now)).toBeGreaterThanOrEqual(Number(before));
        this.versions.delete(key);
    }
  }
}

/** Turns the loop until nothing has waited or run for a while. */
async function idle(informer: SharedInformer<Thing>): Promise<void> {
  const busy = () =>
    informer.health().handlers.some(({ pending, runningMs }) => pending > 0 || runningMs !== undefined);
  for (let turns = 0; turns < 20; turns = busy() ? 0 : turns + 1) await settle();
}

const key = fc.constantFrom("ns/a", "ns/b", "other/a", "constructor", "ns/__proto__");
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("write" as const), key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(0, 0, 500, 5_000) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom("break", "end", "compact", "bookmark", "refuse", "join", "leave" as const),
    }),
  },
);

test("whatever the server and the connection do, the cache and every handler end up with what the server has", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 60 }),
      fc.record({ streaming: fc.boolean(), slow: fc.boolean() }),
      async (commands, { streaming, slow }) => {
        const base = new InformerBench();
        const bench = slow ? new InformerBench({ turn: new SlowTurn(base.clock) }) : base;
        const { informer, clock } = bench;
        const model = new ModelServer(bench.server, streaming);
        informer.addIndexers({ value: ({ spec }) => [spec?.value ?? ""] });
        const followers = [new Follower(informer), new Follower(informer, "coalesce")];
        await bench.start();
        for (const given of commands) {
          switch (given.type) {
            case "write":
            case "delete":
              model[given.type](given.key);
              break;
            case "wait":
              await clock.advance(given.ms);
              break;
            case "break":
            case "end":
              model.endWatches(given.type);
              break;
            case "compact":
            case "bookmark":
              model[given.type]();
              break;
            case "refuse":
              model.refusals += 2;
              break;
            case "join":
              followers.push(new Follower(informer, slow ? "block" : undefined));
              break;
            case "leave": {
              const leaver = followers.pop();
              if (leaver === undefined) break;
              await leaver.registration.remove();
              leaver.removed = true;
            }
          }
        }
        model.refusals = 0;
        await clock.advance(120_000);
        await idle(informer);

        const expected = [...model.objects].map(([name, entry]) => [name, entry.resourceVersion]).sort();
        const cached = informer.indexer
          .listKeys()
          .map((name) => [name, informer.indexer.get(name)?.metadata.resourceVersion]);
        expect(cached.sort(), "the cache").toEqual(expected);
        for (const { versions, registration } of followers) {
          expect([...versions].sort(), "a handler's own").toEqual(expected);
          expect(registration.hasSynced()).toBe(true);
        }
        for (const value of ["v0", "v1", "v2"]) {
          const holders = [...model.objects]
            .filter(([, entry]) => entry.object.spec?.value === value)
            .map(([name]) => name);
          expect(informer.indexer.indexKeys("value", value).sort()).toEqual(holders.sort());
        }
        expect(bench.errors.filter(({ code }) => code === "handler")).toEqual([]);
        await bench.stop();
        expect(clock.pendingTimers).toBe(0);
      },
    ),
    { numRuns: 10_000 },
  );
}, 120_000);
