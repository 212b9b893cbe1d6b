/** What becomes of informers while the definition of their resource changes. */
import { expect, test } from "vitest";
import { follow, RECOVERY } from "./support/follow.js";
import {
  client,
  installCustomResource,
  kubeConfigPath,
  newCustomResource,
  temporaryCustomResource,
  temporaryNamespace,
} from "./support/harness.js";
import { until } from "./support/until.js";

const ANYTHING = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };

/** Informers of config maps and of a resource, and what is done to its definition. */
async function followed({ custom = newCustomResource(), version = "v1" } = {}) {
  const namespace = await temporaryNamespace();
  const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${custom.resource}.${custom.group}`;
  const subject = await follow({ kubeConfigPath }, { namespace, custom: { ...custom, version } });
  const widgets = `/apis/${custom.group}/v1/namespaces/${namespace}/${custom.resource}`;
  const create = (name: string) =>
    until(`the widget ${name}`, () =>
      client.create(widgets, { apiVersion: `${custom.group}/v1`, kind: custom.kind, metadata: { name } }),
    );
  const [configMaps, resource] = subject.subjects;
  return { ...subject, definition, create, configMaps, resource };
}

test("S17 a definition deleted and re-created with another schema: all objects go, and the new ones come", async () => {
  const custom = await temporaryCustomResource();
  const { definition, namespace, create, resource, start, expectWell } = await followed({ custom });
  await create("old");
  await start();
  await client.delete(definition);
  await expect.poll(() => resource.informer.health().lastError?.code, RECOVERY).toBe("not-served");
  expect(resource.informer.lister.list()).toEqual([]);
  const properties = { spec: { type: "object", properties: { size: { type: "integer" } } } };
  await installCustomResource(custom, { schema: { type: "object", properties } });
  await create("new");
  await expect
    .poll(() => resource.recorder.events.map(({ type, key }) => `${type} ${key}`), RECOVERY)
    .toEqual([`add ${namespace}/old`, `delete ${namespace}/old`, `add ${namespace}/new`]);
  await expectWell();
});

test("S18 a version that is not served any more: not-served is reported, the cache stays, and follows again", async () => {
  const custom = await temporaryCustomResource();
  const { definition, create, resource, errors, start, expectWell } = await followed({ custom });
  const serve = (served: boolean) =>
    client.patch(definition, {
      spec: {
        versions: [
          { name: "v1", served, storage: false, schema: ANYTHING },
          { name: "v2", served: true, storage: true, schema: ANYTHING },
        ],
      },
    });
  await serve(true);
  await create("one");
  await start();
  await serve(false);
  await expect.poll(() => errors.map(({ code }) => code), RECOVERY).toContain("not-served");
  expect(resource.informer.lister.list()).toHaveLength(1);
  await serve(true);
  await create("two");
  await expectWell();
  // What went on being stored was never gone.
  expect(resource.recorder.events.map(({ type }) => type)).not.toContain("delete");
});

test("a definition that is changed while it is watched: a version more, then a narrower schema", async () => {
  const custom = await temporaryCustomResource();
  const { definition, create, resource, start, expectWell } = await followed({ custom });
  await create("one");
  await start();
  const versions = (schema: object) => [
    { name: "v1", served: true, storage: true, schema },
    { name: "v2", served: true, storage: false, schema },
  ];
  await client.patch(definition, { spec: { versions: versions(ANYTHING) } });
  await until("v2 to be served", () => client.get(`/apis/${custom.group}/v2`));
  await create("two");
  await client.patch(definition, { spec: { versions: versions({ openAPIV3Schema: { type: "object" } }) } });
  await create("three");
  await expectWell();
  expect(resource.recorder.events.map(({ type }) => type)).not.toContain("delete");
});

test("S19, H4 a conversion webhook that is broken: its informer alone waits, throttled, and syncs when it is mended", async () => {
  const custom = await temporaryCustomResource();
  const { definition, namespace, create, configMaps, resource, begin, expectWell } = await followed({
    custom,
    version: "v2",
  });
  await create("one");
  // What is stored as v1 has to be converted to be read as v2, by nobody.
  await client.patch(definition, {
    spec: {
      versions: [
        { name: "v1", served: true, storage: true, schema: ANYTHING },
        { name: "v2", served: true, storage: false, schema: ANYTHING },
      ],
      conversion: {
        strategy: "Webhook",
        webhook: { clientConfig: { url: "https://127.0.0.1:9/convert" }, conversionReviewVersions: ["v1"] },
      },
    },
  });
  await until("v2 to be served", () => client.get(`/apis/${custom.group}/v2`));
  begin();
  await configMaps.informer.synced();
  await expect.poll(() => resource.informer.health().lastError, RECOVERY).toBeDefined();
  await client.create(configMaps.path, configMaps.object("meanwhile"));
  await expect.poll(() => [...configMaps.cached().keys()]).toContain(`${namespace}/meanwhile`);
  expect(resource.informer.hasSynced()).toBe(false);
  await client.patch(definition, { spec: { conversion: { strategy: "None", webhook: null } } });
  await expect.poll(() => resource.informer.hasSynced(), RECOVERY).toBe(true);
  await expectWell();
});
