import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { difference } from "../../runtime/cache/truth.js";
import { thing } from "../support/entries.js";
import { ReflectorBench } from "../support/reflector.js";
import {
  added,
  bookmark,
  connectionLost,
  endBookmark,
  page,
  refusal,
  ScriptedWatch,
  synced,
} from "../support/scripted-lister-watcher.js";
import { settle } from "../support/settle.js";

let bench: ReflectorBench;
afterEach(() => bench.stop());

describe("a watch that is silent", () => {
  let watch: ScriptedWatch;
  beforeEach(async () => {
    bench = new ReflectorBench({ probeAfterMs: 90_000 });
    watch = synced();
    bench.server.onWatch(watch);
    await bench.start();
  });

  test("is asked after, each 90 s, and goes on when the server is where it was or further", async () => {
    bench.server.onEveryList(() => page("100"));
    await bench.clock.advance(89_999);
    expect(bench.server.log).toHaveLength(1);
    await bench.clock.advance(180_001);
    expect(bench.server.log).toEqual(["watchList rv=", "list rv= limit=1", "list rv= limit=1", "list rv= limit=1"]);
    expect(watch.isClosed).toBe(false);
  });

  test("leaves no timer when it is stopped", async () => {
    expect(bench.clock.pendingTimers).toBeGreaterThan(0);
    await bench.stop();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("is left alone while there are events or bookmarks", async () => {
    for (let minute = 1; minute <= 4; minute++) {
      await bench.clock.advance(60_000);
      watch.send(minute % 2 === 0 ? bookmark(`10${minute}`) : added(thing("a", `10${minute}`)));
      await settle();
    }
    expect(bench.server.log).toHaveLength(1);
  });

  test("is given up when the server is behind what it had sent: everything is listed anew, from the newest", async () => {
    bench.server.onList(page("66")).onWatch(new ScriptedWatch(added(thing("a", "60")), endBookmark("66")));
    await bench.clock.advance(90_000);
    expect(bench.server.log.slice(2)).toEqual(["watchList rv="]);
    expect(bench.told).toContain("wait 0 regressed");
    expect(bench.queued().at(-1)).toBe("replace a@60 at 66");
    expect(bench.reflector.lastSyncResourceVersion).toBe("66");
  });

  test.each([
    ["cannot be reached", () => connectionLost(), "connection"],
    ["does not answer within 10 s", () => "silence" as const, "timeout"],
  ])("is resumed when the server %s: its own connection is no better", async (_, answer, code) => {
    bench.server.onList(answer());
    await bench.clock.advance(100_000);
    expect(bench.told).toContain(`wait 0 ${code}`);
    expect(bench.server.log.at(-1)).toBe("watch rv=100");
    expect(watch.isClosed).toBe(true);
  });

  test.each([403, 429, 500])("goes on when the question is refused with %i", async (status) => {
    bench.server.onEveryList(() => refusal(status));
    await bench.clock.advance(280_000);
    expect(watch.isClosed).toBe(false);
  });

  test("is not ended by an answer that is older than its own next event", async () => {
    bench.server.onList("silence");
    await bench.clock.advance(95_000);
    watch.send(added(thing("a", "101")));
    await bench.clock.advance(20_000);
    expect(watch.isClosed).toBe(false);
  });
});

describe("what was listed, listed again at its resourceVersion", () => {
  const found = (...versions: string[]) =>
    page(
      "9",
      versions.map((version) => thing(version.split("@")[0]!, version.split("@")[1]!)),
    );

  test.each([true, false])("and the same is well (streaming: %s)", async (streaming) => {
    bench = new ReflectorBench({ verifyAfterSync: true, streaming });
    const watch = streaming ? new ScriptedWatch(added(thing("a", "5")), endBookmark("9")) : new ScriptedWatch();
    if (!streaming) bench.server.onList(found("a@5"));
    bench.server.onList(found("a@5")).onWatch(watch);
    await bench.start();
    expect(bench.server.requests.some(({ options }) => options.resourceVersionMatch === "Exact")).toBe(true);
    expect(watch.isClosed).toBe(false);
  });

  test.each([
    ["an object more", found("a@5", "b@6")],
    ["an object less", found()],
    ["an object that is older", found("a@4")],
  ])("and with %s is taken anew", async (_, second) => {
    bench = new ReflectorBench({ verifyAfterSync: true });
    bench.server
      .onWatch(new ScriptedWatch(added(thing("a", "5")), endBookmark("9")), new ScriptedWatch(endBookmark("10")))
      .onList(second, found());
    await bench.start();
    await bench.clock.advance(1_000);
    expect(bench.told.filter((line) => line.startsWith("wait"))).toEqual(["wait 0 diverged"]);
    expect(bench.queued()).toEqual(["replace a@5 at 9", "replace at 9", "bookmark 10"]);
  });

  test("and with none of a million objects says so of all", () => {
    const entries = Array.from({ length: 1_000_000 }, (_, i) => ({ key: `k${i}`, uid: "u", resourceVersion: "5" }));
    expect(difference("things", entries, [], "9")?.message).toContain("1000000 objects");
  });

  test("and forgotten by the server says nothing", async () => {
    bench = new ReflectorBench({ verifyAfterSync: true });
    const watch = new ScriptedWatch(added(thing("a", "5")), endBookmark("9"));
    bench.server.onWatch(watch).onList(refusal(410));
    await bench.start();
    await bench.clock.advance(60_000);
    expect(watch.isClosed).toBe(false);
  });
});
