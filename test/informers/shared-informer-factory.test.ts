/** What a factory does for all who ask it. Over 400 lines, as each promise of its documentation is one short test. */
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GroupVersionResource } from "../../runtime/api/group-version-resource.js";
import type { InformerError } from "../../runtime/api/informer-error.js";
import type { KubernetesObject, Unstructured } from "../../runtime/api/object-meta.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";
import { DynamicSharedInformerFactory } from "../../runtime/informers/dynamic-shared-informer-factory.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { configMaps } from "../support/config-maps.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { loopback } from "../support/loopback.js";
import { advanceUntilSettled, isSettled, soon, turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

const namespaces: ResourceDescriptor<KubernetesObject, "Cluster"> = {
  group: "",
  version: "v1",
  resource: "namespaces",
  kind: "Namespace",
  scope: "Cluster",
};
const CONFIG_MAPS = "/api/v1/configmaps";
const NAMESPACES = "/api/v1/namespaces";

let server: EmbeddedApiServer;
let clock: VirtualClock;
let errors: InformerError[];
let factory: InformerFactory;

function makeFactory(options: InformerFactoryOptions = {}): InformerFactory {
  factory = new InformerFactory(server.kubeConfig(), { clock, onError: (error) => errors.push(error), ...options }, [
    configMaps,
    namespaces,
  ]);
  return factory;
}

async function notSynced(): Promise<InformerError> {
  return advanceUntilSettled(clock, factory.waitForCacheSync()).then(
    () => expect.unreachable("it synced"),
    (thrown) => thrown,
  );
}

/** Every request for a collection, from now on. */
function refuse(collection: string, status: number): void {
  const body = { kind: "Status", code: status, message: "refused" };
  server.intercept(({ path }) => (path === collection ? { status, body } : undefined));
}

beforeEach(async () => {
  // The server has a clock of its own, so that what is left on the other is the factory's.
  server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
  for (const name of ["a", "b"]) server.create(configMaps, { metadata: { name } });
  clock = new VirtualClock();
  errors = [];
  makeFactory();
});
afterEach(async () => {
  await factory.shutdown();
  await server.close();
});

describe("informers", () => {
  test("are one for each resource, whichever way they are asked for", () => {
    const { informer } = factory.forResource(configMaps);
    const first = informer();
    expect(informer()).toBe(first);
    expect(factory.forResource(configMaps).informer()).toBe(first);
    expect(factory.informerFor(configMaps)).toBe(first);
    expect(factory.forResource({ group: "", version: "v1", resource: "configmaps" }).informer()).toBe(first);
    expect(factory.informerFor({ ...configMaps, version: "v2" })).not.toBe(first);
  });

  test.each([["pods"], [{ version: "v1", resource: "pods" }]])("are not of %j, which names no resource", (named) => {
    expect(() => factory.forResource(named as GroupVersionResource).lister()).toThrow(
      /a group \("" for the core group\)/,
    );
  });

  test("are registered on first use, by the lister too, and not before", async () => {
    const unused = factory.forResource(namespaces);
    factory.forResource(configMaps).lister();
    factory.start();
    expect([...(await factory.waitForCacheSync()).keys()]).toEqual(["configmaps.v1"]);
    expect(factory.health().map(({ resource }) => resource)).toEqual(["configmaps.v1"]);
    unused.informer();
    expect(factory.health().map(({ resource }) => resource)).toEqual(["configmaps.v1", "namespaces.v1"]);
  });

  test("fill their caches and follow, over one watch for all who listen", async () => {
    const { informer, lister } = factory.forResource(configMaps);
    const log: string[] = [];
    for (const name of ["first", "second"])
      informer().addEventHandler(({ type, key }) => void log.push(`${name} ${type} ${key}`));
    factory.start();
    await factory.waitForCacheSync();
    expect(lister().namespace("default").get("a")?.metadata.name).toBe("a");
    server.delete(configMaps, "a");
    await turnUntil("both have heard", () => log.length === 6);
    expect(log.filter((line) => line.startsWith("first"))).toEqual([
      "first add default/a",
      "first add default/b",
      "first delete default/a",
    ]);
    expect(lister().list()).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
  });

  test("are started once each; those asked for later at the next start", async () => {
    factory.informerFor(configMaps);
    factory.start();
    await factory.waitForCacheSync();
    factory.informerFor(namespaces);
    expect(factory.ready()).toBe(false);
    const error = await informerErrorOf(soon(factory.waitForCacheSync()));
    expect(error).toMatchObject({ code: "not-synced", message: expect.stringContaining("not started: namespaces.v1") });
    factory.start();
    factory.start();
    expect([...(await factory.waitForCacheSync()).keys()]).toEqual(["configmaps.v1", "namespaces.v1"]);
    expect(server.requests.map(({ path }) => path)).toEqual([CONFIG_MAPS, NAMESPACES]);
  });

  test("are ready once all have synced, and live until they are stopped", async () => {
    factory.informerFor(configMaps);
    expect([factory.ready(), factory.live()]).toEqual([false, true]);
    factory.start();
    await factory.waitForCacheSync();
    expect([factory.ready(), factory.live()]).toEqual([true, true]);
    await factory.shutdown();
    expect([factory.ready(), factory.live()]).toEqual([false, false]);
  });

  test("take a queue, tunables of their requests, and somebody to act as", async () => {
    const headers: (string | string[] | undefined)[] = [];
    server.intercept((request) => {
      headers.push(request.headers["impersonate-user"], request.headers["impersonate-group"]);
      return undefined;
    });
    const impersonate = { user: "jane", groups: ["dev", "ops"] };
    makeFactory({ queue: "RealFIFO", reflector: { streaming: false, pageSize: 1 }, impersonate });
    factory.informerFor(configMaps);
    factory.start();
    await factory.waitForCacheSync();
    expect(server.requests[0]?.query.get("limit")).toBe("1");
    expect(headers.slice(0, 2)).toEqual(["jane", "dev, ops"]);
    expect(factory.forResource(configMaps).lister().list()).toHaveLength(2);
  });

  test("of unknown kinds give objects as the server sends them", async () => {
    const dynamic = new DynamicSharedInformerFactory(server.kubeConfig(), { clock });
    const { informer, lister } = dynamic.forResource({ group: "", version: "v1", resource: "configmaps" });
    informer();
    dynamic.start();
    await dynamic.waitForCacheSync();
    const found: Unstructured | undefined = lister().get("default/a") as Unstructured | undefined;
    expect(found).toEqual(server.get(configMaps, "a"));
    await dynamic.shutdown();
  });
});

describe("options", () => {
  test("namespace: for namespaced resources alone", async () => {
    makeFactory({ namespace: "default" });
    factory.informerFor(configMaps);
    factory.informerFor(namespaces);
    factory.start();
    await factory.waitForCacheSync();
    expect(server.requests.map(({ path }) => path)).toEqual(["/api/v1/namespaces/default/configmaps", NAMESPACES]);
  });

  test("tweakListOptions: has the last word on every request, and knows for which resource", async () => {
    makeFactory({
      tweakListOptions: (options, { resource }) => ({ ...options, labelSelector: `of=${resource}` }),
    });
    factory.informerFor(configMaps);
    factory.informerFor(namespaces);
    factory.start();
    await factory.waitForCacheSync();
    expect(server.requests.map(({ query }) => query.get("labelSelector"))).toEqual(["of=configmaps", "of=namespaces"]);
  });

  test("transform: for every resource", async () => {
    makeFactory({ transform: (found) => ({ ...found, data: { key: "stripped" } }) as KubernetesObject });
    const lister = factory.forResource(configMaps).lister();
    factory.start();
    await factory.waitForCacheSync();
    expect(lister.list().map(({ data }) => data?.["key"])).toEqual(["stripped", "stripped"]);
  });

  test("resyncPeriodMs: for the handlers that do not say", async () => {
    makeFactory({ resyncPeriodMs: 10_000 });
    const updates = { configMaps: [] as string[], namespaces: [] as string[] };
    factory
      .informerFor(configMaps)
      .addEventHandler({ onUpdate: ({ metadata }) => void updates.configMaps.push(metadata.name) });
    factory
      .informerFor(namespaces, { resyncPeriodMs: 3_000 })
      .addEventHandler({ onUpdate: ({ metadata }) => void updates.namespaces.push(metadata.name) });
    factory.start();
    await factory.waitForCacheSync();
    await clock.advance(10_000);
    expect(updates.configMaps).toEqual(["a", "b"]);
    expect(updates.namespaces.filter((name) => name === "default")).toHaveLength(3);
  });

  test("onError: without it, failures become process warnings", async () => {
    factory = new InformerFactory(server.kubeConfig(), { clock });
    refuse(CONFIG_MAPS, 403);
    factory.informerFor(configMaps);
    const warned = once(process, "warning");
    factory.start();
    const [warning] = await warned;
    expect(warning).toMatchObject({ name: "InformerWarning", code: "forbidden" });
    expect(warning.message).toContain(`watch configmaps at ${server.url}: 403`);
  });

  test("belong to the first of two factories over one another, which share their informers", async () => {
    const dynamic = new DynamicSharedInformerFactory(factory);
    expect(dynamic.forResource(configMaps).informer()).toBe(factory.informerFor(configMaps));
    expect(() => new DynamicSharedInformerFactory(factory, {})).toThrow(/give none/);
    dynamic.start();
    await factory.waitForCacheSync();
    await dynamic.shutdown();
    expect(factory.informerFor(configMaps).isStopped()).toBe(true);
  });

  test("a kubeconfig without a cluster is refused", () => {
    const empty = { getCurrentCluster: () => null, applyToHTTPSOptions: async () => {} };
    expect(() => new InformerFactory(empty)).toThrow(/no current cluster/);
  });
});

describe("waitForCacheSync", () => {
  test.each([
    [403, "forbidden"],
    [404, "not-served"],
  ])("%i for ever: names the resource that cannot sync, and no other", async (status, code) => {
    refuse(NAMESPACES, status);
    factory.informerFor(configMaps);
    const informer = factory.informerFor(namespaces);
    factory.start();
    const waiting = factory.waitForCacheSync();
    const error: InformerError = await advanceUntilSettled(
      clock,
      waiting,
      () => informer.health().phase === "waiting",
    ).then(
      () => expect.unreachable("it synced"),
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: "not-synced", cause: { code, status } });
    expect(error.message).toContain(`namespaces.v1: `);
    expect(error.message).toContain(`at ${server.url}: ${status} refused`);
    expect(error.message).not.toContain("configmaps.v1");
    expect(factory.informerFor(configMaps).hasSynced()).toBe(true);
    expect(informer.hasSynced()).toBe(false);
    expect(errors.map((reported) => reported.code)).toEqual([code]);
  });

  test("rejects when the factory is shut down meanwhile, and resolves if it had synced", async () => {
    refuse(NAMESPACES, 429);
    factory.informerFor(namespaces);
    factory.start();
    const waiting = factory.waitForCacheSync().catch((error: InformerError) => error);
    await factory.shutdown();
    expect(await waiting).toMatchObject({ code: "not-synced" });
    makeFactory();
    factory.informerFor(configMaps);
    factory.start();
    await factory.waitForCacheSync();
    await factory.shutdown();
    expect((await factory.waitForCacheSync()).size).toBe(1);
  });
});

describe("the end", () => {
  beforeEach(async () => {
    factory.informerFor(configMaps);
    factory.informerFor(namespaces);
    factory.start();
    await factory.waitForCacheSync();
  });

  const isGone = () => server.watches.length === 0;

  test("shutdown: closes connections that are kept for another list as well", async () => {
    const idle = await loopback((request, response) => {
      response.setHeader("content-type", "application/json");
      // It does no streaming lists.
      if (request.url?.includes("sendInitialEvents=")) return response.writeHead(400).end("{}");
      if (request.url?.includes("watch=")) return response.write("\n");
      return response.end('{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}');
    });
    const own = new InformerFactory(kubeConfigFor(idle.url), { clock, onError: () => {} });
    own.informerFor(configMaps);
    own.start();
    await advanceUntilSettled(clock, own.waitForCacheSync(), () => false);
    await turnUntil("it watches", () => idle.requests.length === 3);
    await own.shutdown();
    await turnUntil("all are closed", () => idle.sockets.every(({ destroyed }) => destroyed));
    expect(idle.sockets.length).toBeGreaterThan(1);
  });

  test("shutdown: closes every connection, leaves no timer, and is for good", async () => {
    expect(isGone()).toBe(false);
    await Promise.all([factory.shutdown(), factory.shutdown()]);
    await factory.shutdown();
    await turnUntil("the server sees no watch any more", isGone);
    expect(clock.pendingTimers).toBe(0);
    expect(factory.health().map(({ phase }) => phase)).toEqual(["stopped", "stopped"]);
    expect(() => factory.start()).toThrow(/shut down/);
    expect(factory.informerFor(configMaps).lister.list()).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  test("await using: the same", async () => {
    const informer = factory.informerFor(configMaps);
    await factory[Symbol.asyncDispose]();
    expect(informer.isStopped()).toBe(true);
  });

  test("by a signal, however often it was given", async () => {
    const abort = new AbortController();
    for (let starts = 0; starts < 20; starts++) factory.start(abort.signal);
    abort.abort();
    await factory.shutdown();
    await turnUntil("the server sees no watch any more", isGone);
    expect(clock.pendingTimers).toBe(0);
  });

  test("by any of several signals", async () => {
    const first = new AbortController();
    const second = new AbortController();
    factory.start(first.signal);
    factory.start(second.signal);
    first.abort();
    await turnUntil("it has stopped", () => factory.informerFor(configMaps).isStopped());
  });

  test("by a signal that has already aborted: nothing is asked", async () => {
    await factory.shutdown();
    const asked = server.requests.length;
    makeFactory();
    const informer = factory.informerFor(configMaps);
    factory.start(AbortSignal.abort());
    await turnUntil("it has stopped", () => informer.isStopped());
    expect(server.requests).toHaveLength(asked);
    expect(clock.pendingTimers).toBe(0);
  });

  test("waits for a handler's call that runs", async () => {
    let finish = () => {};
    const called = new Promise<void>((resolve) => {
      factory.informerFor(configMaps).addEventHandler(() => {
        resolve();
        return new Promise<void>((done) => {
          finish = done;
        });
      });
    });
    await called;
    const stopped = factory.shutdown();
    await turnUntil("the server sees no watch any more", isGone);
    expect(await isSettled(stopped)).toBe(false);
    finish();
    await stopped;
  });
});

describe("what cannot sync", () => {
  test("for want of a right says which rule is missing", async () => {
    refuse(CONFIG_MAPS, 403);
    factory.informerFor(configMaps);
    factory.start();
    expect((await notSynced()).message).toContain(
      '(a ClusterRole needs: apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"])',
    );
  });

  test.each([
    [{ group: "", version: "v1", resource: "configmap" }, "in v1 the server has "],
    [{ group: "apps", version: "v7", resource: "deployments" }, 'of group "apps" the server has "v1"'],
    [{ group: "no.such.group", version: "v1", resource: "things" }, 'the server has no group "no.such.group"'],
  ])("because %j is not served says what is", async (resource, text) => {
    factory.forResource(resource).informer();
    factory.start();
    expect((await notSynced()).message).toContain(text);
  });

  test("because it has no namespaces says so, and syncs when that is said", async () => {
    const nodes = { group: "", version: "v1", resource: "nodes" };
    makeFactory({ namespace: "shop" }).forResource(nodes).informer();
    factory.start();
    expect((await notSynced()).message).toContain('nodes have no namespaces: ask with their kind and scope "Cluster"');
    await factory.shutdown();
    makeFactory({ namespace: "shop" })
      .forResource({ ...nodes, kind: "Node", scope: "Cluster" })
      .informer();
    factory.start();
    await advanceUntilSettled(clock, factory.waitForCacheSync());
  });
});
