/**
 * Keeps a queue fed with what the server has: the effects around {@link step}. Counterpart: tools/cache/reflector.go.
 * It is long as its requests, and the questions whether they tell the truth, are about one stream and its resourceVersion.
 */
import { InformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { compareResourceVersions } from "../api/resource-version.js";
import { unlessAborted } from "../util/abort.js";
import type { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import { Deadline, Doubts } from "./deadline.js";
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
import { difference, divergence, probe, regression, wholeContent } from "./truth.js";

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
const LIST_SILENCE_MS = 60_000;
const BOOKMARK_DEADLINE_MS = 60_000;
const PROBE_AFTER_MS = 90_000;
const PROBE_DEADLINE_MS = 10_000;
/** How long a comparison waits for the watch to come to where the list was: longer than bookmarks take. */
const VERIFY_WAIT_MS = 90_000;
const VERIFY_LOOK_MS = 1_000;

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
  /** Keys that changed since the list of the comparison that runs began; another set, or none, once that is void. */
  #changedMeanwhile: Set<string> | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    const { clock, streaming = true, pageSize = DEFAULT_POLICY.pageSize, backoff = DEFAULT_POLICY.backoff } = options;
    this.#state = initialReflectorState(streaming, clock.now(), { pageSize, backoff });
  }

  get lastSyncResourceVersion(): string {
    return this.#state.lastSyncResourceVersion;
  }

  /** Lists and watches until the signal aborts. Resolves when nothing of it runs any more; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#verifyEvery(signal)]);
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
    const { silence, onProgress } = this.#listSilence(signal);
    try {
      onProgress();
      const list = await listAllPages(listerWatcher, { resourceVersion, limit }, silence.signal, onProgress);
      const entries = this.#admitAll(list.entries);
      queue.replace(entries, list.resourceVersion);
      this.#changedMeanwhile = undefined;
      void this.#verify(entries, list.resourceVersion, signal);
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
          case "BOOKMARK":
            if (!event.initialEventsEnd || event.resourceVersion === "") break;
            synced = true;
            silence.set(this.#watchDeadlineMs);
            this.#hasBookmarks = true;
            queue.replace([...initial.values()], event.resourceVersion);
            this.#changedMeanwhile = undefined;
            void this.#verify([...initial.values()], event.resourceVersion, signal);
            // The stream may live for minutes more, and what it began with must not.
            initial.clear();
            this.#state = streamSynced(this.#state, event.resourceVersion);
            observer.onProgress("bookmark");
            return this.#onEvents(events.slice(i + 1));
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
    const { listerWatcher, queue, clock, random, observer } = this.#options;
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
        const error = onEvents(events, silence);
        if (error !== undefined) return { error, events: count - 1 };
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

  /** Goes on beside the watch, which it ends if the two do not agree. */
  async #verify(entries: readonly Entry<T>[], resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { listerWatcher, verifyAfterSync = false } = this.#options;
    if (!verifyAfterSync) return;
    const { silence, onProgress } = this.#listSilence(signal);
    try {
      onProgress();
      const options = { resourceVersion, resourceVersionMatch: "Exact" } as const;
      const exact = await listAllPages(listerWatcher, options, silence.signal, onProgress);
      const error = difference(listerWatcher.name, entries, this.#admitAll(exact.entries), resourceVersion);
      if (error !== undefined) this.#fail(error);
    } catch {
      // A server that has forgotten this version cannot be asked for it. Nothing is known then.
    } finally {
      silence.release();
    }
  }

  async #verifyEvery(signal: AbortSignal): Promise<void> {
    const { clock, random, verifyEveryMs = 0 } = this.#options;
    if (verifyEveryMs <= 0) return;
    while (!signal.aborted) {
      await sleep(clock, verifyEveryMs * (1 + random() / 10), signal);
      if (!signal.aborted && this.#open !== undefined) await this.#verifyNow(signal);
    }
  }

  /**
   * Holds the cache against a list of the newest. The comparison is queued when the watch has come to where the list was; what
   * changed meanwhile is left out, so that a difference is one for certain.
   */
  async #verifyNow(signal: AbortSignal): Promise<void> {
    const { listerWatcher, queue, clock, observer, pageSize = DEFAULT_POLICY.pageSize } = this.#options;
    const seen = this.lastSyncResourceVersion;
    const changed = new Set<string>();
    this.#changedMeanwhile = changed;
    const isVoid = () => signal.aborted || this.#changedMeanwhile !== changed;
    const { silence, onProgress } = this.#listSilence(signal);
    try {
      onProgress();
      const { entries, resourceVersion } = await wholeContent(
        listerWatcher,
        pageSize,
        clock,
        silence.signal,
        onProgress,
      );
      silence.release();
      const order = compareResourceVersions(resourceVersion, seen);
      // Where versions have no order, nobody can tell when the watch has come so far.
      if (order === undefined || isVoid()) return;
      if (order < 0) return this.#fail(regression(listerWatcher.name, resourceVersion, seen));
      const untilMs = clock.now() + VERIFY_WAIT_MS;
      while (!isAhead(this.lastSyncResourceVersion, resourceVersion) && clock.now() < untilMs) {
        await sleep(clock, VERIFY_LOOK_MS, signal);
        if (isVoid()) return;
      }
      // A watch that is not read, as a handler blocks, is late by our own doing.
      if (this.#open === undefined || queue.room !== undefined) return;
      const report = (wrong: readonly string[]) => {
        if (isVoid()) return;
        observer.onVerified(wrong.length);
        if (wrong.length > 0) this.#fail(divergence(listerWatcher.name, wrong, resourceVersion));
      };
      queue.compare({ entries: this.#admitAll(entries), changed, report });
    } catch {
      // What fails the list fails the watch too, which tells of it. Health says when the last comparison was.
    } finally {
      silence.release();
    }
  }

  /** A list may be slow, but not silent for long: `onProgress` says that it is not. */
  #listSilence(signal: AbortSignal): { readonly silence: Deadline; readonly onProgress: () => void } {
    const { listerWatcher, clock, listSilenceMs = LIST_SILENCE_MS } = this.#options;
    const silence = new Deadline(clock, signal, (ms) => `list ${listerWatcher.name}: no data for ${ms} ms`);
    return { silence, onProgress: () => silence.set(listSilenceMs) };
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
        this.#changedMeanwhile?.add(event.entry.key);
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

  #admitAll(entries: readonly Entry<T>[]): Entry<T>[] {
    const admitted: Entry<T>[] = [];
    for (const entry of entries) {
      const own = this.#options.admit(entry);
      if (own !== undefined) admitted.push(own);
    }
    return admitted;
  }
}

const DELTA_TYPES = { ADDED: "Added", MODIFIED: "Updated", DELETED: "Deleted" } as const;

/** A bookmark that says nothing, or goes back behind what was seen, is a proxy's or a lagging server's; where there is no order, it counts. */
function isAhead(resourceVersion: string, seen: string): boolean {
  return resourceVersion !== "" && (compareResourceVersions(resourceVersion, seen) ?? 0) >= 0;
}
