/** Fault matrix, C rows: the clock. */
import { expect, test } from "vitest";
import { InformerError } from "../../runtime/api/informer-error.js";
import { FaultBench } from "../support/fault-bench.js";

test.each([3_600_000, -3_600_000])(
  "C1 the wall clock jumps by %i ms in a pause: the pause is as long as it was",
  async (byMs) => {
    const bench = await new FaultBench().synced("a");
    bench.server.fault = () => new InformerError("connection", "connect ECONNREFUSED");
    bench.server.endWatches("break");
    await bench.advance(0);
    bench.clock.jumpWallClock(byMs);
    await bench.advance(799);
    expect(bench.server.requests).toHaveLength(0);
    await bench.advance(1);
    expect(bench.server.requests).toHaveLength(1);
    await bench.recovers();
  },
);

test("C2 eight hours of sleep: the stream is asked after and taken up again, without a storm", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.fault = ({ verb }) => (verb === "list" ? new InformerError("connection", "read ETIMEDOUT") : undefined);
  await bench.advance(8 * 3_600_000);
  bench.oracle.expectFewRequests();
  await bench.recovers();
});

test("C3 a resync each month is not one at once", async () => {
  const bench = await new FaultBench().synced("a");
  const updates: string[] = [];
  bench.informer.addEventHandler(({ type, key }) => void updates.push(`${type} ${key}`), {
    resyncPeriodMs: 30 * 86_400_000,
  });
  await bench.advance(3_600_000);
  expect(updates).toEqual(["add a"]);
  await bench.stops();
});

test("C4 a loop that was blocked over many periods is resynced once, not once for each", async () => {
  const bench = await new FaultBench().synced("a");
  const resyncs: string[] = [];
  bench.informer.addEventHandler(({ type, key }) => void resyncs.push(`${type} ${key}`), { resyncPeriodMs: 1_000 });
  await bench.advance(0);
  resyncs.length = 0;
  bench.clock.stall(60_000);
  await bench.advance(0);
  expect(resyncs).toEqual(["update a"]);
  await bench.stops();
});
