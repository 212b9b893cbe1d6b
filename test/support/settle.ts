/** Letting asynchronous work come to rest, without waiting for time to pass. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { VirtualClock } from "../../runtime/testing/virtual-clock.js";

/**
 * Turns of the event loop. One settles every promise that can settle; work that yields through `Turn` needs one more for
 * each time it yields.
 */
export async function settle(turns = 1): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}

/** So many that only what will never happen needs more, whatever else the machine does. */
const MAX_TURNS = 1_000_000;

/** Turns the event loop until the condition holds. For work in slices, and for sockets. */
export async function turnUntil(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (condition()) return;
    await nextTurn();
  }
  throw new Error(`not so after ${MAX_TURNS} turns: ${what}`);
}

/** Gives what a promise settles with: one that never does fails here, and not by the test's time limit. */
export async function soon<T>(promise: Promise<T>): Promise<T> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await turnUntil("the promise settles", () => settled);
  return promise;
}

/**
 * Moves the virtual time on, 100 ms at a time, until the promise has settled, and gives what it settled with.
 * @param isIdle false while a real socket is at work: its time must not pass meanwhile
 */
export async function advanceUntilSettled<T>(
  clock: VirtualClock,
  promise: Promise<T>,
  isIdle: () => boolean = () => true,
): Promise<T> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let turn = 0; turn < MAX_TURNS && !settled; turn++) await clock.advance(isIdle() ? 100 : 0);
  if (!settled) throw new Error("the promise did not settle");
  return promise;
}

export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = {};
  await settle();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
