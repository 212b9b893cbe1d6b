/**
 * What must hold whatever the fault was, by the names of docs/faults.md: O1 nothing is lost, O2 nothing is made up, O3 a handler's
 * story gives the cache, O4 nothing goes back, O5 few requests, O6 nothing piles up, O7 the process is well, O8 it can be
 * seen, O9 a stop ends it.
 */
import { expect } from "vitest";
import { isInformerError } from "../../runtime/api/informer-error.js";
import { compareResourceVersions } from "../../runtime/api/resource-version.js";
import type { ResourceEvent } from "../../runtime/cache/event-handler.js";
import type { Thing } from "./entries.js";
import type { InformerBench } from "./informer.js";

/** What an oracle has to know of the server. */
export interface Served {
  /** Versions by key. */
  readonly versions: ReadonlyMap<string, string>;
  readonly resourceVersion: string;
  /** When each request came, in virtual milliseconds. */
  readonly times: readonly number[];
  readonly openStreams: number;
}

export class Oracle {
  readonly #bench: InformerBench;
  readonly #served: () => Served;
  /** What the handler knows by what it was told. */
  readonly #fold = new Map<string, string>();
  /** What a handler must not throw: it would be reported as the handler's, and forgotten. */
  readonly #broken: string[] = [];
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (what: unknown) => this.#unhandled.push(what);
  #stopped = false;

  constructor(bench: InformerBench, served: () => Served) {
    this.#bench = bench;
    this.#served = served;
    process.on("unhandledRejection", this.#onUnhandled);
    process.on("warning", this.#onUnhandled);
    bench.informer.addEventHandler((event) => this.#follow(event));
  }

  #follow({ type, key, object }: ResourceEvent<Thing>): void {
    if (this.#stopped) this.#broken.push("O9: called after the stop");
    const version = object.metadata.resourceVersion;
    const known = this.#fold.get(key);
    if ((known === undefined) !== (type === "add")) this.#broken.push(`O2: ${type} of ${key}, known at ${known}`);
    const isDeclared = this.#bench.errors.some(({ code }) => code === "regressed" || code === "diverged");
    const order = compareResourceVersions(version, known ?? version) ?? 0;
    if (!isDeclared && order < 0) this.#broken.push(`O4: ${key} from ${known} to ${version}`);
    if (type === "delete") this.#fold.delete(key);
    else this.#fold.set(key, version);
  }

  /** To be asked when the fault is over and the back-off has passed. */
  expectWell(): void {
    const { indexer } = this.#bench.informer;
    const { versions, resourceVersion } = this.#served();
    const held = new Map(indexer.listKeys().map((key) => [key, indexer.get(key)?.metadata.resourceVersion]));
    expect(held, "O1: the cache is what the server has").toEqual(versions);
    expect(indexer.resourceVersion, "O1: the cache says how new it is").toBe(resourceVersion);
    expect(this.#fold, "O3: the handler was told of all of it").toEqual(versions);
    this.expectFewRequests();
    const health = this.#bench.informer.health();
    for (const { name, pending } of health.handlers) expect(pending, `O6: waits for ${name}`).toBe(0);
    expect(this.#bench.errors.every(isInformerError), "O8: errors are typed").toBe(true);
    expect(health, "O8: all is well").toMatchObject({
      phase: "watching",
      synced: true,
      failingSinceMs: undefined,
      delayedSinceMs: undefined,
    });
  }

  /** O5: at most five in the first second of a fault, ten in any ten seconds, six in a minute once it lasts for two. */
  expectFewRequests(): void {
    const { times } = this.#served();
    const within = (from: number, spanMs: number) => times.filter((at) => at >= from && at < from + spanMs).length;
    for (const from of times) {
      expect(within(from, 1_000), "O5: requests within a second").toBeLessThanOrEqual(5);
      expect(within(from, 10_000), "O5: requests within ten seconds").toBeLessThanOrEqual(10);
      if (from - (times[0] ?? 0) > 120_000)
        expect(within(from, 60_000), "O5: requests within a minute").toBeLessThanOrEqual(6);
    }
  }

  /** O7 and O9: without time passing, and with nothing left to happen. */
  async expectStops(): Promise<void> {
    await this.#bench.stop();
    this.#stopped = true;
    expect(this.#bench.clock.pendingTimers, "O9: timers after the stop").toBe(0);
    expect(this.#served().openStreams, "O9: open watches after the stop").toBe(0);
    process.off("unhandledRejection", this.#onUnhandled);
    process.off("warning", this.#onUnhandled);
    expect(this.#broken).toEqual([]);
    expect(this.#unhandled, "O7: rejections and warnings of the process").toEqual([]);
  }
}
