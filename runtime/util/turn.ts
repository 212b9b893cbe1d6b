/**
 * Keeps the event loop free. Long work is done in slices of at most {@link SLICE_MS}; between two slices the loop gets its
 * turn. All loops of one factory share a `Turn`, so that a hundred informers together hold the loop no longer than one.
 */
import type { Clock } from "./clock.js";
import { RingQueue } from "./ring-queue.js";

const SLICE_MS = 4;
/** Reading the clock costs about as much as a cheap step, so it is read once in this many. */
const STEPS_PER_LOOK = 16;

export class Turn {
  readonly #clock: Clock;
  readonly #waiting = new RingQueue<() => void>();
  #sliceStart: number;
  #steps = 0;
  #scheduled = false;
  /** Once one loop has found the slice used up, no other needs to look until the event loop has turned. */
  #used = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sliceStart = clock.now();
  }

  /**
   * To be asked after each step of a long loop: true when the slice is used up, and {@link next} must be awaited.
   * @param steps made since it was asked last
   */
  exhausted(steps = 1): boolean {
    if (this.#used) return true;
    this.#steps += steps;
    if (this.#steps < STEPS_PER_LOOK) return false;
    this.#steps = 0;
    if (!this.#scheduled) {
      // Nobody waits: the slice began with the first look since the loop last turned.
      this.#scheduled = true;
      this.#sliceStart = this.#clock.now();
      setImmediate(this.#turned);
      return false;
    }
    this.#used = this.#clock.now() - this.#sliceStart >= SLICE_MS;
    return this.#used;
  }

  /** Resolves in a later turn of the event loop, with a slice of its own; first come, first served. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#scheduled) {
        this.#scheduled = true;
        setImmediate(this.#turned);
      }
    });
  }

  /** One waiter for each turn: the rest of the loop (sockets, timers, the user's own work) runs between any two. */
  readonly #turned = (): void => {
    this.#used = false;
    this.#sliceStart = this.#clock.now();
    const resolve = this.#waiting.shift();
    this.#scheduled = this.#waiting.length > 0 || resolve !== undefined;
    if (this.#scheduled) setImmediate(this.#turned);
    resolve?.();
  };
}
