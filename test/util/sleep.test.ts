import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { sleep } from "../../runtime/util/sleep.js";

describe("sleep", () => {
  test("ends when its time has come, not before, and leaves nothing behind", async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    let awake = false;
    const sleeping = sleep(clock, 1000, signal).then(() => {
      awake = true;
    });
    await clock.advance(999);
    expect(awake).toBe(false);
    await clock.advance(1);
    expect(awake).toBe(true);
    await sleeping;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("ends at once when it is called off, and its timer goes", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 1000, controller.signal);
    expect(clock.pendingTimers).toBe(1);
    controller.abort();
    await sleeping;
    expect(clock.pendingTimers).toBe(0);
    expect(clock.now()).toBe(0);
  });

  test("does not begin under an aborted signal", async () => {
    const clock = new VirtualClock();
    await sleep(clock, 1000, AbortSignal.abort());
    expect(clock.pendingTimers).toBe(0);
  });

  test("a thousand sleeps under one signal leave no listener", async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const sleeping = Array.from({ length: 1000 }, (_, delayMs) => sleep(clock, delayMs, signal));
    await clock.advance(1000);
    await Promise.all(sleeping);
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});
