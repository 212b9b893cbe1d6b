/** Changes collected by key, keys in the order of their first change. Counterpart: tools/cache/delta_fifo.go. */
import type { KubernetesObject } from "../api/object-meta.js";
import type { Entry } from "./entry.js";
import { type Comparison, type Delta, type Deltas, Fifo, type QueueItem } from "./queue.js";

/**
 * A consumer that falls behind finds all changes of a key together. They are never merged into one, except two deletions in a
 * row. Changes do not join what was queued before a replace, a bookmark or a comparison: these stand for everything up to them.
 */
export class DeltaFIFO<T extends KubernetesObject> extends Fifo<T> {
  /** Queued items that a later change of the same key may join. */
  readonly #open = new Map<string, Deltas<T>>();

  protected collect(delta: Delta<T>): void {
    const { key } = delta.entry;
    const open = this.#open.get(key);
    if (open === undefined) {
      const item: Deltas<T> = { type: "Deltas", key, deltas: [delta] };
      this.#open.set(key, item);
      this.push(item);
    } else if (delta.type !== "Deleted" || open.deltas.at(-1)?.type !== "Deleted") {
      open.deltas.push(delta);
    }
  }

  override replace(entries: readonly Entry<T>[], resourceVersion: string): void {
    this.#open.clear();
    super.replace(entries, resourceVersion);
  }

  override bookmark(resourceVersion: string): void {
    this.#open.clear();
    super.bookmark(resourceVersion);
  }

  override compare(comparison: Comparison<T>): void {
    this.#open.clear();
    super.compare(comparison);
  }

  override pop(): QueueItem<T> | undefined {
    const item = super.pop();
    if (item?.type === "Deltas" && this.#open.get(item.key) === item) this.#open.delete(item.key);
    return item;
  }
}
