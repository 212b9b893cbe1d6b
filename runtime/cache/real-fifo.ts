/** Every change in the order of the stream, whatever its key. Counterpart: tools/cache/the_real_fifo.go, client-go's own queue since 1.36. */
import type { KubernetesObject } from "../api/object-meta.js";
import { type Delta, Fifo } from "./queue.js";

export class RealFIFO<T extends KubernetesObject> extends Fifo<T> {
  protected collect(delta: Delta<T>): void {
    this.push({ type: "Deltas", key: delta.entry.key, deltas: [delta] });
  }
}
