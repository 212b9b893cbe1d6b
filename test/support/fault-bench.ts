/** An informer over a wire server in virtual time, held against the oracle of the fault matrix. */
import { expect } from "vitest";
import { ListWatch } from "../../runtime/cache/list-watch.js";
import type { ReflectorTunables } from "../../runtime/cache/reflector.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { ApiClient } from "../../runtime/transport/api-client.js";
import type { Thing } from "./entries.js";
import { InformerBench } from "./informer.js";
import { Oracle } from "./oracle.js";
import { WireServer } from "./wire-server.js";

export class FaultBench {
  readonly clock = new VirtualClock();
  readonly server = new WireServer(this.clock);
  readonly bench: InformerBench;
  /** What a handler was told, as `add a@101`, `update a@101→102`, `delete a`. */
  readonly log: string[] = [];
  readonly oracle: Oracle;
  /** Whether health said that it is failing, each time that this changed. */
  readonly failing: boolean[] = [];

  constructor(reflector: ReflectorTunables = {}, namespace?: string) {
    const client = new ApiClient(this.server, this.clock);
    const slabs = new SlabAllocator();
    const resource = { group: "", version: "v1", resource: "things" };
    const listerWatcher = new ListWatch<Thing>(client, slabs, { resource, kind: "Thing", namespace });
    const options = { listerWatcher: () => listerWatcher, slabs, reflector, freeze: true };
    this.bench = new InformerBench(options, this.clock);
    this.oracle = new Oracle(this.bench, () => ({
      versions: new Map(
        Array.from(this.server.objects, ([key, json]) => [key, JSON.parse(json).metadata.resourceVersion]),
      ),
      resourceVersion: String(this.server.version),
      times: this.server.requests.map(({ atMs }) => atMs),
      openStreams: this.server.streams.length,
    }));
    this.bench.informer.addEventHandler((event) => {
      const { type, key, object } = event;
      const version = object.metadata.resourceVersion;
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
    this.oracle.expectWell();
    await this.stops();
  }

  /** Without time passing, and with nothing left to happen. */
  async stops(): Promise<void> {
    await this.oracle.expectStops();
  }
}
