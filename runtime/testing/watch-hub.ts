/** Opens watches, and knows those that are open. Counterpart: apiserver `storage/cacher` Watch. */

import type { Writable } from "node:stream";
import type { Clock } from "../util/clock.js";
import { type ListQuery, parseRevision } from "./list-query.js";
import { FRESHNESS_WAIT_MS } from "./object-list.js";
import type { Revision, StoredObject, StoreEvent } from "./object-store.js";
import { errorFrame, FrameCache, type Representation } from "./representation.js";
import type { ServedResource } from "./resource-registry.js";
import { selectionPredicate } from "./selectors.js";
import { notWatchable, tooLargeResourceVersion, tooOldResourceVersion } from "./status.js";
import type { IncludeObject } from "./table.js";
import { WatchStream } from "./watch-stream.js";

/** A watch that does not say how long it wants to last lasts so long. The real server takes 30 to 60 minutes, by chance. */
const DEFAULT_TIMEOUT_MS = 30 * 60_000;

export interface WatchHubOptions {
  readonly revision: Revision;
  readonly clock: Clock;
  readonly bookmarkIntervalMs: number;
  readonly maxWaiting: number;
}

export interface WatchRequest {
  readonly resource: ServedResource;
  readonly namespace: string;
  readonly query: ListQuery;
  readonly as: Representation;
  readonly include: IncludeObject;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Called when it is certain that the answer is a stream; gives what to write to. */
  readonly open: () => Writable;
  /** Tears the connection down. */
  readonly reset: () => void;
}

/** A watch that is open. */
export interface OpenWatch {
  readonly resource: ServedResource;
  readonly namespace: string;
  readonly stream: WatchStream;
  readonly reset: () => void;
}

export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #frames = new FrameCache();
  readonly #open = new Set<OpenWatch>();

  constructor(options: WatchHubOptions) {
    this.#options = options;
  }

  get open(): readonly OpenWatch[] {
    return [...this.#open];
  }

  /**
   * Answers a WATCH.
   * @throws ApiError before the stream is opened: 400 for a selector, 405 where there is no watch, 500 for a resourceVersion
   * that is no number. What is too old or too new is said within the stream.
   */
  async watch(request: WatchRequest): Promise<void> {
    const { resource, namespace, query, signal } = request;
    if (!resource.verbs.includes("watch")) throw notWatchable(resource.resource);
    const { labelSelector, fieldSelector, resourceVersion } = query;
    const matches = selectionPredicate(resource, { namespace, labelSelector, fieldSelector });
    const asked = parseRevision(resourceVersion, "watch");
    const { revision, clock } = this.#options;
    // Without a resourceVersion a watch has always begun with what there is.
    const wantsInitial = query.sendInitialEvents ?? asked === 0;
    const out = request.open();
    if (wantsInitial && !(await revision.reached(asked, FRESHNESS_WAIT_MS, clock, signal))) {
      out.end(errorFrame(tooLargeResourceVersion(asked, revision.current)));
      return;
    }
    if (signal.aborted) return;
    const { store } = resource;
    let since = asked === 0 || wantsInitial ? revision.current : asked;
    let missed: readonly StoreEvent[] = [];
    let initial: readonly StoredObject[] | undefined;
    if (wantsInitial) initial = store.objects(namespace === "" ? "" : `${namespace}/`).filter(matches);
    else {
      const events = store.since(since);
      if (events === undefined) {
        out.end(errorFrame(tooOldResourceVersion(since, store.floor)));
        return;
      }
      missed = events;
      since = Math.max(since, missed.at(-1)?.revision ?? 0);
    }
    const stream = new WatchStream({
      resource,
      as: request.as,
      include: request.include,
      matches,
      initial,
      since,
      missed,
      bookmarks: query.allowWatchBookmarks,
      bookmarkIntervalMs: this.#options.bookmarkIntervalMs,
      timeoutMs:
        query.timeoutSeconds === undefined || query.timeoutSeconds === 0
          ? DEFAULT_TIMEOUT_MS
          : query.timeoutSeconds * 1000,
      maxWaiting: this.#options.maxWaiting,
      currentRevision: () => revision.current,
      frames: this.#frames,
      clock,
      out,
      onEnd: () => this.#open.delete(watch),
    });
    const watch: OpenWatch = { resource, namespace, stream, reset: request.reset };
    this.#open.add(watch);
    stream.start();
    signal.addEventListener("abort", () => stream.dispose(), { once: true });
  }
}
