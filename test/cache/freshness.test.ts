import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { thing } from "../support/entries.js";
import { InformerBench } from "../support/informer.js";
import { added, bookmark, endBookmark, ScriptedWatch } from "../support/scripted-lister-watcher.js";
import { isSettled, settle, soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

let bench: InformerBench;
let watch: ScriptedWatch;
beforeEach(() => {
  bench = new InformerBench();
  watch = new ScriptedWatch();
  bench.server.onWatch(watch);
});
afterEach(() => bench.stop());

describe("waitFor", () => {
  test("resolves with the event or bookmark that brings the cache there, and finds the object", async () => {
    const { signal } = new AbortController();
    await bench.start();
    const first = bench.informer.waitFor("100", signal);
    const second = bench.informer.waitFor("105", signal);
    const third = bench.informer.waitFor("110", signal).then(() => bench.informer.lister.list().length);
    expect(await isSettled(first)).toBe(false);
    watch.send(endBookmark("99"), added(thing("a", "103")));
    await settle();
    await soon(first);
    expect(await isSettled(second)).toBe(false);
    watch.send(bookmark("105"));
    await soon(second);
    watch.send(added(thing("b", "111")));
    expect(await soon(third)).toBe(2);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("resolves at once for what is there already, longer numbers being greater", async () => {
    watch.send(endBookmark("10000000000000000000000"));
    await bench.start();
    await bench.informer.waitFor("9999999999999999999999");
    expect(await isSettled(bench.informer.waitFor("10000000000000000000001"))).toBe(false);
  });

  test("says where the cache is when it is called off", async () => {
    const abort = new AbortController();
    watch.send(endBookmark("5"));
    await bench.start();
    const waiting = bench.informer.waitFor("9", abort.signal);
    abort.abort();
    const error = await soon(informerErrorOf(waiting));
    expect(error).toMatchObject({
      code: "not-synced",
      message: expect.stringContaining("things.v1 is at 5, not yet at 9"),
    });
    expect((await informerErrorOf(bench.informer.waitFor("9", abort.signal))).code).toBe("not-synced");
  });

  test("ends when the informer stops", async () => {
    await bench.start();
    const error = informerErrorOf(bench.informer.waitFor("9"));
    await bench.stop();
    expect((await soon(error)).code).toBe("stopped");
    expect((await informerErrorOf(bench.informer.waitFor("9"))).code).toBe("stopped");
  });

  test.each(["abc", "", "007", "-1", "1.5"])("refuses %j: it has no order", async (resourceVersion) => {
    expect((await informerErrorOf(bench.informer.waitFor(resourceVersion))).code).toBe("usage");
  });
});

describe("atLeast", () => {
  test("says whether the cache is as new as a resourceVersion", async () => {
    const { lister } = bench.informer;
    expect(lister.atLeast("1")).toBe(false);
    watch.send(endBookmark("100"));
    await bench.start();
    const asked = ["99", "100", "101", "1000", "abc"];
    expect(asked.map((resourceVersion) => lister.atLeast(resourceVersion))).toEqual([true, true, false, false, false]);
    expect(lister.namespace("ns").atLeast("100")).toBe(true);
  });
});
