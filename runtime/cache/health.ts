/** What an informer says of itself. Nothing in client-go corresponds: its `HasSynced` never becomes false again. */
import type { InformerError } from "../api/informer-error.js";
import type { Clock, Timer } from "../util/clock.js";
import type { HandlerHealth } from "./processor.js";
import type { ReflectorObserver } from "./reflector.js";
import { type ReflectorAction, STABLE_MS } from "./reflector-state.js";

/**
 * - `idle` not started; `listing` asks for the whole content; `watching` follows changes; `waiting` between a request that
 *   failed and the next; `stopped` for good
 */
export type InformerPhase = "idle" | "listing" | "watching" | "waiting" | "stopped";

/** Of one list and watch. Times are milliseconds since the Unix epoch. */
export interface StreamHealth {
  readonly phase: InformerPhase;
  /** When the phase began. */
  readonly sinceMs: number;
  /** Whether the cache has held a whole list; stays true when the connection is lost. */
  readonly synced: boolean;
  /** Up to where the cache follows the server. */
  readonly resourceVersion: string;
  readonly lastEventMs: number | undefined;
  readonly lastBookmarkMs: number | undefined;
  /** The last failure; stays when things are well again. */
  readonly lastError: InformerError | undefined;
  readonly lastErrorMs: number | undefined;
  /** Since when requests fail; `undefined` while all is well, and again once data came or a watch stayed open for 30 seconds. */
  readonly failingSinceMs: number | undefined;
  /** Requests that failed since then. */
  readonly consecutiveFailures: number;
  /**
   * Since when the watch holds back what the server has, as behind a proxy that buffers: the cache is behind, though nothing
   * failed. `undefined` again once data comes.
   */
  readonly delayedSinceMs: number | undefined;
  /** When the cache was last compared with the server, where `verifyEveryMs` asks for it. */
  readonly lastVerifiedMs: number | undefined;
  /** Objects that these comparisons found to differ, of all time. */
  readonly divergences: number;
}

export interface NamespaceHealth extends StreamHealth {
  readonly namespace: string;
}

/** A snapshot. Where several namespaces are followed: the worst phase and failure, the newest event, the oldest resourceVersion. */
export interface InformerHealth extends StreamHealth {
  /** `pods.v1`, `deployments.v1.apps` */
  readonly resource: string;
  readonly objects: number;
  readonly handlers: readonly HandlerHealth[];
  /** Each that is followed, where it is not all of them. */
  readonly namespaces: readonly NamespaceHealth[];
}

/** Of an informer that follows no namespace. */
export function quiet(phase: InformerPhase, sinceMs: number): StreamHealth {
  return {
    phase,
    sinceMs,
    synced: true,
    resourceVersion: "",
    lastEventMs: undefined,
    lastBookmarkMs: undefined,
    lastError: undefined,
    lastErrorMs: undefined,
    failingSinceMs: undefined,
    consecutiveFailures: 0,
    delayedSinceMs: undefined,
    lastVerifiedMs: undefined,
    divergences: 0,
  };
}

const WORST_FIRST: readonly InformerPhase[] = ["waiting", "listing", "idle", "watching", "stopped"];

/** What is said of all of these as one. @param otherwise what is said of none */
export function worst<Health extends StreamHealth>(healths: readonly Health[], otherwise: StreamHealth): StreamHealth {
  if (healths.length <= 1) return healths[0] ?? otherwise;
  const times = (name: "lastEventMs" | "lastBookmarkMs" | "failingSinceMs" | "delayedSinceMs" | "lastVerifiedMs") =>
    healths
      .map((health) => health[name])
      .filter((time) => time !== undefined)
      .sort((a, b) => a - b);
  const rank = ({ phase }: StreamHealth) => WORST_FIRST.indexOf(phase);
  const { phase, sinceMs } = healths.reduce((a, b) => (rank(b) < rank(a) ? b : a));
  const failed = healths.reduce((a, b) => ((b.lastErrorMs ?? 0) > (a.lastErrorMs ?? 0) ? b : a));
  return {
    ...otherwise,
    phase,
    sinceMs,
    lastEventMs: times("lastEventMs").at(-1),
    lastBookmarkMs: times("lastBookmarkMs").at(-1),
    lastError: failed.lastError,
    lastErrorMs: failed.lastErrorMs,
    failingSinceMs: times("failingSinceMs")[0],
    consecutiveFailures: Math.max(...healths.map(({ consecutiveFailures }) => consecutiveFailures)),
    delayedSinceMs: times("delayedSinceMs")[0],
    lastVerifiedMs: times("lastVerifiedMs")[0],
    divergences: healths.reduce((sum, { divergences }) => sum + divergences, 0),
  };
}

/** Follows a reflector, and tells of each kind of failure once until things are well again. */
export class HealthMonitor implements ReflectorObserver {
  readonly #clock: Clock;
  readonly #onError: (error: InformerError) => void;
  readonly #onChange: () => void;
  /** Kinds of failure that were told of since {@link failingSinceMs}. */
  readonly #told = new Set<string>();
  /** Whether something was left out since the request began. */
  #leftOut = false;
  /** Until a watch that was opened after failures counts as well. */
  #settling: Timer | undefined;

  phase: InformerPhase = "idle";
  sinceMs: number;
  lastEventMs: number | undefined;
  lastBookmarkMs: number | undefined;
  lastError: InformerError | undefined;
  lastErrorMs: number | undefined;
  failingSinceMs: number | undefined;
  consecutiveFailures = 0;
  delayedSinceMs: number | undefined;
  lastVerifiedMs: number | undefined;
  divergences = 0;

  /** @param onChange called when the phase changes, and when failures or a delay begin and are over */
  constructor(clock: Clock, onError: (error: InformerError) => void, onChange: () => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#onChange = onChange;
    this.sinceMs = clock.wallNow();
  }

  onAction({ type }: ReflectorAction): void {
    this.#leftOut = false;
    this.#enter(type === "watch" ? "watching" : "listing");
  }

  onProgress(what: "opened" | "listed" | "event" | "bookmark"): void {
    if (what === "opened") {
      // Servers that accept a watch and fail it at once are no better than those that refuse it.
      if (this.consecutiveFailures > 0) this.#settling = this.#clock.after(STABLE_MS, () => this.#recovered());
      return;
    }
    if (what === "event") this.lastEventMs = this.#clock.wallNow();
    if (what === "bookmark") {
      this.lastBookmarkMs = this.#clock.wallNow();
      // The end bookmark of a streaming list.
      if (this.phase === "listing") this.#enter("watching");
    }
    this.#caughtUp();
    this.#recovered();
  }

  onWait(error: InformerError | undefined, delayMs: number): void {
    this.#settling?.cancel();
    const begins = error !== undefined && this.consecutiveFailures++ === 0;
    if (begins) this.failingSinceMs = this.#clock.wallNow();
    if (error !== undefined) this.#note(error);
    if (delayMs > 0) this.#enter("waiting");
    else if (begins) this.#onChange();
    // That a resourceVersion expires is the protocol at work.
    if (error === undefined || error.code === "expired" || this.#told.has(error.code)) return;
    this.#told.add(error.code);
    this.#onError(error);
  }

  onLeftOut(error: InformerError): void {
    this.#note(error);
    if (this.#leftOut) return;
    this.#leftOut = true;
    this.#onError(error);
  }

  onDelayed(error: InformerError): void {
    if (this.delayedSinceMs !== undefined) return;
    this.delayedSinceMs = this.#clock.wallNow();
    this.#note(error);
    this.#onChange();
    this.#onError(error);
  }

  onVerified(differences: number): void {
    this.lastVerifiedMs = this.#clock.wallNow();
    this.divergences += differences;
  }

  stop(): void {
    this.#settling?.cancel();
    this.#enter("stopped");
  }

  #note(error: InformerError): void {
    this.lastError = error;
    this.lastErrorMs = this.#clock.wallNow();
  }

  #caughtUp(): void {
    if (this.delayedSinceMs === undefined) return;
    this.delayedSinceMs = undefined;
    this.#onChange();
  }

  #recovered(): void {
    if (this.consecutiveFailures === 0) return;
    this.#settling?.cancel();
    this.#told.clear();
    this.consecutiveFailures = 0;
    this.failingSinceMs = undefined;
    this.#onChange();
  }

  #enter(phase: InformerPhase): void {
    if (this.phase === phase) return;
    this.phase = phase;
    this.sinceMs = this.#clock.wallNow();
    this.#onChange();
  }
}
