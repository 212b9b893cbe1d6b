/** What of a list is kept, and of an object. Counterpart: `TransformFunc` of tools/cache/delta_fifo.go. */
import { metaNamespaceKey } from "../api/keys.js";
import type { Cached, KubernetesObject, ObjectMeta } from "../api/object-meta.js";
import { abortError } from "../util/abort.js";
import type { Turn } from "../util/turn.js";
import { Entry } from "./entry.js";
import type { TransformFunc } from "./informer-options.js";
import { deepFreeze } from "./mutation-detector.js";

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

/** @throws what the transform throws; TypeError when it gives back no object of the same name and namespace */
export function transformed<T extends KubernetesObject>(
  entry: Entry<T>,
  transform: TransformFunc<T>,
  freeze: boolean,
): Entry<T> {
  const { key, uid, resourceVersion } = entry;
  const object = transform(entry.object as T) as Cached<T> | undefined;
  const { name = "", namespace } = (object?.metadata ?? {}) as ObjectMeta;
  if (object === undefined || metaNamespaceKey(namespace, name) !== key)
    throw new TypeError("it gave back no object of the same name and namespace");
  return Entry.fromObject<T>({ key, uid, resourceVersion }, freeze ? deepFreeze(object) : object, entry);
}
