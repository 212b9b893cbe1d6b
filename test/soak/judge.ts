/**
 * Holds what a client was told, and what its caches hold, against what was written. It only computes: what comes in is given with
 * its moment, so that the same log has the same judgement.
 */
import { Findings } from "./findings.js";
import { CANARY, type FromClient, type HandlerFacts, RESOURCES, type Snapshot, type ToldEvent } from "./protocol.js";
import { HandlerCheck, type Skipped, Truth } from "./truth.js";

/** Changes this close to a fault are not counted as live. */
export const MARGIN_MS = 2_000;

export class Judge {
  /** What was written. */
  readonly truth = new Truth();
  readonly findings = new Findings();
  readonly #checks = new Map<number, HandlerCheck>();
  readonly #skipped: Skipped[] = [];
  /** What was found to be lost. */
  readonly #known = new Set<string>();

  receive(message: FromClient): void {
    switch (message.type) {
      case "joined":
        this.#checks.set(message.handler.id, new HandlerCheck(message.handler, this.truth, message.atMs));
        break;
      case "left":
        this.#checks.delete(message.id);
        break;
      case "told":
        for (const event of message.events) this.#told(event);
        this.findings.requests.push(...message.requests);
        break;
      case "sample":
        this.findings.samples.push(message.sample);
        break;
      case "reported":
        this.findings.reported[message.code] = (this.findings.reported[message.code] ?? 0) + 1;
        break;
      case "broken":
        if (message.what === "bytes") this.findings.brokenBytes++;
        else this.findings.brokenProcess++;
        this.findings.problem(message.text);
        break;
    }
  }

  /** Whether every prompt handler has been told of the canaries as they are now. */
  get isBack(): boolean {
    const canaries = new Map(RESOURCES.map(({ name }) => [name, this.truth.current(name, CANARY).sequence]));
    return [...this.#checks.values()].every(
      ({ facts, known }) =>
        !isPrompt(facts) ||
        (facts.view.namespace !== undefined && !CANARY.startsWith(`${facts.view.namespace}/`)) ||
        known.get(CANARY) === canaries.get(facts.resource),
    );
  }

  /** Whether every handler knows the present, and no other. */
  get isEqual(): boolean {
    return this.#checks.size > 0 && [...this.#checks.values()].every((check) => check.behind().next().done);
  }

  /** Nobody writes, and all the time there is has passed: whoever has another state than the server has lost one. */
  atRest(): void {
    for (const check of this.#checks.values())
      for (const key of check.behind()) this.#lost(`${check.facts.informer}/${check.facts.kind}`, check.facts, key);
  }

  /** What the caches hold then; and what was passed over until then. */
  compare(snapshot: Snapshot): void {
    for (const [informer, objects] of snapshot) {
      const facts = [...this.#checks.values()].find((check) => check.facts.informer === informer)?.facts;
      if (facts === undefined) continue;
      const wrong = differences(new Map(objects), new Map(this.truth.present(facts.resource, facts.view)));
      for (const key of wrong) this.#lost(`the cache of ${informer}`, facts, key);
    }
    this.#countLive();
  }

  /** The rest is over. Who is still behind is judged by all that was written since. */
  restEnded(atMs: number): void {
    this.findings.restPoints++;
    const last = this.findings.episodes.at(-1);
    if (last !== undefined) last.closedMs ??= atMs;
    if (!this.isEqual) return;
    this.truth.compact();
    for (const check of this.#checks.values()) check.compacted();
  }

  #told(event: ToldEvent): void {
    const check = this.#checks.get(event[0]);
    if (check === undefined) return;
    this.findings.event();
    const { writtenMs, found } = check.tell(event);
    for (const { breach, text } of found) {
      this.findings.breaches[breach]++;
      this.findings.problem(`${breach}: ${text}`);
    }
    const [, told, , , , atMs] = event;
    if (writtenMs === undefined || told === "i" || !isPrompt(check.facts)) return;
    this.findings.stale(atMs, writtenMs);
  }

  /** A state that somebody does not have counts once, however long that lasts. */
  #lost(who: string, { resource }: HandlerFacts, key: string): void {
    const { sequence } = this.truth.current(resource, key);
    const what = `${who} has another ${key} than the server, which has #${sequence}`;
    if (this.#known.has(what)) return;
    this.#known.add(what);
    this.findings.lostAtRest++;
    this.findings.problem(`lost: ${what}`);
  }

  /** Changes that were written while all was well, and that a handler which is told of each was not told of. */
  #countLive(): void {
    for (const check of this.#checks.values()) {
      if (isComplete(check.facts)) this.#skipped.push(...check.skipped);
    }
    for (const { handler, key, sequence, atMs } of this.#skipped.splice(0)) {
      const isLive = !this.findings.episodes.some(
        ({ startMs, recoveredMs, closedMs }) =>
          atMs > startMs - MARGIN_MS && atMs < (recoveredMs ?? closedMs ?? Number.POSITIVE_INFINITY) + MARGIN_MS,
      );
      if (!isLive) continue;
      this.findings.lostLive++;
      this.findings.problem(
        `lost: ${handler.informer}/${handler.kind} was not told of ${key} #${sequence}, while all was well`,
      );
    }
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

/** The keys by which two contents differ. */
export function differences(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): string[] {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].filter((key) => one.get(key) !== other.get(key));
}
