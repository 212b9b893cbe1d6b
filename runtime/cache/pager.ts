/** A whole list, page by page. Counterpart: client-go's tools/pager. */
import { InformerError, isInformerError } from "../api/informer-error.js";
import type { ListOptions } from "../api/list-options.js";
import type { KubernetesObject } from "../api/object-meta.js";
import type { Entry } from "./entry.js";
import type { ListerWatcher, ListPage } from "./list-watch.js";

/** Of one list. At 500 objects a page that is more than etcd can hold; a server that goes on for ever would fill the memory. */
const MAX_PAGES = 10_000;

export interface PagedList<T extends KubernetesObject> {
  readonly entries: Entry<T>[];
  readonly resourceVersion: string;
  /** Whether the server gave it in more than one page. */
  readonly paginated: boolean;
}

/**
 * Pages after the first name no resourceVersion: the token says it. When a token has expired the whole list is
 * asked for once more, unpaged, at the first page's resourceVersion; pages of two snapshots are never mixed. The list's
 * resourceVersion is the first page's, as in client-go: a watch from there misses nothing, whatever later pages say.
 */
export async function listAllPages<T extends KubernetesObject>(
  listerWatcher: ListerWatcher<T>,
  options: ListOptions,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<PagedList<T>> {
  const first = await listerWatcher.list(options, signal, onProgress);
  if (first.continue === "") return { ...first, paginated: false };
  const { entries, resourceVersion } = first;
  try {
    for await (const page of followingPages(listerWatcher, first, options, signal, onProgress)) {
      for (const entry of page.entries) entries.push(entry);
    }
  } catch (error) {
    if (!isInformerError(error) || error.code !== "expired") throw error;
    const whole = await listerWatcher.list({ ...options, limit: 0 }, signal, onProgress);
    // A server that pages unasked has not given all of it: taken for all, the rest would count as deleted.
    if (whole.continue !== "") throw error;
    return { ...whole, paginated: true };
  }
  return { entries, resourceVersion, paginated: true };
}

/** @throws InformerError `protocol` when a token repeats or pages do not end, and what the requests throw */
export async function* followingPages<T extends KubernetesObject>(
  listerWatcher: ListerWatcher<T>,
  first: ListPage<T>,
  { resourceVersionMatch: _, ...options }: ListOptions,
  signal: AbortSignal,
  onProgress: () => void,
): AsyncGenerator<ListPage<T>, void> {
  const tokens = new Set<string>();
  let token = first.continue;
  while (token !== "") {
    if (tokens.has(token)) {
      throw new InformerError("protocol", `list ${listerWatcher.name}: the server gave the same continue token twice`);
    }
    if (tokens.size >= MAX_PAGES) {
      throw new InformerError("protocol", `list ${listerWatcher.name}: the list has more than ${MAX_PAGES} pages`);
    }
    tokens.add(token);
    const page = await listerWatcher.list({ ...options, resourceVersion: "", continue: token }, signal, onProgress);
    yield page;
    token = page.continue;
  }
}
