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

/** Turns the event loop until the condition holds. For work in slices, and for sockets. */
export async function turnUntil(what: string, condition: () => boolean, maxTurns = 10_000): Promise<void> {
  for (let turn = 0; turn < maxTurns; turn++) {
    if (condition()) return;
    await nextTurn();
  }
  throw new Error(`not so after ${maxTurns} turns: ${what}`);
}

/** Moves the virtual time on until the promise has settled, and gives what it settled with. */
export async function advanceUntilSettled<T>(clock: VirtualClock, promise: Promise<T>, stepMs = 100): Promise<T> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let step = 0; step < 10_000 && !settled; step++) await clock.advance(stepMs);
  if (!settled) throw new Error("the promise did not settle");
  return promise;
}

export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = {};
  await settle();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
