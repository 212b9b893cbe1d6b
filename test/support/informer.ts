/** A shared informer over a scripted server, in virtual time. */
import type { InformerError } from "../../runtime/api/informer-error.js";
import type {
  EventHandlerOptions,
  ResourceEventHandlerRegistration,
  SharedInformerOptions,
} from "../../runtime/cache/informer-options.js";
import { SharedInformer } from "../../runtime/cache/shared-informer.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { Turn } from "../../runtime/util/turn.js";
import { recorder, type Thing } from "./entries.js";
import { ScriptedListerWatcher } from "./scripted-lister-watcher.js";

/** Yields after every step: what is done in slices is done in the smallest ones. */
export class SlowTurn extends Turn {
  /** Loops that have not done all. */
  waiting = 0;

  override exhausted(): boolean {
    return true;
  }

  override async next(): Promise<void> {
    this.waiting++;
    await super.next();
    this.waiting--;
  }
}

export class InformerBench {
  readonly clock: VirtualClock;
  readonly server: ScriptedListerWatcher;
  readonly errors: InformerError[] = [];
  readonly informer: SharedInformer<Thing>;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: Partial<SharedInformerOptions<Thing>> = {}, clock = new VirtualClock()) {
    this.clock = clock;
    this.server = new ScriptedListerWatcher(clock);
    this.informer = new SharedInformer<Thing>({
      listerWatcher: () => this.server,
      resource: "things.v1",
      resyncPeriodMs: 0,
      // A script that is used up is silent for good, and nobody is to doubt it.
      reflector: { probeAfterMs: 0 },
      clock: this.clock,
      turn: new Turn(this.clock),
      random: () => 0,
      onError: (error) => this.errors.push(error),
      ...options,
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Adds a handler that writes down what it is told. */
  record(options?: EventHandlerOptions<Thing>): {
    readonly log: string[];
    readonly registration: ResourceEventHandlerRegistration;
  } {
    const { log, handler } = recorder();
    return { log, registration: this.informer.addEventHandler(handler, options) };
  }

  /** Runs the informer, as far as it comes without time passing. */
  async start(): Promise<void> {
    this.#running = this.informer.run(this.signal);
    await this.clock.advance(0);
  }

  /** Resolves when `run` has. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }
}
