/** Fault matrix, L rows: starts and stops of an informer. Its handlers' are in lifecycle-handlers, factories' in lifecycle-factories. */
import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import { collectGarbage } from "../support/collect-garbage.js";
import { thing, things } from "../support/entries.js";
import { InformerBench, SlowTurn } from "../support/informer.js";
import {
  added,
  connectionLost,
  modified,
  page,
  refusal,
  ScriptedWatch,
  synced,
} from "../support/scripted-lister-watcher.js";
import { isSettled, settle, soon } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

let bench: InformerBench;
beforeEach(() => {
  bench = new InformerBench();
});
afterEach(async () => {
  const stopped = bench.stop();
  await bench.clock.advance(2_000);
  await stopped;
});

describe("L1", () => {
  test("a stop before the start: the start asks for nothing, and whoever waits hears that it was stopped", async () => {
    const { registration } = bench.record();
    const waits = [informerErrorOf(bench.informer.synced()), informerErrorOf(registration.synced())];
    await bench.stop();
    await bench.start();
    expect(bench.server.requests).toEqual([]);
    expect((await soon(Promise.all(waits))).map(({ code }) => code)).toEqual(["stopped", "stopped"]);
  });

  test("a second start is the first; one after the stop stays stopped, and adds nothing", async () => {
    bench.server.onWatch(synced());
    await bench.start();
    const run = bench.informer.run(bench.signal);
    expect(bench.informer.run(new AbortController().signal)).toBe(run);
    await bench.stop();
    await run;
    expect(await isSettled(bench.informer.run(new AbortController().signal))).toBe(true);
    expect(bench.server.requests).toHaveLength(1);
    expect(() => bench.informer.addEventHandler(() => {})).toThrow(InformerError);
    expect(() => bench.informer.addIndexers({})).toThrow(InformerError);
    await bench.informer.synced();
  });
});

describe("L2: a stop", () => {
  const PHASES: Readonly<Record<string, (bench: InformerBench) => unknown>> = {
    "before the answer": ({ server }) => server.onWatch("silence"),
    "within the streaming list": ({ server }) => server.onWatch(new ScriptedWatch(added(thing("a", "1")))),
    "on page 1 of a list": ({ server }) => server.onWatch(refusal(422)).onList("silence"),
    "on page 3 of a list": ({ server }) =>
      server.onWatch(refusal(422)).onList(page("9", things(1), "p2"), page("9", [], "p3"), "silence"),
    "in a pause after a failure": ({ server }) => server.onEveryWatch(connectionLost),
    "in a watch": ({ server }) => server.onWatch(synced(...things(3))),
    "while a handler holds it up": ({ server, informer }) => {
      informer.addEventHandler(() => new Promise(() => {}), { maxPending: 1, onOverflow: "block" });
      server.onWatch(synced(...things(3)).send(...things(5, "101").map(modified)));
    },
  };

  test.each(Object.keys(PHASES))("%s ends within two seconds, and leaves no timer and no listener", async (phase) => {
    PHASES[phase]!(bench);
    await bench.start();
    const stopped = bench.stop();
    await bench.clock.advance(2_000);
    await stopped;
    expect(bench.clock.pendingTimers).toBe(0);
    expect(getEventListeners(bench.signal, "abort")).toEqual([]);
    const requests = bench.server.requests.length;
    await bench.clock.advance(600_000);
    expect(bench.server.requests).toHaveLength(requests);
  });

  test("while the server is asked whether the watch lives ends at once", async () => {
    bench = new InformerBench({ reflector: { probeAfterMs: 5_000 } });
    bench.server.onWatch(synced(...things(3))).onList("silence");
    await bench.start();
    await bench.clock.advance(5_000);
    expect(bench.server.log).toHaveLength(2);
    await bench.stop();
    expect(bench.clock.pendingTimers).toBe(0);
    expect(getEventListeners(bench.signal, "abort")).toEqual([]);
  });

  test.each<[string, (bench: InformerBench) => void]>([
    ["told of in slices", () => {}],
    ["decoded for an index", ({ informer }) => informer.addIndexers({ value: () => [] })],
  ])("while a list is %s ends at the slice", async (_, prepare) => {
    bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
    prepare(bench);
    bench.server.onWatch(synced(...things(50)));
    const { log } = bench.record();
    await bench.start();
    await settle(3);
    await bench.stop();
    const { length } = log;
    expect(length).toBeLessThan(50);
    await settle(20);
    expect(log).toHaveLength(length);
    expect(bench.informer.hasSynced()).toBe(false);
  });
});

test("L6: an index that is added after the start is filled before the call returns", async () => {
  bench.server.onWatch(synced(thing("a", "1", { value: "x" })));
  await bench.start();
  bench.informer.addIndexers({ value: ({ spec }) => [spec?.value ?? ""] });
  expect(bench.informer.indexer.indexKeys("value", "x")).toEqual(["a"]);
});

describe("L10: a signal", () => {
  test("that has aborted: nothing is asked, nothing is left", async () => {
    await bench.informer.run(AbortSignal.abort());
    expect(bench.server.requests).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("of a thousand informers, with handlers and loops: no warning, and no listener when they have stopped", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const abort = new AbortController();
    const benches = Array.from({ length: 1_000 }, () => new InformerBench({}, bench.clock));
    const loops = benches.map(async ({ informer }) => {
      for await (const _ of informer.events({ signal: abort.signal }));
    });
    const running = benches.map(({ informer }) => informer.run(abort.signal));
    await settle();
    abort.abort();
    await Promise.all([...running, ...loops]);
    await settle();
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

test("L13: an informer that has stopped is let go of, though its signal lives on", async () => {
  const parent = new AbortController();
  const stopped = async () => {
    const own = new InformerBench();
    own.server.onWatch(synced(thing("a", "1")));
    const running = own.informer.run(parent.signal);
    await own.clock.advance(0);
    parent.abort();
    await running;
    return new WeakRef(own.informer);
  };
  const ref = await stopped();
  for (let i = 0; i < 10 && ref.deref() !== undefined; i++) {
    await settle();
    collectGarbage();
  }
  expect(ref.deref()).toBeUndefined();
  expect(parent.signal.aborted).toBe(true);
});
