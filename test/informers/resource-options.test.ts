import { describe, expect, test } from "vitest";
import type { EventHandlerOptions } from "../../runtime/cache/informer-options.js";
import { type ResourceOptions, resourceOptions } from "../../runtime/informers/resource-options.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { type ConfigMap, configMaps } from "../support/config-maps.js";

const secrets = { ...configMaps, resource: "secrets", kind: "Secret" };

/** What is asked of the server, by the last part of the path. */
async function asked(options: InformerFactoryOptions, choose: (factory: InformerFactory) => void) {
  await using server = await EmbeddedApiServer.start();
  await using factory = new InformerFactory(server.kubeConfig(), options);
  choose(factory);
  factory.start();
  await factory.waitForCacheSync();
  return new Map(server.requests.map(({ path, query }) => [path.slice(path.lastIndexOf("/") + 1), query]));
}

describe("options of one resource", () => {
  test("take the place of the factory's, for that one alone", async () => {
    const requests = await asked({ labelSelector: "a=1", fieldSelector: "metadata.name=x" }, (factory) => {
      factory.informerFor(configMaps, { labelSelector: "b=2" });
      factory.informerFor(secrets);
    });
    const selectors = Array.from(requests, ([name, query]) => [
      name,
      query.get("labelSelector"),
      query.get("fieldSelector"),
    ]);
    expect(selectors).toEqual([
      ["configmaps", "b=2", "metadata.name=x"],
      ["secrets", "a=1", "metadata.name=x"],
    ]);
  });

  test("of the reflector do so part by part", async () => {
    const requests = await asked({ reflector: { streaming: false, pageSize: 7 } }, (factory) => {
      factory.informerFor(configMaps, { reflector: { pageSize: 3 } });
      factory.informerFor(secrets, { reflector: { streaming: true } });
    });
    expect(requests.get("configmaps")?.get("limit")).toBe("3");
    expect(requests.get("secrets")?.get("sendInitialEvents")).toBe("true");
  });

  test("tweakListOptions has the last word, after selectors", async () => {
    const requests = await asked({}, (factory) => {
      factory.informerFor(configMaps, {
        labelSelector: "a=1",
        tweakListOptions: (options, { resource }) => ({
          ...options,
          labelSelector: `${options.labelSelector},of=${resource}`,
        }),
      });
    });
    expect(requests.get("configmaps")?.get("labelSelector")).toBe("a=1,of=configmaps");
  });

  test("a selector that is none is refused at once", () => {
    expect(() => resourceOptions({}, { labelSelector: "a=(" })).toThrow(/label selector: .*a=\(/);
  });

  test.each([
    [{ pageSize: 0 }, "reflector.pageSize: 0 is no number of 1 or more"],
    [{ listSilenceMs: Number.NaN }, "reflector.listSilenceMs: NaN is no number"],
    [{ probeAfterMs: -1 }, "reflector.probeAfterMs: -1 is no number of 0 or more"],
    [{ verifyEveryMs: Number.POSITIVE_INFINITY }, "reflector.verifyEveryMs: Infinity is no number"],
    [{ backoff: { baseMs: 0, capMs: 0 } }, "reflector.backoff: 0 is no number of 1 or more"],
    [{ backoff: { capMs: 10, baseMs: 20 } }, "reflector.backoff: 10 is no number of 20 or more"],
    [{ watchTimeoutSeconds: [9, 8] }, "reflector.watchTimeoutSeconds: 8 is no number of 9 or more"],
  ] as const)("a number that cannot be meant is refused at once: %j", (reflector, text) => {
    expect(() => resourceOptions({ reflector })).toThrow(text);
    expect(() => resourceOptions({}, { reflector })).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test.each([
    [{ retention: "byte" }, 'retention: "byte" is none of object, bytes'],
    [{ managedFields: true }, "managedFields: true is none of keep, drop"],
    [{ queue: "FIFO" }, 'queue: "FIFO" is none of DeltaFIFO, RealFIFO'],
  ])("a word that is not known is refused at once: %j", (options, text) => {
    expect(() => resourceOptions(options as ResourceOptions)).toThrow(text);
    expect(() => resourceOptions({}, options as ResourceOptions)).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test("transform, retention, managedFields, freeze and handlers' defaults reach the informer", async () => {
    await using server = await EmbeddedApiServer.start();
    server.create(configMaps, { metadata: { name: "a" } });
    await using factory = new InformerFactory(server.kubeConfig(), { freeze: true });
    const dropped: string[] = [];
    const informer = factory.informerFor(configMaps, {
      freeze: false,
      transform: (object) => ({ ...object, seen: true }),
      queue: "RealFIFO",
      maxPending: 0,
      onOverflow: ({ key }) => void dropped.push(key),
    });
    expect(() => informer.addEventHandler(() => {})).toThrow(/maxPending is at least 1/);
    const overflow = { maxPending: 1, onOverflow: "drop" } as unknown as EventHandlerOptions;
    expect(() => informer.addEventHandler(() => {}, overflow)).toThrow(/onOverflow: "drop" is none of coalesce, block/);
    factory.start();
    await factory.waitForCacheSync();
    const [object] = informer.lister.list();
    expect(object).toMatchObject({ seen: true });
    expect(Object.isFrozen(object)).toBe(false);
  });
});

describe("asked for again", () => {
  const transform = (object: ConfigMap) => object;
  const make = () =>
    new InformerFactory(
      {
        getCurrentCluster: () => ({ server: "http://127.0.0.1:1" }),
        applyToHTTPSOptions: async () => {},
      },
      { resyncPeriodMs: 5_000 },
    );

  test("with the same options, or without any, it is the same informer", () => {
    const factory = make();
    const options = () =>
      ({ labelSelector: "a=1", transform, reflector: { backoff: { baseMs: 1, capMs: 2 } } }) as object;
    const informer = factory.informerFor(configMaps, options());
    expect(factory.informerFor(configMaps, options())).toBe(informer);
    expect(factory.forResource(configMaps).informer({ ...options(), resyncPeriodMs: 5_000 })).toBe(informer);
    expect(factory.forResource(configMaps).informer()).toBe(informer);
  });

  test.each([
    [{}, 'labelSelector and transform: labelSelector is "a=1", not the default'],
    [
      { labelSelector: "a=1", transform: (): ConfigMap => ({ metadata: {} }) },
      "another transform: transform is a function, not a function",
    ],
    [{ labelSelector: "a=1", transform, resyncPeriodMs: 1 }, "resyncPeriodMs is 5000, not 1"],
    [{ labelSelector: "a=1", transform, reflector: { pageSize: 5 } }, 'reflector is {}, not {"pageSize":5}'],
  ])("with %j it is refused, by what differs", (options, text) => {
    const factory = make();
    factory.informerFor(configMaps, { labelSelector: "a=1", transform });
    expect(() => factory.informerFor(configMaps, options)).toThrow(text);
    expect(() => factory.forResource(configMaps).acquire(options)).toThrow(
      expect.objectContaining({ code: "conflict" }),
    );
  });
});
