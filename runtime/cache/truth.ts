/**
 * Whether what a stream says, or does not say, is still true. A watch from beyond a restored etcd is accepted and silent for
 * ever, and so is a connection that a proxy has forgotten: only another question shows it. client-go never asks one.
 */
import { InformerError, type InformerErrorCode, isInformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { compareResourceVersions } from "../api/resource-version.js";
import type { EntryMeta } from "./entry.js";
import type { ListerWatcher } from "./list-watch.js";

/** Faults of the way to the server: the stream has the same way. */
const UNREACHABLE: ReadonlySet<InformerErrorCode> = new Set(["connection", "tls", "timeout"]);

/**
 * Asks for one object of the newest content, for the sake of its resourceVersion.
 * @param seen resourceVersion up to which the server has told of everything
 * @returns what is wrong with the stream, if anything is
 */
export async function probe<T extends KubernetesObject>(
  listerWatcher: ListerWatcher<T>,
  seen: string,
  signal: AbortSignal,
): Promise<InformerError | undefined> {
  try {
    const { resourceVersion } = await listerWatcher.list({ limit: 1 }, signal, () => {});
    if ((compareResourceVersions(resourceVersion, seen) ?? 0) >= 0) return undefined;
    const text = `the server is at ${resourceVersion}, but was at ${seen}: was its etcd restored?`;
    return new InformerError("regressed", `${listerWatcher.name}: ${text}`);
  } catch (error) {
    return isInformerError(error) && UNREACHABLE.has(error.code) ? error : undefined;
  }
}

/**
 * What is wrong with what was taken in, by a list of what there was at exactly that resourceVersion. Counterpart: client-go's
 * consistency detector, which panics.
 */
export function difference(
  name: string,
  entries: readonly EntryMeta[],
  exact: readonly EntryMeta[],
  at: string,
): InformerError | undefined {
  const left = new Map(entries.map((entry) => [entry.key, entry]));
  const wrong: string[] = [];
  for (const { key, uid, resourceVersion } of exact) {
    const own = left.get(key);
    if (own?.uid !== uid || own.resourceVersion !== resourceVersion) wrong.push(key);
    left.delete(key);
  }
  wrong.push(...left.keys());
  if (wrong.length === 0) return undefined;
  const text = `${wrong.length} objects are not as they were at ${at}: ${JSON.stringify(wrong[0])} is one`;
  return new InformerError("diverged", `${name}: ${text}`);
}
