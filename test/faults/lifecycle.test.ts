/** Fault matrix, L rows: the order of starts, stops, joins and leaves; and R5, a reader that cannot keep up. */
import { spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import v8 from "node:v8";
import vm from "node:vm";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { InformerError, isInformerError } from "../../runtime/api/informer-error.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { deferred } from "../../runtime/util/abort.js";
import { recorder, thing } from "../support/entries.js";
import { InformerBench, SlowTurn } from "../support/informer.js";
import {
  added,
  connectionLost,
  endBookmark,
  errorEvent,
  expired,
  modified,
  page,
  refusal,
  ScriptedWatch,
} from "../support/scripted-lister-watcher.js";
import { isSettled, settle, turnUntil } from "../support/settle.js";
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

const things = (count: number, version = "1") => Array.from({ length: count }, (_, i) => thing(`t${i}`, version));
const synced = (...entries: Parameters<typeof added>[0][]) =>
  new ScriptedWatch(...entries.map(added), endBookmark("100"));

function record() {
  const { log, handler } = recorder();
  return { log, registration: bench.informer.addEventHandler(handler) };
}

describe("L1", () => {
  test("a stop before the start: the start asks for nothing, and whoever waits hears that it was stopped", async () => {
    const { registration } = record();
    const waits = [informerErrorOf(bench.informer.synced()), informerErrorOf(registration.synced())];
    await bench.stop();
    await bench.start();
    expect(bench.server.requests).toEqual([]);
    expect((await Promise.all(waits)).map(({ code }) => code)).toEqual(["stopped", "stopped"]);
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

  test.each<[string, (bench: InformerBench) => void]>([
    ["told of in slices", () => {}],
    ["decoded for an index", ({ informer }) => informer.addIndexers({ value: () => [] })],
  ])("while a list is %s ends at the slice", async (_, prepare) => {
    bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
    prepare(bench);
    bench.server.onWatch(synced(...things(50)));
    const { log } = record();
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

test("L3: a stop drops what waits for a handler, and waits for the call that runs", async () => {
  bench.server.onWatch(synced(...things(3)));
  const call = deferred();
  const began: string[] = [];
  bench.informer.addEventHandler(({ key }) => {
    began.push(key);
    return call.promise;
  });
  await bench.start();
  expect(bench.informer.health().handlers[0]?.pending).toBe(2);
  const stopped = bench.stop();
  expect(await isSettled(stopped)).toBe(false);
  call.resolve();
  await stopped;
  expect(began).toEqual(["t0"]);
});

/** Moments in the life of an informer that lists 20 objects in slices, follows a change of each, and relists. */
const MOMENTS = [
  "before the start",
  "within the list",
  "in its slices",
  "after it",
  "with changes",
  "at the relist",
] as const;

async function live(act: (moment: (typeof MOMENTS)[number]) => void): Promise<void> {
  bench = new InformerBench({ turn: new SlowTurn(bench.clock) });
  const first = new ScriptedWatch(...things(10).map(added));
  const relist = [...things(15, "150"), thing("new", "160")];
  bench.server.onWatch(first, new ScriptedWatch(...relist.map(added), endBookmark("200")));
  const { log } = record();
  act("before the start");
  await bench.start();
  act("within the list");
  first.send(...things(20).slice(10).map(added), endBookmark("100"));
  await turnUntil("some of the list is told of", () => log.length > 5);
  act("in its slices");
  await turnUntil("the list is told of", () => log.length === 20 && bench.informer.hasSynced());
  act("after it");
  first.send(...things(20, "120").map(modified));
  await turnUntil("some changes are told of", () => log.length > 30);
  act("with changes");
  await turnUntil("all are", () => log.length === 40);
  first.send(errorEvent(expired()));
  await bench.clock.advance(0);
  await turnUntil("some of the relist is told of", () => log.length > 45);
  act("at the relist");
  await turnUntil("all of it is", () => log.length === 40 + 5 + 15 + 1);
  await settle(100);
}

describe.each(MOMENTS)("a handler at this moment: %s", (moment) => {
  test("L4: that joins is told of each object once as there, then of each change", async () => {
    let joined!: ReturnType<typeof record>;
    await live((now) => {
      if (now === moment) joined = record();
    });
    const versions = new Map<string, string>();
    for (const line of joined.log) {
      const [, type, key, from, to] = /^(\w+) (\S+?)@(\d+)(?:→(\d+))?/.exec(line)!;
      if (type === "add") expect(versions.has(key!), line).toBe(false);
      else expect(versions.get(key!), line).toBe(from);
      if (type === "tombstone") versions.delete(key!);
      else versions.set(key!, to ?? from!);
    }
    const cached = bench.informer.indexer.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
    expect([...versions].sort()).toEqual(cached.sort());
    expect(joined.registration.hasSynced()).toBe(true);
  });

  test("L5: that leaves hears of nothing more", async () => {
    const leaver = { log: [] as string[], length: -1 };
    await live((now) => {
      if (now === "before the start") Object.assign(leaver, record());
      if (now !== moment) return;
      void (leaver as unknown as ReturnType<typeof record>).registration.remove();
      leaver.length = leaver.log.length;
    });
    expect(leaver.log).toHaveLength(leaver.length);
  });
});

test("L6: an index that is added after the start is filled before the call returns", async () => {
  bench.server.onWatch(synced(thing("a", "1", { value: "x" })));
  await bench.start();
  bench.informer.addIndexers({ value: ({ spec }) => [spec?.value ?? ""] });
  expect(bench.informer.indexer.indexKeys("value", "x")).toEqual(["a"]);
});

describe("L9: a loop over events", () => {
  test.each<[string, number]>([
    ["that breaks", 1],
    ["that throws", 2],
  ])("%s leaves no handler behind, and the informer runs on", async (_, throwAt) => {
    bench.server.onWatch(synced(...things(3)));
    await bench.start();
    let seen = 0;
    const loop = async () => {
      for await (const _event of bench.informer.events()) {
        if (++seen === throwAt) throw new Error("no");
        if (throwAt === 1) break;
      }
    };
    await loop().catch(() => {});
    expect(bench.informer.health()).toMatchObject({ handlers: [], phase: "watching" });
  });

  test("that never reads on holds no more than there are objects, and does not hold up a stop", async () => {
    const watch = synced(...things(3));
    bench.server.onWatch(watch);
    await bench.start();
    const events = bench.informer.events({ maxPending: 4 });
    await events.next();
    for (let version = 101; version < 1_101; version++) watch.send(modified(thing("t0", String(version))));
    await settle();
    expect(bench.informer.health().handlers[0]?.pending).toBeLessThanOrEqual(4 + 3);
    await bench.stop();
    expect((await events.next()).done).toBe(true);
  });
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
  v8.setFlagsFromString("--expose-gc");
  const collectGarbage = vm.runInNewContext("gc") as () => void;
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

test("R5: a handler that blocks stops the reading of the watch, and the cache goes on from there", async () => {
  const watch = synced();
  let reads = 0;
  const next = watch.next.bind(watch);
  watch.next = () => {
    reads++;
    return next();
  };
  bench.server.onWatch(watch);
  const call = deferred();
  const seen: string[] = [];
  bench.informer.addEventHandler(
    ({ key }) => {
      seen.push(key);
      return call.promise;
    },
    { maxPending: 10, onOverflow: "block" },
  );
  await bench.start();
  const CHUNKS = 100;
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const at = (i: number) => String(101 + chunk * 100 + i);
    watch.send(...Array.from({ length: 100 }, (_, i) => added(thing(`k${at(i)}`, at(i)))));
  }
  // Longer than a watch may be silent, and it is not taken for dead: the silence is ours.
  await bench.clock.advance(1_200_000);
  // What waits for the handler, a queue of a thousand changes, and the chunk that filled it.
  expect(reads).toBeLessThan(15);
  expect(bench.informer.indexer.size).toBeLessThan(15);
  call.resolve();
  await turnUntil("all is handled", () => seen.length === CHUNKS * 100);
  expect(bench.server.requests.filter(({ verb }) => verb === "watch")).toHaveLength(1);
  expect(bench.errors).toEqual([]);
  // A connection that dies afterwards is noticed as ever.
  await bench.clock.advance(700_000);
  expect(bench.errors.map(({ code }) => code)).toEqual(["timeout"]);
});

describe("factories", () => {
  const configMaps = {
    group: "",
    version: "v1",
    resource: "configmaps",
    kind: "ConfigMap",
    scope: "Namespaced",
  } as ResourceDescriptor;
  const namespaces = {
    ...configMaps,
    resource: "namespaces",
    kind: "Namespace",
    scope: "Cluster",
  } as ResourceDescriptor;
  let server: EmbeddedApiServer;
  const made: InformerFactory[] = [];

  const makeFactory = (options: InformerFactoryOptions = {}) => {
    const factory = new InformerFactory(server.kubeConfig(), { onError: () => {}, ...options });
    made.push(factory);
    return factory;
  };

  beforeEach(async () => {
    server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
    server.create(configMaps, { metadata: { name: "a" } });
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map((factory) => factory.shutdown()));
    await server.close();
  });

  test("L7: two informers of one resource are one, with one watch", async () => {
    const factory = makeFactory();
    const informers = [factory.informerFor(configMaps), factory.forResource(configMaps).informer()];
    factory.start();
    await factory.waitForCacheSync();
    expect(new Set(informers).size).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  test("U8: a handler that shuts its factory down and waits for it is not in its own way", async () => {
    const factory = makeFactory({ clock: new VirtualClock() });
    const done = deferred();
    factory.informerFor(configMaps).addEventHandler(async () => {
      await factory.shutdown();
      done.resolve();
    });
    factory.start();
    await done.promise;
    expect(factory.informerFor(configMaps).isStopped()).toBe(true);
  });

  test("L14: a wait for caches says which did not sync, and why; without a start, that", async () => {
    const factory = makeFactory();
    server.intercept(({ path }) =>
      path === "/api/v1/namespaces" ? { status: 503, body: { kind: "Status", code: 503, message: "away" } } : undefined,
    );
    const informers = [factory.informerFor(configMaps), factory.informerFor(namespaces)];
    expect((await informerErrorOf(factory.waitForCacheSync())).message).toContain(
      "configmaps.v1, namespaces.v1; call start",
    );
    factory.start();
    const abort = new AbortController();
    const waits = informerErrorOf(factory.waitForCacheSync(abort.signal));
    await turnUntil("one has synced, one has failed", () => {
      return informers[0]!.hasSynced() && informers[1]!.health().lastError !== undefined;
    });
    abort.abort();
    const error = await waits;
    expect(error.code).toBe("not-synced");
    expect(error.message).toMatch(/namespaces\.v1: .*503/);
    expect(error.message).not.toContain("configmaps");
  });

  test("L15: what is made after a shutdown is new, and the old hears of nothing", async () => {
    const old = makeFactory();
    const heard: string[] = [];
    const registration = old.informerFor(configMaps).addEventHandler(({ key }) => void heard.push(key));
    old.start();
    await registration.synced();
    await old.shutdown();
    const fresh = makeFactory();
    const seen: string[] = [];
    fresh.informerFor(configMaps).addEventHandler(({ key }) => void seen.push(key));
    fresh.start();
    await fresh.waitForCacheSync();
    server.create(configMaps, { metadata: { name: "b" } });
    await turnUntil("it is told of", () => seen.length === 2);
    expect([heard, seen]).toEqual([["default/a"], ["default/a", "default/b"]]);
    expect(() => old.start()).toThrow(/shut down/);
  });

  /** A program that follows config maps, says so, and shuts down when it is told to. */
  const program = () => {
    const url = new URL("../../runtime/informers/dynamic-shared-informer-factory.ts", import.meta.url);
    return `(async () => {
      const { DynamicSharedInformerFactory } = await import(${JSON.stringify(url.href)});
      const factory = new DynamicSharedInformerFactory({
        getCurrentCluster: () => ({ server: ${JSON.stringify(server.url)} }),
        applyToHTTPSOptions: async () => {},
      });
      factory.forResource({ group: "", version: "v1", resource: "configmaps" }).informer();
      factory.start();
      const { parentPort } = await import("node:worker_threads");
      (parentPort ?? process).once(parentPort ? "message" : "SIGTERM", () => void factory.shutdown());
      const { size } = await factory.waitForCacheSync();
      if (parentPort) parentPort.postMessage("synced " + size);
      else process.stdout.write("synced " + size);
    })()`;
  };

  test("L11: a process with open watches ends by itself once it has shut down", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", "--eval", program()], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(String((await once(child.stdout, "data"))[0])).toBe("synced 1");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(server.watches).toEqual([]);
  });

  test("L12: a worker thread runs informers of its own, and ends with them", async () => {
    const worker = new Worker(`import("tsx/esm/api").then(({ register }) => register()).then(() => ${program()})`, {
      eval: true,
    });
    expect((await once(worker, "message"))[0]).toBe("synced 1");
    worker.postMessage("stop");
    expect(await once(worker, "exit")).toEqual([0]);
  });

  test("L12: two copies of the package know each other's errors, and share nothing", async () => {
    vi.resetModules();
    const copy = await import("../../runtime/informers/shared-informer-factory.js");
    const errors = await import("../../runtime/api/informer-error.js");
    expect(errors.InformerError).not.toBe(InformerError);
    expect(isInformerError(new errors.InformerError("usage", "x"))).toBe(true);
    const theirs = new copy.InformerFactory(server.kubeConfig());
    const ours = makeFactory();
    for (const factory of [ours, theirs]) {
      factory.informerFor(configMaps);
      factory.start();
    }
    expect((await ours.waitForCacheSync()).size).toBe(1);
    await ours.shutdown();
    expect((await theirs.waitForCacheSync()).size).toBe(1);
    await theirs.shutdown();
  });
});
