/** A handler that folds its events to a cache of its own, and holds each against what it was told before. */
import type { ResourceEvent } from "../../runtime/cache/event-handler.js";
import type { ResourceEventHandlerRegistration } from "../../runtime/cache/informer-options.js";
import type { SharedInformer } from "../../runtime/cache/shared-informer.js";
import { type Deferred, deferred } from "../../runtime/util/abort.js";
import type { Thing } from "./entries.js";
import { settle } from "./settle.js";

/**
 * What a handler does with a call. `coalesce` and `block` are slow, and named after what becomes of what comes meanwhile; so are
 * `hold` and `dam`, which return from a call only when they are told to.
 */
export type Manner = "quick" | "coalesce" | "block" | "hold" | "dam" | "throw" | "reject" | "leave" | "stop";

/** Takes note that an invariant does not hold. */
export type Violation = (invariant: string, what: string) => void;

/** Of handlers that take their time. */
const MAX_PENDING = 2;
const OVERFLOW = { coalesce: "coalesce", hold: "coalesce", block: "block", dam: "block" } as const;

/** Of the server, what a handler's story is held against. */
export interface History {
  /** Whether no list can have passed over what the object was between two states, and it was something else there. */
  leftOut(key: string, before: string, now: string): string | undefined;
}

export class Follower {
  /** Versions by key. */
  readonly versions = new Map<string, string>();
  readonly registration: ResourceEventHandlerRegistration;
  readonly manner: Manner;
  /** Whether it was taken out, by itself or another. */
  removed = false;
  /** Whether it has stopped the informer. */
  hasStopped = false;
  #running = false;
  #calls = 0;
  readonly #violated: Violation;
  readonly #mayReturn: boolean;
  readonly #history: History;
  #held: Deferred<void> | undefined;
  #isHeld: boolean;
  readonly #seen: { readonly object: unknown; readonly json: string }[] = [];

  /** @param mayReturn whether what was told of as deleted may be there again as it was: that of a namespace that is followed again */
  constructor(
    informer: SharedInformer<Thing>,
    manner: Manner,
    violated: Violation,
    history: History,
    mayReturn = false,
  ) {
    this.manner = manner;
    this.#mayReturn = mayReturn;
    this.#history = history;
    this.#violated = violated;
    this.#isHeld = manner === "hold" || manner === "dam";
    const onOverflow = this.#overflow;
    const handle = (event: ResourceEvent<Thing>) => {
      if (this.removed) violated("I5", "an event after the removal");
      if (this.#running) violated("I6", "two calls at a time");
      const isInitial = event.type === "add" && event.isInInitialList;
      if (isInitial && !mayReturn && this.registration.hasSynced())
        violated("I8", `${manner} has synced, and is told of ${event.key} in its initial list`);
      this.#follow(event);
      this.#readBack(informer, event);
      if (this.#seen.length < 8) this.#seen.push({ object: event.object, json: JSON.stringify(event.object) });
      if (manner === "throw") throw new Error("on purpose");
      this.#calls++;
      if (manner === "leave" && this.#calls === 3) {
        this.removed = true;
        void this.registration.remove();
      }
      if (manner === "stop" && this.#calls === 3) {
        this.hasStopped = true;
        void informer.stop();
      }
      if (manner === "reject")
        return this.#takeTime().then(() => {
          throw new Error("on purpose");
        });
      return onOverflow === undefined ? undefined : this.#takeTime();
    };
    this.registration = informer.addEventHandler(
      handle,
      onOverflow === undefined ? {} : { maxPending: MAX_PENDING, onOverflow },
    );
  }

  get #overflow(): "coalesce" | "block" | undefined {
    return OVERFLOW[this.manner as keyof typeof OVERFLOW];
  }

  /** Lets a call that is held return. @param forGood whether all that come after do so, too */
  letGo(forGood: boolean): void {
    if (forGood) this.#isHeld = false;
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Looks at what was given out, and at what waits. */
  look(informer: SharedInformer<Thing>, keys: number): void {
    for (const { object, json } of this.#seen) {
      if (JSON.stringify(object) !== json) this.#violated("I19", `an object that was given out has changed: ${json}`);
    }
    if (this.#overflow === undefined) return;
    const health = informer.health().handlers.find(({ name }) => name === this.registration.name);
    // What is there when it joins is taken whole; after that, two for each object that waits: a delete and an add.
    if ((health?.pending ?? 0) > MAX_PENDING + 3 * keys) this.#violated("I14", `${health?.pending} notifications wait`);
  }

  async #takeTime(): Promise<void> {
    this.#running = true;
    if (this.#isHeld) this.#held = deferred();
    await (this.#held?.promise ?? settle());
    this.#running = false;
  }

  #follow(event: ResourceEvent<Thing>): void {
    const { key, object, type } = event;
    const before = this.versions.get(key);
    const now = object.metadata.resourceVersion;
    const old = event.type === "add" ? undefined : event.oldObject;
    const told = `${type} of ${key}@${now} after ${before ?? "nothing"}`;
    if ((type === "add") !== (before === undefined)) this.#violated("I5", told);
    if (type !== "add" && old?.metadata.resourceVersion !== before) this.#violated("I5", `${told}, from another state`);
    if (type === "update" && old?.metadata.uid !== object.metadata.uid)
      this.#violated("I5", `${told}, of another object`);
    const isOlder = Number(now) < Number(before ?? 0) || (type === "update" && now === before);
    if (isOlder) this.#violated("I3", told);
    const leftOut = before === undefined ? undefined : this.#history.leftOut(key, before, now);
    if (leftOut !== undefined && this.#overflow !== "coalesce") this.#violated("I5", `${told}, without ${leftOut}`);
    if (type === "delete") this.versions.delete(key);
    else this.versions.set(key, now);
  }

  /** The cache is as new as the event, or newer. */
  #readBack({ indexer }: SharedInformer<Thing>, { type, key, object }: ResourceEvent<Thing>): void {
    const cached = indexer.get(key);
    if (cached === undefined) return;
    const { resourceVersion, uid } = cached.metadata;
    if (
      type === "delete"
        ? uid === object.metadata.uid && !this.#mayReturn
        : Number(resourceVersion) < Number(object.metadata.resourceVersion)
    )
      this.#violated(
        "I7",
        `${type} of ${key}@${object.metadata.resourceVersion}, and the cache has ${resourceVersion}`,
      );
  }
}
