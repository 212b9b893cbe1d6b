/** Fault matrix, S rows: what was true while nobody looked, and what is not true any more. */
import { describe, expect, onTestFinished, test } from "vitest";
import { InformerFactory } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { thingJson } from "../support/entries.js";
import { FaultBench } from "../support/fault-bench.js";
import { turnUntil } from "../support/settle.js";
import { line } from "../support/wire-server.js";

/** Changes while the watch is down, and the past is forgotten: only a list can tell. */
async function missed(change: (bench: FaultBench) => void, ...keys: string[]): Promise<FaultBench> {
  const bench = await new FaultBench().synced(...keys);
  bench.server.endWatches("break");
  await bench.advance(0);
  change(bench);
  bench.server.version++;
  bench.server.compact();
  await bench.advance(5_000);
  return bench;
}

test("S1 deleted while the watch was down: a tombstone, once", async () => {
  const bench = await missed(({ server }) => server.delete("a"), "a", "b");
  expect(bench.log).toEqual(["delete a"]);
  await bench.recovers();
});

test("S2 deleted and made again while the watch was down: a delete, and an add of the other", async () => {
  const bench = await missed(({ server }) => {
    server.delete("a");
    server.write("a", { uid: "another" });
  }, "a");
  expect(bench.log).toEqual(["delete a", "add a@103"]);
  await bench.recovers();
});

test("S3 deleted and made again before our eyes", async () => {
  const bench = await new FaultBench().synced("a");
  bench.server.delete("a");
  bench.server.write("a", { uid: "another" });
  await bench.advance(0);
  expect(bench.log).toEqual(["delete a", "add a@103"]);
  await bench.recovers();
});

test("S4 changed and changed back while the watch was down: one update", async () => {
  const bench = await missed(({ server }) => {
    server.write("a", { value: "other" });
    server.write("a");
  }, "a");
  expect(bench.log).toEqual(["update a@101→103"]);
  await bench.recovers();
});

test("S5 nothing changed while the watch was down: nothing is told", async () => {
  const bench = await missed(() => {}, "a", "b");
  expect(bench.server.log).toContain("watchList 102");
  expect(bench.log).toEqual([]);
  await bench.recovers();
});

test("S6 etcd was put back to an older copy: found within 90 s, said so, and followed back", async () => {
  const bench = await new FaultBench().synced("a", "b");
  const { server } = bench;
  server.objects.delete("b");
  server.version = 101;
  await bench.advance(90_000);
  expect(bench.reported).toEqual(["regressed"]);
  expect(bench.log).toEqual(["delete b"]);
  expect(bench.informer.indexer.resourceVersion).toBe("101");
  await bench.recovers();
});

describe("verified each half hour", () => {
  const HALF_HOUR_MS = 1_800_000;
  /** By then the list was made, and compared with what the watch has brought. */
  const VERIFIED_MS = HALF_HOUR_MS + 180_000;

  async function verifying(...keys: string[]): Promise<FaultBench> {
    // A watch that lasts, and that nobody doubts meanwhile.
    const watchTimeoutSeconds = [36_000, 36_000] as const;
    return new FaultBench({ verifyEveryMs: HALF_HOUR_MS, watchTimeoutSeconds, probeAfterMs: 0 }).synced(...keys);
  }

  test("S7 put back and grown past where it was: what the versions do not show is found", async () => {
    const bench = await verifying("a", "b", "c");
    const { server } = bench;
    server.objects.delete("b");
    server.objects.set("c", thingJson("c", "102", { uid: "another" }));
    server.version = 110;
    await bench.advance(VERIFIED_MS);
    expect(bench.reported).toEqual(["diverged"]);
    expect(bench.log).toEqual(["delete b", "delete c", "add c@102"]);
    expect(bench.informer.health().divergences).toBe(2);
    await bench.recovers();
  });

  test("S10 events that the server lost: a deletion, an addition and a change are found, told and mended by a plain list", async () => {
    const bench = await verifying("a", "b");
    const { server } = bench;
    server.objects.delete("a");
    server.objects.set("b", thingJson("b", "103"));
    server.objects.set("c", thingJson("c", "104"));
    server.version = 104;
    server.bookmark();
    await bench.advance(VERIFIED_MS);
    expect(bench.reported).toEqual(["diverged"]);
    expect(bench.bench.errors[0]?.message).toMatch(/3 objects are not as they were/);
    expect(bench.log).toEqual(["delete a", "update b@102→103", "add c@104"]);
    expect(server.log.filter((request) => !request.startsWith("watch"))).toEqual(["list", "list"]);
    expect(bench.informer.health()).toMatchObject({ divergences: 3, lastVerifiedMs: expect.any(Number) });
    await bench.recovers();
  });

  test("a cache that is as it should be is left alone, decodes nothing, and says when it was looked at", async () => {
    const bench = await verifying("a", "b");
    const { indexer } = bench.informer;
    const before = indexer.listKeys();
    for (let round = 1; round <= 3; round++) {
      bench.server.write("b");
      bench.server.bookmark();
      await bench.advance(VERIFIED_MS);
    }
    expect(bench.reported).toEqual([]);
    expect(indexer.listKeys()).toEqual(before);
    expect(bench.log).toEqual(["update b@102→103", "update b@103→104", "update b@104→105"]);
    expect(bench.informer.health()).toMatchObject({ divergences: 0, lastVerifiedMs: expect.any(Number) });
    await bench.recovers();
  });

  test("what changes while it is listed is no difference", async () => {
    const bench = await verifying("a", "b", "c");
    const { server } = bench;
    server.fault = ({ verb }) => {
      if (verb !== "list") return undefined;
      const body = server.list();
      // After the list was made, and before it arrives.
      server.write("a");
      server.delete("b");
      server.write("d");
      return { body };
    };
    await bench.advance(VERIFIED_MS);
    expect(bench.reported).toEqual([]);
    expect(bench.informer.health()).toMatchObject({ divergences: 0, lastVerifiedMs: expect.any(Number) });
    await bench.recovers();
  });

  test("a relist meanwhile makes the comparison void", async () => {
    const bench = await verifying("a");
    const { server } = bench;
    server.objects.delete("a");
    server.version = 105;
    await bench.advance(HALF_HOUR_MS + 1_000);
    server.compact();
    server.endWatches();
    await bench.advance(180_000);
    expect(bench.log).toEqual(["delete a"]);
    expect(bench.reported).toEqual([]);
    await bench.recovers();
  });

  test("a server that refuses the list, or has versions without order, tells nothing", async () => {
    const bench = await verifying("a");
    bench.server.fault = ({ verb }) => (verb === "list" ? { status: 403, body: {} } : undefined);
    await bench.advance(VERIFIED_MS);
    expect(bench.informer.health().lastVerifiedMs).toBeUndefined();
    await bench.recovers();
  });
});

test("S8 a relist never goes back: it asks for the last resourceVersion or newer", async () => {
  const bench = await missed(() => {}, "a");
  const relist = bench.server.requests.find(({ verb }) => verb === "watchList");
  expect(relist?.query.get("resourceVersion")).toBe("101");
  expect(relist?.query.get("resourceVersionMatch")).toBe("NotOlderThan");
  await bench.recovers();
});

test("S10 the watch cache lost a deletion: found by listing again at the same resourceVersion", async () => {
  const bench = new FaultBench({ verifyAfterSync: true });
  const { server } = bench;
  server.write("a");
  let lost = true;
  server.fault = ({ verb }) => {
    if (verb !== "watchList" || !lost) return undefined;
    lost = false;
    return {};
  };
  await bench.start();
  const annotations = { "k8s.io/initial-events-end": "true" };
  server.send(
    line("ADDED", thingJson("a", "101")) + line("ADDED", thingJson("phantom", "90")),
    line("BOOKMARK", { metadata: { resourceVersion: "101", annotations } }),
  );
  await bench.advance(5_000);
  expect(bench.reported).toEqual(["diverged"]);
  expect(bench.cached).toEqual(["a@101"]);
  await bench.recovers();
});

test("S11 resourceVersions that are no numbers: the order is the stream's", async () => {
  const bench = await new FaultBench().synced("a");
  for (const version of ["x-9", "x-1", "b"]) bench.server.send(line("MODIFIED", thingJson("a", version)));
  await bench.advance(0);
  expect(bench.log).toEqual(["update a@101→x-9", "update a@x-9→x-1", "update a@x-1→b"]);
  bench.server.endWatches();
  await bench.advance(1_000);
  expect(bench.server.log).toEqual(["watch b"]);
  await bench.stops();
});

test("S12 resourceVersions beyond 2^64 are compared by their digits", async () => {
  const bench = await new FaultBench().synced("a");
  const large = "36893488147419103232";
  bench.server.send(line("MODIFIED", thingJson("a", large)));
  await bench.advance(0);
  bench.server.send(line("BOOKMARK", { metadata: { resourceVersion: "9" } }));
  await bench.advance(0);
  expect(bench.informer.lastSyncResourceVersion()).toBe(large);
  expect(bench.informer.lister.atLeast("36893488147419103231")).toBe(true);
  expect(bench.informer.lister.atLeast("36893488147419103233")).toBe(false);
  await bench.stops();
});

test("S9 a start is from the newest, whatever a server that lags holds; where streams are off, from what it holds", async () => {
  const opened = new FaultBench();
  await opened.start();
  const [first] = opened.server.requests;
  expect([first?.verb, first?.query.get("resourceVersion")]).toEqual(["watchList", null]);
  expect(first?.query.get("resourceVersionMatch")).toBe("NotOlderThan");
  await opened.stops();
  const classic = new FaultBench({ streaming: false });
  await classic.start();
  expect(classic.server.log[0]).toBe("list 0");
  await classic.stops();
});

describe("S13 keys", () => {
  test.each(["constructor", "__proto__", "toString", "constructor/constructor"])(
    "%j is one like any other",
    async (key) => {
      const bench = await new FaultBench().synced(key);
      expect(bench.informer.indexer.listKeys()).toEqual([key]);
      bench.server.delete(key);
      await bench.advance(0);
      expect(bench.log).toEqual([`delete ${key}`]);
      await bench.recovers();
    },
  );
});

test("S14 ten thousand deletions at once are all told", async () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `ns/t${i}`);
  const bench = await new FaultBench().synced(...keys);
  for (const key of keys) bench.server.delete(key);
  await bench.advance(1_000);
  expect(bench.log).toHaveLength(10_000);
  expect(bench.cached).toEqual([]);
  await bench.recovers();
});

test("S15 an object that the selector does not select any more is deleted to the watch, and so to the handlers", async () => {
  const bench = await new FaultBench().synced("a", "b");
  const { server } = bench;
  // The server sends the object as it is now, at the version of the change.
  server.write("b", { labels: { app: "other" } });
  server.send(line("DELETED", server.objects.get("b")!));
  server.objects.delete("b");
  await bench.advance(0);
  expect(bench.log).toEqual(["update b@102→103", "delete b"]);
  await bench.recovers();
});

test("S17 a CRD is deleted and made again: all is deleted, it is asked for seldom, and what is new is added", async () => {
  const bench = await new FaultBench().synced("a", "b");
  const { server } = bench;
  for (const key of ["a", "b"]) server.delete(key);
  server.fault = () => ({ status: 404, body: "404 page not found", headers: { "content-type": "text/plain" } });
  server.endWatches();
  await bench.advance(120_000);
  expect(bench.log).toEqual(["delete a", "delete b"]);
  expect(bench.reported).toEqual(["not-served"]);
  server.fault = () => undefined;
  server.write("a", { uid: "another" });
  server.version++;
  server.compact();
  await bench.advance(90_000);
  expect(bench.log.slice(2)).toEqual(["add a@105"]);
  await bench.recovers();
});

test("S18 a version that is not served any more: the cache is kept, and the failure is told with what it is", async () => {
  const bench = await new FaultBench().synced("a");
  const { server } = bench;
  server.fault = () => ({ status: 404, body: "404 page not found", headers: { "content-type": "text/plain" } });
  server.endWatches();
  await bench.advance(120_000);
  expect(bench.reported).toEqual(["not-served"]);
  expect(bench.cached).toEqual(["a@101"]);
  expect(bench.informer.health()).toMatchObject({ synced: true, failingSinceMs: expect.any(Number) });
  await bench.recovers();
});

test("S19 the conversion of one CRD is broken: that informer alone does not sync, and the wait says which and why", async () => {
  const clock = new VirtualClock();
  const server = await EmbeddedApiServer.start({ clock });
  server.intercept(({ path }) =>
    path === "/api/v1/secrets" ? { status: 429, body: { message: "conversion failed" } } : undefined,
  );
  const factory = new InformerFactory(server.kubeConfig(), { onError: () => {} });
  onTestFinished(async () => {
    await factory.shutdown();
    await server.close();
  });
  const configMaps = factory.forResource({ group: "", version: "v1", resource: "configmaps" }).informer();
  const broken = factory.forResource({ group: "", version: "v1", resource: "secrets" }).informer();
  factory.start();
  await configMaps.synced();
  await turnUntil("refused", () => broken.health().lastError !== undefined);
  const given = new AbortController();
  const waiting = factory.waitForCacheSync(given.signal);
  given.abort();
  const message = await waiting.catch((error: Error) => error.message);
  expect(message).toMatch(/secrets\.v1: .*conversion failed/);
  expect(message).not.toContain("configmaps");
});

test("S21 ten thousand changes of one object at once: the last is what counts", async () => {
  const bench = await new FaultBench().synced("a");
  for (let i = 0; i < 10_000; i++) bench.server.write("a");
  await bench.advance(1_000);
  expect(bench.cached).toEqual(["a@10101"]);
  await bench.recovers();
});

describe("S20 other content under the same resourceVersion, as of another version of the server", () => {
  const change = ({ server }: FaultBench) => server.objects.set("a", thingJson("a", "101", { value: "other" }));

  test.each([
    ["never read", false],
    ["read", true],
  ])("is an update, of an object that was %s; what is as it was is not told", async (_, isRead) => {
    const bench = await missed(
      (missing) => {
        if (isRead) missing.informer.lister.list();
        change(missing);
      },
      "a",
      "b",
    );
    expect(bench.log).toEqual(["update a@101→101"]);
    expect(bench.informer.lister.get("a")?.spec?.value).toBe("other");
    await bench.recovers();
  });
});
