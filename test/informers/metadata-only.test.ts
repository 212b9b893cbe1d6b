import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { metadataOnly } from "../../runtime/api/partial-object-metadata.js";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/informers/shared-informer-factory.js";
import { EmbeddedApiServer } from "../../runtime/testing/embedded-api-server.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { configMaps } from "../support/config-maps.js";
import { turnUntil } from "../support/settle.js";

const byName = { group: "", version: "v1", resource: "configmaps" };

let server: EmbeddedApiServer;
let factory: InformerFactory;
let accepts: (string | undefined)[];
/** What the server answers in place of its own, by what it was asked for. */
let refuse: (accept: string | undefined) => { status: number; body: object } | undefined;

function makeFactory(options: InformerFactoryOptions = {}): void {
  factory = new InformerFactory(server.kubeConfig(), { clock: new VirtualClock(), ...options }, [configMaps]);
}

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ clock: new VirtualClock() });
  for (const name of ["a", "b"])
    server.create(configMaps, { metadata: { name, labels: { of: name } }, data: { k: "v" } });
  accepts = [];
  refuse = () => undefined;
  server.intercept(({ headers }) => {
    accepts.push(headers["accept"]);
    return refuse(headers["accept"]);
  });
  makeFactory();
});
afterEach(async () => {
  await factory.shutdown();
  await server.close();
});

const metadataOf = (name: string) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata: server.get(configMaps, name)?.metadata,
});

describe("metadata alone", () => {
  test.each<[string, InformerFactoryOptions]>([
    ["by a streaming list", {}],
    ["by pages", { reflector: { streaming: false, pageSize: 1 } }],
  ])("is what the cache and handlers get, %s and in a watch", async (_, options) => {
    makeFactory(options);
    const { informer, lister } = factory.forResource(metadataOnly(configMaps));
    const events: string[] = [];
    informer().addEventHandler(({ type, key, object }) => void events.push(`${type} ${key} ${object.kind}`));
    factory.start();
    await factory.waitForCacheSync();
    expect(lister().list("of=a")).toEqual([metadataOf("a")]);
    server.create(configMaps, { metadata: { name: "c" }, data: { k: "v" } });
    server.delete(configMaps, "b");
    await turnUntil("it is told of", () => events.length === 4);
    expect(events.slice(2)).toEqual(["add default/c PartialObjectMetadata", "delete default/b PartialObjectMetadata"]);
    expect(lister().namespace("default").get("c")).toEqual(metadataOf("c"));
    expect(new Set(accepts)).toEqual(
      new Set(
        (options.reflector === undefined ? [""] : ["List", ""]).map(
          (list) => `application/json;as=PartialObjectMetadata${list};g=meta.k8s.io;v=v1,application/json`,
        ),
      ),
    );
  });

  test("has an informer of its own beside the whole objects', the same by descriptor and by name", async () => {
    const partial = factory.forResource(metadataOnly(configMaps)).informer();
    const whole = factory.informerFor(configMaps);
    expect(factory.forResource(metadataOnly(byName)).informer()).toBe(partial);
    expect(factory.forResource(byName).informer()).toBe(whole);
    factory.start();
    expect([...(await factory.waitForCacheSync()).keys()]).toEqual(["configmaps.v1 (metadata)", "configmaps.v1"]);
    expect(partial.lister.get("default/a")).toEqual(metadataOf("a"));
    expect(whole.lister.get("default/a")).toMatchObject({ kind: "ConfigMap", data: { k: "v" } });
  });

  test.each([true, false])(
    "H16: a server that answers 406 is asked for whole objects, once for all, of which metadata is kept (streaming: %s)",
    async (streaming) => {
      makeFactory({ reflector: { streaming } });
      refuse = (accept) =>
        accept?.includes("as=") === true ? { status: 406, body: { kind: "Status", code: 406 } } : undefined;
      const informer = factory.forResource(metadataOnly(configMaps)).informer();
      factory.start();
      await turnUntil("it has synced, or asks again and again", () => informer.hasSynced() || accepts.length > 20);
      server.create(configMaps, { metadata: { name: "c" }, data: { k: "v" } });
      expect(accepts.filter((accept) => accept !== "application/json")).toHaveLength(1);
      await turnUntil("it is cached", () => informer.indexer.has("default/c"));
      expect(informer.lister.list()).toEqual(["a", "b", "c"].map(metadataOf));
    },
  );
});
