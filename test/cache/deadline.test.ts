import { expect, test } from "vitest";
import { Deadline } from "../../runtime/cache/deadline.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";

function deadline() {
  const clock = new VirtualClock();
  const silence = new Deadline(clock, new AbortController().signal, (ms) => `silent for ${ms} ms`);
  const reason = () => (silence.signal.reason as Error | undefined)?.message;
  return { clock, silence, reason };
}

test("ends what is silent for as long as was set last, to the millisecond", async () => {
  const { clock, silence, reason } = deadline();
  silence.set(1_000);
  await clock.advance(900);
  silence.set(1_000);
  await clock.advance(999);
  expect(reason()).toBeUndefined();
  await clock.advance(1);
  expect(reason()).toBe("silent for 1000 ms");
});

test("may be set to end sooner than before, and later", async () => {
  const { clock, silence, reason } = deadline();
  silence.set(10_000);
  silence.set(1_000);
  await clock.advance(500);
  silence.set(3_000);
  await clock.advance(2_999);
  expect(reason()).toBeUndefined();
  await clock.advance(1);
  expect(reason()).toBe("silent for 3000 ms");
});

test("sooner: it ends then", async () => {
  const { clock, silence, reason } = deadline();
  silence.set(10_000);
  silence.set(1_000);
  await clock.advance(1_000);
  expect(reason()).toBe("silent for 1000 ms");
});

test("lets no time pass while it pauses", async () => {
  const { clock, silence, reason } = deadline();
  silence.set(1_000);
  silence.pause();
  await clock.advance(5_000);
  expect(reason()).toBeUndefined();
  silence.set(1_000);
  await clock.advance(1_000);
  expect(reason()).toBe("silent for 1000 ms");
});

test("leaves no timer behind, however often it was set", () => {
  const { clock, silence } = deadline();
  for (let i = 0; i < 100; i++) silence.set(1_000 - i);
  expect(clock.pendingTimers).toBe(1);
  silence.release();
  expect(clock.pendingTimers).toBe(0);
});
