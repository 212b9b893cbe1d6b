/**
 * Random histories of a server, faults of the way to it and manners of handlers, and what must hold in each of them. It is long as
 * one run is judged by all of it.
 */
import fc from "fast-check";
import { NamespaceSet } from "../../runtime/api/namespaces.js";
import type { SharedInformer } from "../../runtime/cache/shared-informer.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { Thing } from "./entries.js";
import { Follower, type Manner, type Violation } from "./follower.js";
import { InformerBench, SlowTurn } from "./informer.js";
import { ModelServer } from "./model-server.js";
import { ScriptedListerWatcher } from "./scripted-lister-watcher.js";
import { isSettled, settle } from "./settle.js";

export const INVARIANTS = {
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
  I11: "resume: a watch begins, and the cache says that it is, where everything before was taken in",
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

const RUNS = 10_000;
const FAILING: ReadonlySet<Manner> = new Set(["throw", "reject"]);
/** Of the scripts: another each time, unless it is given. */
export const SEED = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
/** Of one script of that seed, as a failure tells it: that one alone is played. */
const PATH = process.env["MODEL_PATH"];

/** What is followed at first, where namespaces are. */
const FIRST_NAMESPACE = "ns";

const namespace = fc.constantFrom("ns", "other", "constructor");
const key = fc.constantFrom("ns/a", "ns/b", "other/a", "constructor", "constructor/a", "ns/__proto__");
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("write" as const), key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(0, 0, 500, 5_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("join" as const),
      manner: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom<Manner>("quick", "coalesce", "block", "throw", "reject", "leave") },
        { weight: 1, arbitrary: fc.constant<Manner>("stop") },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom(
        "break" as const,
        "end" as const,
        "compact" as const,
        "bookmark" as const,
        "refuse" as const,
        "leave" as const,
      ),
    }),
  },
);
/** A namespace that is followed is let go, another is followed; one is forbidden, or allowed again. */
const ofNamespace = fc.record({
  type: fc.constantFrom("turn" as const, "turn" as const, "forbid" as const),
  namespace,
});

function scripts(byNamespaces: boolean) {
  const commands = byNamespaces
    ? fc.oneof({ weight: 5, arbitrary: command }, { weight: 1, arbitrary: ofNamespace })
    : command;
  return fc.record({
    byNamespaces: fc.constant(byNamespaces),
    streaming: fc.boolean(),
    queue: fc.constantFrom("DeltaFIFO" as const, "RealFIFO" as const),
    retention: fc.constantFrom("object" as const, "bytes" as const),
    /** Everything that is done in slices is done in the smallest ones. */
    slices: fc.boolean(),
    /** Stopped there and then, and not when all is at rest. */
    stopsEarly: fc.boolean(),
    commands: fc.array(commands, { maxLength: 60 }),
  });
}
type Script = ReturnType<typeof scripts> extends fc.Arbitrary<infer Value> ? Value : never;

/**
 * Plays {@link RUNS} scripts. A run that breaks an invariant is shrunk to the shortest that does.
 * @returns what did not hold, by invariant, with the script and the seed that make it again
 */
export async function brokenInvariants(byNamespaces: boolean): Promise<(invariant: string) => string> {
  const property = fc.asyncProperty(scripts(byNamespaces), async (script) => {
    const violations = await new Play(script).run();
    if (violations.size > 0) throw Object.assign(new Error([...violations].join("; ")), { violations });
  });
  const { failed, errorInstance, counterexample, counterexamplePath } = await fc.check(property, {
    numRuns: RUNS,
    seed: SEED,
    ...(PATH !== undefined && { path: PATH, endOnFailure: true }),
  });
  if (!failed) return () => "";
  if (!(errorInstance instanceof Error && "violations" in errorInstance)) throw errorInstance;
  const violations = errorInstance.violations as Map<string, string>;
  const again = `again: MODEL_SEED=${SEED} MODEL_PATH=${counterexamplePath} npx vitest run test/cache/shared-informer`;
  const report = `${again}; script ${JSON.stringify(counterexample?.[0])}`;
  return (invariant) => {
    // Each key of the scripts is one that breaks objects, or stands beside one.
    const what = invariant === "I20" ? [...violations.values()].join("; ") : violations.get(invariant);
    return what === undefined || what === "" ? "" : `${what} (${report})`;
  };
}

/** One run. */
class Play {
  readonly #script: Script;
  readonly #clock = new VirtualClock();
  readonly #namespaces: NamespaceSet | undefined;
  readonly #model: ModelServer;
  /** One for each time that a namespace was followed. */
  readonly #servers: ScriptedListerWatcher[] = [];
  readonly #bench: InformerBench;
  readonly #followers: Follower[] = [];
  /** Those that have not been taken out by a command. */
  #present: Follower[] = [];
  readonly #violations = new Map<string, string>();
  readonly #violated: Violation = (invariant, what) => {
    if (!this.#violations.has(invariant)) this.#violations.set(invariant, what);
  };

  constructor(script: Script) {
    this.#script = script;
    const { byNamespaces, streaming, queue, retention, slices } = script;
    if (byNamespaces) this.#namespaces = new NamespaceSet([FIRST_NAMESPACE]);
    this.#model = new ModelServer(streaming, new SlabAllocator({ retention }));
    const listerWatcher = (namespace: string | undefined) => {
      const server = new ScriptedListerWatcher(this.#clock);
      this.#model.serve(server, namespace);
      this.#servers.push(server);
      return server;
    };
    const turn = slices ? { turn: new SlowTurn(this.#clock) } : {};
    this.#bench = new InformerBench({ listerWatcher, namespaces: this.#namespaces, queue, ...turn }, this.#clock);
  }

  /** @returns what did not hold, by invariant */
  async run(): Promise<Map<string, string>> {
    const { informer } = this.#bench;
    informer.addIndexers({ value: ({ spec }) => [spec?.value ?? ""] });
    for (const manner of ["quick", "coalesce"] as const) this.#join(manner);
    const store = new StoreWatch(informer, this.#model, this.#namespaces, this.#violated);
    await this.#bench.start();
    for (const given of this.#script.commands) {
      await this.#do(given);
      if (given.type === "turn") store.restarted.add(given.namespace);
      store.look();
      for (const follower of this.#present) follower.look(informer, this.#model.objects.size + 5);
    }
    if (!this.#script.stopsEarly && !this.#hasStopped) {
      this.#model.refusals = 0;
      await this.#rest();
      if (this.#namespaces !== undefined) {
        this.#besideForbidden();
        this.#model.forbidden.clear();
        // Once more, also as a namespace that is followed again is asked for when the handlers have been told of its end.
        await this.#rest();
      }
      store.look();
      if (!this.#hasStopped) await this.#atRest();
    }
    this.#judgeRequests();
    this.#judgeErrors();
    await this.#stop();
    return this.#violations;
  }

  /** By a handler, and so from now on. */
  get #hasStopped(): boolean {
    return this.#followers.some(({ hasStopped }) => hasStopped);
  }

  #join(manner: Manner): void {
    if (this.#hasStopped) return;
    const follower = new Follower(this.#bench.informer, manner, this.#violated, this.#script.byNamespaces);
    this.#followers.push(follower);
    this.#present.push(follower);
  }

  async #do(given: Script["commands"][number]): Promise<void> {
    const model = this.#model;
    switch (given.type) {
      case "write":
      case "delete":
        return model[given.type](given.key);
      case "wait":
        return this.#clock.advance(given.ms);
      case "break":
      case "end":
        return model.endWatches(given.type);
      case "compact":
      case "bookmark":
        return model[given.type]();
      case "refuse":
        model.refusals += 2;
        return;
      case "join":
        return this.#join(given.manner);
      case "turn":
        if (this.#namespaces?.delete(given.namespace) === false) this.#namespaces.add(given.namespace);
        return;
      case "forbid":
        if (!model.forbidden.delete(given.namespace)) model.forbid(given.namespace);
        return;
      case "leave": {
        const leaver = this.#present.pop();
        if (leaver === undefined) return;
        await leaver.registration.remove();
        leaver.removed = true;
      }
    }
  }

  async #rest(): Promise<void> {
    await this.#clock.advance(60_000);
    if (!(await comesToRest(this.#bench.informer)))
      this.#violated("I15", "still busy after 60 s without a fault but of rights");
  }

  /** A namespace that cannot be asked for hides no other. One that was let go and followed again may not be listed yet. */
  #besideForbidden(): void {
    if (this.#hasStopped) return;
    const { indexer } = this.#bench.informer;
    for (const { namespace, synced } of this.#bench.informer.health().namespaces) {
      if (!synced || this.#model.forbidden.has(namespace)) continue;
      const served = this.#served((name) => namespaceOf(name) === namespace);
      const keys = indexer.listKeys().filter((name) => namespaceOf(name) === namespace);
      const cached = sorted(keys.map((name) => [name, indexer.get(name)?.metadata.resourceVersion]));
      if (cached !== served) this.#violated("I1", `beside forbidden namespaces ${cached} instead of ${served}`);
    }
  }

  #served(isAskedFor: (name: string) => boolean): string {
    const objects = [...this.#model.objects].filter(([name]) => isAskedFor(name));
    return sorted(objects.map(([name, { resourceVersion }]) => [name, resourceVersion]));
  }

  /** What must hold when nothing happens any more. */
  async #atRest(): Promise<void> {
    const { informer } = this.#bench;
    const { indexer } = informer;
    const isFollowed = (name: string) => this.#namespaces?.has(namespaceOf(name)) ?? true;
    const objects = [...this.#model.objects].filter(([name]) => isFollowed(name));
    const served = this.#served(isFollowed);
    const cached = sorted(indexer.listKeys().map((name) => [name, indexer.get(name)?.metadata.resourceVersion]));
    if (cached !== served) this.#violated("I1", `${cached} instead of ${served}`);
    for (const value of ["v0", "v1", "v2"]) {
      const holders = objects.filter(([, { object }]) => object.spec?.value === value).map(([name]) => name);
      if (indexer.indexKeys("value", value).sort().join() !== holders.sort().join())
        this.#violated("I1", `index of ${value}`);
    }
    const followed = informer.health().namespaces.map(({ namespace }) => namespace);
    if (followed.sort().join() !== [...(this.#namespaces ?? [])].sort().join())
      this.#violated("I1", `follows ${followed}`);
    if (!(await isSettled(informer.synced()))) this.#violated("I8", "the informer has not synced");
    for (const { versions, registration, manner, removed } of this.#present) {
      if (removed) continue;
      const folded = sorted(versions);
      if (folded !== served)
        this.#violated(FAILING.has(manner) ? "I17" : "I4", `${manner}: ${folded} instead of ${served}`);
      if (versions.size !== objects.length) this.#violated("I10", `${manner}: ${folded}`);
      if (!registration.hasSynced()) this.#violated("I8", `a ${manner} handler has not synced`);
    }
  }

  #judgeRequests(): void {
    const { refused, expired, closed, versions } = this.#model;
    let relists = 0;
    for (const { requests, log } of this.#servers) {
      const within = (from: number, ms: number) =>
        requests.filter(({ atMs }) => atMs >= from && atMs < from + ms).length;
      if (requests.some(({ atMs }) => within(atMs, 1_000) > 6 || within(atMs, 10_000) > 12))
        this.#violated("I13", log.join());
      relists += log.filter((request) => !request.startsWith("watch ")).length;
      for (const { verb, options } of requests) {
        const from = options.resourceVersion ?? "";
        if (verb === "watch" && options.sendInitialEvents !== true && !versions.has(from))
          this.#violated("I11", `watch from ${from}`);
      }
    }
    if (relists > 2 * this.#servers.length + 2 * (refused + expired) + closed)
      this.#violated("I12", this.#servers.map(({ log }) => log.join()).join("; "));
  }

  #judgeErrors(): void {
    // Who is still called when all stops is told of, as virtual time passes in leaps.
    if (this.#hasStopped) return;
    const { errors } = this.#bench;
    const { streaming, commands } = this.#script;
    const thrown = errors.filter(({ code }) => code === "handler").length;
    if (thrown > 0 && !this.#followers.some(({ manner }) => FAILING.has(manner)))
      this.#violated("I17", "an error of a handler that has none");
    // A server without streaming lists refuses them, which is told.
    const isFaulty = !streaming || commands.some(({ type }) => ["break", "end", "refuse", "forbid"].includes(type));
    if (!isFaulty && errors.length > thrown) this.#violated("I18", errors.join());
  }

  async #stop(): Promise<void> {
    const stopped = this.#bench.stop();
    await this.#clock.advance(2_000);
    await stopped;
    for (const follower of this.#followers) follower.removed = true;
    this.#model.write("ns/a");
    await settle(3);
    const { pendingTimers } = this.#clock;
    if (pendingTimers !== 0) this.#violated("I16", `${pendingTimers} timers are left`);
    for (const follower of this.#followers) follower.look(this.#bench.informer, Number.POSITIVE_INFINITY);
  }
}

/** What must hold of the cache at each moment. */
class StoreWatch {
  readonly #informer: SharedInformer<Thing>;
  readonly #model: ModelServer;
  readonly #namespaces: NamespaceSet | undefined;
  readonly #violated: Violation;
  readonly #last = new Map<string, number>();
  /** By namespace, or one under `""`. */
  readonly #at = new Map<string, number>();
  #synced = false;
  /** Namespaces that were let go or followed: each may begin anew once. */
  readonly restarted = new Set<string>();

  constructor(
    informer: SharedInformer<Thing>,
    model: ModelServer,
    namespaces: NamespaceSet | undefined,
    violated: Violation,
  ) {
    this.#informer = informer;
    this.#model = model;
    this.#namespaces = namespaces;
    this.#violated = violated;
  }

  look(): void {
    const { indexer } = this.#informer;
    if (this.#synced && !this.#informer.hasSynced()) this.#violated("I8", "synced no more");
    this.#synced = this.#informer.hasSynced();
    const filed = indexer.listIndexValues("value").flatMap((value) => indexer.indexKeys("value", value));
    const keys = indexer.listKeys();
    if (filed.sort().join() !== keys.sort().join()) this.#violated("I9", `${filed} are filed, ${keys} are there`);
    const held = new Map(keys.map((name) => [name, indexer.get(name)?.metadata.resourceVersion]));
    for (const [name, version] of held) {
      if (!this.#model.states.has(`${name}@${version}`)) this.#violated("I2", `${name}@${version}`);
      if (Number(version) < (this.#last.get(name) ?? 0)) this.#violated("I3", `${name} went back to ${version}`);
      this.#last.set(name, Number(version));
    }
    const { resourceVersion, namespaces } = this.#informer.health();
    const parts = this.#namespaces === undefined ? [{ namespace: "", resourceVersion }] : namespaces;
    for (const part of parts) this.#lookAt(part.namespace, part.resourceVersion, held);
  }

  #lookAt(namespace: string, resourceVersion: string, held: ReadonlyMap<string, string | undefined>): void {
    const at = Number(resourceVersion);
    const before = this.#at.get(namespace) ?? 0;
    if (at < before && !(at === 0 && this.restarted.delete(namespace)))
      this.#violated("I3", `the cache went from ${before} to ${at}`);
    this.#at.set(namespace, at);
    if (this.#synced && at === 0 && this.#namespaces === undefined) this.#violated("I8", "synced without a list");
    if (at === 0) return;
    for (const name of this.#model.keys) {
      if (namespace !== "" && !name.startsWith(`${namespace}/`)) continue;
      if (!this.#model.wasSince(name, held.get(name), at))
        this.#violated("I11", `the cache is at ${at}, and has ${name}@${held.get(name)}`);
    }
  }
}

/** `""` for what is in none. */
function namespaceOf(name: string): string {
  return name.includes("/") ? name.slice(0, name.indexOf("/")) : "";
}

function sorted(entries: Iterable<readonly [string, string | undefined]>): string {
  return [...entries].map(String).sort().join(" ");
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
