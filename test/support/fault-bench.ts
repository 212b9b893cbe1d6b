/** An informer over a wire server in virtual time, and the oracle of the fault matrix: what must hold whatever the fault was. */
import { expect } from "vitest";
import { isInformerError } from "../../runtime/api/informer-error.js";
import { ListWatch } from "../../runtime/cache/list-watch.js";
import type { ReflectorTunables } from "../../runtime/cache/reflector.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { ApiClient } from "../../runtime/transport/api-client.js";
import type { Thing } from "./entries.js";
import { InformerBench } from "./informer.js";
import { WireServer } from "./wire-server.js";

export class FaultBench {
  readonly clock = new VirtualClock();
  readonly server = new WireServer(this.clock);
  readonly bench: InformerBench;
  /** What a handler was told, as `add a@101`, `update a@101→102`, `delete a`. */
  readonly log: string[] = [];
  /** What the handler knows by what it was told. */
  readonly #fold = new Map<string, string>();
  /** Whether health said that it is failing, each time that this changed. */
  readonly failing: boolean[] = [];

  constructor(reflector: ReflectorTunables = {}, namespace?: string) {
    const client = new ApiClient(this.server, this.clock);
    const slabs = new SlabAllocator();
    const resource = { group: "", version: "v1", resource: "things" };
    const listerWatcher = new ListWatch<Thing>(client, slabs, { resource, kind: "Thing", namespace });
    this.bench = new InformerBench({ listerWatcher, slabs, reflector }, this.clock);
    this.bench.informer.addEventHandler((event) => {
      const { type, key, object } = event;
      const version = object.metadata.resourceVersion;
      const known = this.#fold.get(key);
      if (type === "add") expect(known, `${key} is new`).toBeUndefined();
      else expect(known, `${key} is known`).toBeDefined();
      if (type === "delete") this.#fold.delete(key);
      else this.#fold.set(key, version ?? "");
      if (type === "update") this.log.push(`update ${key}@${event.oldObject.metadata.resourceVersion}→${version}`);
      else this.log.push(type === "add" ? `add ${key}@${version}` : `delete ${key}`);
    });
    this.bench.informer.onHealthChange(({ failingSinceMs }) => {
      const isFailing = failingSinceMs !== undefined;
      if ((this.failing.at(-1) ?? false) !== isFailing) this.failing.push(isFailing);
    });
  }

  get informer(): InformerBench["informer"] {
    return this.bench.informer;
  }

  /** Codes of what was reported. */
  get reported(): string[] {
    return this.bench.errors.map(({ code }) => code);
  }

  /** Starts with these objects, and waits for the sync. */
  async synced(...keys: string[]): Promise<this> {
    for (const key of keys) this.server.write(key);
    await this.bench.start();
    expect(this.informer.hasSynced()).toBe(true);
    this.log.length = 0;
    this.server.requests.length = 0;
    return this;
  }

  start(): Promise<void> {
    return this.bench.start();
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** What the cache holds, as `a@101`. */
  get cached(): string[] {
    const { lister } = this.informer;
    return lister.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  }

  /**
   * The fault is over: by now or within a back-off, all is as if it had never been. Store, handler and server agree, errors were
   * typed, requests were few, health says so, and a stop leaves nothing behind.
   */
  async recovers(): Promise<void> {
    this.server.fault = () => undefined;
    await this.advance(60_000);
    expect(this.informer.hasSynced(), "synced").toBe(true);
    this.server.write("after-the-fault");
    await this.advance(31_000);
    const { indexer } = this.informer;
    const held = new Map(indexer.listKeys().map((key) => [key, indexer.get(key)?.metadata.resourceVersion]));
    const served = new Map(
      Array.from(this.server.objects, ([key, json]) => [key, JSON.parse(json).metadata.resourceVersion]),
    );
    expect(held, "the store is what the server has").toEqual(served);
    expect(this.#fold, "the handler was told of all of it").toEqual(served);
    expect(indexer.resourceVersion, "the store says how new it is").toBe(String(this.server.version));
    expect(this.bench.errors.every(isInformerError), "errors are typed").toBe(true);
    expect(this.informer.health()).toMatchObject({ phase: "watching", failingSinceMs: undefined });
    this.expectFewRequests();
    await this.stops();
  }

  /** At most five in the first second of the fault, one a second over any ten seconds. */
  expectFewRequests(): void {
    const times = this.server.requests.map(({ atMs }) => atMs);
    const within = (from: number, spanMs: number) => times.filter((at) => at >= from && at < from + spanMs).length;
    for (const from of times) {
      expect(within(from, 1_000), "requests within a second").toBeLessThanOrEqual(5);
      expect(within(from, 10_000), "requests within ten seconds").toBeLessThanOrEqual(10);
    }
  }

  /** Without time passing, and with nothing left to happen. */
  async stops(): Promise<void> {
    await this.bench.stop();
    expect(this.clock.pendingTimers, "timers after the stop").toBe(0);
    expect(this.server.streams, "open watches after the stop").toEqual([]);
  }
}
