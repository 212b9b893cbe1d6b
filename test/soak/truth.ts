/**
 * What the server's objects were at each moment, as the writer knows it, and what each handler may therefore be told.
 * The names of what is checked are those of the invariants: convergence, subsequence, no time travel, a well-formed log.
 */
import type { HandlerFacts, ResourceName, ToldEvent, View } from "./protocol.js";

/** Of one object from one write to the next. */
interface State {
  /** 0 while there is no object. */
  readonly sequence: number;
  readonly tier: string;
  readonly atMs: number;
}

const ABSENT: State = { sequence: 0, tier: "", atMs: Number.NEGATIVE_INFINITY };

/** Where a restore goes back to. */
export type Mark = ReadonlyMap<ResourceName, ReadonlyMap<string, State>>;

export class Truth {
  readonly #histories = new Map<ResourceName, Map<string, State[]>>();

  histories(resource: ResourceName): Map<string, State[]> {
    let histories = this.#histories.get(resource);
    if (histories === undefined) {
      histories = new Map();
      this.#histories.set(resource, histories);
    }
    return histories;
  }

  current(resource: ResourceName, key: string): State {
    return this.histories(resource).get(key)?.at(-1) ?? ABSENT;
  }

  /** Is told before the write goes out: nobody can hear of it sooner. */
  write(resource: ResourceName, key: string, sequence: number, tier: string, atMs: number): void {
    const histories = this.histories(resource);
    const history = histories.get(key);
    if (history === undefined) histories.set(key, [ABSENT, { sequence, tier, atMs }]);
    else history.push({ sequence, tier, atMs });
  }

  delete(resource: ResourceName, key: string, atMs: number): void {
    this.histories(resource)
      .get(key)
      ?.push({ ...ABSENT, atMs });
  }

  /** Takes back the latest of an object: the server refused it. */
  retract(resource: ResourceName, key: string): void {
    this.histories(resource).get(key)?.pop();
  }

  /** Nothing of a resource is left. */
  clear(resource: ResourceName, atMs: number): void {
    for (const [key, history] of this.histories(resource)) {
      if (history.at(-1)?.sequence !== 0) this.delete(resource, key, atMs);
    }
  }

  mark(): Mark {
    const current = (histories: Map<string, State[]>) =>
      new Map(Array.from(histories, ([key, history]) => [key, history.at(-1) ?? ABSENT] as const));
    return new Map(Array.from(this.#histories, ([resource, histories]) => [resource, current(histories)] as const));
  }

  /** The server was restored to an earlier state: that is what comes next in the history. */
  rewind(mark: Mark, atMs: number): void {
    for (const [resource, histories] of this.#histories) {
      for (const [key, history] of histories) {
        const { sequence, tier } = mark.get(resource)?.get(key) ?? ABSENT;
        if (history.at(-1)?.sequence === sequence) continue;
        // What was deleted and created again since is another object than the one that comes back: that one is told as gone.
        const since = history.slice(history.findLastIndex((state) => state.sequence === sequence) + 1);
        const isAnother = sequence === 0 || since.some((state) => state.sequence === 0);
        if (isAnother && since.at(-1)?.sequence !== 0) history.push({ ...ABSENT, atMs });
        if (sequence !== 0) history.push({ sequence, tier, atMs });
      }
    }
  }

  /** Forgets all but the present. All handlers must be up to date, and be told by {@link HandlerCheck.compacted}. */
  compact(): void {
    for (const histories of this.#histories.values()) {
      for (const history of histories.values()) history.splice(0, history.length - 1);
    }
  }

  /** Keys and sequences of the present, as a view shows them. */
  *present(resource: ResourceName, view: View): Generator<readonly [key: string, sequence: number]> {
    for (const [key, history] of this.histories(resource)) {
      const sequence = seen(history.at(-1) ?? ABSENT, key, view);
      if (sequence !== 0) yield [key, sequence];
    }
  }
}

function seen({ sequence, tier }: State, key: string, view: View): number {
  if (view.namespace !== undefined && !key.startsWith(`${view.namespace}/`)) return 0;
  return view.tier !== undefined && view.tier !== tier ? 0 : sequence;
}

export type Breach =
  /** A state that the server never had. */
  | "phantom"
  /** The same state again. */
  | "duplicate"
  /** A state from before the one that was told last. */
  | "order"
  /** Not `add (update)* (delete add (update)*)*`, or an update from another state than the last one. */
  | "malformed";

export interface Found {
  readonly breach: Breach;
  readonly text: string;
}

/** A state that a handler was not told of, because it was told of a later one. */
export interface Skipped {
  readonly handler: HandlerFacts;
  readonly key: string;
  readonly sequence: number;
  readonly atMs: number;
}

/** Holds what one handler is told against the truth. */
export class HandlerCheck {
  readonly facts: HandlerFacts;
  /** What it knows by what it was told: key → sequence. */
  readonly known = new Map<string, number>();
  events = 0;
  skipped: Skipped[] = [];
  readonly #truth: Truth;
  readonly #sinceMs: number;
  /** Where it is in the history of each object. */
  readonly #positions = new Map<string, number>();

  /** @param sinceMs when it joined */
  constructor(facts: HandlerFacts, truth: Truth, sinceMs: number) {
    this.facts = facts;
    this.#truth = truth;
    this.#sinceMs = sinceMs;
  }

  /** @returns when the state was written that it was told of, and everything that is wrong with it */
  tell([, told, key, sequence, before, atMs]: ToldEvent): { writtenMs: number | undefined; found: Found[] } {
    this.events++;
    const found: Found[] = [];
    const find = (breach: Breach, text: string) => {
      const { informer, kind } = this.facts;
      found.push({ breach, text: `${informer}/${kind} ${told} ${key} #${sequence} at ${Math.round(atMs)}: ${text}` });
    };
    const known = this.known.get(key);
    const isAdd = told === "i" || told === "a";
    const isDelete = told === "d" || told === "t";
    if (isAdd && known !== undefined) find("malformed", `it knows #${known}`);
    if (!isAdd && known === undefined) find("malformed", "it does not know this object");
    if (told === "u" && known !== undefined && before !== known)
      find("malformed", `from #${before}, but it knows #${known}`);
    if (isDelete) this.known.delete(key);
    else this.known.set(key, sequence);

    const history = this.#truth.histories(this.facts.resource).get(key) ?? [];
    const position = this.#positions.get(key);
    const wanted = isDelete ? 0 : sequence;
    const at = this.#search(history, key, wanted, position === undefined ? (isAdd ? 0 : 1) : position + 1);
    if (at === undefined) {
      const earlier = this.#search(history, key, wanted, 0);
      if (earlier === undefined) find("phantom", "there never was such a state");
      else if (wanted === known || (isDelete && known === undefined)) find("duplicate", "it was told so before");
      else find("order", "it was told of a later state before");
      return { writtenMs: undefined, found };
    }
    if (isDelete && sequence !== known && !history.some((state) => state.sequence === sequence))
      find("phantom", "the object that is gone was never so");
    if (told !== "i") this.#skip(history, key, position ?? 0, at);
    this.#positions.set(key, at);
    return { writtenMs: history[at]?.atMs, found };
  }

  /** Keys of which it knows another state than the present one. */
  *behind(): Generator<string> {
    let matching = 0;
    for (const [key, sequence] of this.#truth.present(this.facts.resource, this.facts.view)) {
      if (this.known.get(key) === sequence) matching++;
      else yield key;
    }
    if (matching === this.known.size) return;
    // What it knows and nobody has.
    for (const key of this.known.keys()) {
      if (seen(this.#truth.current(this.facts.resource, key), key, this.facts.view) === 0) yield key;
    }
  }

  /** It knows the present now, whatever it was told: what is wrong counts once. */
  compacted(): void {
    this.known.clear();
    for (const [key, sequence] of this.#truth.present(this.facts.resource, this.facts.view))
      this.known.set(key, sequence);
    this.#positions.clear();
    this.skipped = [];
  }

  #search(history: readonly State[], key: string, sequence: number, from: number): number | undefined {
    for (let at = from; at < history.length; at++) {
      if (seen(history[at]!, key, this.facts.view) === sequence) return at;
    }
    return undefined;
  }

  #skip(history: readonly State[], key: string, from: number, to: number): void {
    const { view } = this.facts;
    for (let at = from + 1; at < to; at++) {
      const { atMs } = history[at]!;
      const sequence = seen(history[at]!, key, view);
      if (atMs < this.#sinceMs || sequence === seen(history[at - 1]!, key, view)) continue;
      this.skipped.push({ handler: this.facts, key, sequence, atMs });
    }
  }
}
