/**
 * One soak: a writer, a server, a relay with faults, and a client in a process of its own. What the client's handlers were told
 * is held against what was written, all the time and at rest.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Relay } from "../support/relay.js";
import { groupBy, maxWithin, quantile, seededRandom, slope } from "./figures.js";
import {
  CANARY,
  type FromClient,
  type HandlerFacts,
  type MadeRequest,
  monotonicMs,
  RESOURCES,
  type Sample,
  type Snapshot,
  sequenceOf,
  type ToClient,
  type ToldEvent,
} from "./protocol.js";
import { distribution, type Episode, type SecondFacts, type SoakResult, verdictsOf } from "./result.js";
import type { Fault, Target } from "./target.js";
import { type Breach, HandlerCheck, type Skipped, Truth } from "./truth.js";
import { Writer } from "./writer.js";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly objects: number;
  /** Rest between two faults. */
  readonly everyMs: number;
  readonly backoffCapMs: number;
  readonly onProgress: (line: string) => void;
}

/** How long everybody may take to be up to date again: two of the longest pauses, and the detection of a dead connection. */
const RECOVERY_MS = 150_000;
/** Changes this close to a fault are not counted as live. */
const MARGIN_MS = 2_000;
const MAX_PROBLEMS = 50;
/** Shorter than this, a slope of memory says nothing. */
const WARM_UP_SHARE = 0.25;

export class Soak {
  readonly #target: Target;
  readonly #options: SoakOptions;
  readonly #truth = new Truth();
  readonly #random: () => number;
  readonly #writer: Writer;
  readonly #checks = new Map<number, HandlerCheck>();
  readonly #breaches: Record<Breach, number> = { phantom: 0, duplicate: 0, order: 0, malformed: 0 };
  readonly #problems: string[] = [];
  readonly #episodes: Episode[] = [];
  readonly #seconds: SecondFacts[] = [];
  readonly #samples: Sample[] = [];
  readonly #requests: MadeRequest[] = [];
  readonly #reported: Record<string, number> = {};
  readonly #staleness = new Map<string, RecordableHistogram>();
  readonly #skipped: Skipped[] = [];
  #events = 0;
  #lostAtRest = 0;
  #lostLive = 0;
  #brokenProcess = 0;
  #brokenBytes = 0;
  #refusedWrites = 0;
  #restPoints = 0;
  #secondStalenessMs = 0;
  #secondEvents = 0;
  #startedMs = 0;
  #client: ChildProcess | undefined;
  #waiters: { readonly type: FromClient["type"]; readonly resolve: (message: FromClient) => void }[] = [];

  constructor(target: Target, options: SoakOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const onError = (error: unknown) => {
      this.#refusedWrites++;
      this.#problem(`a write was refused: ${String(error)}`);
    };
    this.#writer = new Writer(target, this.#truth, {
      objects: options.objects,
      random: seededRandom(options.seed + 1),
      onError,
    });
  }

  async run(): Promise<SoakResult> {
    const { minutes, ratePerSecond, onProgress, backoffCapMs } = this.#options;
    const { server, ca, token } = this.#target;
    await using relay = await Relay.to(server.hostname, Number(server.port));
    onProgress(`writing ${this.#options.objects} objects`);
    await this.#writer.populate();
    this.#startClient();
    await this.#answer("ready");
    this.#startedMs = monotonicMs();
    const endMs = this.#startedMs + minutes * 60_000;
    const configuration = {
      server: `${server.protocol}//127.0.0.1:${relay.port}`,
      ca,
      token,
      sampleMs: Math.min(10_000, Math.max(2_000, minutes * 1000)),
      backoffCapMs,
    };
    this.#send({ type: "start", configuration });
    const writing = this.#writer.run(ratePerSecond);
    const ticking = setInterval(() => this.#tick(relay), 1_000);
    try {
      await this.#rest();
      await this.#chaos(relay, endMs);
      await this.#rest();
    } finally {
      clearInterval(ticking);
      await this.#writer.stop();
      await writing;
    }
    const writtenMs = monotonicMs();
    onProgress("stopping");
    this.#send({ type: "finish", stops: minutes < 5 ? 20 : 100 });
    const finished = await this.#answer("finished");
    await once(this.#client!, "exit");
    if (finished.type !== "finished") throw new Error("the client ended without a word");
    return this.#result(writtenMs, finished);
  }

  /** Ends the client, when something else has failed. */
  kill(): void {
    this.#client?.kill("SIGKILL");
  }

  // ---- the client

  #startClient(): void {
    const child = fork(fileURLToPath(new URL("client.ts", import.meta.url)), {
      execArgv: ["--expose-gc", "--import", "tsx"],
      // Production's settings: what is measured is what users run.
      env: { ...process.env, NODE_ENV: "production" },
    });
    child.on("message", (message: FromClient) => this.#receive(message));
    child.on("exit", (code, signal) => {
      if (code === 0) return;
      this.#brokenProcess++;
      this.#problem(`the client ended with ${code ?? signal}`);
      for (const { resolve } of this.#waiters) resolve({ type: "ready" });
    });
    this.#client = child;
  }

  #send(message: ToClient): void {
    if (this.#client?.connected) this.#client.send(message);
  }

  #answer(type: FromClient["type"]): Promise<FromClient> {
    return new Promise((resolve) => this.#waiters.push({ type, resolve }));
  }

  #receive(message: FromClient): void {
    switch (message.type) {
      case "joined":
        this.#checks.set(message.handler.id, new HandlerCheck(message.handler, this.#truth, message.atMs));
        break;
      case "left":
        this.#checks.delete(message.id);
        break;
      case "told":
        for (const event of message.events) this.#told(event);
        this.#requests.push(...message.requests);
        break;
      case "sample":
        this.#samples.push(message.sample);
        break;
      case "reported":
        this.#reported[message.code] = (this.#reported[message.code] ?? 0) + 1;
        break;
      case "broken":
        if (message.what === "bytes") this.#brokenBytes++;
        else this.#brokenProcess++;
        this.#problem(message.text);
        break;
    }
    const waiting = this.#waiters.filter(({ type }) => type === message.type);
    this.#waiters = this.#waiters.filter(({ type }) => type !== message.type);
    for (const { resolve } of waiting) resolve(message);
  }

  #told(event: ToldEvent): void {
    const check = this.#checks.get(event[0]);
    if (check === undefined) return;
    this.#events++;
    this.#secondEvents++;
    const { writtenMs, found } = check.tell(event);
    for (const { breach, text } of found) {
      this.#breaches[breach]++;
      this.#problem(`${breach}: ${text}`);
    }
    const [, told, , , , atMs] = event;
    if (writtenMs === undefined || told === "i" || !isPrompt(check.facts)) return;
    const stalenessMs = Math.max(0, atMs - writtenMs);
    const episode = this.#episodes.find(
      ({ startMs, recoveredMs }) => startMs <= atMs && (recoveredMs ?? atMs) >= writtenMs,
    );
    const name = episode?.fault ?? "";
    let histogram = this.#staleness.get(name);
    if (histogram === undefined) {
      histogram = createHistogram();
      this.#staleness.set(name, histogram);
    }
    histogram.record(Math.max(1, Math.round(stalenessMs * 1000)));
    if (episode === undefined) this.#secondStalenessMs = Math.max(this.#secondStalenessMs, stalenessMs);
  }

  #problem(text: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(text);
  }

  // ---- faults, and the rest between them

  async #chaos(relay: Relay, endMs: number): Promise<void> {
    const { everyMs } = this.#options;
    let bag: Fault[] = [];
    while (monotonicMs() + everyMs < endMs) {
      await this.#live(everyMs);
      if (bag.length === 0) bag = this.#shuffled(this.#target.faults);
      await this.#fault(bag.pop()!, relay);
      // Writers go on while all is well, then rest for the comparison.
      await this.#live(MARGIN_MS);
      await this.#rest();
    }
  }

  #live(ms: number): Promise<void> {
    this.#writer.resumeAll();
    return sleep(ms);
  }

  async #fault(fault: Fault, relay: Relay): Promise<void> {
    const episode: Episode = { fault: fault.name, startMs: monotonicMs(), liftedMs: undefined, recoveredMs: undefined };
    this.#episodes.push(episode);
    await fault.run({
      relay,
      random: this.#random,
      pause: (ms) => sleep(ms),
      withdraw: (resource) => this.#writer.withdraw(resource),
      resume: (resource) => this.#writer.resume(resource),
      mark: async () => {
        await this.#writer.holdAll();
        const mark = this.#truth.mark();
        this.#writer.resumeAll();
        return async () => {
          await this.#writer.holdAll();
          this.#truth.rewind(mark, monotonicMs());
        };
      },
      rotateToken: (token) => this.#send({ type: "token", token }),
    });
    episode.liftedMs = monotonicMs();
    await this.#writer.canaries();
    this.#writer.resumeAll();
    const canaries = new Map(RESOURCES.map(({ name }) => [name, this.#truth.current(name, CANARY).sequence]));
    const isBack = () =>
      [...this.#checks.values()].every(
        ({ facts, known }) =>
          !isPrompt(facts) ||
          (facts.view.namespace !== undefined && !CANARY.startsWith(`${facts.view.namespace}/`)) ||
          known.get(CANARY) === canaries.get(facts.resource),
      );
    await this.#until(isBack);
    if (isBack()) episode.recoveredMs = monotonicMs();
    else this.#problem(`${fault.name}: not recovered after ${RECOVERY_MS} ms`);
  }

  async #until(condition: () => boolean): Promise<void> {
    const deadlineMs = monotonicMs() + RECOVERY_MS;
    while (!condition() && monotonicMs() < deadlineMs && this.#client?.connected) await sleep(50);
  }

  /** Nobody writes: everything must come to be equal, and then counts as equal. */
  async #rest(): Promise<void> {
    await this.#writer.holdAll();
    const isEqual = () =>
      this.#checks.size > 0 && [...this.#checks.values()].every((check) => check.behind().next().done);
    await this.#until(isEqual);
    if (!this.#client?.connected) return;
    for (const check of this.#checks.values()) {
      for (const key of check.behind()) {
        this.#lostAtRest++;
        this.#problem(`lost: ${check.facts.informer}/${check.facts.kind} has another ${key} than the server`);
      }
    }
    this.#send({ type: "snapshot" });
    const answer = await this.#answer("snapshot");
    if (answer.type === "snapshot") await this.#compare(answer.snapshot);
    this.#countLive();
    // A handler that joined meanwhile is still being told of the present.
    await this.#until(isEqual);
    this.#truth.compact();
    for (const check of this.#checks.values()) check.compacted();
    this.#restPoints++;
  }

  /** The caches, and the server itself, against what was written. */
  async #compare(snapshot: Snapshot): Promise<void> {
    for (const [informer, objects] of snapshot) {
      const facts = [...this.#checks.values()].find((check) => check.facts.informer === informer)?.facts;
      if (facts === undefined) continue;
      const wrong = differences(new Map(objects), new Map(this.#truth.present(facts.resource, facts.view)));
      this.#lostAtRest += wrong.length;
      for (const key of wrong) this.#problem(`lost: the cache of ${informer} has another ${key} than the server`);
    }
    for (const type of RESOURCES) {
      const listed = new Map<string, number>();
      for (const object of await this.#target.list(type)) {
        const sequence = sequenceOf(object);
        const { namespace, name } = (object as { metadata: { namespace?: string; name: string } }).metadata;
        if (sequence >= 0) listed.set(`${namespace}/${name}`, sequence);
      }
      for (const key of differences(listed, new Map(this.#truth.present(type.name, {}))))
        throw new Error(`the soak itself is wrong about ${type.name} ${key}: the server has another`);
    }
  }

  /** Changes that were written while all was well, and that a handler which is told of each was not told of. */
  #countLive(): void {
    for (const check of this.#checks.values()) {
      if (isComplete(check.facts)) this.#skipped.push(...check.skipped);
    }
    for (const { handler, key, sequence, atMs } of this.#skipped.splice(0)) {
      const isLive = !this.#episodes.some(
        ({ startMs, recoveredMs }) =>
          atMs > startMs - MARGIN_MS && atMs < (recoveredMs ?? Number.POSITIVE_INFINITY) + MARGIN_MS,
      );
      if (!isLive) continue;
      this.#lostLive++;
      this.#problem(
        `lost: ${handler.informer}/${handler.kind} was not told of ${key} #${sequence}, while all was well`,
      );
    }
  }

  #shuffled<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = Math.floor(this.#random() * (at + 1));
      [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
    }
    return shuffled;
  }

  // ---- figures

  #tick(relay: Relay): void {
    const now = monotonicMs();
    const recent = this.#requests.filter(([, , atMs]) => atMs > now - 1_000).length;
    this.#seconds.push({
      atMs: now - this.#startedMs,
      stalenessMs: this.#secondStalenessMs,
      events: this.#secondEvents,
      requests: recent,
      connections: relay.connections,
    });
    this.#secondStalenessMs = 0;
    this.#secondEvents = 0;
    const last = this.#episodes.at(-1);
    const fault = last !== undefined && last.recoveredMs === undefined ? last.fault : "no fault";
    const lost = this.#lostAtRest + this.#lostLive;
    this.#options.onProgress(
      `${Math.round((now - this.#startedMs) / 1000)} s of ${Math.round(this.#options.minutes * 60)}: ${this.#writer.writes} writes, ` +
        `${this.#events} events, ${lost} lost, ${this.#episodes.length} faults, ${fault}`,
    );
  }

  #result(writtenMs: number, finished: Extract<FromClient, { type: "finished" }>): SoakResult {
    const startedMs = this.#startedMs;
    const { minutes, seed, ratePerSecond, objects, everyMs, backoffCapMs } = this.#options;
    const samples = this.#samples;
    const warm = samples.filter(({ atMs }) => atMs - startedMs > (writtenMs - startedMs) * WARM_UP_SHARE);
    const memory = (pick: (sample: Sample) => number) => ({
      startBytes: pick(samples[0] ?? NO_SAMPLE),
      endBytes: pick(samples.at(-1) ?? NO_SAMPLE),
      slopeMiBPerHour: slope(warm.map((sample) => [sample.atMs, pick(sample) / 2 ** 20])),
    });
    const byInformer = groupBy(this.#requests, ([informer]) => informer);
    // The pages of one list are one request to whoever counts what a fault costs.
    const times = [...byInformer.values()].map((requests) =>
      requests.filter(([, kind]) => kind !== "page").map(([, , atMs]) => atMs),
    );
    const most = (spanMs: number) => Math.max(0, ...times.map((each) => maxWithin(each, spanMs)));
    const count = (kind: string) => this.#requests.filter(([, each]) => each === kind).length;
    const largest = (pick: (sample: Sample) => number) => Math.max(0, ...samples.map(pick));
    const figures: SoakResult["figures"] = {
      writes: this.#writer.writes,
      events: this.#events,
      comparisons: this.#restPoints,
      lostAtRest: this.#lostAtRest,
      lostLive: this.#lostLive,
      phantoms: this.#breaches.phantom,
      duplicates: this.#breaches.duplicate,
      orderBreaks: this.#breaches.order + this.#breaches.malformed,
      brokenBytes: this.#brokenBytes,
      brokenProcess: this.#brokenProcess,
      refusedWrites: this.#refusedWrites,
      notRecovered: this.#episodes.filter(({ recoveredMs }) => recoveredMs === undefined).length,
      stalenessMs: Object.fromEntries(
        Array.from(this.#staleness, ([fault, histogram]) => [
          fault === "" ? "no fault" : fault,
          {
            count: histogram.count,
            p50: histogram.percentile(50) / 1000,
            p99: histogram.percentile(99) / 1000,
            max: histogram.max / 1000,
          },
        ]),
      ),
      recoveryMs: Object.fromEntries(
        Array.from(
          groupBy(this.#episodes, ({ fault }) => fault),
          ([fault, episodes]) => [
            fault,
            distribution(
              episodes.flatMap(({ liftedMs, recoveredMs }) =>
                recoveredMs === undefined ? [] : [recoveredMs - (liftedMs ?? recoveredMs)],
              ),
            ),
          ],
        ),
      ),
      heap: memory(({ heapBytes }) => heapBytes),
      rss: memory(({ rssBytes }) => rssBytes),
      external: memory(({ externalBytes }) => externalBytes),
      handles: {
        before: finished.handlesBefore,
        after: finished.handlesAfter,
        most: {
          sockets: largest(({ sockets }) => sockets),
          timers: largest(({ timers }) => timers),
          fileDescriptors: largest(({ fileDescriptors }) => fileDescriptors),
        },
      },
      requests: {
        list: count("list"),
        page: count("page"),
        watch: count("watch"),
        watchList: count("watchList"),
        probe: count("probe"),
        mostIn1s: most(1_000),
        mostIn10s: most(10_000),
        mostIn60s: most(60_000),
      },
      loopDelayMs: {
        p50: quantile(
          samples.map(({ loopP50Ms }) => loopP50Ms),
          0.5,
        ),
        p99: quantile(
          samples.map(({ loopP99Ms }) => loopP99Ms),
          0.5,
        ),
        max: largest(({ loopMaxMs }) => loopMaxMs),
      },
      loopBusy: quantile(
        samples.map(({ loopBusy }) => loopBusy),
        0.5,
      ),
      cpuSecondsPerMillionEvents: this.#events === 0 ? 0 : ((samples.at(-1)?.cpuMs ?? 0) / 1000 / this.#events) * 1e6,
      pendingMost: largest(({ pending }) => pending),
      coalesced: samples.at(-1)?.coalesced ?? 0,
      stopMs: distribution(finished.stopMs),
      reported: this.#reported,
    };
    return {
      target: this.#target.name,
      configuration: { minutes, seed, ratePerSecond, objects, everyMs, backoffCapMs },
      ranMs: writtenMs - startedMs,
      figures,
      verdicts: verdictsOf(figures, writtenMs - startedMs),
      problems: this.#problems,
      episodes: this.#episodes.map((episode) => ({
        fault: episode.fault,
        startMs: episode.startMs - startedMs,
        liftedMs: episode.liftedMs === undefined ? undefined : episode.liftedMs - startedMs,
        recoveredMs: episode.recoveredMs === undefined ? undefined : episode.recoveredMs - startedMs,
      })),
      seconds: this.#seconds,
      samples: samples.map((sample) => ({ ...sample, atMs: sample.atMs - startedMs })),
    };
  }
}

const NO_SAMPLE = { heapBytes: 0, rssBytes: 0, externalBytes: 0 } as Sample;

/** Whether it is told as soon as the cache knows. */
function isPrompt({ kind, informer }: HandlerFacts): boolean {
  return (kind === "plain" || kind === "async" || kind === "throwing") && !informer.startsWith("blocking/");
}

/** Whether it is told of each change that the cache sees. */
function isComplete({ kind }: HandlerFacts): boolean {
  return kind !== "slow";
}

function differences(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): string[] {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].filter((key) => one.get(key) !== other.get(key));
}
