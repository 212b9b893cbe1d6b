/**
 * Holds what a reflector took in against what the server has, and ends the stream by a difference. Counterpart: client-go's
 * consistency detector of tools/cache/reflector_data_consistency_detector.go, which panics, and looks once after a list.
 */
import type { InformerError } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { compareResourceVersions } from "../api/resource-version.js";
import { sleep } from "../util/sleep.js";
import { admitAll } from "./admit.js";
import { listSilence } from "./deadline.js";
import type { Entry } from "./entry.js";
import { listAllPages } from "./pager.js";
import type { ReflectorOptions } from "./reflector.js";
import { DEFAULT_POLICY } from "./reflector-state.js";
import { difference, divergence, isAhead, regression, wholeContent } from "./truth.js";

/** How long a comparison waits for the watch to come to where the list was: longer than bookmarks take. */
const WAIT_MS = 90_000;
const LOOK_MS = 1_000;

/** Of the reflector. */
export interface VerifiedStream {
  /** Up to where everything is queued. */
  readonly seen: () => string;
  readonly isOpen: () => boolean;
  /** Ends the stream that runs, or the next one. */
  readonly fail: (error: InformerError) => void;
}

export class Verifier<T extends KubernetesObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #stream: VerifiedStream;
  /** Keys that changed since the list of the comparison that runs began; another set, or none, once that is void. */
  #changed: Set<string> | undefined;

  constructor(options: ReflectorOptions<T>, stream: VerifiedStream) {
    this.#options = options;
    this.#stream = stream;
  }

  /** A change was queued. */
  changed(key: string): void {
    this.#changed?.add(key);
  }

  /** A whole list was queued. With `verifyAfterSync` it is listed again, beside the watch. */
  replaced(entries: readonly Entry<T>[], resourceVersion: string, signal: AbortSignal): void {
    this.#changed = undefined;
    if (this.#options.verifyAfterSync === true) void this.#listAgain(entries, resourceVersion, signal);
  }

  /** Compares each `verifyEveryMs`, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, verifyEveryMs = 0 } = this.#options;
    if (verifyEveryMs <= 0) return;
    while (!signal.aborted) {
      await sleep(clock, verifyEveryMs * (1 + random() / 10), signal);
      if (!signal.aborted && this.#stream.isOpen()) await this.#compare(signal);
    }
  }

  async #listAgain(entries: readonly Entry<T>[], resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { listerWatcher } = this.#options;
    const { silence, onProgress } = listSilence(this.#options, signal);
    try {
      onProgress();
      const options = { resourceVersion, resourceVersionMatch: "Exact" } as const;
      const exact = await listAllPages(listerWatcher, options, silence.signal, onProgress);
      const admitted = await admitAll(exact.entries, this.#options, signal);
      const error = difference(listerWatcher.name, entries, admitted, resourceVersion);
      if (error !== undefined) this.#stream.fail(error);
    } catch {
      // A server that has forgotten this version cannot be asked for it. Nothing is known then.
    } finally {
      silence.release();
    }
  }

  /**
   * Holds the cache against a list of the newest. The comparison is queued when the watch has come to where the list was; what
   * changed meanwhile is left out, so that a difference is one for certain.
   */
  async #compare(signal: AbortSignal): Promise<void> {
    const { listerWatcher, queue, clock, observer, pageSize = DEFAULT_POLICY.pageSize } = this.#options;
    const { name } = listerWatcher;
    const seen = this.#stream.seen();
    const changed = new Set<string>();
    this.#changed = changed;
    const isVoid = () => signal.aborted || this.#changed !== changed;
    const { silence, onProgress } = listSilence(this.#options, signal);
    try {
      onProgress();
      const content = await wholeContent(listerWatcher, pageSize, clock, silence.signal, onProgress);
      silence.release();
      const { resourceVersion } = content;
      const order = compareResourceVersions(resourceVersion, seen);
      // Where versions have no order, nobody can tell when the watch has come so far.
      if (order === undefined || isVoid()) return;
      if (order < 0) return this.#stream.fail(regression(name, resourceVersion, seen));
      const entries = await admitAll(content.entries, this.#options, signal);
      const untilMs = clock.now() + WAIT_MS;
      while (!isAhead(this.#stream.seen(), resourceVersion) && clock.now() < untilMs) {
        await sleep(clock, LOOK_MS, signal);
        if (isVoid()) return;
      }
      // A watch that is not read, as a handler blocks, is late by our own doing.
      if (isVoid() || !this.#stream.isOpen() || queue.room !== undefined) return;
      const report = (wrong: readonly string[]) => {
        if (isVoid()) return;
        observer.onVerified(wrong.length);
        if (wrong.length > 0) this.#stream.fail(divergence(name, wrong, resourceVersion));
      };
      queue.compare({ entries, changed, report });
    } catch {
      // What fails the list fails the watch too, which tells of it. Health says when the last comparison was.
    } finally {
      silence.release();
    }
  }
}
