/** A reflector over a scripted server, in virtual time; what it queues is kept. */
import type { InformerError } from "../../runtime/api/informer-error.js";
import { DeltaFIFO } from "../../runtime/cache/delta-fifo.js";
import { Reflector, type ReflectorOptions } from "../../runtime/cache/reflector.js";
import type { ReflectorAction } from "../../runtime/cache/reflector-state.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { Turn } from "../../runtime/util/turn.js";
import type { Thing } from "./entries.js";
import { ScriptedListerWatcher } from "./scripted-lister-watcher.js";

export class ReflectorBench {
  readonly clock: VirtualClock;
  readonly server: ScriptedListerWatcher;
  readonly queue = new DeltaFIFO<Thing>();
  readonly reflector: Reflector<Thing>;
  /** What the observer was told: `watch`, `opened`, `event`, `wait 800 connection`. */
  readonly told: string[] = [];
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: Partial<ReflectorOptions<Thing>> = {}, clock = new VirtualClock()) {
    this.clock = clock;
    this.server = new ScriptedListerWatcher(clock);
    this.reflector = new Reflector<Thing>({
      listerWatcher: this.server,
      queue: this.queue,
      clock: this.clock,
      turn: new Turn(this.clock),
      random: () => 0,
      // A script that is used up is silent for good, and nobody is to doubt it.
      probeAfterMs: 0,
      admit: (entry) => entry,
      observer: {
        onAction: ({ type }: ReflectorAction) => this.told.push(type),
        onProgress: (what) => this.told.push(what),
        onWait: (error: InformerError | undefined, delayMs) =>
          this.told.push(`wait ${delayMs} ${error?.code ?? "closed"}`),
        onLeftOut: ({ code }) => this.told.push(`left out ${code}`),
        onDelayed: ({ code }) => this.told.push(code),
        onVerified: (differences) => this.told.push(`verified ${differences}`),
      },
      ...options,
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async start(): Promise<void> {
    this.#running = this.reflector.run(this.signal);
    await this.clock.advance(0);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Takes out what was queued, in short: `replace a@1 b@2 at 5`, `added a@1`, `bookmark 7`. */
  queued(): string[] {
    const items: string[] = [];
    for (let item = this.queue.pop(); item !== undefined; item = this.queue.pop()) {
      switch (item.type) {
        case "ReplacedAll": {
          const entries = item.entries.map(({ key, resourceVersion }) => ` ${key}@${resourceVersion}`);
          items.push(`replace${entries.join("")} at ${item.resourceVersion}`);
          break;
        }
        case "Deltas":
          for (const { type, entry } of item.deltas)
            items.push(`${type.toLowerCase()} ${entry.key}@${entry.resourceVersion}`);
          break;
        case "Bookmark":
          items.push(`bookmark ${item.resourceVersion}`);
          break;
        case "SyncAll":
          items.push("resync");
          break;
        case "Comparison":
          items.push(`compare${item.comparison.entries.map(({ key }) => ` ${key}`).join("")}`);
      }
    }
    return items;
  }
}
