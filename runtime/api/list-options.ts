/** Query parameters of LIST and WATCH. Counterpart: `meta/v1 ListOptions`. */

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  /** `shardRange(…)` expression, where the server shards lists and watches (KEP-5866). */
  readonly shardSelector?: string;
}

/** The query string, without `?`; what is undefined, empty, zero or false is the server's default and left out. */
export function listOptionsQuery(options: ListOptions, watch: boolean): string {
  const query = new URLSearchParams();
  if (watch) query.set("watch", "true");
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== "" && value !== 0 && value !== false) query.set(name, String(value));
  }
  return query.toString();
}
