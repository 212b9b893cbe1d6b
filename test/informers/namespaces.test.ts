import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NamespaceSet } from "../../runtime/api/namespaces.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { configMaps } from "../support/config-maps.js";
import { advanceUntilSettled, isSettled, soon, turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

const namespaces = { ...configMaps, resource: "namespaces", kind: "Namespace", scope: "Cluster" } as ResourceDescriptor;
const pathIn = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;

let server: EmbeddedApiServer;
let clock: VirtualClock;
let factory: InformerFactory;
let log: string[];

const create = (name: string, namespace: string) =>
  server.create(configMaps, { metadata: { name, namespace, labels: { of: name } } });

/** An informer that writes down what it tells. */
function follow(options: InformerFactoryOptions) {
  factory = new InformerFactory(server.kubeConfig(), { clock, onError: () => {}, ...options });
  const informer = factory.informerFor(configMaps);
  informer.addEventHandler({
    onAdd: ({ metadata }, isInInitialList) =>
      void log.push(`add ${metadata.namespace}/${metadata.name}${isInInitialList ? " initial" : ""}`),
    onDelete: ({ metadata }, finalStateUnknown) =>
      void log.push(`${finalStateUnknown ? "tombstone" : "delete"} ${metadata.namespace}/${metadata.name}`),
  });
  factory.start();
  return informer;
}

const told = (count: number) => turnUntil(`${count} events are told`, () => log.length >= count);
const watched = () => server.watches.map(({ namespace }) => namespace).sort();

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
  for (const namespace of ["one", "two", "three"]) {
    server.create(namespaces, { metadata: { name: namespace } });
    create("early", namespace);
  }
  clock = new VirtualClock();
  log = [];
});
afterEach(async () => {
  await factory.shutdown();
  await server.close();
});

describe("namespaces", () => {
  test("are behind one lister and one set of handlers, each by a list and watch of its own", async () => {
    const informer = follow({ namespaces: ["one", "two"] });
    await factory.waitForCacheSync();
    await told(2);
    expect([...log].sort()).toEqual(["add one/early initial", "add two/early initial"]);
    expect(server.requests.map(({ path }) => path).sort()).toEqual([pathIn("one"), pathIn("two")]);
    expect(informer.lister.list("of=early")).toHaveLength(2);
    expect(informer.lister.namespace("two").list()).toHaveLength(1);
    create("late", "three");
    create("late", "two");
    server.delete(configMaps, "early", { namespace: "one" });
    await told(4);
    expect([...log.slice(2)].sort()).toEqual(["add two/late", "delete one/early"]);
    expect(informer.indexer.listKeys().sort()).toEqual(["two/early", "two/late"]);
    expect(informer.health()).toMatchObject({
      phase: "watching",
      synced: true,
      objects: 2,
      namespaces: [
        { namespace: "one", phase: "watching", synced: true },
        { namespace: "two", phase: "watching", synced: true },
      ],
    });
  });

  test("do not concern what has none, and cannot be chosen for it", async () => {
    follow({ namespaces: ["one"] });
    const lister = factory.forResource(namespaces).lister();
    factory.start();
    await factory.waitForCacheSync();
    expect(lister.list().length).toBeGreaterThan(3);
    expect(() => factory.informerFor({ ...namespaces, version: "v2" }, { namespaces: ["one"] })).toThrow(
      /cluster-scoped: it has no namespaces/,
    );
  });

  test("that are none are refused, and so is another choice for the same resource", () => {
    follow({ namespace: "one" });
    expect(() => factory.informerFor(configMaps, { namespaces: ["two"] })).toThrow(
      'namespaces is ["one"], not ["two"]',
    );
    const secrets = { ...configMaps, resource: "secrets" };
    expect(() => factory.informerFor(secrets, { namespaces: "two" })).toThrow(/a list of names: \["two"\]/);
    expect(() => factory.informerFor(secrets, { namespaces: [""] })).toThrow(/"" is no namespace/);
    expect(() => factory.informerFor(secrets, { namespaces: { except: "two" } })).toThrow(/a list of names/);
    expect(() => factory.informerFor(secrets, { namespaces: { except: new NamespaceSet() } })).toThrow(/may change/);
    expect(() => new InformerFactory(server.kubeConfig(), { namespace: "a", namespaces: ["b"] })).toThrow(/not both/);
  });

  test("are left out by the server, beside what a field selector says", async () => {
    const informer = follow({ namespaces: { except: ["one", "default"] }, fieldSelector: "metadata.name=early" });
    await factory.waitForCacheSync();
    create("late", "one");
    create("late", "two");
    server.delete(configMaps, "early", { namespace: "two" });
    await told(3);
    expect(informer.indexer.listKeys()).toEqual(["three/early"]);
    expect(server.requests.map(({ query }) => query.get("fieldSelector"))).toEqual([
      "metadata.name=early,metadata.namespace!=one,metadata.namespace!=default",
    ]);
  });
});

describe("a namespace", () => {
  test.each(["", ".", "..", "a/b", "a,b", "Team", "-a", "a".repeat(64)])(
    "that %j cannot be is refused, and others follow",
    async (name) => {
      const set = new NamespaceSet(["one"]);
      const informer = follow({ namespaces: set });
      await factory.waitForCacheSync();
      expect(() => set.add(name)).toThrow(`${JSON.stringify(name)} is no namespace`);
      set.add("two");
      await informer.synced();
      expect([...set]).toEqual(["one", "two"]);
      expect(informer.health().namespaces.map(({ namespace }) => namespace)).toEqual(["one", "two"]);
    },
  );

  test("that is added while the informer runs is listed, told of as an initial list, and waited for", async () => {
    const set = new NamespaceSet(["one"]);
    const informer = follow({ namespaces: set });
    await factory.waitForCacheSync();
    set.add("two");
    expect(factory.ready()).toBe(true);
    await factory.waitForCacheSync();
    await told(2);
    expect(log).toEqual(["add one/early initial", "add two/early initial"]);
    expect(informer.lister.list()).toHaveLength(2);
    create("late", "two");
    await told(3);
    expect(log[2]).toBe("add two/late");
  });

  test("that is removed is told of as deleted, and forgotten; the others stay as they are", async () => {
    const set = new NamespaceSet(["one", "two"]);
    const informer = follow({ namespaces: set });
    await factory.waitForCacheSync();
    await told(2);
    set.delete("one");
    await told(3);
    expect(log[2]).toBe("tombstone one/early");
    await turnUntil("its watch is closed", () => watched().join() === "two");
    expect(informer.indexer.listKeys()).toEqual(["two/early"]);
    expect(informer.health().namespaces.map(({ namespace }) => namespace)).toEqual(["two"]);
    create("late", "one");
    create("late", "two");
    await told(4);
    expect(log.slice(3)).toEqual(["add two/late"]);
  });

  test("that is removed and added again at once is listed anew, and waited for", async () => {
    const set = new NamespaceSet(["one", "two"]);
    const informer = follow({ namespaces: set });
    await factory.waitForCacheSync();
    await told(2);
    set.delete("one");
    set.add("one");
    expect(informer.health().namespaces).toMatchObject([
      { namespace: "one", synced: false, resourceVersion: "" },
      { namespace: "two", synced: true },
    ]);
    expect(informer.lastSyncResourceVersion()).toBe("");
    await factory.waitForCacheSync();
    expect(informer.indexer.size).toBe(2);
    await told(4);
    expect(log.slice(2)).toEqual(["tombstone one/early", "add one/early initial"]);
  });

  test("that is removed and added again is not waited for any more once all is stopped", async () => {
    const set = new NamespaceSet(["one", "two"]);
    const informer = follow({ namespaces: set });
    await factory.waitForCacheSync();
    set.delete("one");
    set.add("one");
    const waiting = informerErrorOf(informer.synced());
    await factory.shutdown();
    expect((await waiting).code).toBe("stopped");
  });

  test("may be the first of a set that began empty: no namespace, not all of them", async () => {
    const set = new NamespaceSet();
    const informer = follow({ namespaces: set });
    await soon(factory.waitForCacheSync());
    expect([server.requests.length, informer.indexer.size, informer.health().phase]).toEqual([0, 0, "watching"]);
    set.add("one");
    await told(1);
    expect(informer.lister.namespace("one").list()).toHaveLength(1);
    set.clear();
    await told(2);
    expect(informer.indexer.size).toBe(0);
  });

  test("that is forbidden hides no other, and is named by the wait and by health", async () => {
    const body = { kind: "Status", code: 403, message: "no" };
    server.intercept(({ path }) => (path === pathIn("two") ? { status: 403, body } : undefined));
    const set = new NamespaceSet(["one", "two"]);
    const informer = follow({ namespaces: set });
    const idle = () => informer.health().namespaces[1]?.phase === "waiting";
    const error = await informerErrorOf(advanceUntilSettled(clock, factory.waitForCacheSync(), idle));
    expect(error.message).toContain('configmaps.v1 in namespace "two": ');
    expect(error.message).toContain('a Role in "two" needs: ');
    expect(error.message).not.toContain('namespace "one"');
    expect(informer.lister.namespace("one").list()).toHaveLength(1);
    expect(log).toEqual(["add one/early initial"]);
    expect(informer.hasSynced()).toBe(false);
    expect(informer.health()).toMatchObject({ lastError: { code: "forbidden" }, synced: false, resourceVersion: "" });
    expect(informer.health().namespaces.map(({ synced, lastError }) => [synced, lastError?.code])).toEqual([
      [true, undefined],
      [false, "forbidden"],
    ]);
    set.delete("two");
    await factory.waitForCacheSync();
    expect(informer.hasSynced()).toBe(true);
  });

  test("is as new as its own watch; all are as new as the oldest", async () => {
    const informer = follow({ namespaces: ["one", "two"] });
    await factory.waitForCacheSync();
    const version = String(create("late", "one").metadata.resourceVersion);
    const whole = informer.waitFor(version);
    await informer.waitFor(version, undefined, "one");
    expect(informer.lister.namespace("one").get("late")).toBeDefined();
    const { lister } = informer;
    expect([lister.namespace("one"), lister.namespace("two"), lister].map((each) => each.atLeast(version))).toEqual([
      true,
      false,
      false,
    ]);
    expect(await isSettled(whole)).toBe(false);
    expect(informer.lastSyncResourceVersion()).toBe(informer.health().namespaces[1]?.resourceVersion);
    create("later", "two");
    await whole;
    expect(lister.atLeast(version)).toBe(true);
  });

  test("that is removed holds up nobody who waits, and one that was never listed does", async () => {
    const body = { kind: "Status", code: 403, message: "no" };
    server.intercept(({ path }) => (path === pathIn("three") ? { status: 403, body } : undefined));
    const set = new NamespaceSet(["one", "two"]);
    const informer = follow({ namespaces: set });
    await factory.waitForCacheSync();
    set.add("three");
    const version = String(create("late", "one").metadata.resourceVersion);
    create("later", "two");
    const whole = informer.waitFor(version);
    await informer.waitFor(version, undefined, "one");
    await informer.waitFor(version, undefined, "two");
    expect(await isSettled(whole)).toBe(false);
    set.delete("three");
    await soon(whole);
    // Its last resourceVersion is older than what the other is asked for.
    set.delete("two");
    await soon(informer.waitFor(String(create("last", "one").metadata.resourceVersion)));
    expect(informer.lister.namespace("one").list()).toHaveLength(3);
  });

  test("has its own resync, and a stop ends them all", async () => {
    const informer = follow({ namespaces: ["one", "two"], resyncPeriodMs: 5_000 });
    const updates: string[] = [];
    informer.addEventHandler({ onUpdate: ({ metadata }) => void updates.push(`${metadata.namespace}`) });
    await factory.waitForCacheSync();
    await clock.advance(5_000);
    await turnUntil("all is told again", () => updates.length === 2);
    expect(updates.sort()).toEqual(["one", "two"]);
    await factory.shutdown();
    await turnUntil("no watch is left", () => watched().length === 0);
    expect(clock.pendingTimers).toBe(0);
    expect(informer.health().namespaces.map(({ phase }) => phase)).toEqual(["stopped", "stopped"]);
  });
});
