/**
 * Invariants over random histories of a server, faults of the way to it and manners of handlers. All are held in each of 10,000
 * runs; a run that breaks one is shrunk to a script, which the test of that invariant shows with the seed that makes it again:
 * `MODEL_SEED=… npx vitest run test/cache/shared-informer-model`.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { SharedInformer } from "../../runtime/cache/shared-informer.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import type { Thing } from "../support/entries.js";
import { Follower, type Manner } from "../support/follower.js";
import { InformerBench, SlowTurn } from "../support/informer.js";
import { ModelServer } from "../support/model-server.js";
import { settle } from "../support/settle.js";

const RUNS = 10_000;
const SEED = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);

const INVARIANTS = {
  I1: "convergence: in the end cache and indexes are what the server has",
  I2: "subsequence: the cache never holds a state that the server never had",
  I3: "no time travel: neither the cache nor a handler goes back to an older state, nor does the cache's resourceVersion",
  I4: "fold: in the end each handler's own story gives the cache",
  I5: "well-formed story: add, updates from what was told last, delete; nothing after a removal",
  I6: "serial: a handler has one call at a time",
  I7: "read your event: the cache is as new as the event that is told, or newer",
  I8: "sync: not before the list is in the cache, and for good; each handler in the end",
  I9: "swap: keys, index and single reads agree between two turns of the loop",
  I10: "what is there when a handler joins is told once",
  I11: "resume: a watch begins where everything before it was taken in",
  I12: "relists: no more than faults give a reason for",
  I13: "rate: six requests in a second and twelve in ten at most, whatever happens",
  I14: "bound: what waits grows with the objects, never with the events",
  I15: "progress: once the server answers, all comes to rest",
  I16: "stop: from any state, and nothing is left",
  I17: "isolation: a handler that throws changes nothing for the others",
  I18: "honest errors: none without a fault",
  I19: "purity: what was given out never changes",
  I20: "hostile keys: all of this also for __proto__ and its like",
} as const;

const key = fc.constantFrom("ns/a", "ns/b", "other/a", "constructor", "ns/__proto__");
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("write" as const), key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(0, 0, 500, 5_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("join" as const),
      manner: fc.constantFrom<Manner>("quick", "coalesce", "block", "throw", "leave"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom("break", "end", "compact", "bookmark", "refuse", "leave") }),
  },
);
const script = fc.record({
  streaming: fc.boolean(),
  queue: fc.constantFrom("DeltaFIFO" as const, "RealFIFO" as const),
  retention: fc.constantFrom("object" as const, "bytes" as const),
  /** Everything that is done in slices is done in the smallest ones. */
  slices: fc.boolean(),
  /** Stopped there and then, and not when all is at rest. */
  stopsEarly: fc.boolean(),
  commands: fc.array(command, { maxLength: 60 }),
});
type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

/** One run. @returns what did not hold, by invariant */
async function play({
  streaming,
  queue,
  retention,
  slices,
  stopsEarly,
  commands,
}: Script): Promise<Map<string, string>> {
  const violations = new Map<string, string>();
  const violated = (invariant: string, what: string) => {
    if (!violations.has(invariant)) violations.set(invariant, what);
  };
  const clock = new InformerBench().clock;
  const bench = new InformerBench({ queue, ...(slices ? { turn: new SlowTurn(clock) } : {}) }, clock);
  const { informer } = bench;
  const model = new ModelServer(bench.server, streaming, new SlabAllocator({ retention }));
  informer.addIndexers({ value: ({ spec }) => [spec?.value ?? ""] });
  let followers = (["quick", "coalesce"] as const).map((manner) => new Follower(informer, manner, violated));
  const everyone = [...followers];
  const store = new StoreWatch(informer, model, violated);
  // A server without streaming lists refuses them, which is told.
  const faults = new Set(streaming ? [] : ["no streaming"]);
  await bench.start();
  for (const given of commands) {
    switch (given.type) {
      case "write":
      case "delete":
        if ("key" in given) model[given.type](given.key);
        break;
      case "wait":
        if ("ms" in given) await clock.advance(given.ms);
        break;
      case "break":
      case "end":
        faults.add(given.type);
        model.endWatches(given.type);
        break;
      case "compact":
      case "bookmark":
        model[given.type]();
        break;
      case "refuse":
        faults.add("refuse");
        model.refusals += 2;
        break;
      case "join":
        if (!("manner" in given)) break;
        followers.push(new Follower(informer, given.manner, violated));
        everyone.push(followers.at(-1)!);
        break;
      case "leave": {
        const leaver = followers.pop();
        if (leaver === undefined) break;
        await leaver.registration.remove();
        leaver.removed = true;
      }
    }
    store.look();
    for (const follower of followers) follower.look(informer, model.objects.size + 5);
  }
  if (!stopsEarly) {
    model.refusals = 0;
    await clock.advance(120_000);
    if (!(await comesToRest(informer))) violated("I15", "still busy after 120 s without a fault");
    store.look();
    followers = followers.filter(({ removed }) => !removed);
    atRest(informer, model, followers, violated);
  }
  const { requests } = bench.server;
  const within = (from: number, ms: number) => requests.filter(({ atMs }) => atMs >= from && atMs < from + ms).length;
  if (requests.some(({ atMs }) => within(atMs, 1_000) > 6 || within(atMs, 10_000) > 12))
    violated("I13", bench.server.log.join());
  const relists = bench.server.log.filter((request) => !request.startsWith("watch ")).length;
  if (relists > 2 + 2 * (model.refused + model.expired) + model.closed) violated("I12", bench.server.log.join());
  for (const { verb, options } of requests) {
    const from = options.resourceVersion ?? "";
    if (verb === "watch" && options.sendInitialEvents !== true && !model.versions.has(from))
      violated("I11", `watch from ${from}`);
  }
  const thrown = bench.errors.filter(({ code }) => code === "handler").length;
  if (thrown > 0 && !everyone.some(({ manner }) => manner === "throw"))
    violated("I17", "an error of a handler that has none");
  if (faults.size === 0 && bench.errors.length > thrown) violated("I18", bench.errors.join());
  const stopped = bench.stop();
  await clock.advance(2_000);
  await stopped;
  for (const follower of everyone) follower.removed = true;
  model.write("ns/a");
  await settle(3);
  if (clock.pendingTimers !== 0) violated("I16", `${clock.pendingTimers} timers are left`);
  for (const follower of everyone) follower.look(informer, Number.POSITIVE_INFINITY);
  return violations;
}

/** What must hold of the cache at each moment. */
class StoreWatch {
  readonly #informer: SharedInformer<Thing>;
  readonly #model: ModelServer;
  readonly #violated: (invariant: string, what: string) => void;
  readonly #last = new Map<string, number>();
  #at = 0;
  #synced = false;

  constructor(
    informer: SharedInformer<Thing>,
    model: ModelServer,
    violated: (invariant: string, what: string) => void,
  ) {
    this.#informer = informer;
    this.#model = model;
    this.#violated = violated;
  }

  look(): void {
    const { indexer } = this.#informer;
    const at = Number(indexer.resourceVersion);
    if (at < this.#at) this.#violated("I3", `the cache went from ${this.#at} to ${at}`);
    this.#at = at;
    if (this.#synced && !this.#informer.hasSynced()) this.#violated("I8", "synced no more");
    this.#synced = this.#informer.hasSynced();
    if (this.#synced && at === 0) this.#violated("I8", "synced without a list");
    const filed = indexer.listIndexValues("value").flatMap((value) => indexer.indexKeys("value", value));
    const keys = indexer.listKeys();
    if (filed.sort().join() !== keys.sort().join()) this.#violated("I9", `${filed} are filed, ${keys} are there`);
    for (const name of keys) {
      const version = Number(indexer.get(name)?.metadata.resourceVersion ?? Number.NaN);
      if (!this.#model.states.has(`${name}@${version}`)) this.#violated("I2", `${name}@${version}`);
      if (version < (this.#last.get(name) ?? 0)) this.#violated("I3", `${name} went back to ${version}`);
      this.#last.set(name, version);
    }
  }
}

/** What must hold when nothing happens any more. */
function atRest(
  { indexer }: SharedInformer<Thing>,
  model: ModelServer,
  followers: readonly Follower[],
  violated: (invariant: string, what: string) => void,
): void {
  const sorted = (entries: Iterable<readonly [string, string | undefined]>) =>
    [...entries].map(String).sort().join(" ");
  const served = sorted(Array.from(model.objects, ([name, { resourceVersion }]) => [name, resourceVersion] as const));
  const cached = sorted(indexer.listKeys().map((name) => [name, indexer.get(name)?.metadata.resourceVersion] as const));
  if (cached !== served) violated("I1", `${cached} instead of ${served}`);
  for (const value of ["v0", "v1", "v2"]) {
    const holders = [...model.objects].filter(([, { object }]) => object.spec?.value === value).map(([name]) => name);
    if (indexer.indexKeys("value", value).sort().join() !== holders.sort().join()) violated("I1", `index of ${value}`);
  }
  for (const { versions, registration, manner } of followers) {
    const folded = sorted(versions);
    if (folded !== served) violated(manner === "throw" ? "I17" : "I4", `${manner}: ${folded} instead of ${served}`);
    if (versions.size !== model.objects.size) violated("I10", `${manner}: ${folded}`);
    if (!registration.hasSynced()) violated("I8", `a ${manner} handler has not synced`);
  }
}

/** Turns the loop until nothing has waited or run for a while. */
async function comesToRest(informer: SharedInformer<Thing>): Promise<boolean> {
  const busy = () =>
    informer.health().handlers.some(({ pending, runningMs }) => pending > 0 || runningMs !== undefined);
  let quiet = 0;
  for (let turns = 0; turns < 2_000 && quiet < 20; turns++) {
    await settle();
    quiet = busy() ? 0 : quiet + 1;
  }
  return quiet >= 20;
}

describe(`whatever the server, the connection and the handlers do (${RUNS} runs, seed ${SEED})`, () => {
  let broken = new Map<string, string>();
  let report = "";

  beforeAll(async () => {
    const property = fc.asyncProperty(script, async (given) => {
      const violations = await play(given);
      if (violations.size > 0) throw Object.assign(new Error([...violations].join("; ")), { violations });
    });
    const details = await fc.check(property, { numRuns: RUNS, seed: SEED });
    if (!details.failed) return;
    const error = details.errorInstance;
    if (!(error instanceof Error && "violations" in error)) throw error;
    broken = error.violations as Map<string, string>;
    report = `seed ${details.seed}, path ${details.counterexamplePath}, script ${JSON.stringify(details.counterexample?.[0])}`;
  }, 120_000);

  test.each(Object.entries(INVARIANTS))("%s %s", (invariant) => {
    const what = broken.get(invariant);
    // Each key of the scripts is one that breaks objects, or stands beside one.
    const all = invariant === "I20" ? [...broken.values()].join("; ") : (what ?? "");
    expect(all === "" ? "" : `${all} (${report})`).toBe("");
  });
});
