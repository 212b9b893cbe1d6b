import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InformerFactory } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { deferred } from "../../runtime/util/abort.js";
import { configMaps } from "../support/config-maps.js";
import { isSettled, turnUntil } from "../support/settle.js";

const secrets = { ...configMaps, resource: "secrets", kind: "Secret" };

let server: EmbeddedApiServer;
let clock: VirtualClock;
let factory: InformerFactory;
beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
  server.create(configMaps, { metadata: { name: "a" } });
  clock = new VirtualClock();
  factory = new InformerFactory(server.kubeConfig(), { clock });
});
afterEach(async () => {
  await factory.shutdown();
  await server.close();
});

const watched = () => server.watches.map(({ resource }) => resource);
const start = async () => {
  factory.start();
  await factory.waitForCacheSync();
};

describe("an informer that was acquired", () => {
  test("ends when the last of two users lets go, and leaves the factory; the others go on", async () => {
    const kept = factory.informerFor(secrets);
    const first = factory.forResource(configMaps).acquire();
    const second = factory.forResource(configMaps).acquire();
    expect(second.informer).toBe(first.informer);
    await start();
    expect(await first.release()).toEqual({ dropped: 0 });
    await first.release();
    expect(first.informer.isStopped()).toBe(false);
    expect(second.lister.list()).toHaveLength(1);
    await second.release();
    expect(second.informer.isStopped()).toBe(true);
    await turnUntil("its watch is closed", () => watched().length === 1);
    expect(factory.health().map(({ resource }) => resource)).toEqual(["secrets.v1"]);
    expect([factory.ready(), factory.live(), kept.isStopped()]).toEqual([true, true, false]);
  });

  test("is another one when it is asked for afterwards, with other options too, by the same accessor", async () => {
    const accessor = factory.forResource(configMaps);
    const old = accessor.acquire({ labelSelector: "app=web" });
    await start();
    const heard: string[] = [];
    old.informer.addEventHandler(({ key }) => void heard.push(key));
    await old.release();
    const fresh = accessor.acquire({ labelSelector: "app!=web" });
    expect(fresh.informer).not.toBe(old.informer);
    await start();
    expect(fresh.lister.list()).toHaveLength(1);
    expect(accessor.lister().list()).toHaveLength(1);
    expect(heard).toEqual([]);
  });

  test("stays when somebody asked for it for good", async () => {
    const acquired = factory.forResource(configMaps).acquire();
    const informer = factory.forResource(configMaps).informer();
    await start();
    await acquired.release();
    expect(informer.isStopped()).toBe(false);
    expect(factory.informerFor(configMaps)).toBe(informer);
  });

  test("ends with its scope", async () => {
    const inner = async () => {
      await using acquired = factory.forResource(configMaps).acquire();
      await start();
      return acquired.informer;
    };
    expect((await inner()).isStopped()).toBe(true);
    expect(factory.health()).toEqual([]);
  });

  test("and let go before its start asks for nothing, and nobody waits for it", async () => {
    factory.informerFor(secrets);
    const acquired = factory.forResource(configMaps).acquire();
    await acquired.release();
    await start();
    expect(watched()).toEqual(["secrets"]);
  });

  test("and let go while it syncs is left out of the wait for caches", async () => {
    server.intercept(({ path }) => (path === "/api/v1/configmaps" ? { status: 503 } : undefined));
    factory.informerFor(secrets);
    const acquired = factory.forResource(configMaps).acquire();
    factory.start();
    const waiting = factory.waitForCacheSync();
    await turnUntil("it has failed", () => acquired.informer.health().lastError !== undefined);
    await acquired.release();
    expect([...(await waiting).keys()]).toEqual(["secrets.v1"]);
  });

  test("is waited for by a shutdown while it stops; let go after one it stays stopped", async () => {
    const call = deferred();
    const acquired = factory.forResource(configMaps).acquire();
    const other = factory.forResource(secrets).acquire();
    let called = 0;
    acquired.informer.addEventHandler(() => {
      called++;
      return call.promise;
    });
    await start();
    await turnUntil("the handler runs", () => called === 1);
    const released = acquired.release({ drain: true });
    const stopped = factory.shutdown();
    expect(await isSettled(stopped)).toBe(false);
    call.resolve();
    await Promise.all([released, stopped]);
    expect(await other.release()).toEqual({ dropped: 0 });
  });
});
