/**
 * Pops the queue, writes the cache, tells the handlers. Counterpart: `processDeltas` of tools/cache/controller.go.
 * For each change these three are one synchronous turn, so a handler may find the cache newer than its event, never older.
 */
import type { KubernetesObject } from "../api/object-meta.js";
import type { Turn } from "../util/turn.js";
import { Notification } from "./event-handler.js";
import type { Indexer } from "./indexer.js";
import { distribute, type ProcessorListener, type SharedProcessor } from "./processor.js";
import type { Delta, Queue, QueueItem } from "./queue.js";
import type { SlabAllocator } from "./slab.js";

export interface ControllerOptions<T extends KubernetesObject> {
  readonly queue: Queue<T>;
  readonly indexer: Indexer<T>;
  readonly processor: SharedProcessor<T>;
  readonly slabs: SlabAllocator | undefined;
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

  constructor(options: ControllerOptions<T>) {
    this.#options = options;
  }

  /** Works until the queue is closed; what is still queued then is dropped. Never rejects. */
  async run(): Promise<void> {
    const { queue, turn, slabs, indexer } = this.#options;
    while (!queue.closed) {
      await queue.ready();
      for (let item = queue.pop(); item !== undefined && !queue.closed; item = queue.pop()) {
        const work = this.#process(item);
        if (work !== undefined) await work;
        if (slabs?.wantsCompaction === true) slabs.compact(() => indexer.entries());
        if (turn.exhausted()) await turn.next();
      }
    }
  }

  /** Whatever tells many handlers of many objects goes in slices, and is awaited before the next item. */
  #process(item: QueueItem<T>): Promise<void> | undefined {
    const { indexer } = this.#options;
    switch (item.type) {
      case "Deltas":
        for (const delta of item.deltas) this.#apply(delta);
        this.#advance();
        return undefined;
      case "ReplacedAll":
        return this.#replace(item);
      case "SyncAll":
        return this.#inSlices(resyncNotifications(indexer), this.#options.resyncing());
      case "Bookmark":
        this.#advance();
        return undefined;
    }
  }

  /** The last change of an item may be newer than changes of other keys which still wait: the queue knows. */
  #advance(): void {
    const { indexer, queue, onAdvanced } = this.#options;
    indexer.advance(queue.drainedTo);
    onAdvanced();
  }

  /** Whether it was `Added` or `Updated` to the server does not matter: what the cache knew decides. */
  #apply({ type, entry }: Delta<T>): void {
    const { indexer, processor } = this.#options;
    if (type === "Deleted") {
      // The deleted object carries the resourceVersion at which it is gone. One that was never told of is not un-told.
      if (indexer.delete(entry.key) !== undefined) {
        distribute(processor.listeners, Notification.delete(entry, false));
      }
      return;
    }
    const old = indexer.put(entry);
    for (const notification of changeNotifications(old, entry, !this.#synced))
      distribute(processor.listeners, notification);
  }

  async #replace({ entries, resourceVersion }: Extract<QueueItem<T>, { type: "ReplacedAll" }>): Promise<void> {
    const { queue, indexer, processor, turn, onSynced, onAdvanced } = this.#options;
    const isInInitialList = !this.#synced;
    // Index functions read objects. They are decoded before, in slices, so that the swap itself is short.
    for (const entry of indexer.toBeIndexed(entries)) {
      decodeIfPossible(entry);
      if (turn.exhausted()) await turn.next();
      if (queue.closed) return;
    }
    // A handler that joins while the slices go out is given the new content as a whole, so the slices are not for it.
    const { listeners } = processor;
    const { deleted, changed } = indexer.replace(entries, resourceVersion);
    onAdvanced();
    await this.#inSlices(
      (function* () {
        for (const entry of deleted) yield Notification.delete(entry, true);
        for (const { old, entry } of changed) yield* changeNotifications(old, entry, isInInitialList);
      })(),
      listeners,
    );
    // A stop in the middle leaves handlers that were not told of everything: that is no sync.
    if (this.#synced || queue.closed) return;
    this.#synced = true;
    onSynced();
  }

  async #inSlices(notifications: Iterable<Notification<T>>, listeners: readonly ProcessorListener<T>[]): Promise<void> {
    const { queue, turn } = this.#options;
    if (listeners.length === 0) return;
    for (const notification of notifications) {
      distribute(listeners, notification);
      if (turn.exhausted()) await turn.next();
      if (queue.closed) return;
    }
  }
}

/** An object that was deleted and made again under its name is another object (client-go calls that an update). */
function changeNotifications<T extends KubernetesObject>(
  old: Parameters<typeof Notification.update<T>>[0] | undefined,
  entry: Parameters<typeof Notification.update<T>>[1],
  isInInitialList: boolean,
): Notification<T>[] {
  if (old === undefined) return [Notification.add(entry, isInInitialList)];
  if (old.uid === entry.uid) return [Notification.update(old, entry)];
  return [Notification.delete(old, true), Notification.add(entry, false)];
}

/** What is in the cache when the resync begins; what changes meanwhile is told of by its own event. */
function* resyncNotifications<T extends KubernetesObject>(indexer: Indexer<T>): Generator<Notification<T>> {
  for (const entry of [...indexer.entries()]) yield Notification.update(entry, entry);
}

/** What is not JSON is left to the index function's guard, which says so and leaves the object out of the index. */
function decodeIfPossible(entry: { readonly object: unknown }): void {
  try {
    entry.object;
  } catch {}
}
