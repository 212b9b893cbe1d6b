/** How long to wait before trying again. Counterpart: the backoff manager of tools/cache/reflector.go. */

export interface Backoff {
  /** After the first failure, in milliseconds; doubled after each that follows. */
  readonly baseMs: number;
  readonly capMs: number;
}

/** client-go's: jitter 1.0 draws from [delay, 2 × delay). */
export const DEFAULT_BACKOFF: Backoff = { baseMs: 800, capMs: 30_000 };

/**
 * The least time between the starts of two attempts, after `failures` (1 or more) failed ones.
 * @param random in [0, 1), so that a thousand clients of a restarted server do not return together
 */
export function backoffMs(failures: number, random: number, { baseMs, capMs } = DEFAULT_BACKOFF): number {
  return Math.min(baseMs * 2 ** (failures - 1), capMs) * (1 + random);
}
