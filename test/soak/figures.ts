/** The arithmetic of a soak's figures. */

export interface Slope {
  /** Per hour, in the unit of the values. */
  readonly perHour: number;
  /** Half the width of its 95 % confidence interval. */
  readonly plusMinus: number;
  readonly samples: number;
}

/** Least squares over `[milliseconds, value]`; undefined for fewer than three points. */
export function slope(points: readonly (readonly [atMs: number, value: number])[]): Slope | undefined {
  const count = points.length;
  if (count < 3) return undefined;
  const hours = points.map(([atMs]) => atMs / 3_600_000);
  const meanX = mean(hours);
  const meanY = mean(points.map(([, value]) => value));
  let [xx, xy, residual] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    xx += (hours[i]! - meanX) ** 2;
    xy += (hours[i]! - meanX) * (points[i]![1] - meanY);
  }
  if (xx === 0) return undefined;
  const perHour = xy / xx;
  for (let i = 0; i < count; i++) residual += (points[i]![1] - meanY - perHour * (hours[i]! - meanX)) ** 2;
  const error = Math.sqrt(residual / (count - 2) / xx);
  return { perHour, plusMinus: studentT95(count - 2) * error, samples: count };
}

/** The two-sided 95 % quantile of Student's t, by Cornish and Fisher's expansion; below 3 degrees of freedom by table. */
export function studentT95(degrees: number): number {
  if (degrees <= 1) return 12.706;
  if (degrees === 2) return 4.303;
  const z = 1.959964;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The most that fall into any span of this length. */
export function maxWithin(sortedMs: readonly number[], spanMs: number): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < sortedMs.length; last++) {
    while (sortedMs[last]! - sortedMs[first]! >= spanMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** The smallest value that a share of all are not above; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}

/** Numbers in [0, 1) that are the same for the same seed (Marsaglia's xorshift with a multiplier, 32 bits). */
export function seededRandom(seed: number): () => number {
  // 0 would stay 0 for ever.
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (Math.imul(state, 0x9e3779bb) >>> 0) / 2 ** 32;
  };
}

export function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
