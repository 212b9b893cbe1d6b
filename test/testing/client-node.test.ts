/** The server as seen by a client that nobody here wrote: @kubernetes/client-node. */
import {
  ADD,
  ApiextensionsV1Api,
  AppsV1Api,
  CHANGE,
  CoreV1Api,
  CustomObjectsApi,
  DELETE,
  ERROR,
  KubeConfig,
  type KubernetesObject,
  ListWatch,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1CustomResourceDefinition,
  VersionApi,
  Watch,
} from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EmbeddedApiServer } from "../../runtime/testing/index.js";
import { configMaps, cronTab, cronTabDefinition, cronTabs, definitions, until } from "./support/client.js";

const PATH = "/api/v1/namespaces/default/configmaps";
let server: EmbeddedApiServer;
let kubeConfig: KubeConfig;

beforeEach(async () => {
  server = await EmbeddedApiServer.start({ token: "secret" });
  kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(server.kubeConfig().exportConfig());
});
afterEach(() => server.close());

describe("the typed clients", () => {
  it("create, read, replace, patch, list and delete", async () => {
    const core = kubeConfig.makeApiClient(CoreV1Api);
    const created = await core.createNamespacedConfigMap({
      namespace: "default",
      body: { metadata: { name: "a" }, data: { k: "v" } },
    });
    expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date);
    const replaced = await core.replaceNamespacedConfigMap({
      name: "a",
      namespace: "default",
      body: { ...created, data: { k: "w" } },
    });
    expect(replaced.data).toEqual({ k: "w" });
    const patched = await core.patchNamespacedConfigMap(
      { name: "a", namespace: "default", body: { data: { l: "x" } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    expect(patched.data).toEqual({ k: "w", l: "x" });
    const list = await core.listNamespacedConfigMap({ namespace: "default", labelSelector: "!none", limit: 10 });
    expect(list.items.map(({ metadata }) => metadata?.name)).toEqual(["a"]);
    expect((await core.deleteNamespacedConfigMap({ name: "a", namespace: "default" })).status).toBe("Success");
    await expect(core.readNamespacedConfigMap({ name: "a", namespace: "default" })).rejects.toMatchObject({
      code: 404,
    });
  });

  it("scale, and read the version", async () => {
    const apps = kubeConfig.makeApiClient(AppsV1Api);
    const body = { metadata: { name: "d" }, spec: { replicas: 1, selector: {}, template: {} } };
    await apps.createNamespacedDeployment({ namespace: "default", body });
    const scale = await apps.readNamespacedDeploymentScale({ name: "d", namespace: "default" });
    await apps.replaceNamespacedDeploymentScale({
      name: "d",
      namespace: "default",
      body: { ...scale, spec: { replicas: 4 } },
    });
    expect((await apps.readNamespacedDeployment({ name: "d", namespace: "default" })).spec?.replicas).toBe(4);
    expect((await kubeConfig.makeApiClient(VersionApi).getCode()).minor).toBe("36");
  });

  it("define and use custom resources", async () => {
    const extensions = kubeConfig.makeApiClient(ApiextensionsV1Api);
    await extensions.createCustomResourceDefinition({ body: cronTabDefinition() as V1CustomResourceDefinition });
    const custom = kubeConfig.makeApiClient(CustomObjectsApi);
    const where = { group: "stable.example.com", version: "v1", namespace: "default", plural: "crontabs" };
    await custom.createNamespacedCustomObject({ ...where, body: cronTab("a") });
    await custom.patchNamespacedCustomObjectStatus(
      { ...where, name: "a", body: { status: { replicas: 3 } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    expect(await custom.getNamespacedCustomObject({ ...where, name: "a" })).toMatchObject({
      spec: { cronSpec: "* * * * *" },
      status: { replicas: 3 },
    });
    await expect(custom.createNamespacedCustomObject({ ...where, body: cronTab("b", {}) })).rejects.toMatchObject({
      code: 422,
    });
    expect(await custom.listClusterCustomObject(where)).toMatchObject({ items: [{ metadata: { name: "a" } }] });
  });

  it("are refused without the token", async () => {
    server.token = "another";
    await expect(kubeConfig.makeApiClient(CoreV1Api).listNode()).rejects.toMatchObject({ code: 401 });
  });
});

describe("its informer", () => {
  it("follows, and comes back after a cut and a compaction", async () => {
    const core = kubeConfig.makeApiClient(CoreV1Api);
    server.create(configMaps, { metadata: { name: "first" } });
    const informer = makeInformer(kubeConfig, PATH, () => core.listNamespacedConfigMap({ namespace: "default" }));
    const seen: string[] = [];
    for (const verb of [ADD, CHANGE, DELETE] as const) {
      informer.on(verb, (object: V1ConfigMap) => seen.push(`${verb} ${object.metadata?.name}`));
    }
    const failures: unknown[] = [];
    informer.on(ERROR, (error: unknown) => failures.push(error));
    await informer.start();
    await until(() => server.watches.length === 1);
    server.create(configMaps, { metadata: { name: "second" } });
    server.patch(configMaps, "first", { data: { k: "v" } });
    server.delete(configMaps, "second");
    await until(() => seen.includes("delete second"));
    expect(seen).toEqual(expect.arrayContaining(["add first", "add second", "delete second"]));

    server.cutWatches();
    await until(() => failures.length === 1);
    server.create(configMaps, { metadata: { name: "third" } });
    server.compact();
    await informer.start();
    await until(() => seen.includes("add third"));
    expect(informer.get("third", "default")).toBeDefined();
    await informer.stop();
  });

  it("relists when it is told that its resourceVersion is Expired", async () => {
    server.install(cronTabDefinition());
    server.create(cronTabs, cronTab("a"));
    const custom = kubeConfig.makeApiClient(CustomObjectsApi);
    const where = { group: "stable.example.com", version: "v1", namespace: "default", plural: "crontabs" };
    let lists = 0;
    const list = async () => {
      lists += 1;
      // Something happens between the list and the watch.
      const answer = (await custom.listNamespacedCustomObject(where)) as {
        items: KubernetesObject[];
        metadata: object;
      };
      if (lists === 1) {
        server.create(cronTabs, cronTab("b"));
        server.compact();
      }
      return answer;
    };
    const informer = new ListWatch(
      "/apis/stable.example.com/v1/namespaces/default/crontabs",
      new Watch(kubeConfig),
      list,
      false,
    );
    informer.on(ERROR, () => {});
    await informer.start();
    await until(() => lists === 2 && informer.list().length === 2 && server.watches.length === 1);
    server.delete(definitions, "crontabs.stable.example.com");
    await until(() => informer.list().length === 0);
    await informer.stop();
  });
});
