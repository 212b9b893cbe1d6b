/** What of a list is kept. */
import type { KubernetesObject } from "../api/object-meta.js";
import { abortError } from "../util/abort.js";
import type { Turn } from "../util/turn.js";
import type { Entry } from "./entry.js";

/** In slices: a transform decodes every object. Throws, as half of a list is none, when the signal aborts. */
export async function admitAll<T extends KubernetesObject>(
  entries: readonly Entry<T>[],
  { admit, turn }: { readonly admit: (entry: Entry<T>) => Entry<T> | undefined; readonly turn: Turn },
  signal: AbortSignal,
): Promise<Entry<T>[]> {
  const admitted: Entry<T>[] = [];
  for (const entry of entries) {
    const own = admit(entry);
    if (own !== undefined) admitted.push(own);
    if (turn.exhausted()) await turn.next();
    if (signal.aborted) throw abortError(signal);
  }
  return admitted;
}
