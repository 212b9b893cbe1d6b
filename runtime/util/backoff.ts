/** How long to wait before trying again. Counterpart: the backoff manager of tools/cache/reflector.go. */

/** client-go's constants: 800 ms, doubled each time, at most 30 s; jitter 1.0 draws from [delay, 2 × delay). */
const BASE_MS = 800;
const CAP_MS = 30_000;

/**
 * The least time between the starts of two attempts, after `failures` (1 or more) failed ones.
 * @param random in [0, 1), so that a thousand clients of a restarted server do not return together
 */
export function backoffMs(failures: number, random: number): number {
  return Math.min(BASE_MS * 2 ** (failures - 1), CAP_MS) * (1 + random);
}
