/** One open watch. Counterpart: apiserver `storage/cacher/cache_watcher.go`. */
import type { Writable } from "node:stream";
import type { Clock, Timer } from "../util/clock.js";
import { RingQueue } from "../util/ring-queue.js";
import type { StoredObject, StoreEvent } from "./object-store.js";
import {
  bookmarkFrame,
  type FrameCache,
  frame,
  objectJson,
  type Representation,
  type TableOptions,
} from "./representation.js";
import type { ServedResource } from "./resource-registry.js";
import type { Predicate } from "./selectors.js";
import type { IncludeObject } from "./table.js";

/** A bookmark is sent so long before the watch's own time is over. */
const BOOKMARK_BEFORE_END_MS = 2_000;

export interface WatchStreamOptions {
  readonly resource: ServedResource;
  readonly as: Representation;
  readonly include: IncludeObject;
  readonly matches: Predicate;
  /** Objects to begin with; undefined to begin with what comes after `since`. */
  readonly initial: readonly StoredObject[] | undefined;
  /** Events up to this revision have been seen. */
  readonly since: number;
  /** Events after `since` that have been. */
  readonly missed: readonly StoreEvent[];
  readonly bookmarks: boolean;
  readonly bookmarkIntervalMs: number;
  readonly timeoutMs: number;
  /** Events that may wait for a reader before its watch is ended. */
  readonly maxWaiting: number;
  readonly currentRevision: () => number;
  readonly frames: FrameCache;
  readonly clock: Clock;
  readonly out: Writable;
  /** Called once, when nothing more will be written. */
  readonly onEnd: () => void;
}

/** Writes events to `out` until its time is over, the resource is served no more, or it is ended from outside. */
export class WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #waiting = new RingQueue<Buffer>();
  /** What is written first, each frame made when it is its turn. */
  readonly #initial: Iterator<Buffer>;
  #initialDone = false;
  #paused = false;
  #ended = false;
  #unfollow: () => void = () => {};
  #timeout: Timer | undefined;
  #bookmark: Timer | undefined;
  readonly #deadline: number;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    this.#initial = this.#initialFrames();
    this.#deadline = options.clock.now() + options.timeoutMs;
  }

  start(): void {
    const { clock, resource, timeoutMs, bookmarks } = this.#options;
    this.#timeout = clock.after(timeoutMs, () => this.end());
    this.#unfollow = resource.store.follow((event) => this.#receive(event));
    resource.custom?.served.addEventListener("abort", this.#onUnserved);
    if (bookmarks) this.#armBookmark();
    this.#pump();
  }

  /** Ends the answer cleanly, after what is waiting. */
  end(): void {
    if (this.#ended) return;
    // Half an initial list is worth nothing; events are.
    if (this.#initialDone)
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.#options.out.write(next);
    this.#close();
    this.#options.out.end();
  }

  /** The client has gone, or is to be cut off: lets go of everything. */
  dispose(): void {
    if (!this.#ended) this.#close();
  }

  #onUnserved = (): void => this.end();

  #close(): void {
    this.#ended = true;
    this.#unfollow();
    this.#timeout?.cancel();
    this.#bookmark?.cancel();
    this.#options.resource.custom?.served.removeEventListener("abort", this.#onUnserved);
    this.#options.out.removeListener("drain", this.#onDrain);
    this.#waiting.clear();
    this.#options.onEnd();
  }

  *#initialFrames(): Generator<Buffer> {
    const { initial, missed, since, bookmarks, resource, as } = this.#options;
    if (initial !== undefined) {
      const table = this.#table();
      for (const stored of initial) yield frame("ADDED", objectJson(resource, stored, as, table));
      if (bookmarks) yield bookmarkFrame(resource, as, since, true);
    }
    for (const event of missed) {
      const encoded = this.#frameFor(event);
      if (encoded !== undefined) yield encoded;
    }
  }

  #receive(event: StoreEvent): void {
    if (event.revision <= this.#options.since) return;
    const encoded = this.#frameFor(event);
    if (encoded === undefined) return;
    if (this.#waiting.length >= this.#options.maxWaiting) {
      // Too slow: the real server ends such a watch as if its time were over, and drops what it had not read.
      this.#close();
      this.#options.out.end();
      return;
    }
    this.#waiting.push(encoded);
    this.#pump();
  }

  /** The event as this watch sees it: an object may enter or leave its selection. */
  #frameFor(event: StoreEvent): Buffer | undefined {
    const { matches, frames, resource, as } = this.#options;
    const was = event.previous !== undefined && matches(event.previous);
    const is = event.type !== "DELETED" && matches(event.stored);
    if (!was && !is) return undefined;
    const type = !is ? "DELETED" : was ? "MODIFIED" : "ADDED";
    return frames.frame(event, type, resource, as, this.#table());
  }

  #table(): TableOptions {
    return { include: this.#options.include, wallNowMs: this.#options.clock.wallNow() };
  }

  #pump(): void {
    const { out } = this.#options;
    while (!this.#paused && !this.#ended) {
      const next = this.#next();
      if (next === undefined) return;
      if (!out.write(next)) {
        this.#paused = true;
        out.once("drain", this.#onDrain);
      }
    }
  }

  #onDrain = (): void => {
    this.#paused = false;
    this.#pump();
  };

  #next(): Buffer | undefined {
    if (!this.#initialDone) {
      const { value, done } = this.#initial.next();
      if (done !== true) return value;
      this.#initialDone = true;
    }
    return this.#waiting.shift();
  }

  #armBookmark(): void {
    const { clock, bookmarkIntervalMs } = this.#options;
    const beforeEnd = this.#deadline - BOOKMARK_BEFORE_END_MS - clock.now();
    const delayMs = beforeEnd > 0 ? Math.min(bookmarkIntervalMs, beforeEnd) : bookmarkIntervalMs;
    this.#bookmark = clock.after(delayMs, () => {
      this.#sendBookmark();
      this.#armBookmark();
    });
  }

  /** None for a revision that has not come: a watch from the future stays silent. */
  #sendBookmark(): void {
    const { currentRevision, since, resource, as } = this.#options;
    const revision = currentRevision();
    if (!this.#initialDone || revision < since) return;
    this.#waiting.push(bookmarkFrame(resource, as, revision, false));
    this.#pump();
  }
}
