/**
 * One soak: a writer, a server, a relay with faults, and a client in a process of its own. What the client's handlers were told
 * is held against what was written, all the time and at rest.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Relay } from "../support/relay.js";
import { seededRandom } from "./figures.js";
import { Findings } from "./findings.js";
import {
  CANARY,
  type FromClient,
  type HandlerFacts,
  monotonicMs,
  RESOURCES,
  type Snapshot,
  sequenceOf,
  type ToldEvent,
} from "./protocol.js";
import { type Episode, type SoakResult, verdictsOf } from "./result.js";
import type { StartSubject, Subject } from "./subject.js";
import type { Fault, Target } from "./target.js";
import { HandlerCheck, type Skipped, Truth } from "./truth.js";
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

export class Soak {
  readonly #target: Target;
  readonly #start: StartSubject;
  readonly #options: SoakOptions;
  readonly #truth = new Truth();
  readonly #random: () => number;
  readonly #writer: Writer;
  readonly #checks = new Map<number, HandlerCheck>();
  readonly #findings = new Findings();
  readonly #skipped: Skipped[] = [];
  /** What was found to be lost. */
  readonly #known = new Set<string>();
  #startedMs = 0;
  #subject: Subject | undefined;
  #waiters: {
    readonly type: FromClient["type"];
    readonly resolve: (message: FromClient) => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  constructor(target: Target, start: StartSubject, options: SoakOptions) {
    this.#target = target;
    this.#start = start;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const onError = (error: unknown) => {
      this.#findings.refusedWrites++;
      this.#findings.problem(`a write was refused: ${String(error)}`);
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
    const ready = this.#answer("ready");
    const finished = this.#answer("finished");
    const subject = this.#start((message) => this.#receive(message));
    this.#subject = subject;
    void subject.ended.then((how) => this.#ended(how));
    await ready;
    // A client that ends before it is told to ends the soak.
    finished.catch(() => {});
    this.#startedMs = monotonicMs();
    const endMs = this.#startedMs + minutes * 60_000;
    const configuration = {
      server: `${server.protocol}//127.0.0.1:${relay.port}`,
      ca,
      token,
      sampleMs: Math.min(10_000, Math.max(2_000, minutes * 1000)),
      backoffCapMs,
    };
    subject.send({ type: "start", configuration });
    const writing = this.#writer.run(ratePerSecond);
    const ticking = setInterval(() => this.#tick(relay), 1_000);
    try {
      await Promise.race([finished, this.#course(relay, endMs)]);
    } finally {
      clearInterval(ticking);
      await this.#writer.stop();
      await writing;
    }
    const writtenMs = monotonicMs();
    onProgress("stopping");
    subject.send({ type: "finish", stops: minutes < 5 ? 20 : 100 });
    const last = await finished;
    await subject.ended;
    return this.#result(writtenMs, last);
  }

  /** Ends the client, when something else has failed. */
  kill(): void {
    this.#subject?.kill();
  }

  // ---- who is judged

  #ended(how: string | undefined): void {
    if (how === undefined) return;
    for (const { reject } of this.#waiters) reject(new Error(`the client ended with ${how}`));
  }

  #answer<Type extends FromClient["type"]>(type: Type): Promise<Extract<FromClient, { type: Type }>> {
    return new Promise((resolve, reject) =>
      this.#waiters.push({ type, resolve: resolve as (message: FromClient) => void, reject }),
    );
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
        this.#findings.requests.push(...message.requests);
        break;
      case "sample":
        this.#findings.samples.push(message.sample);
        break;
      case "reported":
        this.#findings.reported[message.code] = (this.#findings.reported[message.code] ?? 0) + 1;
        break;
      case "broken":
        if (message.what === "bytes") this.#findings.brokenBytes++;
        else this.#findings.brokenProcess++;
        this.#findings.problem(message.text);
        break;
    }
    const waiting = this.#waiters.filter(({ type }) => type === message.type);
    this.#waiters = this.#waiters.filter(({ type }) => type !== message.type);
    for (const { resolve } of waiting) resolve(message);
  }

  #told(event: ToldEvent): void {
    const check = this.#checks.get(event[0]);
    if (check === undefined) return;
    this.#findings.event();
    const { writtenMs, found } = check.tell(event);
    for (const { breach, text } of found) {
      this.#findings.breaches[breach]++;
      this.#findings.problem(`${breach}: ${text}`);
    }
    const [, told, , , , atMs] = event;
    if (writtenMs === undefined || told === "i" || !isPrompt(check.facts)) return;
    this.#findings.stale(atMs, writtenMs);
  }

  // ---- faults, and the rest between them

  async #course(relay: Relay, endMs: number): Promise<void> {
    await this.#rest();
    await this.#chaos(relay, endMs);
    await this.#rest();
  }

  async #chaos(relay: Relay, endMs: number): Promise<void> {
    const { everyMs } = this.#options;
    let bag: Fault[] = [];
    while (this.#subject?.isAlive && monotonicMs() + everyMs < endMs) {
      await this.#live(everyMs);
      if (bag.length === 0) bag = this.#shuffled(this.#target.faults);
      const recovered = await this.#fault(bag.pop()!, relay);
      // Writers go on while all is well, then rest for the comparison. Who has had all the time there is gets no more.
      if (recovered) await this.#live(MARGIN_MS);
      await this.#rest(recovered ? RECOVERY_MS : MARGIN_MS);
    }
  }

  #live(ms: number): Promise<void> {
    this.#writer.resumeAll();
    return sleep(ms);
  }

  /** @returns whether everybody was up to date again in time */
  async #fault(fault: Fault, relay: Relay): Promise<boolean> {
    const episode: Episode = {
      fault: fault.name,
      startMs: monotonicMs(),
      liftedMs: undefined,
      recoveredMs: undefined,
      closedMs: undefined,
    };
    this.#findings.episodes.push(episode);
    await fault.run({
      relay,
      random: this.#random,
      pause: (ms) => sleep(ms),
      withdraw: (resource) => this.#writer.withdraw(resource),
      resume: (resource) => this.#writer.resume(resource),
      hold: () => this.#writer.holdAll(),
      mark: async () => {
        await this.#writer.holdAll();
        const mark = this.#truth.mark();
        this.#writer.resumeAll();
        return async () => {
          await this.#writer.holdAll();
          this.#truth.rewind(mark, monotonicMs());
        };
      },
      rotateToken: (token) => this.#subject?.send({ type: "token", token }),
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
    else this.#findings.problem(`${fault.name}: not recovered after ${RECOVERY_MS} ms`);
    return episode.recoveredMs !== undefined;
  }

  async #until(condition: () => boolean, withinMs = RECOVERY_MS): Promise<void> {
    const deadlineMs = monotonicMs() + withinMs;
    while (!condition() && monotonicMs() < deadlineMs && this.#subject?.isAlive) await sleep(50);
  }

  /** Nobody writes: everything must come to be equal, and then counts as equal. */
  async #rest(withinMs = RECOVERY_MS): Promise<void> {
    await this.#writer.holdAll();
    const isEqual = () =>
      this.#checks.size > 0 && [...this.#checks.values()].every((check) => check.behind().next().done);
    await this.#until(isEqual, withinMs);
    if (!this.#subject?.isAlive) return;
    for (const check of this.#checks.values())
      for (const key of check.behind()) this.#lost(`${check.facts.informer}/${check.facts.kind}`, check.facts, key);
    this.#subject.send({ type: "snapshot" });
    await this.#compare((await this.#answer("snapshot")).snapshot);
    this.#countLive();
    // A handler that joined meanwhile is still being told of the present.
    await this.#until(isEqual, withinMs);
    this.#findings.restPoints++;
    const last = this.#findings.episodes.at(-1);
    if (last !== undefined) last.closedMs ??= monotonicMs();
    // Who is still behind is judged by all that was written since.
    if (!isEqual()) return;
    this.#truth.compact();
    for (const check of this.#checks.values()) check.compacted();
  }

  /** A state that somebody does not have counts once, however long that lasts. */
  #lost(who: string, { resource }: HandlerFacts, key: string): void {
    const { sequence } = this.#truth.current(resource, key);
    const what = `${who} has another ${key} than the server, which has #${sequence}`;
    if (this.#known.has(what)) return;
    this.#known.add(what);
    this.#findings.lostAtRest++;
    this.#findings.problem(`lost: ${what}`);
  }

  /** The caches, and the server itself, against what was written. */
  async #compare(snapshot: Snapshot): Promise<void> {
    for (const [informer, objects] of snapshot) {
      const facts = [...this.#checks.values()].find((check) => check.facts.informer === informer)?.facts;
      if (facts === undefined) continue;
      const wrong = differences(new Map(objects), new Map(this.#truth.present(facts.resource, facts.view)));
      for (const key of wrong) this.#lost(`the cache of ${informer}`, facts, key);
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
      const isLive = !this.#findings.episodes.some(
        ({ startMs, recoveredMs, closedMs }) =>
          atMs > startMs - MARGIN_MS && atMs < (recoveredMs ?? closedMs ?? Number.POSITIVE_INFINITY) + MARGIN_MS,
      );
      if (!isLive) continue;
      this.#findings.lostLive++;
      this.#findings.problem(
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
    this.#findings.tick(now, this.#startedMs, relay.connections);
    const last = this.#findings.episodes.at(-1);
    const fault = last !== undefined && last.recoveredMs === undefined ? last.fault : "no fault";
    const lost = this.#findings.lostAtRest + this.#findings.lostLive;
    this.#options.onProgress(
      `${Math.round((now - this.#startedMs) / 1000)} s of ${Math.round(this.#options.minutes * 60)}: ${this.#writer.writes} writes, ` +
        `${this.#findings.events} events, ${lost} lost, ${this.#findings.episodes.length} faults, ${fault}`,
    );
  }

  #result(writtenMs: number, finished: Extract<FromClient, { type: "finished" }>): SoakResult {
    const startedMs = this.#startedMs;
    const { minutes, seed, ratePerSecond, objects, everyMs, backoffCapMs } = this.#options;
    const { problems, episodes, seconds, samples } = this.#findings;
    const figures = this.#findings.figures(this.#writer.writes, startedMs, writtenMs, finished);
    const since = (ms: number | undefined) => (ms === undefined ? undefined : ms - startedMs);
    return {
      subject: this.#subject?.name ?? "",
      target: this.#target.name,
      configuration: { minutes, seed, ratePerSecond, objects, everyMs, backoffCapMs },
      ranMs: writtenMs - startedMs,
      figures,
      verdicts: verdictsOf(figures, writtenMs - startedMs),
      problems,
      episodes: episodes.map(({ fault, startMs, liftedMs, recoveredMs, closedMs }) => ({
        fault,
        startMs: startMs - startedMs,
        liftedMs: since(liftedMs),
        recoveredMs: since(recoveredMs),
        closedMs: since(closedMs),
      })),
      seconds,
      samples: samples.map((sample) => ({ ...sample, atMs: sample.atMs - startedMs })),
    };
  }
}

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
