/** Plays one script of the model, and holds the informer against every invariant while it does and when all is at rest. */
import { NamespaceSet } from "../../runtime/api/namespaces.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { Turn } from "../../runtime/util/turn.js";
import { Follower, type Manner, type Violation } from "./follower.js";
import { InformerBench, SlowTurn } from "./informer.js";
import { CacheWatch } from "./model-cache.js";
import { FIRST_NAMESPACE, KEYS, type Script } from "./model-script.js";
import { ModelServer } from "./model-server.js";
import { ScriptedListerWatcher } from "./scripted-lister-watcher.js";
import { isSettled, settle } from "./settle.js";

/** Of the loop, in which all is done that is to be done. */
const MAX_TURNS = 2_000;
/** More than may wait for a handler. */
const BURST = 30;
/** More than there may be in ten seconds. */
const FLAPS = 15;
const FAILING: ReadonlySet<Manner> = new Set(["throw", "reject"]);

export class Play {
  readonly #script: Script;
  readonly #clock = new VirtualClock();
  readonly #namespaces: NamespaceSet | undefined;
  readonly #model: ModelServer;
  /** One for each time that a namespace was followed. */
  readonly #servers: ScriptedListerWatcher[] = [];
  readonly #turn: SlowTurn | undefined;
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
    this.#turn = slices ? new SlowTurn(this.#clock) : undefined;
    const turn = this.#turn ?? new Turn(this.#clock);
    this.#bench = new InformerBench({ listerWatcher, namespaces: this.#namespaces, queue, turn }, this.#clock);
  }

  /** @returns what did not hold, by invariant */
  async run(): Promise<Map<string, string>> {
    const { informer } = this.#bench;
    for (const key of this.#script.initial) this.#model.write(key);
    informer.addIndexers({ value: ({ spec }) => [spec?.value ?? ""] });
    for (const manner of ["quick", "coalesce"] as const) this.#join(manner);
    const store = new CacheWatch(informer, this.#model, this.#namespaces, this.#violated);
    await this.#bench.start();
    for (const given of this.#script.commands) {
      await this.#do(given);
      if (given.type === "turn") store.restarted.add(given.namespace);
      store.look();
      for (const follower of this.#present) follower.look(informer, KEYS.length);
    }
    if (!this.#script.stopsEarly && !this.#hasStopped) {
      this.#model.refusals = 0;
      this.#model.flaps = 0;
      for (const follower of this.#followers) follower.letGo(true);
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
    const { byNamespaces } = this.#script;
    const follower = new Follower(this.#bench.informer, manner, this.#violated, this.#model, byNamespaces);
    this.#followers.push(follower);
    this.#present.push(follower);
  }

  async #do(given: Script["commands"][number]): Promise<void> {
    const model = this.#model;
    switch (given.type) {
      case "write":
      case "delete":
        return model[given.type](given.key);
      case "burst":
        for (let left = BURST; left > 0; left--) model.write(given.key);
        return;
      case "wait":
        await this.#clock.advance(given.ms);
        if (given.ms >= 5_000) for (const follower of this.#followers) follower.letGo(false);
        return;
      case "expire":
        model.endWatches("end");
        model.write(given.key);
        return model.compact();
      case "break":
      case "end":
        return model.endWatches(given.type);
      case "compact":
      case "bookmark":
        return model[given.type]();
      case "refuse":
        model.refusals += 2;
        return;
      case "lag":
        // A namespace that is followed again is listed like a first one: it may be shown what is older.
        if (!this.#script.byNamespaces) model.lag();
        return;
      case "flap":
        model.flaps = FLAPS;
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
        leaver.letGo(true);
        await this.#ends(leaver.registration.remove(), "I15", "a removal");
        leaver.removed = true;
      }
    }
  }

  async #rest(): Promise<void> {
    // What goes in slices may ask the server only after the first time. It must not be taken for a silence of a minute.
    for (let minutes = 0; minutes < 2; minutes++) {
      await this.#comesToRest();
      await this.#clock.advance(60_000);
      if (!(await this.#comesToRest())) this.#violated("I15", "still busy after 60 s without a fault but of rights");
    }
  }

  get #isSlicing(): boolean {
    return (this.#turn?.waiting ?? 0) > 0;
  }

  async #ends(promise: Promise<void>, invariant: string, what: string): Promise<void> {
    let hasEnded = false;
    void promise.then(() => {
      hasEnded = true;
    });
    for (let turns = 0; turns < MAX_TURNS && !hasEnded; turns++) await settle();
    if (!hasEnded) this.#violated(invariant, `${what} does not end`);
  }

  /** Turns the loop until nothing has waited or run for a while. */
  async #comesToRest(): Promise<boolean> {
    const { informer } = this.#bench;
    const isBusy = () =>
      this.#isSlicing ||
      informer.health().handlers.some(({ pending, runningMs }) => pending > 0 || runningMs !== undefined);
    let quiet = 0;
    for (let turns = 0; turns < MAX_TURNS && quiet < 20; turns++) {
      await settle();
      quiet = isBusy() ? 0 : quiet + 1;
    }
    return quiet >= 20;
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
    // What nothing has changed until, the server says with a bookmark, and the cache after it.
    this.#model.bookmark();
    await settle(3);
    const { resourceVersion, namespaces } = informer.health();
    for (const part of this.#namespaces === undefined ? [{ resourceVersion }] : namespaces)
      if (part.resourceVersion !== this.#model.version)
        this.#violated("I1", `the cache is at ${part.resourceVersion}, the server at ${this.#model.version}`);
  }

  #judgeRequests(): void {
    const { refused, expired, closed, versions, rewatched } = this.#model;
    if (rewatched.length > 0) this.#violated("I11", `watched again from ${rewatched}, which has expired`);
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
    const faults: readonly string[] = ["break", "end", "expire", "refuse", "forbid", "flap"];
    const isFaulty = !streaming || commands.some(({ type }) => faults.includes(type));
    if (!isFaulty && errors.length > thrown) this.#violated("I18", errors.join());
  }

  async #stop(): Promise<void> {
    const stopped = this.#bench.stop();
    // What goes in slices comes to its end first; then a call that does not return has two seconds.
    for (let turns = 0; turns < MAX_TURNS && (turns < 3 || this.#isSlicing); turns++) await settle();
    await this.#clock.advance(2_000);
    await this.#ends(stopped, "I16", "the stop");
    for (const follower of this.#followers) {
      follower.removed = true;
      follower.letGo(true);
    }
    this.#model.write("ns/a");
    await settle(3);
    const { pendingTimers } = this.#clock;
    if (pendingTimers !== 0) this.#violated("I16", `${pendingTimers} timers are left`);
    for (const follower of this.#followers) follower.look(this.#bench.informer, Number.POSITIVE_INFINITY);
  }
}

/** `""` for what is in none. */
function namespaceOf(name: string): string {
  return name.includes("/") ? name.slice(0, name.indexOf("/")) : "";
}

function sorted(entries: Iterable<readonly [string, string | undefined]>): string {
  return [...entries].map(String).sort().join(" ");
}
