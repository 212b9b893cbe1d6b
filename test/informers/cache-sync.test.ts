import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import type { KubernetesObject } from "../../runtime/api/object-meta.js";
import type { SharedInformer } from "../../runtime/cache/shared-informer.js";
import { waitForCacheSync } from "../../runtime/informers/cache-sync.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { InformerBench } from "../support/informer.js";
import { connectionLost, endBookmark, page, refusal, ScriptedWatch } from "../support/scripted-lister-watcher.js";
import { advanceUntilSettled, isSettled, settle } from "../support/settle.js";

let clock: VirtualClock;
let things: InformerBench;
let others: InformerBench;
beforeEach(() => {
  clock = new VirtualClock();
  things = new InformerBench({}, clock);
  others = new InformerBench({ resource: "others.v1.example.com" }, clock);
});
afterEach(() => Promise.all([things.stop(), others.stop()]));

const wait = (...signals: (AbortSignal | undefined)[]) => {
  const informers = [things.informer, others.informer] as unknown as SharedInformer<KubernetesObject>[];
  const servedInstead = async () => "the server has others";
  const waitedFor = informers.map((informer) => ({ informer, isStarted: true, isNeeded: () => true, servedInstead }));
  return waitForCacheSync(waitedFor, clock, signals);
};

const refused = (promise: Promise<unknown>): Promise<InformerError> =>
  promise.then(
    () => expect.unreachable("it synced"),
    (error) => error,
  );

const synced = () => new ScriptedWatch(endBookmark("1"));

describe("waitForCacheSync", () => {
  test("resolves with every resource as soon as the last has synced, and leaves nothing behind", async () => {
    const { signal } = new AbortController();
    const last = new ScriptedWatch();
    things.server.onWatch(synced());
    others.server.onWatch(last);
    await Promise.all([things.start(), others.start()]);
    const timers = clock.pendingTimers;
    const waiting = wait(signal);
    await clock.advance(1_000);
    expect(await isSettled(waiting)).toBe(false);
    last.send(endBookmark("1"));
    await settle();
    expect(await isSettled(waiting)).toBe(true);
    expect([...(await waiting)]).toEqual([
      ["things.v1", { synced: true, error: undefined }],
      ["others.v1.example.com", { synced: true, error: undefined }],
    ]);
    expect(clock.pendingTimers).toBe(timers);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("resolves for what has synced already, even when the wait is called off", async () => {
    things.server.onWatch(synced());
    others.server.onWatch(synced());
    await Promise.all([things.start(), others.start()]);
    expect((await wait(AbortSignal.abort())).size).toBe(2);
  });

  test("of nothing resolves", async () => {
    expect((await waitForCacheSync([], clock, [undefined])).size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not-served"],
  ] as const)(
    "rejects when a resource meets with %i again and again, naming it and the cause",
    async (status, code) => {
      const refuse = () => refusal(status, { message: `no for ${status}` });
      things.server.onWatch(synced());
      others.server.onEveryWatch(refuse).onEveryList(refuse);
      await Promise.all([things.start(), others.start()]);
      const waiting = wait();
      expect(await isSettled(waiting)).toBe(false);
      const error = await refused(advanceUntilSettled(clock, waiting));
      expect(error.code).toBe("not-synced");
      expect(error.message).toContain("the server refuses");
      expect(error.message).toContain(`others.v1.example.com: things at scripted: ${status} no for ${status}`);
      expect(error.message).not.toContain("things.v1");
      expect(error.cause).toMatchObject({ code, status });
    },
  );

  test("does not reject for a right or a definition that comes a moment later", async () => {
    things.server.onWatch(synced());
    others.server.onWatch(refusal(404), synced()).onList(refusal(404));
    await Promise.all([things.start(), others.start()]);
    expect((await advanceUntilSettled(clock, wait())).size).toBe(2);
  });

  test("does not reject for two refusals, however long the server asks to wait between", async () => {
    things.server.onWatch(synced());
    others.server.onWatch(refusal(404), synced()).onList(refusal(404, {}, 20_000));
    await Promise.all([things.start(), others.start()]);
    expect((await advanceUntilSettled(clock, wait())).size).toBe(2);
  });

  test("does not reject for any number of refusals within five seconds", async () => {
    others = new InformerBench({ resource: "others", reflector: { backoff: { baseMs: 100, capMs: 100 } } }, clock);
    const startedMs = clock.now();
    const isThere = () => clock.now() - startedMs > 4_000;
    things.server.onWatch(synced());
    others.server
      .onEveryWatch(() => (isThere() ? synced() : refusal(404)))
      .onEveryList(() => (isThere() ? page("1") : refusal(404)));
    await Promise.all([things.start(), others.start()]);
    const waiting = wait();
    await clock.advance(3_000);
    expect(others.informer.health().consecutiveFailures).toBeGreaterThan(3);
    expect((await advanceUntilSettled(clock, waiting)).size).toBe(2);
  });

  test("can be called again after a refusal, since the informers go on trying", async () => {
    let granted = false;
    const refuse = () => refusal(403);
    things.server.onWatch(synced());
    others.server.onEveryWatch(() => (granted ? synced() : refuse())).onEveryList(refuse);
    await Promise.all([things.start(), others.start()]);
    await refused(advanceUntilSettled(clock, wait()));
    granted = true;
    await clock.advance(60_000);
    expect((await wait()).size).toBe(2);
  });

  test("does not take a server that is away for a refusal, and says why when called off", async () => {
    const abort = new AbortController();
    others.server.onEveryWatch(connectionLost);
    await Promise.all([things.start(), others.start()]);
    const waiting = wait(undefined, abort.signal);
    await clock.advance(50_000);
    expect(await isSettled(waiting)).toBe(false);
    const timers = clock.pendingTimers;
    abort.abort();
    const error = await refused(waiting);
    expect(error.message).toBe(
      "caches not synced, the wait was called off:\n  things.v1: no answer yet\n  others.v1.example.com: read ECONNRESET",
    );
    expect(error.cause).toMatchObject({ code: "connection" });
    expect(clock.pendingTimers).toBe(timers - 1);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("rejects at once when it was called off before", async () => {
    await Promise.all([things.start(), others.start()]);
    const error = await refused(wait(AbortSignal.abort()));
    expect(error.code).toBe("not-synced");
    expect(error.message).toContain("things.v1: no answer yet");
  });
});
