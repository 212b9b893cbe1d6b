import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ListWatch } from "../../runtime/cache/list-watch.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { ApiClient } from "../../runtime/transport/api-client.js";
import type { Transport } from "../../runtime/transport/transport.js";
import { type Thing, thing, thingJson } from "../support/entries.js";
import { ReflectorBench } from "../support/reflector.js";
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
  type ScriptedListerWatcher,
  ScriptedWatch,
  throttled,
  tooLarge,
} from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

let bench: ReflectorBench;
beforeEach(() => {
  bench = new ReflectorBench();
});
afterEach(() => bench.stop());

describe("a streaming list", () => {
  test("asks for what is there and for the end of it", async () => {
    await bench.start();
    expect(bench.server.requests.map(({ verb, options }) => ({ verb, ...options }))).toEqual([
      {
        verb: "watch",
        resourceVersion: "",
        resourceVersionMatch: "NotOlderThan",
        sendInitialEvents: true,
        allowWatchBookmarks: true,
        timeoutSeconds: 300,
      },
    ]);
  });

  test("is queued as a whole at its end bookmark, with every change that came before", async () => {
    const watch = new ScriptedWatch(added(thing("a", "1")), added(thing("b", "2")), modified(thing("a", "3")));
    bench.server.onWatch(watch);
    await bench.start();
    watch.send(added(thing("c", "4")), deleted(thing("c", "5")));
    await settle();
    expect(bench.queued()).toEqual([]);
    watch.send(endBookmark("5"));
    await settle();
    expect(bench.queued()).toEqual(["replace a@3 b@2 at 5"]);
  });

  test("goes on as the watch, in the same chunk and the same stream", async () => {
    // The first two are taken in by themselves, the next two at once.
    const things = ["a", "b"].map((name) => added(thing(name, "1")));
    const watch = new ScriptedWatch(...things, endBookmark("5"), modified(thing("a", "6")));
    bench.server.onWatch(watch);
    await bench.start();
    watch.send(deleted(thing("a", "7")), bookmark("8"));
    await settle();
    expect(bench.queued()).toEqual(["replace a@1 b@1 at 5", "updated a@6", "deleted a@7", "bookmark 8"]);
    expect(bench.server.log).toEqual(["watchList rv="]);
    expect(bench.told).toEqual(["watchList", "opened", "bookmark", "event", "event", "bookmark"]);
  });

  test("of nothing is a list too", async () => {
    bench.server.onWatch(new ScriptedWatch(endBookmark("5")));
    await bench.start();
    expect(bench.queued()).toEqual(["replace at 5"]);
  });

  test("has its resourceVersion from the end bookmark alone: what comes before is in no order", async () => {
    const watch = new ScriptedWatch(added(thing("a", "900")), added(thing("b", "3")));
    bench.server.onWatch(watch);
    await bench.start();
    expect(bench.reflector.lastSyncResourceVersion).toBe("");
    watch.send(endBookmark("901"));
    await settle();
    expect(bench.reflector.lastSyncResourceVersion).toBe("901");
  });

  test("that breaks off leaves nothing of itself: the next begins anew", async () => {
    bench.server.onWatch(
      new ScriptedWatch(added(thing("gone", "1"))).break(),
      new ScriptedWatch(added(thing("a", "2")), endBookmark("5")),
    );
    await bench.start();
    await bench.clock.advance(800);
    expect(bench.server.log).toEqual(["watchList rv=", "watchList rv="]);
    expect(bench.queued()).toEqual(["replace a@2 at 5"]);
  });

  test("leaves out what is not admitted", async () => {
    bench = new ReflectorBench({ admit: (entry) => (entry.key === "bad" ? undefined : entry) });
    bench.server.onWatch(new ScriptedWatch(added(thing("bad", "1")), added(thing("a", "2")), endBookmark("5")));
    await bench.start();
    expect(bench.queued()).toEqual(["replace a@2 at 5"]);
  });

  test("once it is the watch, resumes as a plain one", async () => {
    const watch = new ScriptedWatch(endBookmark("5"), added(thing("a", "6")));
    bench.server.onWatch(watch, new ScriptedWatch(added(thing("b", "7"))));
    await bench.start();
    watch.break(connectionLost());
    await bench.clock.advance(800);
    expect(bench.server.log).toEqual(["watchList rv=", "watch rv=6"]);
    expect(bench.server.requests[1]?.options).not.toHaveProperty("sendInitialEvents");
    expect(bench.queued()).toEqual(["replace at 5", "added a@6", "added b@7"]);
  });

  test("once it is the watch, has the watch's deadline", async () => {
    bench.server.onWatch(new ScriptedWatch(endBookmark("5")));
    await bench.start();
    await bench.clock.advance(304_999);
    expect(bench.server.requests).toHaveLength(1);
    await bench.clock.advance(1);
    expect(bench.server.log).toEqual(["watchList rv=", "watch rv=5"]);
  });

  test("is asked for again when the watch expires, not older than what is known", async () => {
    bench.server.onWatch(new ScriptedWatch(endBookmark("5"), errorEvent(expired())));
    await bench.start();
    await bench.clock.advance(0);
    expect(bench.server.log).toEqual(["watchList rv=", "watchList rv=5"]);
  });

  test.each([
    ["expired", expired],
    ["too large", tooLarge],
  ])("whose resourceVersion is %s is asked for at once without one", async (_, fault) => {
    bench.server.onWatch(
      new ScriptedWatch(endBookmark("5"), errorEvent(expired())),
      new ScriptedWatch(errorEvent(fault())),
    );
    await bench.start();
    await bench.clock.advance(0);
    expect(bench.server.log).toEqual(["watchList rv=", "watchList rv=5", "watchList rv="]);
  });

  test("is tried again after a 429 or a lost connection, since a list would fare no better", async () => {
    bench.server.onWatch(throttled(), connectionLost(), new ScriptedWatch(endBookmark("5")));
    await bench.start();
    await bench.clock.advance(2_400);
    expect(bench.server.log).toEqual(["watchList rv=", "watchList rv=", "watchList rv="]);
    expect(bench.server.times).toEqual([0, 800, 2_400]);
    expect(bench.queued()).toEqual(["replace at 5"]);
  });
});

describe("a server that does not do streaming lists", () => {
  /** Whether the next relist is a streaming one: the watch expires after it was good for long. */
  async function relist(watch: ScriptedWatch): Promise<string | undefined> {
    await bench.clock.advance(31_000);
    watch.send(errorEvent(expired()));
    await bench.clock.advance(0);
    return bench.server.log.at(-1);
  }

  test("and refuses: is listed, and is not asked again", async () => {
    const watch = new ScriptedWatch();
    bench.server.onWatch(refusal(422, { reason: "Invalid" }), watch).onList(page("9", [thing("a", "5")]));
    await bench.start();
    await bench.clock.advance(0);
    expect(bench.server.log).toEqual(["watchList rv=", "list rv=0 limit=500", "watch rv=9"]);
    expect(bench.server.times).toEqual([0, 0, 0]);
    expect(bench.queued()).toEqual(["replace a@5 at 9"]);
    expect(await relist(watch)).toBe("list rv=9");
  });

  test("and closes without the bookmark: is asked twice, then listed, and not asked again", async () => {
    const watch = new ScriptedWatch();
    const unfinished = () => new ScriptedWatch(added(thing("a", "5"))).end();
    bench.server.onWatch(unfinished(), unfinished(), watch).onList(page("9"));
    await bench.start();
    await bench.clock.advance(800);
    expect(bench.server.log).toEqual(["watchList rv=", "watchList rv=", "list rv=0 limit=500", "watch rv=9"]);
    expect(bench.queued()).toEqual(["replace at 9"]);
    expect(await relist(watch)).toBe("list rv=9");
  });

  test("and falls silent: is listed after a minute, and not asked again", async () => {
    const silent = new ScriptedWatch();
    const watch = new ScriptedWatch();
    bench.server.onWatch(silent, watch).onList(page("9"));
    await bench.start();
    await bench.clock.advance(59_000);
    silent.send(added(thing("a", "5")));
    await bench.clock.advance(59_999);
    expect(bench.server.log).toEqual(["watchList rv="]);
    await bench.clock.advance(1);
    expect(bench.server.log).toEqual(["watchList rv=", "list rv=0 limit=500", "watch rv=9"]);
    expect(silent.isClosed).toBe(true);
    expect(await relist(watch)).toBe("list rv=9");
  });

  test("and sends changes and plain bookmarks instead: is listed after a minute all the same", async () => {
    const plain = new ScriptedWatch();
    bench.server.onWatch(plain).onList(page("90"));
    await bench.start();
    for (let version = 10; version < 16; version++) {
      plain.send(modified(thing("a", String(version))), bookmark(String(version)), deleted(thing("b", "9")));
      await bench.clock.advance(10_000);
    }
    expect(bench.server.log).toEqual(["watchList rv=", "list rv=0 limit=500", "watch rv=90"]);
    expect(bench.queued()).toEqual(["replace at 90"]);
  });

  test("for now: is listed, and asked again the next time", async () => {
    const watch = new ScriptedWatch();
    bench.server.onWatch(refusal(500), watch).onList(page("9"));
    await bench.start();
    await bench.clock.advance(0);
    expect(bench.server.log).toEqual(["watchList rv=", "list rv=0 limit=500", "watch rv=9"]);
    expect(await relist(watch)).toBe("watchList rv=9");
  });
});

test.each([
  ['annotation "true"', { "k8s.io/initial-events-end": "true" }, ["replace a@1 at 5"]],
  ['annotation "false"', { "k8s.io/initial-events-end": "false" }, []],
  ["another annotation", { "example.com/end": "true" }, []],
])("a bookmark with %s", async (_, annotations, queued) => {
  const end = { type: "BOOKMARK", object: { kind: "Thing", metadata: { resourceVersion: "5", annotations } } };
  const chunks = [`{"type":"ADDED","object":${thingJson("a", "1")}}\n`, `${JSON.stringify(end)}\n`];
  const transport: Transport = {
    server: "http://scripted",
    get: async () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: {
        read: () => (chunks.length > 0 ? Promise.resolve(Buffer.from(chunks.shift()!)) : new Promise(() => {})),
        take: () => undefined,
        close: () => {},
      },
    }),
    close: () => {},
  };
  const client = new ApiClient(transport, bench.clock);
  const resource = { group: "", version: "v1", resource: "things" };
  const listerWatcher = new ListWatch<Thing>(client, new SlabAllocator(), { resource });
  const real = new ReflectorBench({ listerWatcher });
  await real.start();
  expect(real.queued()).toEqual(queued);
});

describe("stop", () => {
  const PHASES: Readonly<Record<string, (server: ScriptedListerWatcher) => void>> = {
    "before the answer": (server) => server.onWatch("silence"),
    "before the end bookmark": (server) => server.onWatch(new ScriptedWatch(added(thing("a", "1")))),
    "after the end bookmark": (server) => server.onWatch(new ScriptedWatch(endBookmark("5"))),
    "in a pause before the next try": (server) => server.onWatch(throttled(60_000)),
  };

  test.each(Object.keys(PHASES))("%s leaves nothing behind", async (phase) => {
    PHASES[phase]!(bench.server);
    await bench.start();
    expect(bench.clock.pendingTimers).toBe(1);
    await bench.stop();
    expect(bench.clock.pendingTimers).toBe(0);
    expect(getEventListeners(bench.signal, "abort")).toEqual([]);
    expect(bench.server.requests[0]?.signal.aborted).toBe(true);
    await bench.clock.advance(600_000);
    expect(bench.server.requests).toHaveLength(1);
  });
});
