/** Fault matrix, L rows: factories, processes, threads and copies of the package. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { InformerError, isInformerError } from "../../runtime/api/informer-error.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import type { KubeConfigLike } from "../../runtime/transport/credentials.js";
import { deferred } from "../../runtime/util/abort.js";
import { configMaps } from "../support/config-maps.js";
import { kubeConfigFor } from "../support/kube-config.js";
import { isSettled, turnUntil } from "../support/settle.js";
import { informerErrorOf } from "../support/thrown.js";

const namespaces = {
  ...configMaps,
  resource: "namespaces",
  kind: "Namespace",
  scope: "Cluster",
} as ResourceDescriptor;
let server: EmbeddedApiServer;
const made: InformerFactory[] = [];

const makeFactory = (options: InformerFactoryOptions = {}) => {
  const factory = new InformerFactory(server.kubeConfig(), { onError: () => {}, ...options });
  made.push(factory);
  return factory;
};

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
  server.create(configMaps, { metadata: { name: "a" } });
});
afterEach(async () => {
  await Promise.all(made.splice(0).map((factory) => factory.shutdown()));
  await server.close();
});

test("L7: two informers of one resource are one, with one watch", async () => {
  const factory = makeFactory();
  const informers = [factory.informerFor(configMaps), factory.forResource(configMaps).informer()];
  factory.start();
  await factory.waitForCacheSync();
  expect(new Set(informers).size).toBe(1);
  expect(server.requests).toHaveLength(1);
});

test("L8: one resource with other options is refused, and the first go on", async () => {
  const factory = makeFactory();
  const informer = factory.informerFor(configMaps, { labelSelector: "app=web" });
  expect(() => factory.informerFor(configMaps, { labelSelector: "app=db" })).toThrow(
    expect.objectContaining({
      code: "conflict",
      message: expect.stringContaining(
        'configmaps.v1 is informed of already with another labelSelector: labelSelector is "app=web", not "app=db"',
      ),
    }),
  );
  expect(factory.informerFor(configMaps)).toBe(informer);
});

describe("L2: a shutdown while", () => {
  /** A server that is connected to and then silent. */
  const silent = async (onConnection: (socket: Socket) => void) => {
    const listener = createServer((socket) => onConnection(socket.on("error", () => {}))).listen(0, "127.0.0.1");
    await once(listener, "listening");
    onTestFinished(() => void listener.close());
    return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  };

  const expectToEnd = async (kubeConfig: KubeConfigLike, isUnderWay: () => boolean) => {
    const clock = new VirtualClock();
    const factory = new InformerFactory(kubeConfig, { clock, onError: () => {} });
    factory.informerFor(configMaps);
    factory.start();
    await turnUntil("it is under way", isUnderWay);
    const ended = factory.shutdown();
    await turnUntil("it has ended", () => clock.pendingTimers === 0);
    await ended;
  };

  test("credentials are asked for ends at once", async () => {
    const kubeConfig = kubeConfigFor("https://127.0.0.1:1", () => new Promise(() => {}));
    await expectToEnd(kubeConfig, () => kubeConfig.asked > 0);
  });

  test.each(["https", "http"])("an %s server is silent ends at once, and closes the connection", async (protocol) => {
    const sockets: Socket[] = [];
    const host = await silent((socket) => void sockets.push(socket.resume()));
    await expectToEnd(kubeConfigFor(`${protocol}://${host}`), () => sockets.length > 0);
    await turnUntil("the connection is closed", () => sockets.every(({ destroyed }) => destroyed));
  });

  test("a proxy is silent ends at once, and closes the connection", async () => {
    const sockets: Socket[] = [];
    const host = await silent((socket) => void sockets.push(socket.resume()));
    const proxyUrl = `http://${host}`;
    await expectToEnd(
      kubeConfigFor("https://127.0.0.1:1", () => {}, { proxyUrl }),
      () => sockets.length > 0,
    );
    await turnUntil("the connection is closed", () => sockets.every(({ destroyed }) => destroyed));
  });
});

test("L3: a shutdown drains every handler, or says how many notifications it dropped", async () => {
  server.create(configMaps, { metadata: { name: "b" } });
  for (const drain of [true, false]) {
    const factory = makeFactory({ clock: new VirtualClock() });
    const call = deferred();
    const began: string[] = [];
    factory.informerFor(configMaps).addEventHandler(({ key }) => {
      began.push(key);
      return call.promise;
    });
    factory.start();
    await turnUntil("the handler is called", () => began.length === 1);
    const stopped = factory.shutdown({ drain });
    expect(() => factory.start()).toThrow(/shut down/);
    expect(await isSettled(stopped)).toBe(false);
    call.resolve();
    expect(await stopped).toEqual({ dropped: drain ? 0 : 1 });
    expect(began).toHaveLength(drain ? 2 : 1);
  }
});

test("U8: a handler that shuts its factory down and waits for it is not in its own way", async () => {
  const factory = makeFactory({ clock: new VirtualClock() });
  const done = deferred();
  factory.informerFor(configMaps).addEventHandler(async () => {
    await factory.shutdown();
    done.resolve();
  });
  factory.start();
  await done.promise;
  expect(factory.informerFor(configMaps).isStopped()).toBe(true);
});

test("L14: a wait for caches says which did not sync, and why; without a start, that", async () => {
  const factory = makeFactory();
  server.intercept(({ path }) =>
    path === "/api/v1/namespaces" ? { status: 503, body: { kind: "Status", code: 503, message: "away" } } : undefined,
  );
  const informers = [factory.informerFor(configMaps), factory.informerFor(namespaces)];
  expect((await informerErrorOf(factory.waitForCacheSync())).message).toContain(
    "configmaps.v1, namespaces.v1; call start",
  );
  factory.start();
  const abort = new AbortController();
  const waits = informerErrorOf(factory.waitForCacheSync(abort.signal));
  await turnUntil("one has synced, one has failed", () => {
    return informers[0]!.hasSynced() && informers[1]!.health().lastError !== undefined;
  });
  abort.abort();
  const error = await waits;
  expect(error.code).toBe("not-synced");
  expect(error.message).toMatch(/namespaces\.v1: .*503/);
  expect(error.message).not.toContain("configmaps");
});

test("L15: what is made after a shutdown is new, and the old hears of nothing", async () => {
  const old = makeFactory();
  const heard: string[] = [];
  const registration = old.informerFor(configMaps).addEventHandler(({ key }) => void heard.push(key));
  old.start();
  await registration.synced();
  await old.shutdown();
  const fresh = makeFactory();
  const seen: string[] = [];
  fresh.informerFor(configMaps).addEventHandler(({ key }) => void seen.push(key));
  fresh.start();
  await fresh.waitForCacheSync();
  server.create(configMaps, { metadata: { name: "b" } });
  await turnUntil("it is told of", () => seen.length === 2);
  expect([heard, seen]).toEqual([["default/a"], ["default/a", "default/b"]]);
  expect(() => old.start()).toThrow(/shut down/);
});

/** A program that follows config maps, says so, and shuts down when it is told to. */
const program = () => {
  const url = new URL("../../runtime/informers/dynamic-shared-informer-factory.ts", import.meta.url);
  return `(async () => {
    const { DynamicSharedInformerFactory } = await import(${JSON.stringify(url.href)});
    const factory = new DynamicSharedInformerFactory({
      getCurrentCluster: () => ({ server: ${JSON.stringify(server.url)} }),
      applyToHTTPSOptions: async () => {},
    });
    factory.forResource({ group: "", version: "v1", resource: "configmaps" }).informer();
    factory.start();
    const { parentPort } = await import("node:worker_threads");
    (parentPort ?? process).once(parentPort ? "message" : "SIGTERM", () => void factory.shutdown());
    const { size } = await factory.waitForCacheSync();
    if (parentPort) parentPort.postMessage("synced " + size);
    else process.stdout.write("synced " + size);
  })()`;
};

test("L11: a process with open watches ends by itself once it has shut down", async () => {
  const child = spawn(process.execPath, ["--import", "tsx", "--eval", program()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect(String((await once(child.stdout, "data"))[0])).toBe("synced 1");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(server.watches).toEqual([]);
});

test("L12: a worker thread runs informers of its own, and ends with them", async () => {
  const worker = new Worker(`import("tsx/esm/api").then(({ register }) => register()).then(() => ${program()})`, {
    eval: true,
  });
  expect((await once(worker, "message"))[0]).toBe("synced 1");
  worker.postMessage("stop");
  expect(await once(worker, "exit")).toEqual([0]);
});

test("L12: two copies of the package know each other's errors, and share nothing", async () => {
  vi.resetModules();
  const copy = await import("../../runtime/informers/shared-informer-factory.js");
  const errors = await import("../../runtime/api/informer-error.js");
  expect(errors.InformerError).not.toBe(InformerError);
  expect(isInformerError(new errors.InformerError("usage", "x"))).toBe(true);
  const theirs = new copy.InformerFactory(server.kubeConfig());
  const ours = makeFactory();
  for (const factory of [ours, theirs]) {
    factory.informerFor(configMaps);
    factory.start();
  }
  expect((await ours.waitForCacheSync()).size).toBe(1);
  await ours.shutdown();
  expect((await theirs.waitForCacheSync()).size).toBe(1);
  await theirs.shutdown();
});
