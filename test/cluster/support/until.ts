/** Waiting for something to become true, with a deadline and a reason to give when it does not. */
import { setTimeout as delay } from "node:timers/promises";

export interface UntilOptions {
  readonly deadlineMs?: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks again and again until the answer is neither `undefined` nor `false`, and gives that answer.
 * An `attempt` that throws counts as "not yet"; the last error becomes the `cause` when time is up.
 */
export async function until<T>(
  what: string,
  attempt: () => T | Promise<T>,
  { deadlineMs = 30_000, intervalMs = 25, signal }: UntilOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + deadlineMs;
  let lastError: unknown;
  do {
    signal?.throwIfAborted();
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      lastError = error;
    }
    await delay(intervalMs);
  } while (performance.now() < end);
  throw new Error(`waited ${deadlineMs} ms in vain: ${what}`, { cause: lastError });
}
