/** The rows of the fault matrix that only a real server can play, by their numbers: see docs/faults.md. */
import { DynamicSharedInformerFactory, type InformerError, SharedInformerFactory } from "kube-informers";
import { expect, onTestFinished, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { RESTRICTED_CONTEXT, RESTRICTED_USER } from "./support/cluster.js";
import { follow, NAMESPACE, RECOVERY } from "./support/follow.js";
import {
  type CustomResource,
  installCustomResource,
  loadKubeConfig,
  newCustomResource,
  ownCluster,
} from "./support/harness.js";
import { Recorder, versions } from "./support/recorder.js";
import { until } from "./support/until.js";

const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
const widgets = ({ group, version, resource }: CustomResource) =>
  `/apis/${group}/${version}/namespaces/${NAMESPACE}/${resource}`;
const widget = ({ group, version, kind }: CustomResource, name: string) => ({
  apiVersion: `${group}/${version}`,
  kind,
  metadata: { name },
});

test("S6 etcd restored to an older copy: what went back is told of, and caches equal the server", async (context) => {
  const cluster = await ownCluster(context);
  const { api, subjects, start, expectEqual } = await follow(cluster, { probeAfterMs: 2_000 });
  for (const { path, object } of subjects) for (const name of ["kept", "changed"]) await api.create(path, object(name));
  await cluster.backup();
  await start();
  for (const { path, object } of subjects) {
    await until("the server to write again", () => api.create(path, object("undone")));
    for (let change = 0; change < 20; change++)
      await api.patch(`${path}/changed`, { metadata: { labels: { change: `${change}` } } });
  }
  await expectEqual();
  await cluster.killApiServer();
  await cluster.restore();
  for (const { cached } of subjects)
    await expect.poll(() => [...cached().keys()], RECOVERY).not.toContain(`${NAMESPACE}/undone`);
  for (const { path, recorder, cached } of subjects) {
    const fresh = versions((await until("a list", () => api.list(path))).items);
    await expect.poll(cached, RECOVERY).toEqual(fresh);
    await expect.poll(() => recorder.folded(), RECOVERY).toEqual(fresh);
    expect(recorder.of(`${NAMESPACE}/undone`).map(({ type }) => type)).toEqual(["add", "delete"]);
  }
});

test("S17 a definition deleted and re-created with another schema: all objects go, and the new ones come", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const custom = newCustomResource();
  await installCustomResource(custom, { api });
  await until("widgets", () => api.create(widgets(custom), widget(custom, "old")));
  const errors: InformerError[] = [];
  await using factory = new DynamicSharedInformerFactory(loadKubeConfig(cluster.kubeConfigPath), {
    onError: (error) => errors.push(error),
  });
  const informer = factory.forResource(custom).informer();
  const recorder = Recorder.on(informer);
  factory.start();
  await factory.waitForCacheSync();
  await api.delete(`${DEFINITIONS}/${custom.resource}.${custom.group}`);
  await expect.poll(() => informer.health().lastError?.code, RECOVERY).toBe("not-served");
  expect(informer.lister.list()).toEqual([]);
  const schema = {
    type: "object",
    properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
  };
  await installCustomResource(custom, { api, schema });
  await until("widgets", () => api.create(widgets(custom), widget(custom, "new")));
  await expect
    .poll(() => recorder.events.map(({ type, key }) => `${type} ${key}`), RECOVERY)
    .toEqual([`add ${NAMESPACE}/old`, `delete ${NAMESPACE}/old`, `add ${NAMESPACE}/new`]);
  expect(recorder.breaches()).toEqual([]);
});

test("S18 a version that is not served any more: not-served is reported, the cache stays, and follows again", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const custom = newCustomResource();
  const definition = `${DEFINITIONS}/${custom.resource}.${custom.group}`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const versionsServed = (isServed: boolean) => ({
    spec: {
      versions: [
        { name: "v1", served: isServed, storage: false, schema },
        { name: "v2", served: true, storage: true, schema },
      ],
    },
  });
  await installCustomResource(custom, { api });
  await api.patch(definition, versionsServed(true));
  await until("widgets", () => api.create(widgets(custom), widget(custom, "one")));
  const errors: InformerError[] = [];
  await using factory = new DynamicSharedInformerFactory(loadKubeConfig(cluster.kubeConfigPath), {
    onError: (error) => errors.push(error),
  });
  const informer = factory.forResource(custom).informer();
  factory.start();
  await factory.waitForCacheSync();
  await api.patch(definition, versionsServed(false));
  await expect.poll(() => errors.map(({ code }) => code), RECOVERY).toContain("not-served");
  expect(informer.lister.list()).toHaveLength(1);
  await api.patch(definition, versionsServed(true));
  await until("widgets", () => api.create(widgets(custom), widget(custom, "two")));
  await expect.poll(() => informer.lister.list().length, RECOVERY).toBe(2);
});

test("S19, H4 a conversion webhook that is broken: its informer alone waits, throttled, and syncs when it is mended", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const custom = newCustomResource();
  const definition = `${DEFINITIONS}/${custom.resource}.${custom.group}`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await installCustomResource(custom, { api });
  await until("widgets", () => api.create(widgets(custom), widget(custom, "one")));
  // What is stored as v1 has to be converted to be read as v2, by nobody.
  await api.patch(definition, {
    spec: {
      versions: [
        { name: "v1", served: true, storage: true, schema },
        { name: "v2", served: true, storage: false, schema },
      ],
      conversion: {
        strategy: "Webhook",
        webhook: { clientConfig: { url: "https://127.0.0.1:9/convert" }, conversionReviewVersions: ["v1"] },
      },
    },
  });
  await until("v2 to be served", () => api.get(`/apis/${custom.group}/v2`));
  await using factory = new DynamicSharedInformerFactory(loadKubeConfig(cluster.kubeConfigPath), { onError: () => {} });
  const broken = factory.forResource({ ...custom, version: "v2" }).informer();
  const well = factory.forResource({ group: "", version: "v1", resource: "configmaps" }).informer();
  factory.start();
  await well.synced();
  await expect.poll(() => broken.health().lastError, RECOVERY).toBeDefined();
  await api.create(CONFIG_MAPS, configMap("meanwhile"));
  await expect.poll(() => well.lister.list().map(({ metadata }) => metadata.name)).toContain("meanwhile");
  expect(broken.hasSynced()).toBe(false);
  await api.patch(definition, { spec: { conversion: { strategy: "None", webhook: null } } });
  await expect.poll(() => broken.hasSynced(), RECOVERY).toBe(true);
  expect(broken.lister.list()).toHaveLength(1);
});

test("H13, H14 rights taken away and given back: forbidden is reported, the cache stays, and follows again", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const kubeConfig = loadKubeConfig(cluster.kubeConfigPath);
  kubeConfig.setCurrentContext(RESTRICTED_CONTEXT);
  const errors: InformerError[] = [];
  await using factory = new SharedInformerFactory(kubeConfig, {
    namespace: NAMESPACE,
    // Rights are looked at when a watch is opened.
    reflector: { watchTimeoutSeconds: [2, 3] },
    onError: (error) => errors.push(error),
  });
  const informer = factory.core().v1().configMaps().informer();
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
  const [role] = factory.roles("reader");
  const binding = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "reader" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: RESTRICTED_USER }],
  };
  await api.create(`${rbac}/roles`, role!);
  await api.create(`${rbac}/rolebindings`, binding);
  await api.create(CONFIG_MAPS, configMap("one"));
  factory.start();
  await expect.poll(() => informer.hasSynced(), RECOVERY).toBe(true);
  errors.length = 0;
  await api.delete(`${rbac}/rolebindings/reader`);
  await expect.poll(() => errors.map(({ code }) => code), RECOVERY).toContain("forbidden");
  expect(informer.lister.namespace(NAMESPACE).get("one")).toBeDefined();
  await api.create(CONFIG_MAPS, configMap("two"));
  await api.create(`${rbac}/rolebindings`, binding);
  await expect.poll(() => informer.lister.namespace(NAMESPACE).get("two") !== undefined, RECOVERY).toBe(true);
});

test("A2 a token that the server refuses: the new one is taken as soon as it is there", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const admin = loadKubeConfig(cluster.kubeConfigPath);
  const good = admin.getCurrentUser()?.token ?? "";
  let token = good;
  const kubeConfig = {
    getCurrentCluster: () => admin.getCurrentCluster(),
    applyToHTTPSOptions: async (options: { headers?: object }) => {
      await admin.applyToHTTPSOptions(options);
      options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    },
  };
  const errors: InformerError[] = [];
  await using factory = new SharedInformerFactory(kubeConfig, { onError: (error) => errors.push(error) });
  const informer = factory.core().v1().configMaps().informer();
  token = "expired";
  factory.start();
  await expect.poll(() => errors.map(({ code }) => code), RECOVERY).toContain("unauthorized");
  token = good;
  await expect.poll(() => informer.hasSynced(), RECOVERY).toBe(true);
  await api.create(CONFIG_MAPS, configMap("one"));
  await expect.poll(() => informer.lister.namespace(NAMESPACE).get("one") !== undefined, RECOVERY).toBe(true);
});

test("N5 SIGSTOP, half open: found by the question, and nothing is lost once the server goes on", async (context) => {
  const cluster = await ownCluster(context);
  const { api, subjects, start, expectEqual } = await follow(cluster, { probeAfterMs: 1_000 });
  await start();
  const second = await cluster.secondApiServer();
  const other = ApiClient.fromFile(second.kubeConfigPath);
  cluster.signalApiServer("SIGSTOP");
  onTestFinished(() => cluster.signalApiServer("SIGCONT"));
  for (const { path, object } of subjects) await other.create(path, object("meanwhile"));
  for (const { health } of subjects) await expect.poll(() => health().lastError?.code, RECOVERY).toBe("timeout");
  cluster.signalApiServer("SIGCONT");
  await until("the server to answer", () => api.get("/version"));
  await expectEqual();
});

test("N16 HTTP/2 whose server says GOAWAY now and then: requests go on over new connections, and nothing is lost", async (context) => {
  const cluster = await ownCluster(context, ["--goaway-chance=0.02"]);
  const { api, subjects, start, expectEqual } = await follow(cluster, { watchTimeoutSeconds: [1, 2] });
  await start();
  for (let round = 0; round < 30; round++)
    for (const { path, object } of subjects) await api.create(path, object(`object-${round}`));
  await expectEqual();
});

test("a small window of history, overrun while the watch is away: one list, and nothing is lost", async (context) => {
  const cluster = await ownCluster(context);
  const { subjects, start, expectEqual } = await follow(cluster);
  await start();
  const second = await cluster.secondApiServer();
  const other = ApiClient.fromFile(second.kubeConfigPath);
  await cluster.killApiServer();
  for (const { path, object } of subjects) {
    await other.create(path, object("busy"));
    for (let change = 0; change < 300; change++)
      await other.patch(`${path}/busy`, { metadata: { labels: { change: `${change}` } } });
  }
  await cluster.startApiServer();
  await expectEqual();
});
