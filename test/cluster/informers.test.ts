/** Typed, built-in and dynamic informers against a real API server. */

import { readFileSync } from "node:fs";
import { DynamicSharedInformerFactory, metadataOnly, NamespaceSet, SharedInformerFactory } from "kube-informers";
import type { KubernetesObject, SharedInformer } from "kube-informers/codegen";
import { configMaps } from "kube-informers/core/v1";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { SharedInformerFactory as ExampleInformerFactory } from "../../examples/generated/factory.js";
import {
  type CustomResource,
  client,
  installCustomResource,
  installDefinition,
  loadKubeConfig,
  newCustomResource,
  temporaryCustomResource,
  temporaryNamespace,
} from "./support/harness.js";
import { Recorder, versions } from "./support/recorder.js";
import { until } from "./support/until.js";

/** One way to get at one resource; the tests below hold for all of them. */
interface Subject {
  readonly collection: (namespace: string) => string;
  readonly object: (name: string) => object;
  readonly informer: (namespace: string | undefined) => Started;
}

interface Started {
  readonly informer: SharedInformer<KubernetesObject>;
  readonly start: () => Promise<void>;
}

type Factory = Pick<SharedInformerFactory, "start" | "waitForCacheSync" | "shutdown">;

/** The types that the informers are chosen by are not what is tested here: they are forgotten. */
function started<F extends Factory>(factory: F, choose: (factory: F) => unknown): Started {
  onTestFinished(async () => void (await factory.shutdown()));
  const informer = choose(factory) as SharedInformer<KubernetesObject>;
  const start = async () => {
    factory.start();
    await factory.waitForCacheSync();
  };
  return { informer, start };
}

const scope = (namespace: string | undefined) => (namespace === undefined ? {} : { namespace });
const widgetPath = ({ group, version, resource }: CustomResource, namespace: string) =>
  `/apis/${group}/${version}/namespaces/${namespace}/${resource}`;
const widget = ({ group, version, kind }: CustomResource, name: string) => ({
  apiVersion: `${group}/${version}`,
  kind,
  metadata: { name },
});
const configMapPath = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

const SUBJECTS: readonly [title: string, make: () => Promise<Subject>][] = [
  [
    "typed: pods",
    async () => ({
      collection: (namespace) => `/api/v1/namespaces/${namespace}/pods`,
      // The gate keeps the scheduler of a real cluster from running it.
      object: (name) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { schedulingGates: [{ name: "example.com/never" }], containers: [{ name: "none", image: "none" }] },
      }),
      informer: (namespace) =>
        started(new SharedInformerFactory(loadKubeConfig(), scope(namespace)), (factory) =>
          factory.core().v1().pods().informer(),
        ),
    }),
  ],
  [
    "typed: config maps",
    async () => ({
      collection: configMapPath,
      object: configMap,
      informer: (namespace) =>
        started(new SharedInformerFactory(loadKubeConfig(), scope(namespace)), (factory) =>
          factory.core().v1().configMaps().informer(),
        ),
    }),
  ],
  [
    "by name: config maps",
    async () => ({
      collection: configMapPath,
      object: configMap,
      informer: (namespace) =>
        started(new SharedInformerFactory(loadKubeConfig(), scope(namespace)), (factory) =>
          factory.forResource({ group: "", version: "v1", resource: "configmaps" }).informer(),
        ),
    }),
  ],
  [
    "metadata alone: config maps",
    async () => ({
      collection: configMapPath,
      object: configMap,
      informer: (namespace) =>
        started(new SharedInformerFactory(loadKubeConfig(), scope(namespace)), (factory) =>
          factory.forResource(metadataOnly(configMaps)).informer(),
        ),
    }),
  ],
  [
    "generated from a definition: cron tabs",
    async () => {
      const definition = readFileSync(new URL("../../examples/crontab.crd.yaml", import.meta.url), "utf8");
      await installDefinition(parse(definition));
      return {
        collection: (namespace) => `/apis/stable.example.com/v1/namespaces/${namespace}/crontabs`,
        object: (name) => ({
          apiVersion: "stable.example.com/v1",
          kind: "CronTab",
          metadata: { name },
          spec: { cronSpec: "*/5 * * * *", image: "none" },
        }),
        informer: (namespace) =>
          started(new ExampleInformerFactory(loadKubeConfig(), scope(namespace)), (factory) =>
            factory.stableExampleCom().v1().cronTabs().informer(),
          ),
      };
    },
  ],
  [
    "dynamic: a custom resource",
    async () => {
      const custom = await temporaryCustomResource();
      return {
        collection: (namespace) => widgetPath(custom, namespace),
        object: (name) => widget(custom, name),
        informer: (namespace) =>
          started(new DynamicSharedInformerFactory(loadKubeConfig(), scope(namespace)), (factory) =>
            factory.forResource(custom).informer(),
          ),
      };
    },
  ],
];

describe.each(SUBJECTS)("%s", (_title, make) => {
  test("creates, updates and deletes arrive, and the cache is what a fresh list is", async () => {
    const { collection, object, informer: makeInformer } = await make();
    const namespace = await temporaryNamespace();
    const path = collection(namespace);
    const { informer, start } = makeInformer(namespace);
    const recorder = Recorder.on(informer);
    // In a real cluster the namespace needs a moment before it accepts pods.
    const early = await until("the first object to be accepted", () => client.create(path, object("early")));
    await start();
    await expect
      .poll(() => recorder.of(`${namespace}/early`))
      .toEqual([
        {
          type: "add",
          key: `${namespace}/early`,
          resourceVersion: early.metadata.resourceVersion,
          isInInitialList: true,
        },
      ]);

    const key = `${namespace}/late`;
    const created = await client.create(path, object("late"));
    const changed = await client.patch(`${path}/late`, { metadata: { labels: { changed: "yes" } } });
    await expect.poll(() => recorder.of(key)).toHaveLength(2);
    expect(informer.lister.namespace(namespace).get("late")?.metadata?.labels).toEqual({ changed: "yes" });
    expect(versions(informer.lister.list())).toEqual(versions((await client.list(path)).items));

    await client.delete(`${path}/late`);
    await expect.poll(() => recorder.of(key).at(-1)?.type).toBe("delete");
    const oldResourceVersion = created.metadata.resourceVersion;
    expect(recorder.of(key).slice(0, 2)).toEqual([
      { type: "add", key, resourceVersion: oldResourceVersion, isInInitialList: false },
      { type: "update", key, resourceVersion: changed.metadata.resourceVersion, oldResourceVersion },
    ]);
    expect(recorder.of(key).at(-1)?.finalStateUnknown).toBe(false);
    expect(informer.lister.namespace(namespace).get("late")).toBeUndefined();
    expect(recorder.breaches()).toEqual([]);
    expect(recorder.folded()).toEqual(versions(informer.lister.list()));
  });

  test("a factory for one namespace never sees another's objects", async () => {
    const { collection, object, informer: makeInformer } = await make();
    const [ours, theirs] = [await temporaryNamespace(), await temporaryNamespace()];
    const { informer, start } = makeInformer(ours);
    const recorder = Recorder.on(informer);
    for (const namespace of [ours, theirs]) {
      await until("the first object to be accepted", () => client.create(collection(namespace), object("early")));
    }
    await start();
    await client.create(collection(theirs), object("late"));
    await client.delete(`${collection(theirs)}/early`);
    // Changes arrive in the order in which they happened: what theirs would bring would be here before this.
    await client.create(collection(ours), object("late"));
    await expect.poll(() => recorder.of(`${ours}/late`)).toHaveLength(1);
    expect(recorder.events.map(({ key }) => key)).toEqual([`${ours}/early`, `${ours}/late`]);
    expect(informer.lister.namespace(theirs).list()).toEqual([]);
    expect([...recorder.folded().keys()]).toEqual(
      informer.lister
        .list()
        .map((found) => `${ours}/${found.metadata?.name}`)
        .sort(),
    );
  });
});

test("a namespace does not narrow what has none", async () => {
  const namespace = await temporaryNamespace();
  await using factory = new SharedInformerFactory(loadKubeConfig(), { namespace });
  const lister = factory.core().v1().namespaces().lister();
  factory.start();
  await factory.waitForCacheSync();
  expect(lister.list().map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(["default", namespace]));
  expect(lister.get(namespace)?.status?.phase).toBe("Active");
});

test("several namespaces are behind one lister, come and go while it runs, and hide nothing of each other", async () => {
  const [one, two, three] = [await temporaryNamespace(), await temporaryNamespace(), await temporaryNamespace()];
  for (const namespace of [one, two, three]) await client.create(configMapPath(namespace), configMap("early"));
  const namespaces = new NamespaceSet([one, two]);
  await using factory = new SharedInformerFactory(loadKubeConfig(), { namespaces });
  const informer = factory.core().v1().configMaps().informer();
  const recorder = Recorder.on(informer);
  const expectEqual = async () => {
    const lists = await Promise.all([...namespaces].map((namespace) => client.list(configMapPath(namespace))));
    const fresh = versions(lists.flatMap(({ items }) => items));
    await expect.poll(() => versions(informer.lister.list())).toEqual(fresh);
    await expect.poll(() => recorder.folded()).toEqual(fresh);
    expect(recorder.breaches()).toEqual([]);
  };
  factory.start();
  await factory.waitForCacheSync();
  await expectEqual();

  await client.create(configMapPath(two), configMap("late"));
  await client.create(configMapPath(three), configMap("late"));
  await client.delete(`${configMapPath(one)}/early`);
  await expectEqual();

  namespaces.add(three);
  await informer.synced();
  namespaces.delete(two);
  await expectEqual();
  expect(informer.health().namespaces.map(({ namespace }) => namespace)).toEqual([one, three]);

  // Let go and followed again at once, and changed meanwhile.
  namespaces.delete(three);
  namespaces.add(three);
  const changed = await client.patch(`${configMapPath(three)}/late`, { metadata: { labels: { changed: "yes" } } });
  await informer.synced();
  await informer.waitFor(String(changed.metadata.resourceVersion), undefined, three);
  expect(informer.lister.namespace(three).list("changed=yes")).toHaveLength(1);
  await expectEqual();
});

test("namespaces are left out by the server", async () => {
  const [ours, theirs] = [await temporaryNamespace(), await temporaryNamespace()];
  for (const namespace of [ours, theirs]) await client.create(configMapPath(namespace), configMap("early"));
  await using factory = new SharedInformerFactory(loadKubeConfig(), { namespaces: { except: [theirs] } });
  const informer = factory.core().v1().configMaps().informer();
  const recorder = Recorder.on(informer);
  factory.start();
  await factory.waitForCacheSync();
  await client.create(configMapPath(theirs), configMap("late"));
  await client.delete(`${configMapPath(theirs)}/early`);
  const late = await client.create(configMapPath(ours), configMap("late"));
  await informer.waitFor(String(late.metadata.resourceVersion));
  expect(informer.lister.namespace(ours).get("late")).toBeDefined();
  expect(informer.lister.namespace(theirs).list()).toEqual([]);
  await expect.poll(() => recorder.of(`${ours}/late`)).toHaveLength(1);
  expect(recorder.events.filter(({ key }) => key.startsWith(`${theirs}/`))).toEqual([]);
});

test("selectors are the server's, and handlers that come late get the cache first", async () => {
  const namespace = await temporaryNamespace();
  const path = configMapPath(namespace);
  const labelled = (name: string, tier: string) => ({ ...configMap(name), metadata: { name, labels: { tier } } });
  await using factory = new SharedInformerFactory(loadKubeConfig(), {
    namespace,
    tweakListOptions: (options) => ({ ...options, labelSelector: "tier=front" }),
  });
  const accessor = factory.core().v1().configMaps();
  const early = Recorder.on(accessor.informer());
  await client.create(path, labelled("one", "front"));
  await client.create(path, labelled("other", "back"));
  factory.start();
  await factory.waitForCacheSync();
  const late = Recorder.on(accessor.informer());
  await expect
    .poll(() => late.events.map(({ key, isInInitialList }) => [key, isInInitialList]))
    .toEqual([[`${namespace}/one`, true]]);

  // An object that no longer matches is gone for those who selected it.
  await client.patch(`${path}/one`, { metadata: { labels: { tier: "back" } } });
  await client.patch(`${path}/other`, { metadata: { labels: { tier: "front" } } });
  for (const recorder of [early, late]) {
    await expect
      .poll(() => recorder.events.map(({ type, key }) => `${type} ${key}`))
      .toEqual([`add ${namespace}/one`, `delete ${namespace}/one`, `add ${namespace}/other`]);
  }
  expect(
    accessor
      .lister()
      .list("tier=front")
      .map(({ metadata }) => metadata.name),
  ).toEqual(["other"]);
});

test("a resource that is not served yet syncs when it is, and its objects go when it goes", async () => {
  const custom = newCustomResource();
  const namespace = await temporaryNamespace();
  await using factory = new DynamicSharedInformerFactory(loadKubeConfig(), { namespace, onError: () => {} });
  const { informer } = factory.forResource(custom);
  const recorder = Recorder.on(informer());
  factory.start();
  await expect.poll(() => informer().health().lastError?.code).toBe("not-served");
  await installCustomResource(custom);
  await informer().synced();
  await client.create(widgetPath(custom, namespace), widget(custom, "one"));
  await expect.poll(() => recorder.events.map(({ type }) => type)).toEqual(["add"]);

  await client.delete(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${custom.resource}.${custom.group}`);
  await expect.poll(() => recorder.events.map(({ type }) => type)).toEqual(["add", "delete"]);
  expect(informer().lister.list()).toEqual([]);
});
