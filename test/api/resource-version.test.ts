import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareResourceVersions } from "../../runtime/api/resource-version.js";

const beyondDoubles = fc.bigInt({ min: 0n, max: 2n ** 80n });

describe("compareResourceVersions", () => {
  test("orders decimal numbers of any length as the numbers that they are", () => {
    fc.assert(
      fc.property(beyondDoubles, beyondDoubles, (a, b) => {
        expect(Math.sign(compareResourceVersions(String(a), String(b))!)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test("tells neighbours apart where a double cannot", () => {
    expect(compareResourceVersions("9007199254740993", "9007199254740992")).toBeGreaterThan(0);
    expect(compareResourceVersions("18446744073709551616", "18446744073709551617")).toBeLessThan(0);
  });

  test.each([
    ["abc-1", "abc-2"],
    ["10", "0x10"],
    ["007", "8"],
    ["", "1"],
    ["-1", "1"],
    ["1.5", "1"],
    ["1\n", "1"],
    ["٣", "3"],
  ])("says nothing of the order of %j and %j", (a, b) => {
    expect(compareResourceVersions(a, b)).toBeUndefined();
    expect(compareResourceVersions(b, a)).toBeUndefined();
  });

  test("equal text is equal, a number or not", () => {
    expect(compareResourceVersions("abc-1", "abc-1")).toBe(0);
    expect(compareResourceVersions("", "")).toBe(0);
    expect(compareResourceVersions("0", "0")).toBe(0);
  });

  test("0 is below every other", () => {
    expect(compareResourceVersions("0", "1")).toBeLessThan(0);
  });
});
