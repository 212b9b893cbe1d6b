/**
 * One soak: a writer, a server, a relay with faults, and a client in a process of its own. What the client's handlers were told
 * is held against what was written, all the time and at rest.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Relay } from "../support/relay.js";
import { seededRandom } from "./figures.js";
import { differences, Judge, MARGIN_MS } from "./judge.js";
import { type FromClient, monotonicMs, RESOURCES, sequenceOf } from "./protocol.js";
import { type Episode, type SoakResult, verdictsOf } from "./result.js";
import type { StartSubject, Subject } from "./subject.js";
import type { Fault, Target } from "./target.js";
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

export class Soak {
  readonly #target: Target;
  readonly #start: StartSubject;
  readonly #options: SoakOptions;
  readonly #judge = new Judge();
  readonly #random: () => number;
  readonly #writer: Writer;
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
      this.#judge.findings.refusedWrites++;
      this.#judge.findings.problem(`a write was refused: ${String(error)}`);
    };
    this.#writer = new Writer(target, this.#judge.truth, {
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
    this.#judge.receive(message);
    const waiting = this.#waiters.filter(({ type }) => type === message.type);
    this.#waiters = this.#waiters.filter(({ type }) => type !== message.type);
    for (const { resolve } of waiting) resolve(message);
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
    this.#judge.findings.episodes.push(episode);
    await fault.run({
      relay,
      random: this.#random,
      pause: (ms) => sleep(ms),
      withdraw: (resource) => this.#writer.withdraw(resource),
      resume: (resource) => this.#writer.resume(resource),
      hold: () => this.#writer.holdAll(),
      mark: async () => {
        await this.#writer.holdAll();
        const mark = this.#judge.truth.mark();
        this.#writer.resumeAll();
        return async () => {
          await this.#writer.holdAll();
          this.#judge.truth.rewind(mark, monotonicMs());
        };
      },
      rotateToken: (token) => this.#subject?.send({ type: "token", token }),
    });
    episode.liftedMs = monotonicMs();
    await this.#writer.canaries();
    this.#writer.resumeAll();
    await this.#until(() => this.#judge.isBack);
    if (this.#judge.isBack) episode.recoveredMs = monotonicMs();
    else this.#judge.findings.problem(`${fault.name}: not recovered after ${RECOVERY_MS} ms`);
    return episode.recoveredMs !== undefined;
  }

  async #until(condition: () => boolean, withinMs = RECOVERY_MS): Promise<void> {
    const deadlineMs = monotonicMs() + withinMs;
    while (!condition() && monotonicMs() < deadlineMs && this.#subject?.isAlive) await sleep(50);
  }

  /** Nobody writes: everything must come to be equal, and then counts as equal. */
  async #rest(withinMs = RECOVERY_MS): Promise<void> {
    await this.#writer.holdAll();
    await this.#until(() => this.#judge.isEqual, withinMs);
    if (!this.#subject?.isAlive) return;
    this.#judge.atRest();
    this.#subject.send({ type: "snapshot" });
    this.#judge.compare((await this.#answer("snapshot")).snapshot);
    await this.#compareOwn();
    // A handler that joined meanwhile is still being told of the present.
    await this.#until(() => this.#judge.isEqual, withinMs);
    this.#judge.restEnded(monotonicMs());
  }

  /** The server itself against what was written: the judge is judged. */
  async #compareOwn(): Promise<void> {
    for (const type of RESOURCES) {
      const listed = new Map<string, number>();
      for (const object of await this.#target.list(type)) {
        const sequence = sequenceOf(object);
        const { namespace, name } = (object as { metadata: { namespace?: string; name: string } }).metadata;
        if (sequence >= 0) listed.set(`${namespace}/${name}`, sequence);
      }
      for (const key of differences(listed, new Map(this.#judge.truth.present(type.name, {}))))
        throw new Error(`the soak itself is wrong about ${type.name} ${key}: the server has another`);
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
    this.#judge.findings.tick(now, this.#startedMs, relay.connections);
    const last = this.#judge.findings.episodes.at(-1);
    const fault = last !== undefined && last.recoveredMs === undefined ? last.fault : "no fault";
    const lost = this.#judge.findings.lostAtRest + this.#judge.findings.lostLive;
    this.#options.onProgress(
      `${Math.round((now - this.#startedMs) / 1000)} s of ${Math.round(this.#options.minutes * 60)}: ${this.#writer.writes} writes, ` +
        `${this.#judge.findings.events} events, ${lost} lost, ${this.#judge.findings.episodes.length} faults, ${fault}`,
    );
  }

  #result(writtenMs: number, finished: Extract<FromClient, { type: "finished" }>): SoakResult {
    const startedMs = this.#startedMs;
    const { minutes, seed, ratePerSecond, objects, everyMs, backoffCapMs } = this.#options;
    const { problems, episodes, seconds, samples } = this.#judge.findings;
    const figures = this.#judge.findings.figures(this.#writer.writes, startedMs, writtenMs, finished);
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
