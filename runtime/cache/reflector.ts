/**
 * Keeps a queue fed with what the server has: the effects around {@link step}. Counterpart: tools/cache/reflector.go, whose
 * `ListAndWatch` is {@link Reflector.run} here. Whether what it took in is the truth is asked in verifier.ts.
 */
import { InformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { unlessAborted } from "../util/abort.js";
import type { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { Turn } from "../util/turn.js";
import { admitAll } from "./admit.js";
import { Deadline, Doubts, listSilence } from "./deadline.js";
import type { Entry } from "./entry.js";
import type { ListerWatcher, Watch, WatchEvent } from "./list-watch.js";
import { listAllPages } from "./pager.js";
import type { Queue } from "./queue.js";
import {
  advanced,
  DEFAULT_POLICY,
  initialReflectorState,
  type ReflectorAction,
  type ReflectorEvent,
  type ReflectorState,
  step,
  streamSynced,
} from "./reflector-state.js";
import { isAhead, probe } from "./truth.js";
import { Verifier } from "./verifier.js";

/** What may be set of how a reflector asks. Each is optional; what is said here is the default. */
export interface ReflectorTunables {
  /** Whether to begin with a streaming list (KEP-3157), where the server does them: true. */
  readonly streaming?: boolean | undefined;
  /** How long a streaming list may be silent without having sent its end bookmark, in milliseconds: 60,000. client-go waits for ever. */
  readonly bookmarkDeadlineMs?: number | undefined;
  /**
   * How long a list may be silent, in milliseconds: 60,000, after which a server gives it up by itself. For one whose
   * `--request-timeout` is longer.
   */
  readonly listSilenceMs?: number | undefined;
  /** Objects in a page of a list: 500. */
  readonly pageSize?: number | undefined;
  /** How long a watch is to last, from and to, in seconds: 300 and 600. It is drawn for each, so that they do not all end together. */
  readonly watchTimeoutSeconds?: readonly [least: number, most: number] | undefined;
  /** Between the starts of requests that fail: 800 ms, doubled up to 30 s, each drawn up to twice as long. */
  readonly backoff?: Backoff | undefined;
  /**
   * After how long a silence of the watch the server is asked whether it still is where it was: 90,000 ms; 0 for never. A
   * server that sends bookmarks does so each minute, and is not asked.
   */
  readonly probeAfterMs?: number | undefined;
  /**
   * How often the whole content is listed at the newest, page by page, and compared with the cache: 0, for never. A difference is
   * reported as `diverged` and mended by a list. 1,800,000 is a good period for who does not trust the server's watch cache
   * (kubernetes/kubernetes#123072); each time costs the server a list. Each wait is drawn up to a tenth longer.
   */
  readonly verifyEveryMs?: number | undefined;
  /** Whether to list everything once more after each list, at its resourceVersion, and compare: false. For tests and doubts. */
  readonly verifyAfterSync?: boolean | undefined;
}

export interface ReflectorOptions<T extends KubernetesObject> extends ReflectorTunables {
  readonly listerWatcher: ListerWatcher<T>;
  readonly queue: Queue<T>;
  readonly clock: Clock;
  readonly turn: Turn;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** What to queue of an object that came in; `undefined` leaves it out. */
  readonly admit: (entry: Entry<T>) => Entry<T> | undefined;
  readonly observer: ReflectorObserver;
}

/** Is told what happens, for health. Must not throw. */
export interface ReflectorObserver {
  /** A request begins. */
  onAction(action: ReflectorAction): void;
  /** The server has answered it: opened a stream, or sent data, which is a whole list, an event or a bookmark. */
  onProgress(what: "opened" | "listed" | "event" | "bookmark"): void;
  /** It failed, or the server closed it (`error` absent); the next begins after `delayMs`. */
  onWait(error: InformerError | undefined, delayMs: number): void;
  /** Something that the server sent was left out; the request goes on. */
  onLeftOut(error: InformerError): void;
  /** The watch goes on, but holds back what the server has. */
  onDelayed(error: InformerError): void;
  /** The cache was compared with what the server has; so many objects differed. */
  onVerified(differences: number): void;
}

/** client-go's. */
const WATCH_TIMEOUT_SECONDS: readonly [number, number] = [300, 600];
/** How much later than it promised a server may end a watch before it is taken for dead (kube-rs' rule). */
const WATCH_GRACE_MS = 5_000;
/**
 * Of what one read of a socket brought, handlers hear of the first event before the next is looked at, and then of as many at
 * once as before: each time takes some promises. Hundreds, each of which a transform may decode, would hold the loop too long.
 */
const MAX_EVENTS_AT_ONCE = 16;
const BOOKMARK_DEADLINE_MS = 60_000;
const PROBE_AFTER_MS = 90_000;
const PROBE_DEADLINE_MS = 10_000;

export class Reflector<T extends KubernetesObject> {
  readonly #options: ReflectorOptions<T>;
  #state: ReflectorState;
  #watchDeadlineMs = 0;
  /** Of the stream that runs. */
  #open: Deadline | undefined;
  /** What was found wrong with what was taken in, until the next stream ends by it. */
  #wrong: InformerError | undefined;
  /** Whether the server has sent a bookmark. */
  #hasBookmarks = false;
  readonly #verifier: Verifier<T>;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    const { clock, streaming = true, pageSize = DEFAULT_POLICY.pageSize, backoff = DEFAULT_POLICY.backoff } = options;
    this.#state = initialReflectorState(streaming, clock.now(), { pageSize, backoff });
    this.#verifier = new Verifier(options, {
      seen: () => this.lastSyncResourceVersion,
      isOpen: () => this.#open !== undefined,
      fail: (error) => this.#fail(error),
    });
  }

  get lastSyncResourceVersion(): string {
    return this.#state.lastSyncResourceVersion;
  }

  /** Lists and watches until the signal aborts. Resolves when nothing of it runs any more; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#verifier.run(signal)]);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, random, observer } = this.#options;
    while (!signal.aborted) {
      observer.onAction(this.#state.action);
      const event = await this.#perform(this.#state.action, signal);
      if (signal.aborted) return;
      const { state, delayMs } = step(this.#state, event, clock.now(), random());
      this.#state = state;
      if (event.type !== "listed") {
        observer.onWait(event.error, delayMs);
        await sleep(clock, delayMs, signal);
      }
    }
  }

  #perform(action: ReflectorAction, signal: AbortSignal): Promise<ReflectorEvent> {
    switch (action.type) {
      case "list":
        return this.#list(action, signal);
      case "watchList":
        return this.#watchList(action, signal);
      case "watch":
        return this.#watch(action, signal);
    }
  }

  async #list(
    { resourceVersion, limit }: { resourceVersion: string; limit: number },
    signal: AbortSignal,
  ): Promise<ReflectorEvent> {
    const { listerWatcher, queue, observer } = this.#options;
    const { silence, onProgress } = listSilence(this.#options, signal);
    try {
      onProgress();
      const list = await listAllPages(listerWatcher, { resourceVersion, limit }, silence.signal, onProgress);
      silence.pause();
      const entries = await admitAll(list.entries, this.#options, signal);
      queue.replace(entries, list.resourceVersion);
      this.#verifier.replaced(entries, list.resourceVersion, signal);
      observer.onProgress("listed");
      return { type: "listed", resourceVersion: list.resourceVersion, paginated: list.paginated };
    } catch (thrown) {
      return { type: "listFailed", error: silence.failure(thrown, `list ${listerWatcher.name}`) };
    } finally {
      silence.release();
    }
  }

  /** The objects go into a store of their own until the end bookmark, so that nobody ever sees half of them. */
  async #watchList({ resourceVersion }: { resourceVersion: string }, signal: AbortSignal): Promise<ReflectorEvent> {
    const { queue, observer, bookmarkDeadlineMs = BOOKMARK_DEADLINE_MS } = this.#options;
    const initial = new Map<string, Entry<T>>();
    let synced = false;
    const onEvents = (events: readonly WatchEvent<T>[], silence: Deadline): InformerError | undefined => {
      if (synced) return this.#onEvents(events);
      // A server that does not know streaming lists sends changes and plain bookmarks for ever: these are no progress.
      if (events.some(({ type }) => type === "ADDED")) silence.set(bookmarkDeadlineMs);
      for (let i = 0; i < events.length; i++) {
        const event = events[i]!;
        switch (event.type) {
          case "ADDED":
          case "MODIFIED": {
            const entry = this.#options.admit(event.entry);
            if (entry !== undefined) initial.set(entry.key, entry);
            break;
          }
          case "DELETED":
            initial.delete(event.entry.key);
            break;
          case "ERROR":
            return event.error;
          case "UNKNOWN":
            observer.onLeftOut(event.error);
            break;
          case "BOOKMARK": {
            if (!event.initialEventsEnd || event.resourceVersion === "") break;
            synced = true;
            silence.set(this.#watchDeadlineMs);
            this.#hasBookmarks = true;
            const entries = [...initial.values()];
            queue.replace(entries, event.resourceVersion);
            this.#verifier.replaced(entries, event.resourceVersion, signal);
            // The stream may live for minutes more, and what it began with must not.
            initial.clear();
            this.#state = streamSynced(this.#state, event.resourceVersion);
            observer.onProgress("bookmark");
            return this.#onEvents(events.slice(i + 1));
          }
        }
      }
      return undefined;
    };
    const options = { resourceVersion, resourceVersionMatch: "NotOlderThan", sendInitialEvents: true } as const;
    const { error, events } = await this.#stream(options, bookmarkDeadlineMs, signal, onEvents);
    return synced ? { type: "watchEnded", error, events } : { type: "watchListFailed", error };
  }

  async #watch({ resourceVersion }: { resourceVersion: string }, signal: AbortSignal): Promise<ReflectorEvent> {
    const { error, events } = await this.#stream({ resourceVersion }, undefined, signal, (batch) =>
      this.#onEvents(batch),
    );
    return { type: "watchEnded", error, events };
  }

  /**
   * Opens a watch and reads it to its end. A connection that has died without a word is noticed: the server was told when
   * to end the watch, and when that time and a grace have passed it is taken for dead.
   */
  async #stream(
    options: {
      readonly resourceVersion: string;
      readonly sendInitialEvents?: boolean;
      readonly resourceVersionMatch?: "NotOlderThan";
    },
    firstDeadlineMs: number | undefined,
    signal: AbortSignal,
    onEvents: (events: readonly WatchEvent<T>[], silence: Deadline) => InformerError | undefined,
  ): Promise<{ error: InformerError | undefined; events: number }> {
    const { listerWatcher, queue, clock, turn, random, observer } = this.#options;
    const { watchTimeoutSeconds = WATCH_TIMEOUT_SECONDS } = this.#options;
    const [least, most] = watchTimeoutSeconds;
    const timeoutSeconds = Math.floor(least + (most - least) * random());
    this.#watchDeadlineMs = timeoutSeconds * 1000 + WATCH_GRACE_MS;
    const silence = new Deadline(
      clock,
      signal,
      (ms) => `watch ${listerWatcher.name}: the connection is silent for ${ms} ms`,
    );
    silence.set(firstDeadlineMs ?? this.#watchDeadlineMs);
    this.#open = silence;
    if (this.#wrong !== undefined) silence.fail(this.#wrong);
    this.#wrong = undefined;
    let watch: Watch<T> | undefined;
    let doubts: Doubts | undefined;
    let count = 0;
    try {
      doubts = this.#doubts(silence, () => watch !== undefined);
      watch = await listerWatcher.watch({ ...options, allowWatchBookmarks: true, timeoutSeconds }, silence.signal);
      observer.onProgress("opened");
      doubts?.heard();
      for (let events = await watch.next(); events !== undefined; events = await watch.next()) {
        count += events.length;
        doubts?.heard();
        for (let taken = 0; taken < events.length; ) {
          const atOnce = Math.min(Math.max(taken, 1), MAX_EVENTS_AT_ONCE);
          const error = onEvents(events.slice(taken, taken + atOnce), silence);
          if (error !== undefined) return { error, events: count - 1 };
          taken += atOnce;
          if (turn.exhausted(atOnce)) await unlessAborted(turn.next(), silence.signal);
          else if (taken < events.length) await undefined;
        }
        if (queue.room === undefined) continue;
        // What is not read stays with the server: TCP sees to that. The silence is ours.
        silence.pause();
        await unlessAborted(queue.room, silence.signal);
        silence.set(this.#watchDeadlineMs);
      }
      return { error: undefined, events: count };
    } catch (thrown) {
      return { error: silence.failure(thrown, `watch ${listerWatcher.name}`), events: count };
    } finally {
      doubts?.release();
      this.#open = undefined;
      silence.release();
      watch?.close();
    }
  }

  /** Ends the stream that runs, or the next one. */
  #fail(error: InformerError): void {
    if (this.#open === undefined) this.#wrong = error;
    else this.#open.fail(error);
  }

  /** Asks the server whenever the stream has been silent for long, and ends the stream by what is wrong with it. */
  #doubts(stream: Deadline, isAnswered: () => boolean): Doubts | undefined {
    const { listerWatcher, clock, observer, probeAfterMs = PROBE_AFTER_MS } = this.#options;
    if (probeAfterMs <= 0) return undefined;
    return new Doubts(clock, probeAfterMs, async () => {
      // Servers answer a watch at once: what it was asked on, kept from earlier, is dead.
      if (!isAnswered()) {
        stream.fail(new InformerError("timeout", `watch ${listerWatcher.name}: not answered for ${probeAfterMs} ms`));
        return;
      }
      const seen = this.lastSyncResourceVersion;
      if (seen === "") return;
      const answer = new Deadline(clock, stream.signal, (ms) => `${listerWatcher.name}: no answer for ${ms} ms`);
      answer.set(PROBE_DEADLINE_MS);
      const error = await probe(listerWatcher, seen, this.#hasBookmarks, answer.signal);
      answer.release();
      // Whatever was heard meanwhile is the better proof.
      if (error === undefined || this.lastSyncResourceVersion !== seen || stream.signal.aborted) return;
      if (error.code === "delayed") observer.onDelayed(error);
      else stream.fail(error);
    });
  }

  /** Queues what came; gives back the error by which the server ends the watch. */
  #onEvents(events: readonly WatchEvent<T>[]): InformerError | undefined {
    const { queue, observer } = this.#options;
    let seen = "";
    let changes = 0;
    let failure: InformerError | undefined;
    for (const event of events) {
      if (event.type === "ERROR") {
        failure = event.error;
        break;
      }
      if (event.type === "BOOKMARK") {
        this.#hasBookmarks = true;
        if (!isAhead(event.resourceVersion, seen || this.lastSyncResourceVersion)) continue;
        seen = event.resourceVersion;
        queue.bookmark(seen);
        observer.onProgress("bookmark");
      } else if (event.type === "UNKNOWN") {
        observer.onLeftOut(event.error);
      } else {
        seen = event.entry.resourceVersion;
        changes++;
        this.#verifier.changed(event.entry.key);
        const entry = this.#options.admit(event.entry);
        // What is not admitted is not cached; what is cached and gone must go all the same.
        if (entry !== undefined) queue.enqueue({ type: DELTA_TYPES[event.type], entry });
        else if (event.type === "DELETED") queue.enqueue({ type: "Deleted", entry: event.entry });
        else queue.bookmark(seen);
      }
    }
    if (seen !== "") this.#state = advanced(this.#state, seen);
    if (changes > 0) observer.onProgress("event");
    return failure;
  }
}

const DELTA_TYPES = { ADDED: "Added", MODIFIED: "Updated", DELETED: "Deleted" } as const;
