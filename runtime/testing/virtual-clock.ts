/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from "../util/clock.js";

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Starts at 0 ms monotonic and at `wallStartMs` wall time. Timers fire in the order of their time, then of their making. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #wallOffset: number;
  readonly #pending = new Set<Pending>();

  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffset = wallStartMs;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#wallOffset + this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer: Pending = { at: this.#now + Math.max(delayMs, 0), order: this.#order++, callback };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /** How many timers wait, for tests that look for leaks. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves the wall clock alone, as an NTP step or a user does. */
  jumpWallClock(byMs: number): void {
    this.#wallOffset += byMs;
  }

  /** Moves time on while no timer can fire, as when something holds the event loop: what fell due fires with the next {@link advance}. */
  stall(byMs: number): void {
    this.#now += byMs;
  }

  /** Moves time on, firing what falls due, and lets promises settle between timers. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.at > end) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}

/** A turn of the event loop: every promise that can settle has settled, and so has what they led to. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
