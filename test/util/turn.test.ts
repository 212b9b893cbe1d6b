import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { Turn } from "../../runtime/util/turn.js";

const nextTurnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A clock that moves when it is told to, within one turn of the loop. */
class SteppedClock extends VirtualClock {
  elapsed = 0;
  override now(): number {
    return this.elapsed;
  }
}

/** Works steps of one virtual millisecond each until the slice is used up; says how many, or `limit`. */
function workSlice(turn: Turn, clock: SteppedClock, limit = 10_000): number {
  for (let steps = 1; steps <= limit; steps++) {
    clock.elapsed += 1;
    if (turn.exhausted()) return steps;
  }
  return limit;
}

describe("Turn", () => {
  test("work that takes no time never gives up its slice", () => {
    expect(workSlice(new Turn(new VirtualClock()), new SteppedClock(), 1000)).toBe(1000);
  });

  test("a slice ends after 4 ms, give or take one look at the clock", () => {
    const clock = new SteppedClock();
    const turn = new Turn(clock);
    const steps = workSlice(turn, clock);
    // The first look, after at most 16 steps, begins the slice; a later one ends it.
    expect(steps).toBeGreaterThan(4);
    expect(steps).toBeLessThanOrEqual(32);
  });

  test("steps that were made at once count, each of them", () => {
    const clock = new SteppedClock();
    const turn = new Turn(clock);
    expect(turn.exhausted(16)).toBe(false);
    clock.elapsed += 4;
    expect(turn.exhausted(15)).toBe(false);
    expect(turn.exhausted(15)).toBe(true);
  });

  test("an idle time before does not count as work", async () => {
    const clock = new SteppedClock();
    const turn = new Turn(clock);
    workSlice(turn, clock);
    await turn.next();
    await nextTurnOfTheLoop();
    await nextTurnOfTheLoop();
    clock.elapsed += 60_000;
    for (let step = 0; step < 31; step++) expect(turn.exhausted(), `step ${step}`).toBe(false);
  });

  test("next lets the loop turn, and gives a slice anew", async () => {
    const clock = new SteppedClock();
    const turn = new Turn(clock);
    workSlice(turn, clock);
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await turn.next();
    await turn.next();
    expect(turned).toBe(true);
    for (let step = 0; step < 16; step++) expect(turn.exhausted()).toBe(false);
  });

  test("those who wait go in the order in which they came, the loop turning between any two", async () => {
    const turn = new Turn(new VirtualClock());
    const log: string[] = [];
    const waiting = ["a", "b", "c"].map(async (name) => {
      await turn.next();
      log.push(name);
      setImmediate(() => log.push(`loop after ${name}`));
    });
    await Promise.all(waiting);
    await nextTurnOfTheLoop();
    expect(log.filter((entry) => entry.length === 1)).toEqual(["a", "b", "c"]);
    expect(log.indexOf("loop after a")).toBeLessThan(log.indexOf("c"));
    expect(log.indexOf("loop after b")).toBeGreaterThan(log.indexOf("b"));
  });

  test("many loops together hold the event loop no longer than one", async () => {
    const clock = new SteppedClock();
    const turn = new Turn(clock);
    let held = 0;
    let longest = 0;
    let running = true;
    const watchLoop = (async () => {
      while (running) {
        held = clock.elapsed;
        await nextTurnOfTheLoop();
        longest = Math.max(longest, clock.elapsed - held);
      }
    })();
    const worker = async () => {
      for (let step = 0; step < 200; step++) {
        clock.elapsed += 1;
        if (turn.exhausted()) await turn.next();
      }
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    running = false;
    await watchLoop;
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThanOrEqual(64);
  });
});
