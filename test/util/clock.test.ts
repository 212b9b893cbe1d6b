import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../runtime/util/clock.js";

describe("systemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["negative", -5, 0],
    ["more than a timer of Node holds", 1e12, 2 ** 31 - 1],
  ])("a delay that is %s is clamped", (_, delayMs, clampedMs) => {
    let calls = 0;
    systemClock.after(delayMs, () => calls++);
    vi.advanceTimersByTime(Math.max(clampedMs - 1, 0));
    expect(calls).toBe(clampedMs === 0 ? 1 : 0);
    vi.advanceTimersByTime(1);
    expect(calls).toBe(1);
  });

  test("a cancelled timer does not call back", () => {
    let calls = 0;
    systemClock.after(10, () => calls++).cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100);
    expect(calls).toBe(0);
  });

  test("a jump of the wall clock moves wallNow alone", () => {
    const before = systemClock.now();
    vi.setSystemTime(Date.UTC(2040, 0, 1));
    expect(systemClock.wallNow()).toBe(Date.UTC(2040, 0, 1));
    expect(systemClock.now()).toBe(before);
  });
});
