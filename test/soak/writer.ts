/** Writes at a rate, the same in each run of a seed, and keeps the truth about it. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CANARY,
  monotonicMs,
  NAMESPACES,
  RESOURCES,
  type ResourceName,
  type SoakResource,
  soakObject,
  TIERS,
} from "./protocol.js";
import type { Target } from "./target.js";
import type { Truth } from "./truth.js";

const TICK_MS = 20;
/** Of a hundred changes to objects that are there. */
const DELETES = 15;

export class Writer {
  writes = 0;
  #sequence = 0;
  #held = true;
  #stopped = false;
  readonly #withdrawn = new Set<ResourceName>();
  /** Objects whose write is under way: one at a time for each. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #target: Target;
  readonly #truth: Truth;
  readonly #random: () => number;
  readonly #objects: number;
  readonly #onError: (error: unknown) => void;

  constructor(
    target: Target,
    truth: Truth,
    { objects, random, onError }: { objects: number; random: () => number; onError: (error: unknown) => void },
  ) {
    this.#target = target;
    this.#truth = truth;
    this.#objects = objects;
    this.#random = random;
    this.#onError = onError;
  }

  /** Everything is there once. */
  async populate(): Promise<void> {
    for (const type of RESOURCES) {
      await this.#put(type, CANARY);
      for (let index = 0; index < this.#count(type); index++) await this.#put(type, keyOf(index));
    }
  }

  /** Until {@link stop}. */
  async run(ratePerSecond: number): Promise<void> {
    let owed = 0;
    let before = monotonicMs();
    while (!this.#stopped) {
      await sleep(TICK_MS);
      const now = monotonicMs();
      // What was missed by a machine that was busy is not made up for.
      owed = Math.min(owed + ((now - before) * ratePerSecond) / 1000, ratePerSecond / 4);
      before = now;
      if (this.#held) owed = 0;
      for (; owed >= 1 && !this.#held; owed--) this.#change();
    }
  }

  resumeAll(): void {
    this.#held = false;
  }

  /** Resolves when no write is under way. */
  async holdAll(): Promise<void> {
    this.#held = true;
    await Promise.all(this.#busy.values());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.holdAll();
  }

  async withdraw(resource: ResourceName): Promise<void> {
    this.#withdrawn.add(resource);
    await Promise.all(this.#busy.values());
    this.#truth.clear(resource, monotonicMs());
  }

  resume(resource: ResourceName): void {
    this.#withdrawn.delete(resource);
  }

  /** Of each resource one object that tells who is up to date; its sequences. */
  async canaries(): Promise<void> {
    for (const type of RESOURCES) await this.#put(type, CANARY);
  }

  #count({ share }: SoakResource): number {
    return Math.max(1, Math.round((this.#objects * share) / 100));
  }

  #change(): void {
    const type = this.#pick();
    const key = keyOf(Math.floor(this.#random() * this.#count(type)));
    const deletes = this.#random() * 100 < DELETES;
    if (this.#withdrawn.has(type.name) || this.#busy.has(`${type.name} ${key}`)) return;
    const isThere = this.#truth.current(type.name, key).sequence !== 0;
    void (isThere && deletes ? this.#remove(type, key) : this.#put(type, key));
  }

  #pick(): SoakResource {
    let left = this.#random() * 100;
    for (const type of RESOURCES) {
      left -= type.share;
      if (left < 0) return type;
    }
    return RESOURCES[0]!;
  }

  #put(type: SoakResource, key: string): Promise<void> {
    const isThere = this.#truth.current(type.name, key).sequence !== 0;
    const sequence = ++this.#sequence;
    const tier = TIERS[Math.floor(this.#random() * TIERS.length)]!;
    const own = key === CANARY ? TIERS[0] : tier;
    this.#truth.write(type.name, key, sequence, own, monotonicMs());
    const object = soakObject(type, key, sequence, own);
    return this.#send(type, key, isThere ? this.#target.update(type, key, object) : this.#target.create(type, object));
  }

  #remove(type: SoakResource, key: string): Promise<void> {
    this.#truth.delete(type.name, key, monotonicMs());
    return this.#send(type, key, this.#target.delete(type, key));
  }

  async #send(type: SoakResource, key: string, write: Promise<void>): Promise<void> {
    this.writes++;
    const id = `${type.name} ${key}`;
    const done = write.catch((error: unknown) => {
      this.#truth.retract(type.name, key);
      this.#onError(error);
    });
    this.#busy.set(id, done);
    await done;
    this.#busy.delete(id);
  }
}

function keyOf(index: number): string {
  return `${NAMESPACES[index % NAMESPACES.length]}/object-${index}`;
}
