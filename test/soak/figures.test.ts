import { describe, expect, test } from "vitest";
import { groupBy, maxWithin, quantile, seededRandom, slope, studentT95 } from "./figures.js";
import { CANARY, filler, isWhole, RESOURCES, sequenceOf, soakObject } from "./protocol.js";

const HOUR = 3_600_000;

describe("a slope", () => {
  test("of a straight line is known exactly", () => {
    const found = slope([0, 1, 2, 3].map((hour) => [hour * HOUR, 5 + 2 * hour]));
    expect(found?.perHour).toBeCloseTo(2);
    expect(found?.plusMinus).toBeCloseTo(0);
  });

  test("of noise around a level is not told from 0", () => {
    const random = seededRandom(7);
    const found = slope(Array.from({ length: 200 }, (_, at) => [at * 10_000, random()] as const));
    expect(Math.abs(found!.perHour)).toBeLessThan(found!.plusMinus);
  });

  // The textbook's formula, by hand: standard error √(0.8 / 3 / 10) = 0.1633, and t of 3 degrees 3.182.
  test("has the interval that statistics give it", () => {
    const found = slope([2, 2.5, 4, 3.5, 5].map((value, hour) => [hour * HOUR, value]));
    expect(found?.perHour).toBeCloseTo(0.7);
    expect(found?.plusMinus).toBeCloseTo(0.52, 1);
  });

  test.each([
    [2, 4.303],
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [1000, 1.962],
  ])("Student's t of %i degrees is %d", (degrees, t) => {
    expect(studentT95(degrees)).toBeCloseTo(t, 1);
  });
});

test("the most within a span", () => {
  expect(maxWithin([0, 400, 999, 1000, 5000], 1000)).toBe(3);
  expect(maxWithin([], 1000)).toBe(0);
});

test("quantiles are values that were there", () => {
  const values = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1), quantile([], 0.5)]).toEqual([
    50, 99, 100, 0,
  ]);
});

test("groups keep their order", () => {
  expect([...groupBy([1, 2, 3, 4], (value) => value % 2)]).toEqual([
    [1, [1, 3]],
    [0, [2, 4]],
  ]);
});

test("chance is the same for the same seed, another for another, and spread evenly", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 1000 }, () => random());
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  const values = draw(0);
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  for (let tenth = 0; tenth < 10; tenth++)
    expect(values.filter((value) => Math.floor(value * 10) === tenth).length).toBeGreaterThan(60);
});

test("an object's number can be read back, and a character that is not as it was written is seen", () => {
  for (const type of RESOURCES) {
    const object = soakObject(type, CANARY, 4711, "front") as {
      stringData?: Record<string, string>;
      data?: Record<string, string>;
    };
    // What a server makes of a Secret's stringData.
    if (object.stringData !== undefined) {
      object.data = Object.fromEntries(
        Object.entries(object.stringData).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
      );
    }
    expect(sequenceOf(object)).toBe(4711);
    expect(isWhole(type, object)).toBe(true);
    const other = filler(4711, type.size).replace(/.$/, "x");
    object.data!["filler"] = type.kind === "Secret" ? Buffer.from(other).toString("base64") : other;
    expect(isWhole(type, object)).toBe(false);
  }
  expect(sequenceOf({ metadata: { name: "kube-root-ca.crt" }, data: { sequence: "" } })).toBe(-1);
});
