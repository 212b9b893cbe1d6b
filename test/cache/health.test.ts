import { describe, expect, test } from "vitest";
import { HealthMonitor, type InformerPhase, quiet, worst } from "../../runtime/cache/health.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { connectionLost } from "../support/scripted-lister-watcher.js";

describe("of several", () => {
  const of = (...phases: InformerPhase[]) =>
    worst(
      phases.map((phase, at) => quiet(phase, at)),
      quiet("idle", 99),
    );

  test("the worst phase is told, with its time, whichever comes first", () => {
    const phases: InformerPhase[] = ["waiting", "listing", "idle", "watching", "stopped"];
    for (const [at, phase] of phases.entries()) {
      const better = phases.slice(at);
      expect(of(...better)).toMatchObject({ phase, sinceMs: 0 });
      expect(of(...better.reverse())).toMatchObject({ phase, sinceMs: better.length - 1 });
    }
  });

  test("the newest event, the first failure and the sum of the differences are told", () => {
    const one = { ...quiet("watching", 0), lastEventMs: 5, failingSinceMs: 7, consecutiveFailures: 1, divergences: 2 };
    const two = { ...quiet("watching", 0), lastEventMs: 6, failingSinceMs: 4, consecutiveFailures: 3, divergences: 1 };
    for (const both of [
      [one, two],
      [two, one],
    ]) {
      expect(worst(both, quiet("idle", 0))).toMatchObject({
        lastEventMs: 6,
        failingSinceMs: 4,
        consecutiveFailures: 3,
        divergences: 3,
      });
    }
  });
});

test("a stop leaves no timer of a recovery that was on its way", () => {
  const clock = new VirtualClock();
  const monitor = new HealthMonitor(
    clock,
    () => {},
    () => {},
  );
  monitor.onWait(connectionLost(), 800);
  monitor.onProgress("opened");
  expect(clock.pendingTimers).toBe(1);
  monitor.stop();
  expect(clock.pendingTimers).toBe(0);
});
