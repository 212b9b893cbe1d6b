/** A controller over a queue that a test fills, and handlers that it gives. */
import type { InformerError } from "../../runtime/api/informer-error.js";
import { Controller } from "../../runtime/cache/controller.js";
import { DeltaFIFO } from "../../runtime/cache/delta-fifo.js";
import type { Entry } from "../../runtime/cache/entry.js";
import type { ResourceEventHandler, ResourceEventHandlerFunc } from "../../runtime/cache/event-handler.js";
import { Indexer } from "../../runtime/cache/indexer.js";
import { type ListenerOptions, ProcessorListener, SharedProcessor } from "../../runtime/cache/processor.js";
import type { Delta } from "../../runtime/cache/queue.js";
import type { SlabAllocator } from "../../runtime/cache/slab.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { Turn } from "../../runtime/util/turn.js";
import { recorder, type Thing } from "./entries.js";

export class ControllerBench {
  readonly queue = new DeltaFIFO<Thing>();
  readonly errors: InformerError[] = [];
  readonly indexer = new Indexer<Thing>((error) => this.errors.push(error));
  readonly processor = new SharedProcessor<Thing>();
  readonly clock = new VirtualClock();
  readonly turn: Turn;
  readonly resyncing: ProcessorListener<Thing>[] = [];
  synced = 0;
  readonly advancedTo: string[] = [];
  readonly run: Promise<void>;

  constructor(turn?: Turn, slabs?: SlabAllocator) {
    this.turn = turn ?? new Turn(this.clock);
    this.run = new Controller<Thing>({
      queue: this.queue,
      indexer: this.indexer,
      processor: this.processor,
      slabs,
      clock: this.clock,
      turn: this.turn,
      resyncing: () => this.resyncing,
      onSynced: () => this.synced++,
      onAdvanced: () => this.advancedTo.push(this.indexer.resourceVersion),
    }).run();
  }

  listen(
    handler: ResourceEventHandler<Thing> | ResourceEventHandlerFunc<Thing>,
    own: Partial<ListenerOptions<Thing>> = {},
  ): ProcessorListener<Thing> {
    const { clock, turn } = this;
    const environment = { clock, turn, onHandlerError: (error: InformerError) => this.errors.push(error) };
    const options = { name: "test", resyncPeriodMs: 0, maxPending: 10_000, onOverflow: "coalesce", ...own } as const;
    const listener = new ProcessorListener(handler, options, environment);
    this.processor.add(listener);
    return listener;
  }

  record(): string[] {
    const { log, handler } = recorder();
    this.listen(handler);
    return log;
  }

  enqueue(type: Delta<Thing>["type"], entry: Entry<Thing>): void {
    this.queue.enqueue({ type, entry });
  }
}
