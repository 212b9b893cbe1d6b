/**
 * Whether what a stream says, or does not say, is still true. A watch from beyond a restored etcd is accepted and silent for
 * ever, and so is a connection that a proxy has forgotten: only another question shows it. client-go never asks one.
 */
import { InformerError, type InformerErrorCode, isInformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { compareResourceVersions } from "../api/resource-version.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { Entry, EntryMeta } from "./entry.js";
import type { ListerWatcher } from "./list-watch.js";
import { followingPages } from "./pager.js";

/** Between two pages of a list that nobody waits for. A continue token lives for five minutes. */
const PAGE_PAUSE_MS = 100;

/** Faults of the way to the server: the stream has the same way. */
const UNREACHABLE: ReadonlySet<InformerErrorCode> = new Set(["connection", "tls", "timeout"]);

/**
 * Asks for one object of the newest content, for the sake of its resourceVersion.
 * @param seen resourceVersion up to which the server has told of everything
 * @param hasBookmarks whether the server is known to send bookmarks: each minute, also when nothing changes
 * @returns what is wrong with the stream, if anything is; `delayed` when it only holds back what the server has
 */
export async function probe<T extends KubernetesObject>(
  listerWatcher: ListerWatcher<T>,
  seen: string,
  hasBookmarks: boolean,
  signal: AbortSignal,
): Promise<InformerError | undefined> {
  try {
    const { resourceVersion } = await listerWatcher.list({ limit: 1 }, signal, () => {});
    const order = compareResourceVersions(resourceVersion, seen) ?? 0;
    if (order < 0) return regression(listerWatcher.name, resourceVersion, seen);
    if (order === 0 || !hasBookmarks) return undefined;
    const text = `the server is at ${resourceVersion}, but its watch is silent since ${seen}: does a proxy hold it back?`;
    return new InformerError("delayed", `${listerWatcher.name}: ${text}`);
  } catch (error) {
    return isInformerError(error) && UNREACHABLE.has(error.code) ? error : undefined;
  }
}

/**
 * Everything that the server has, page by page and without haste. Of what is cached as it is there, the entries are those of the
 * cache: it takes no more memory than a list of them, and a page.
 * @throws InformerError `expired` when it took longer than the server remembers; it is not asked for once more
 */
export async function wholeContent<T extends KubernetesObject>(
  listerWatcher: ListerWatcher<T>,
  limit: number,
  clock: Clock,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<{ readonly entries: readonly Entry<T>[]; readonly resourceVersion: string }> {
  const options = { resourceVersion: "", limit };
  const first = await listerWatcher.list(options, signal, onProgress);
  const { entries, resourceVersion } = first;
  for await (const page of followingPages(listerWatcher, first, options, signal, onProgress)) {
    for (const entry of page.entries) entries.push(entry);
    await sleep(clock, PAGE_PAUSE_MS, signal);
    onProgress();
  }
  return { entries, resourceVersion };
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
  for (const key of left.keys()) wrong.push(key);
  return wrong.length === 0 ? undefined : divergence(name, wrong, at);
}

/** @param wrong keys, at least one */
export function divergence(name: string, wrong: readonly string[], at: string): InformerError {
  const text = `${wrong.length} objects are not as they were at ${at}: ${JSON.stringify(wrong[0])} is one`;
  return new InformerError("diverged", `${name}: ${text}`);
}

/** @param seen what it had sent before */
export function regression(name: string, at: string, seen: string): InformerError {
  return new InformerError("regressed", `${name}: the server is at ${at}, but was at ${seen}: was its etcd restored?`);
}

/** A bookmark that says nothing, or goes back behind what was seen, is a proxy's or a lagging server's; where there is no order, it counts. */
export function isAhead(resourceVersion: string, seen: string): boolean {
  return resourceVersion !== "" && (compareResourceVersions(resourceVersion, seen) ?? 0) >= 0;
}
