import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../../runtime/util/backoff.js";

describe("backoffMs", () => {
  test("doubles from 800 ms to 30 s", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((failures) => backoffMs(failures, 0))).toEqual([
      800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  test("is a part longer by chance", () => {
    expect([1, 2, 7].map((failures) => backoffMs(failures, 0.5))).toEqual([1200, 2400, 45_000]);
  });

  test("jitter adds up to as much again, however many failures there were", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), random, (failures, jitter) => {
        const least = backoffMs(failures, 0);
        expect(least).toBeGreaterThanOrEqual(800);
        expect(least).toBeLessThanOrEqual(30_000);
        expect(backoffMs(failures, jitter)).toBeGreaterThanOrEqual(least);
        expect(backoffMs(failures, jitter)).toBeLessThanOrEqual(2 * least);
      }),
    );
  });
});
