/** Fault matrix, U rows: handlers. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import type { Cached } from "../../runtime/api/object-meta.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { configMaps } from "../support/config-maps.js";
import { type Thing, thing } from "../support/entries.js";
import { HandlerBench } from "../support/handler-bench.js";
import { added, deleted, modified } from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

const the = new HandlerBench();

describe.each<[string, string, (key: string) => void | Promise<void>]>([
  [
    "U1",
    "throws",
    (key) => {
      throw new Error(`no ${key}`);
    },
  ],
  ["U2", "rejects", async (key) => Promise.reject(new Error(`no ${key}`))],
])("%s: a handler that %s", (_, __, fail) => {
  test("is named with the event, given the next, and unnoticed by others", async () => {
    the.bench.informer.addEventHandler(({ key }) => fail(key), { name: "bad" });
    const { log } = the.record();
    await the.bench.start();
    the.watch.send(modified(thing("ns/a", "101")));
    await settle();
    expect(the.reported()).toEqual([
      "handler: handler bad, add of ns/a: no ns/a",
      "handler: handler bad, update of ns/a: no ns/a",
    ]);
    expect(log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
    expect(the.health("bad")).toMatchObject({ failures: 2, pending: 0 });
  });

  test("U5: during the initial list has synced all the same", async () => {
    const registration = the.bench.informer.addEventHandler(({ key }) => fail(key), { name: "bad" });
    await the.bench.start();
    await registration.synced();
    expect(the.health("bad")).toMatchObject({ synced: true, failures: 1 });
  });
});

describe("U3, R4: a handler that never settles", () => {
  test("waits by keys: 1,000 events a second for a minute hold no more than there are objects", async () => {
    the.bench.informer.addEventHandler(() => new Promise(() => {}), { name: "stuck", maxPending: 100 });
    const { log } = the.record();
    await the.bench.start();
    let version = 100;
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 500; i++) {
        the.watch.send(modified(thing("ns/a", String(++version))));
        const name = `ns/short-${version}`;
        the.watch.send(added(thing(name, String(++version))), deleted(thing(name, String(++version))));
      }
      await the.bench.clock.advance(1_000);
    }
    expect(log.length).toBeGreaterThan(3 * 500 * 60 - 500);
    const { pending, oldestPendingMs, runningMs, coalesced } = the.health("stuck")!;
    expect(pending).toBeLessThanOrEqual(100 + 2);
    expect(coalesced).toBeGreaterThan(59_000);
    expect([oldestPendingMs, runningMs]).toEqual([60_000, 60_000]);
    expect(the.bench.informer.health().phase).toBe("watching");
  });

  test("is waited for by a stop for two seconds, and then said to run on", async () => {
    the.bench.informer.addEventHandler(() => new Promise(() => {}), { name: "stuck" });
    await the.bench.start();
    const stopped = the.bench.stop();
    await the.bench.clock.advance(2_000);
    await stopped;
    expect(the.reported()).toEqual([
      "handler: handler stuck: a call runs on 2000 ms after the end, and is not waited for any more",
    ]);
    expect(the.bench.clock.pendingTimers).toBe(0);
  });
});

test("U4: a handler that holds the loop for five seconds is no stall of the watch", async () => {
  const clock = new (class extends VirtualClock {
    heldMs = 0;
    override now(): number {
      return super.now() + this.heldMs;
    }
  })();
  the.newBench({}, clock);
  the.bench.informer.addEventHandler(() => {
    clock.heldMs += 5_000;
  });
  const { log } = the.record();
  await the.bench.start();
  the.watch.send(modified(thing("ns/a", "101")));
  await clock.advance(1_000);
  expect(log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
  expect(the.bench.server.requests).toHaveLength(1);
  expect(the.bench.errors).toEqual([]);
});

describe("U6: a handler that writes to the object", () => {
  async function writeThrough(options: InformerFactoryOptions): Promise<{ errors: InformerError[]; cached: unknown }> {
    const server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
    server.create(configMaps, { metadata: { name: "a", labels: { app: "web" } } });
    const errors: InformerError[] = [];
    const factory = new InformerFactory(server.kubeConfig(), { onError: (error) => errors.push(error), ...options });
    onTestFinished(async () => {
      await factory.shutdown();
      await server.close();
    });
    const { informer, lister } = factory.forResource({ group: "", version: "v1", resource: "configmaps" });
    const registration = informer().addEventHandler({
      onAdd: (object) => {
        (object.metadata.labels as Record<string, string>)["app"] = "mine";
      },
    });
    factory.start();
    await registration.synced();
    return { errors, cached: lister().namespace("default").get("a")?.metadata.labels?.["app"] };
  }

  test("fails there and then in development, and others see the object as it was", async () => {
    const { errors, cached } = await writeThrough({});
    expect(errors.map(({ cause }) => cause)).toEqual([expect.any(TypeError)]);
    expect(errors[0]?.message).toContain("'app'");
    expect(cached).toBe("web");
  });

  test.each<[string, InformerFactoryOptions]>([
    ["in production", {}],
    ["where it is switched off", { freeze: false }],
  ])("is not looked for %s", async (where, options) => {
    if (where === "in production") vi.stubEnv("NODE_ENV", "production");
    try {
      const { errors, cached } = await writeThrough(options);
      expect(errors).toEqual([]);
      expect(cached).toBe("mine");
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("U7: a handler that", () => {
  test("removes itself and waits for it hears of nothing more, and is not in its own way", async () => {
    const seen: string[] = [];
    const registration = the.bench.informer.addEventHandler(async ({ key }) => {
      seen.push(key);
      await registration.remove();
      seen.push("removed");
    });
    await the.bench.start();
    the.watch.send(modified(thing("ns/a", "101")));
    await settle();
    expect(seen).toEqual(["ns/a", "removed"]);
    expect(the.bench.clock.pendingTimers).toBe(1);
  });

  test("removes another takes it out after the call that runs", async () => {
    const other = the.record();
    the.bench.informer.addEventHandler(async ({ type }) => {
      if (type === "update") await other.registration.remove();
    });
    await the.bench.start();
    the.watch.send(modified(thing("ns/a", "101")));
    await settle();
    the.watch.send(modified(thing("ns/a", "102")));
    await settle();
    expect(other.log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
  });

  test("adds one has it told of all that is there, once", async () => {
    let late: ReturnType<typeof the.record> | undefined;
    the.bench.informer.addEventHandler(() => {
      late ??= the.record();
    });
    await the.bench.start();
    the.watch.send(modified(thing("ns/a", "101")));
    await settle();
    expect(late?.log).toEqual(["add ns/a@1 initial", "update ns/a@1→101"]);
  });
});

describe("U8: a handler that stops its informer and waits for it", () => {
  test("before its first await is not in its own way", async () => {
    const seen: string[] = [];
    the.bench.informer.addEventHandler(async () => {
      await the.bench.stop();
      seen.push("stopped");
    });
    await the.bench.start();
    expect(seen).toEqual(["stopped"]);
    expect(the.bench.clock.pendingTimers).toBe(0);
    expect(the.bench.errors).toEqual([]);
  });

  test("later waits for itself for two seconds, which is reported, and not for ever", async () => {
    const seen: string[] = [];
    the.bench.informer.addEventHandler(async () => {
      await settle();
      await the.bench.stop();
      seen.push("stopped");
    });
    await the.bench.start();
    await settle();
    expect(seen).toEqual([]);
    await the.bench.clock.advance(2_000);
    expect(seen).toEqual(["stopped"]);
    expect(the.reported()).toEqual([expect.stringContaining("runs on 2000 ms after the end")]);
  });
});

test("U9: a handler reads, adds an index and asks for a stop within its call: reads agree with one another", async () => {
  const seen: unknown[] = [];
  the.bench.informer.addEventHandler(({ type, key }) => {
    const { indexer, lister } = the.bench.informer;
    const name = `${type}`;
    the.bench.informer.addIndexers({ [name]: (object: Cached<Thing>) => [object.spec?.value ?? "none"] });
    const cached = indexer.get(key)!;
    const ways = [lister.namespace("ns").get("a"), indexer.index(name, cached)[0], lister.list()[0], indexer.list()[0]];
    seen.push(
      ways.every((object) => object === cached),
      indexer.indexKeys(name, cached.spec?.value ?? "none"),
    );
    if (type === "update") void the.bench.stop();
  });
  await the.bench.start();
  the.watch.send(modified(thing("ns/a", "101", { value: "y" })));
  await settle();
  expect(seen).toEqual([true, ["ns/a"], true, ["ns/a"]]);
  expect(the.bench.errors).toEqual([]);
  expect(the.bench.informer.isStopped()).toBe(true);
});
