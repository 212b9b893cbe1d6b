/** WATCH: what is sent, and how it ends. Each rule was recorded from a kube-apiserver 1.36. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer, VirtualClock } from "../../runtime/testing/index.js";
import { Revision, StoredObject } from "../../runtime/testing/object-store.js";
import { FrameCache } from "../../runtime/testing/representation.js";
import { ResourceRegistry } from "../../runtime/testing/resource-registry.js";
import {
  CRON_TABS_PATH,
  configMaps,
  cronTab,
  cronTabDefinition,
  cronTabs,
  definitions,
  getJson,
  pods,
  summary,
  until,
  Watch,
} from "./support/client.js";

const PATH = "/api/v1/namespaces/default/configmaps";
const STREAMING = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
let clock: VirtualClock;
let server: EmbeddedApiServer;

beforeEach(async () => {
  clock = new VirtualClock();
  server = await EmbeddedApiServer.start({ clock, historyLimit: 20 });
});
afterEach(async () => {
  await server.close();
  expect(clock.pendingTimers).toBe(0);
});

function create(name: string, labels: Record<string, string> = {}): string {
  return server.create(configMaps, { metadata: { name, labels } }).metadata.resourceVersion ?? "";
}

describe("from a resourceVersion", () => {
  it("sends what came after it, then what comes", async () => {
    const since = create("a");
    create("b");
    server.patch(configMaps, "a", { data: { k: "v" } });
    await using watch = await Watch.open(server, `${PATH}?resourceVersion=${since}`);
    server.delete(configMaps, "b");
    const events = await watch.take(3);
    expect(events.map(summary)).toEqual(["ADDED b", "MODIFIED a", "DELETED b"]);
    expect(events[1]?.object).toMatchObject({ kind: "ConfigMap", apiVersion: "v1", data: { k: "v" } });
    expect(events[2]?.object.metadata.resourceVersion).toBe(server.resourceVersion);
  });

  it("ends when its time is over", async () => {
    await using watch = await Watch.open(
      server,
      `${PATH}?resourceVersion=${server.resourceVersion}&timeoutSeconds=300`,
    );
    create("a");
    await clock.advance(300_000);
    expect((await watch.rest()).map(summary)).toEqual(["ADDED a"]);
  });

  it("that is too old is Expired, in the stream and at once", async () => {
    const since = create("a");
    create("b");
    server.compact();
    await using watch = await Watch.open(server, `${PATH}?resourceVersion=${since}`);
    const [event, end] = [await watch.next(), await watch.next()];
    expect(event).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
    expect(event?.object.message).toBe(`too old resource version: ${since} (${server.resourceVersion})`);
    expect(end).toBeUndefined();
  });

  it("is good down to the edge of the window, and no further", async () => {
    const edge = create("a");
    for (let i = 0; i < 20; i++) server.patch(configMaps, "a", { data: { i: String(i) } });
    await using last = await Watch.open(server, `${PATH}?resourceVersion=${edge}`);
    expect((await last.take(20)).at(-1)?.object.data).toEqual({ i: "19" });
    server.patch(configMaps, "a", { data: { i: "20" } });
    await using late = await Watch.open(server, `${PATH}?resourceVersion=${edge}`);
    expect((await late.next())?.object.code).toBe(410);
  });

  it("from the future is silent: no event, no bookmark, a clean end", async () => {
    await using watch = await Watch.open(
      server,
      `${PATH}?resourceVersion=9999&allowWatchBookmarks=true&timeoutSeconds=200`,
    );
    create("a");
    await clock.advance(200_000);
    expect(await watch.rest()).toEqual([]);
  });

  it("from the future comes to life when that is reached", async () => {
    const future = String(Number(server.resourceVersion) + 1);
    await using watch = await Watch.open(server, `${PATH}?resourceVersion=${future}`);
    create("a");
    create("b");
    expect(summary((await watch.next())!)).toBe("ADDED b");
  });
});

describe("from the beginning", () => {
  it.each(["", "resourceVersion=0"])('with "%s" sends what there is', async (query) => {
    create("b");
    create("a");
    await using watch = await Watch.open(server, `${PATH}?${query}`);
    create("c");
    expect((await watch.take(3)).map(summary)).toEqual(["ADDED a", "ADDED b", "ADDED c"]);
  });

  it("with bookmarks ends the beginning with one", async () => {
    create("a");
    await using watch = await Watch.open(server, `${PATH}?resourceVersion=0&allowWatchBookmarks=true`);
    const [, bookmark] = await watch.take(2);
    expect(bookmark?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  });

  it("can be declined", async () => {
    create("a");
    await using watch = await Watch.open(
      server,
      `${PATH}?resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
    );
    create("b");
    expect(summary((await watch.next())!)).toBe("ADDED b");
  });
});

describe("a streaming list", () => {
  it("is the objects, a bookmark of the resource's kind at the server's revision, and then a watch", async () => {
    create("a");
    server.create(pods, { metadata: { name: "elsewhere" } });
    await using watch = await Watch.open(server, `${PATH}?${STREAMING}`);
    const [added, bookmark] = await watch.take(2);
    expect(summary(added!)).toBe("ADDED a");
    expect(bookmark).toEqual({
      type: "BOOKMARK",
      object: {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { resourceVersion: server.resourceVersion, annotations: { "k8s.io/initial-events-end": "true" } },
      },
    });
    create("b");
    expect(summary((await watch.next())!)).toBe("ADDED b");
  });

  it("without bookmarks has no end that could be seen", async () => {
    create("a");
    await using watch = await Watch.open(server, `${PATH}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan`);
    create("b");
    expect((await watch.take(2)).map(summary)).toEqual(["ADDED a", "ADDED b"]);
  });

  it("from the future says so after 3 s, in the stream", async () => {
    await using watch = await Watch.open(server, `${PATH}?${STREAMING}&resourceVersion=9999`);
    await until(() => clock.pendingTimers === 1);
    await clock.advance(3_000);
    const event = await watch.next();
    expect(event).toMatchObject({ type: "ERROR", object: { code: 504, reason: "Timeout" } });
    expect(event?.object.details.causes[0].reason).toBe("ResourceVersionTooLarge");
    expect(await watch.next()).toBeUndefined();
  });

  it("of metadata has bookmarks of that kind", async () => {
    server.create(configMaps, { metadata: { name: "a" }, data: { k: "v" } });
    const Accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    await using watch = await Watch.open(server, `${PATH}?${STREAMING}`, { Accept });
    const [added, bookmark] = await watch.take(2);
    expect(Object.keys(added?.object)).toEqual(["kind", "apiVersion", "metadata"]);
    expect(bookmark?.object).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
  });

  it("of tables has rows", async () => {
    create("a");
    await using watch = await Watch.open(server, `${PATH}?${STREAMING}`, {
      Accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    const [added, bookmark] = await watch.take(2);
    expect(added?.object).toMatchObject({ kind: "Table", rows: [{ cells: ["a", "0s"] }] });
    expect(bookmark?.object.rows[0].object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  });
});

describe("a selector", () => {
  it("makes an object that enters it ADDED and one that leaves it DELETED, as it was", async () => {
    create("a", { app: "x" });
    await using watch = await Watch.open(
      server,
      `${PATH}?labelSelector=app%3Dx&resourceVersion=${server.resourceVersion}`,
    );
    create("b", { app: "y" });
    server.patch(configMaps, "b", { metadata: { labels: { app: "x" } } });
    server.patch(configMaps, "a", { data: { k: "v" } });
    server.patch(configMaps, "a", { metadata: { labels: { app: null } } });
    const left = server.resourceVersion;
    server.delete(configMaps, "a");
    server.delete(configMaps, "b");
    const events = await watch.take(4);
    expect(events.map(summary)).toEqual(["ADDED b", "MODIFIED a", "DELETED a", "DELETED b"]);
    expect(events[2]?.object.metadata).toMatchObject({ labels: { app: "x" }, resourceVersion: left });
  });

  it("may be of a field, of one object, or of a namespace", async () => {
    await using one = await Watch.open(server, `${PATH}?fieldSelector=metadata.name%3Db`);
    await using other = await Watch.open(server, "/api/v1/watch/namespaces/default/configmaps/b");
    await using elsewhere = await Watch.open(server, "/api/v1/namespaces/kube-system/configmaps");
    create("a");
    create("b");
    server.create(configMaps, { metadata: { name: "c", namespace: "kube-system" } });
    for (const [watch, name] of [
      [one, "b"],
      [other, "b"],
      [elsewhere, "c"],
    ] as const) {
      expect(summary((await watch.next())!)).toBe(`ADDED ${name}`);
    }
  });
});

describe("bookmarks", () => {
  it("come once a minute, and 2 s before the end, with the newest revision of all", async () => {
    await using watch = await Watch.open(
      server,
      `${PATH}?resourceVersion=${server.resourceVersion}&allowWatchBookmarks=true&timeoutSeconds=100`,
    );
    server.create(pods, { metadata: { name: "p" } });
    await clock.advance(60_000);
    expect(await watch.next()).toEqual({
      type: "BOOKMARK",
      object: { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: server.resourceVersion } },
    });
    await clock.advance(37_999);
    create("a");
    await clock.advance(2_001);
    expect((await watch.rest()).map(summary)).toEqual(["ADDED a", "BOOKMARK"]);
  });

  it("come only to those who ask", async () => {
    await using watch = await Watch.open(
      server,
      `${PATH}?resourceVersion=${server.resourceVersion}&timeoutSeconds=100`,
    );
    await clock.advance(100_000);
    expect(await watch.rest()).toEqual([]);
  });
});

describe("a custom resource", () => {
  beforeEach(() => {
    server.install(cronTabDefinition());
    server.create(cronTabs, cronTab("a"));
  });

  it("whose definition is deleted: DELETED for each object, a clean end, then 404 in plain text", async () => {
    server.create(cronTabs, cronTab("b"));
    await using watch = await Watch.open(server, `${CRON_TABS_PATH}?resourceVersion=${server.resourceVersion}`);
    server.delete(definitions, "crontabs.stable.example.com");
    expect((await watch.rest()).map(summary)).toEqual(["DELETED a", "DELETED b"]);
    const { status, text, headers } = await getJson(server, CRON_TABS_PATH);
    expect([status, text, headers.get("content-type")]).toEqual([
      404,
      "404 page not found\n",
      "text/plain; charset=utf-8",
    ]);
    expect(server.get(definitions, "crontabs.stable.example.com")).toBeUndefined();
  });

  it("whose definition came back: the old resourceVersion is Expired", async () => {
    const old = server.resourceVersion;
    server.delete(definitions, "crontabs.stable.example.com");
    server.install(cronTabDefinition());
    await using watch = await Watch.open(server, `${CRON_TABS_PATH}?resourceVersion=${old}`);
    expect((await watch.next())?.object).toMatchObject({ code: 410, reason: "Expired" });
  });

  it("at a version that is served no more: a clean end without an event, then 404 in plain text", async () => {
    const [v1] = (cronTabDefinition() as { spec: { versions: object[] } }).spec.versions;
    const versions = (served: boolean) => [v1!, { ...v1, name: "v1beta1", served, storage: false }];
    server.patch(definitions, "crontabs.stable.example.com", { spec: { versions: versions(true) } });
    const beta = CRON_TABS_PATH.replace("/v1/", "/v1beta1/");
    await using unserved = await Watch.open(server, `${beta}?resourceVersion=${server.resourceVersion}`);
    await using other = await Watch.open(server, `${CRON_TABS_PATH}?resourceVersion=${server.resourceVersion}`);
    server.patch(definitions, "crontabs.stable.example.com", { metadata: { labels: { a: "b" } } });
    expect(server.watches).toHaveLength(2);
    server.patch(definitions, "crontabs.stable.example.com", { spec: { versions: versions(false) } });
    // The other version is served on, but anew.
    expect([await unserved.rest(), await other.rest()]).toEqual([[], []]);
    expect((await getJson(server, beta)).text).toBe("404 page not found\n");
    await using again = await Watch.open(server, `${CRON_TABS_PATH}?resourceVersion=${server.resourceVersion}`);
    server.delete(cronTabs, "a");
    expect(summary((await again.next())!)).toBe("DELETED a");
  });

  it("is watched at each version under that version's name", async () => {
    const [v1] = (cronTabDefinition() as { spec: { versions: object[] } }).spec.versions;
    const versions = [v1!, { ...v1, name: "v2", storage: false }];
    server.patch(definitions, "crontabs.stable.example.com", { spec: { versions } });
    await using watch = await Watch.open(server, CRON_TABS_PATH.replace("/v1/", "/v2/"));
    expect((await watch.next())?.object).toMatchObject({
      apiVersion: "stable.example.com/v2",
      spec: { cronSpec: "* * * * *" },
    });
  });
});

describe("what cannot be watched", () => {
  it("is said before any stream", async () => {
    const { status, body } = await getJson(server, "/api/v1/componentstatuses?watch=true");
    expect(status).toBe(405);
    expect(body.message).toBe('watch is not supported on resources of kind "componentstatuses"');
    expect((await getJson(server, `${PATH}?watch=true&labelSelector=***`)).status).toBe(400);
  });
});

describe("a reader that is too slow", () => {
  it("is held back by its socket, and ended cleanly when too much waits for it", async () => {
    await using small = await EmbeddedApiServer.start({ maxWaitingEvents: 10 });
    const response = await fetch(`${small.url}${PATH}?watch=true`);
    const data = { text: "x".repeat(500_000) };
    // Nobody reads: the socket takes some megabytes, then events wait.
    for (let i = 0; small.watches.length > 0; i++) {
      small.create(configMaps, { metadata: { name: `c${i}` }, data });
      await new Promise((resolve) => setImmediate(resolve));
      expect(i).toBeLessThan(1_000);
    }
    const text = await response.text();
    expect(text.endsWith("\n")).toBe(true);
    expect(text.split("\n").length).toBeLessThan(small.list(configMaps).length);
  });

  it("gets a long beginning at its own speed", async () => {
    const data = { text: "x".repeat(100_000) };
    for (let i = 0; i < 100; i++)
      server.create(configMaps, { metadata: { name: `c${String(i).padStart(3, "0")}` }, data });
    await using watch = await Watch.open(server, `${PATH}?${STREAMING}`);
    create("d");
    const events = await watch.take(102);
    expect(events.slice(-3).map(summary)).toEqual(["ADDED c099", "BOOKMARK", "ADDED d"]);
  });
});

describe("one encoded copy", () => {
  it("of an event goes to all watches that see it alike", () => {
    const resource = new ResourceRegistry(new Revision(), 10).find(configMaps)!;
    const stored = new StoredObject({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }, 2);
    const event = { type: "ADDED", revision: 2, stored, previous: undefined } as const;
    const table = { include: "Metadata", wallNowMs: 0 } as const;
    const frames = new FrameCache();
    const first = frames.frame(event, "ADDED", resource, "object", table);
    expect(frames.frame(event, "ADDED", resource, "object", table)).toBe(first);
    expect(frames.frame(event, "ADDED", resource, "metadata", table)).not.toBe(first);
  });
});
