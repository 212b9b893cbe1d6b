import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RingQueue } from "../../runtime/util/ring-queue.js";
import { collectGarbage } from "../support/collect-garbage.js";

describe("RingQueue", () => {
  test("is an array that is pushed to and shifted from, at any length", () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ shift: fc.integer({ min: 1, max: 40 }) }),
      fc.constant("clear" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new RingQueue<number>();
        const model: number[] = [];
        let pushed = 0;
        for (const what of steps) {
          if (what === "clear") {
            queue.clear();
            model.length = 0;
          } else if ("push" in what) {
            for (let i = 0; i < what.push; i++) {
              queue.push(pushed);
              model.push(pushed++);
            }
          } else {
            for (let i = 0; i < what.shift; i++) expect(queue.shift()).toBe(model.shift());
          }
          expect(queue.length).toBe(model.length);
        }
        while (model.length > 0) expect(queue.shift()).toBe(model.shift());
        expect(queue.shift()).toBeUndefined();
      }),
    );
  });

  test("keeps its order over a burst that it shrinks after, and works on", () => {
    const queue = new RingQueue<number>();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5000; i++) queue.push(i);
      for (let i = 0; i < 5000; i++) expect(queue.shift()).toBe(i);
      expect(queue.length).toBe(0);
    }
  });

  test("holds no memory of a burst once it is empty", () => {
    const heapUsed = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const queue = new RingQueue<number>();
    const before = heapUsed();
    for (let i = 0; i < 1_000_000; i++) queue.push(1);
    expect(heapUsed() - before).toBeGreaterThan(4_000_000);
    while (queue.length > 0) queue.shift();
    expect(heapUsed() - before).toBeLessThan(1_000_000);
    queue.push(1);
  });

  test("holds undefined as an item like any other", () => {
    const queue = new RingQueue<number | undefined>();
    queue.push(undefined);
    queue.push(1);
    expect(queue.length).toBe(2);
    expect(queue.shift()).toBeUndefined();
    expect(queue.shift()).toBe(1);
  });
});
