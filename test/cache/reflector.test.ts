import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { thing } from "../support/entries.js";
import { ReflectorBench } from "../support/reflector.js";
import {
  added,
  bookmark,
  deleted,
  errorEvent,
  expired,
  modified,
  page,
  refusal,
  ScriptedListerWatcher,
  ScriptedWatch,
  throttled,
  tooLarge,
} from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

let bench: ReflectorBench;
beforeEach(() => {
  bench = new ReflectorBench({ streaming: false });
});
afterEach(() => bench.stop());

describe("list, then watch", () => {
  test("asks the watch cache for a first page, and watches from the list's resourceVersion", async () => {
    bench.server.onList(page("9", [thing("ns/a", "5"), thing("ns/b", "7")]));
    await bench.start();
    expect(bench.queued()).toEqual(["replace ns/a@5 ns/b@7 at 9"]);
    expect(bench.reflector.lastSyncResourceVersion).toBe("9");
    expect(bench.server.requests.map(({ verb, options }) => ({ verb, ...options }))).toEqual([
      { verb: "list", resourceVersion: "0", limit: 500 },
      { verb: "watch", resourceVersion: "9", allowWatchBookmarks: true, timeoutSeconds: 300 },
    ]);
  });

  test("asks for a watch of 5 to 10 minutes, so that a cluster's watches do not all end together", async () => {
    bench = new ReflectorBench({ streaming: false, random: () => 0.999 });
    bench.server.onList(page("9"));
    await bench.start();
    expect(bench.server.requests[1]?.options.timeoutSeconds).toBe(599);
  });

  test("queues what the watch brings, in its order, and follows its resourceVersions", async () => {
    const watch = new ScriptedWatch(added(thing("a", "10")), modified(thing("a", "11")));
    bench.server.onList(page("9")).onWatch(watch);
    await bench.start();
    expect(bench.reflector.lastSyncResourceVersion).toBe("11");
    watch.send(deleted(thing("a", "12")), added(thing("b", "13")), bookmark("20"));
    await settle();
    expect(bench.queued()).toEqual([
      "replace at 9",
      "added a@10",
      "updated a@11",
      "deleted a@12",
      "added b@13",
      "bookmark 20",
    ]);
    expect(bench.reflector.lastSyncResourceVersion).toBe("20");
  });

  test("passes over a bookmark without a resourceVersion, and one that goes back", async () => {
    const watch = new ScriptedWatch(modified(thing("a", "12")), bookmark("11"), bookmark(""), bookmark("12"));
    bench.server.onList(page("9")).onWatch(watch);
    await bench.start();
    watch.send(bookmark("8"));
    await settle();
    expect(bench.queued()).toEqual(["replace at 9", "updated a@12", "bookmark 12"]);
    expect(bench.reflector.lastSyncResourceVersion).toBe("12");
  });

  test("takes the bookmarks of a server whose resourceVersions have no order", async () => {
    bench.server.onList(page("one")).onWatch(new ScriptedWatch(bookmark("two")));
    await bench.start();
    expect(bench.queued()).toEqual(["replace at one", "bookmark two"]);
  });

  test("leaves out what is not admitted, but lets go of it all the same when it is deleted", async () => {
    bench = new ReflectorBench({ streaming: false, admit: (entry) => (entry.key === "bad" ? undefined : entry) });
    const watch = new ScriptedWatch(added(thing("bad", "10")), added(thing("good", "11")), deleted(thing("bad", "12")));
    bench.server.onList(page("9", [thing("bad", "5"), thing("fine", "6")])).onWatch(watch);
    await bench.start();
    expect(bench.queued()).toEqual(["replace fine@6 at 9", "bookmark 10", "added good@11", "deleted bad@12"]);
    expect(bench.reflector.lastSyncResourceVersion).toBe("12");
  });
});

describe("pages", () => {
  const NAMES = Array.from({ length: 1_200 }, (_, i) => thing(`t${i}`, String(i + 1)));

  test("are asked for by token alone, and make one list", async () => {
    bench.server.onList(
      page("2000", NAMES.slice(0, 500), "t1"),
      page("2000", NAMES.slice(500, 1_000), "t2"),
      page("2000", NAMES.slice(1_000)),
    );
    await bench.start();
    expect(bench.server.log).toEqual([
      "list rv=0 limit=500",
      "list rv= limit=500 continue=t1",
      "list rv= limit=500 continue=t2",
      "watch rv=2000",
    ]);
    const item = bench.queue.pop();
    expect(item?.type === "ReplacedAll" && item.entries.map(({ key }) => key)).toEqual(NAMES.map(({ key }) => key));
  });

  test("give way to one whole list when their token has expired, so that two snapshots are never mixed", async () => {
    bench.server.onList(page("9", [thing("a", "1")], "t1"), expired(), page("20", [thing("b", "15")]));
    await bench.start();
    expect(bench.server.log.slice(0, 3)).toEqual([
      "list rv=0 limit=500",
      "list rv= limit=500 continue=t1",
      "list rv=0",
    ]);
    expect(bench.queued()).toEqual(["replace b@15 at 20"]);
  });

  test("that repeat their token are refused, and nothing of them is kept", async () => {
    bench.server.onList(page("9", [thing("a", "1")], "t1"), page("9", [thing("b", "2")], "t1"));
    await bench.start();
    expect(bench.queued()).toEqual([]);
    expect(bench.told).toEqual(["list", "wait 800 protocol"]);
    await bench.clock.advance(800);
    expect(bench.server.log.at(-1)).toBe("list rv=0 limit=500");
  });

  test("at resourceVersion 0 show that there is no watch cache: a relist is paged too", async () => {
    const watch = new ScriptedWatch();
    bench.server.onList(page("9", [], "t1"), page("9")).onWatch(watch);
    await bench.start();
    watch.send(errorEvent(expired()));
    await bench.clock.advance(0);
    expect(bench.server.log.at(-1)).toBe("list rv=9 limit=500");
  });
});

describe("a watch that ends", () => {
  test.each([
    ["closed", (watch: ScriptedWatch) => watch.end()],
    ["cut", (watch: ScriptedWatch) => watch.break()],
    ["throttled in the stream", (watch: ScriptedWatch) => watch.send(errorEvent(throttled()))],
    ["unwell in the stream", (watch: ScriptedWatch) => watch.send(errorEvent(refusal(500)))],
  ])("%s: goes on from the last resourceVersion, without a list", async (_, end) => {
    const watch = new ScriptedWatch(added(thing("a", "10")));
    bench.server.onList(page("9")).onWatch(watch, new ScriptedWatch(modified(thing("a", "11"))));
    await bench.start();
    await bench.clock.advance(1_000);
    end(watch);
    await bench.clock.advance(0);
    expect(bench.server.log).toEqual(["list rv=0 limit=500", "watch rv=9", "watch rv=10"]);
    expect(bench.queued()).toEqual(["replace at 9", "added a@10", "updated a@11"]);
    expect(watch.isClosed).toBe(true);
  });

  test("expired, in the stream or refused: lists anew from the last resourceVersion, at once", async () => {
    const watch = new ScriptedWatch(added(thing("a", "10")), errorEvent(expired()));
    bench.server.onList(page("9"), page("30", [thing("b", "20")]), page("40")).onWatch(watch, expired());
    await bench.start();
    expect(bench.server.log).toEqual([
      "list rv=0 limit=500",
      "watch rv=9",
      "list rv=10",
      "watch rv=30",
      "list rv=30",
      "watch rv=40",
    ]);
    expect(bench.queued()).toEqual(["replace at 9", "added a@10", "replace b@20 at 30", "replace at 40"]);
  });

  test.each([
    ["expired", expired],
    ["too large", tooLarge],
  ])("lists the newest when its resourceVersion is %s to the list as well", async (_, refuse) => {
    bench.server
      .onList(page("9"), refuse(), page("5", [thing("a", "4")]))
      .onWatch(new ScriptedWatch(errorEvent(expired())));
    await bench.start();
    expect(bench.server.log).toEqual([
      "list rv=0 limit=500",
      "watch rv=9",
      "list rv=9",
      "list rv= limit=500",
      "watch rv=5",
    ]);
    expect(bench.reflector.lastSyncResourceVersion).toBe("5");
  });

  test("lists the newest when the watch itself says that its resourceVersion is too large", async () => {
    bench.server.onList(page("9"), page("5")).onWatch(new ScriptedWatch(errorEvent(tooLarge())));
    await bench.start();
    await bench.clock.advance(800);
    expect(bench.server.log).toEqual(["list rv=0 limit=500", "watch rv=9", "list rv= limit=500", "watch rv=5"]);
  });

  test("queues what came before the error in the same chunk, and nothing that came behind it", async () => {
    // The first two are taken in by themselves, the next two at once.
    const before = [added(thing("a", "10")), added(thing("b", "11"))];
    const watch = new ScriptedWatch(...before, errorEvent(refusal(500)), added(thing("c", "12")));
    bench.server.onList(page("9")).onWatch(watch);
    await bench.start();
    expect(bench.queued()).toEqual(["replace at 9", "added a@10", "added b@11"]);
    await bench.clock.advance(800);
    expect(bench.server.log.at(-1)).toBe("watch rv=11");
  });
});

describe("a server that asks to be left alone", () => {
  test("is not asked sooner, neither for a list nor for a watch, and a watch is no reason to list", async () => {
    bench.server.onList(throttled(7_000), page("9")).onWatch(throttled(7_000), throttled(7_000));
    await bench.start();
    await bench.clock.advance(30_000);
    expect(bench.server.times).toEqual([0, 7_000, 7_000, 14_000, 21_000]);
    expect(bench.server.log.slice(1)).toEqual(["list rv=0 limit=500", "watch rv=9", "watch rv=9", "watch rv=9"]);
  });
});

describe("silence", () => {
  test("a watch whose end is 5 s overdue is taken for dead, and resumed", async () => {
    const watch = new ScriptedWatch(added(thing("a", "10")));
    bench.server.onList(page("9")).onWatch(watch);
    await bench.start();
    await bench.clock.advance(304_999);
    expect(bench.server.requests).toHaveLength(2);
    await bench.clock.advance(1);
    expect(bench.server.log.at(-1)).toBe("watch rv=10");
    expect(bench.told.at(-2)).toBe("wait 0 timeout");
    expect(watch.isClosed).toBe(true);
  });

  test("a watch that is never answered is given up at the same time", async () => {
    bench.server.onList(page("9")).onWatch("silence");
    await bench.start();
    await bench.clock.advance(305_000);
    expect(bench.server.times).toEqual([0, 0, 305_000]);
    expect(bench.server.requests[1]?.signal.aborted).toBe(true);
  });

  test("a list that is silent for a minute is given up", async () => {
    bench.server.onList("silence", page("9"));
    await bench.start();
    await bench.clock.advance(60_000);
    expect(bench.server.times).toEqual([0, 60_000, 60_000]);
    expect(bench.told.slice(0, 2)).toEqual(["list", "wait 0 timeout"]);
  });

  test("a list may take its time as long as something arrives", async () => {
    class SlowServer extends ScriptedListerWatcher {
      override async list(...[options, signal, onProgress]: Parameters<ScriptedListerWatcher["list"]>) {
        for (let chunk = 0; chunk < 5; chunk++) {
          await new Promise<void>((resolve) => bench.clock.after(59_000, resolve));
          onProgress();
        }
        return super.list(options, signal, onProgress);
      }
    }
    const listerWatcher = new SlowServer(bench.clock).onList(page("9"));
    bench = new ReflectorBench({ streaming: false, listerWatcher }, bench.clock);
    await bench.start();
    await bench.clock.advance(5 * 59_000);
    expect(bench.queued()).toEqual(["replace at 9"]);
    expect(bench.told).toEqual(["list", "listed", "watch"]);
  });
});

describe("a full queue", () => {
  test("is not filled further until it was popped, and the silence meanwhile is not the server's", async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => added(thing(`t${at}`, String(at + 10))));
    bench.server.onList(page("9")).onWatch(new ScriptedWatch(...many).send(added(thing("late", "2000"))));
    await bench.start();
    await bench.clock.advance(600_000);
    expect(bench.server.requests).toHaveLength(2);
    expect(bench.reflector.lastSyncResourceVersion).toBe("1009");
    expect(bench.queued()).toHaveLength(1 + 1_000);
    await settle();
    expect(bench.queued()).toEqual(["added late@2000"]);
    await bench.clock.advance(304_999);
    expect(bench.server.requests).toHaveLength(2);
    await bench.clock.advance(1);
    expect(bench.server.log.at(-1)).toBe("watch rv=2000");
  });
});

describe("stop", () => {
  const PHASES: Readonly<Record<string, (server: ScriptedListerWatcher) => void>> = {
    "in a list that is not answered": (server) => server.onList("silence"),
    "in the second page of a list": (server) => server.onList(page("9", [thing("a", "1")], "t1"), "silence"),
    "in a pause after a failed list": (server) => server.onList(throttled(60_000)),
    "in a watch that is not answered": (server) => server.onList(page("9")).onWatch("silence"),
    "in an open watch": (server) => server.onList(page("9")).onWatch(new ScriptedWatch()),
    "in a pause after a failed watch": (server) => server.onList(page("9")).onWatch(throttled(60_000)),
  };

  test.each(Object.keys(PHASES))("%s leaves nothing behind", async (phase) => {
    PHASES[phase]!(bench.server);
    await bench.start();
    expect(bench.clock.pendingTimers).toBe(1);
    const requests = bench.server.requests.length;
    await bench.stop();
    expect(bench.clock.pendingTimers).toBe(0);
    expect(getEventListeners(bench.signal, "abort")).toEqual([]);
    expect(bench.server.requests.every(({ signal }) => signal.aborted)).toBe(true);
    await bench.clock.advance(600_000);
    expect(bench.server.requests).toHaveLength(requests);
  });

  test("closes the watch that is open", async () => {
    const watch = new ScriptedWatch();
    bench.server.onList(page("9")).onWatch(watch);
    await bench.start();
    expect(watch.isClosed).toBe(false);
    await bench.stop();
    expect(watch.isClosed).toBe(true);
  });

  test("before the start: nothing is asked", async () => {
    const clean = new ReflectorBench();
    await clean.stop();
    await clean.start();
    expect(clean.server.requests).toEqual([]);
    expect(clean.clock.pendingTimers).toBe(0);
  });
});
