/** The one place that time comes from. Everything in the runtime that waits or measures takes a {@link Clock}. */

/** A pending timer. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds on a monotonic scale: for intervals and deadlines. A jump of the wall clock does not move it. */
  now(): number;
  /** Wall-clock milliseconds since the Unix epoch: for what a person reads, and for expiry times that others set. */
  wallNow(): number;
  /** Calls back once after `delayMs` (at least 0; more than 2^31-1 is clamped). Keeps the process alive while pending. */
  after(delayMs: number, callback: () => void): Timer;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};
