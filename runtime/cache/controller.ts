/**
 * Pops the queue, writes the cache, tells the handlers. Counterpart: `processDeltas` of tools/cache/controller.go.
 * For each change these three are one synchronous turn, so a handler may find the cache newer than its event, never older.
 */
import type { KubernetesObject } from "../api/object-meta.js";
import { deferred } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import type { Turn } from "../util/turn.js";
import type { Entry } from "./entry.js";
import { Notification } from "./event-handler.js";
import { type Indexer, isSame } from "./indexer.js";
import { deliverTo, distribute, type ProcessorListener, type SharedProcessor } from "./processor.js";
import type { Comparison, Delta, Deltas, Queue, QueueItem } from "./queue.js";
import type { SlabAllocator } from "./slab.js";
import { tellOfGarbage } from "./slab-pages.js";

export interface ControllerOptions<T extends KubernetesObject> {
  readonly queue: Queue<T>;
  /** That the queue is of; `undefined` for all. */
  readonly namespace?: string | undefined;
  readonly indexer: Indexer<T>;
  readonly processor: SharedProcessor<T>;
  readonly slabs: SlabAllocator | undefined;
  readonly clock: Clock;
  readonly turn: Turn;
  /** The handlers whose resync is due, to be asked when the resync is popped. */
  readonly resyncing: () => readonly ProcessorListener<T>[];
  /** The first list is in the cache, and every handler that was there has been told of all of it. */
  readonly onSynced: () => void;
  /** The cache's resourceVersion is another. */
  readonly onAdvanced: () => void;
}

export class Controller<T extends KubernetesObject> {
  readonly #options: ControllerOptions<T>;
  #synced = false;
  /** What was popped, and waits halfway for room. */
  #unfinished: Deltas<T> | undefined;
  /** Of the slabs, between two items, as far as it has come. */
  #compaction: Generator | undefined;
  /** When the step began. */
  #nowMs = 0;

  constructor(options: ControllerOptions<T>) {
    this.#options = options;
  }

  /** Works until the queue is closed; what is still queued then is dropped. Never rejects. */
  async run(): Promise<void> {
    const { queue } = this.#options;
    while (!queue.closed) {
      await queue.ready();
      for (let wait = this.#work(); wait !== undefined; wait = this.#work()) await wait;
    }
  }

  /** Works off what is queued, until it is to be asked again after what it gives back, or nothing is left. */
  #work(): Promise<void> | undefined {
    const { queue, processor, turn, slabs, indexer } = this.#options;
    while (!queue.closed) {
      // Another controller replaces what is of its own namespace.
      if (indexer.replaced !== undefined) return indexer.replaced;
      if (slabs?.wantsCompaction === true) this.#compaction ??= slabs.compacting(() => indexer.entries());
      while (this.#compaction?.next().done === false) if (turn.exhausted()) return turn.next();
      this.#compaction = undefined;
      tellOfGarbage();
      if (processor.room !== undefined) return processor.room;
      const item = this.#unfinished ?? queue.pop();
      const working = item && this.#process(item);
      if (item === undefined || working !== undefined) return working;
      if (turn.exhausted()) return turn.next();
    }
    return undefined;
  }

  /** Whatever tells many handlers of many objects goes in slices, and is awaited before the next item. */
  #process(item: QueueItem<T>): Promise<void> | undefined {
    this.#nowMs = this.#options.clock.now();
    switch (item.type) {
      case "Deltas":
        this.#applyAll(item);
        return undefined;
      case "ReplacedAll":
        return this.#replace(item);
      case "SyncAll":
        return this.#resync();
      case "Comparison":
        return this.#compare(item.comparison);
      case "Bookmark":
        this.#advance();
        return undefined;
    }
  }

  /** As far as there is room: a thousand changes of one object may have been collected. */
  #applyAll(item: Deltas<T>): void {
    const { processor } = this.#options;
    const { deltas } = item;
    let applied = 0;
    do this.#apply(deltas[applied++]!);
    while (applied < deltas.length && processor.room === undefined);
    const isDone = applied === deltas.length;
    this.#unfinished = isDone ? undefined : { ...item, deltas: deltas.slice(applied) };
    if (isDone) this.#advance();
    deliverTo(processor.listeners);
  }

  /** The last change of an item may be newer than changes of other keys which still wait: the queue knows. */
  #advance(): void {
    const { indexer, queue, namespace, onAdvanced } = this.#options;
    indexer.advance(queue.drainedTo, namespace);
    onAdvanced();
  }

  /** Whether it was `Added` or `Updated` to the server does not matter: what the cache knew decides. */
  #apply({ type, entry }: Delta<T>): void {
    const { indexer, processor } = this.#options;
    if (type !== "Deleted") {
      const old = indexer.put(entry);
      this.#tellOfChange(processor.listeners, old, entry);
      old?.discard();
      return;
    }
    // The deleted object carries the resourceVersion at which it is gone. One that was never told of is not un-told.
    const old = indexer.delete(entry.key);
    if (old !== undefined) distribute(processor.listeners, Notification.delete(old, entry, this.#nowMs));
    old?.discard();
  }

  /** An object that was deleted and made again under its name is another object (client-go calls that an update). */
  #tellOfChange(listeners: readonly ProcessorListener<T>[], old: Entry<T> | undefined, entry: Entry<T>): void {
    if (old !== undefined && old.uid === entry.uid) {
      distribute(listeners, Notification.update(old, entry, this.#nowMs));
      return;
    }
    if (old !== undefined) distribute(listeners, Notification.delete(old, undefined, this.#nowMs));
    distribute(listeners, Notification.add(entry, !this.#synced, this.#nowMs));
  }

  async #replace({ entries, resourceVersion }: Extract<QueueItem<T>, { type: "ReplacedAll" }>): Promise<void> {
    const { queue, indexer, processor, namespace, turn, onSynced, onAdvanced } = this.#options;
    const steps = indexer.replacing(entries, resourceVersion, namespace);
    let step = steps.next();
    const replaced = deferred();
    indexer.replaced = replaced.promise;
    for (; step.done !== true && !queue.closed; step = steps.next()) if (turn.exhausted()) await turn.next();
    indexer.replaced = undefined;
    replaced.resolve();
    if (step.done !== true) return;
    // What joins from here on is given the new content as a whole, so the slices are not for it.
    const { listeners } = processor;
    const { deleted, changed } = step.value;
    onAdvanced();
    if (listeners.length > 0) {
      await this.#inSlices(deleted, (old) => distribute(listeners, Notification.delete(old, undefined, this.#nowMs)));
      await this.#inSlices(changed, ({ old, entry }) => this.#tellOfChange(listeners, old, entry));
    }
    for (const old of deleted) old.discard();
    for (const { old } of changed) old?.discard();
    // A stop in the middle leaves handlers that were not told of everything: that is no sync.
    if (this.#synced || queue.closed) return;
    this.#synced = true;
    onSynced();
  }

  /** Tells of what is in the cache when it begins; what changes meanwhile is told of by its own event. */
  async #resync(): Promise<void> {
    const { indexer, namespace, resyncing } = this.#options;
    const told = resyncing().map((listener) => ({ listener, pendingKeys: listener.pendingKeys() }));
    await this.#inSlices([...indexer.entriesIn(namespace)], (entry) => {
      const notification = Notification.update(entry, entry, this.#nowMs);
      for (const { listener, pendingKeys } of told) if (!pendingKeys.has(entry.key)) listener.add(notification);
    });
  }

  async #compare({ entries, changed, report }: Comparison<T>): Promise<void> {
    const { indexer, queue, namespace } = this.#options;
    const wrong: string[] = [];
    const listed = new Set<string>();
    await this.#inSlices(entries, (entry) => {
      listed.add(entry.key);
      const own = indexer.getEntry(entry.key);
      if ((own === undefined || !isSame(own, entry)) && !changed.has(entry.key)) wrong.push(entry.key);
    });
    await this.#inSlices(Array.from(indexer.entriesIn(namespace)), ({ key }) => {
      if (!listed.has(key) && !changed.has(key)) wrong.push(key);
    });
    if (!queue.closed) report(wrong);
  }

  async #inSlices<Item>(items: readonly Item[], tell: (item: Item) => void): Promise<void> {
    const { queue, processor, turn, clock } = this.#options;
    for (const item of items) {
      if (queue.closed) return;
      tell(item);
      if (processor.room !== undefined) await this.#room();
      if (turn.exhausted()) {
        deliverTo(processor.listeners);
        await turn.next();
        this.#nowMs = clock.now();
      }
    }
    deliverTo(processor.listeners);
  }

  /** Waits until every handler that blocks has room. A stop gives it: it drops what waits. */
  async #room(): Promise<void> {
    const { processor, clock } = this.#options;
    deliverTo(processor.listeners);
    for (let { room } = processor; room !== undefined; { room } = processor) await room;
    this.#nowMs = clock.now();
  }
}
