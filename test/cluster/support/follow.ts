/** Two informers that follow a cluster through its outages, and the question that matters after each. */
import { DynamicSharedInformerFactory, type ReflectorTunables, SharedInformerFactory } from "kube-informers";
import { expect, onTestFinished } from "vitest";
import { ApiClient } from "./api-client.js";
import type { Cluster } from "./cluster.js";
import { loadKubeConfig, temporaryCustomResource } from "./harness.js";
import { Recorder, versions } from "./recorder.js";
import { until } from "./until.js";

export const NAMESPACE = "default";
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
/** The longest pause between two attempts, 60 s, and then some. Most recoveries take less than ten. */
export const RECOVERY = { timeout: 90_000, interval: 50 };

/** Two informers, typed and dynamic, that follow a cluster until the test ends. */
export async function follow(cluster: Cluster, reflector: ReflectorTunables = {}) {
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const custom = await temporaryCustomResource(api);
  const widgets = `/apis/${custom.group}/${custom.version}/namespaces/${NAMESPACE}/${custom.resource}`;
  const widget = (name: string) => ({
    apiVersion: `${custom.group}/${custom.version}`,
    kind: custom.kind,
    metadata: { name },
  });
  // Failures are expected here, and looked at through health().
  const options = { namespace: NAMESPACE, onError: () => {}, reflector };
  const typed = new SharedInformerFactory(loadKubeConfig(cluster.kubeConfigPath), options);
  const dynamic = new DynamicSharedInformerFactory(loadKubeConfig(cluster.kubeConfigPath), options);
  onTestFinished(async () => {
    await Promise.all([typed.shutdown(), dynamic.shutdown()]);
  });
  const configMapInformer = typed.core().v1().configMaps().informer();
  const widgetInformer = dynamic.forResource(custom).informer();
  const subjects = [
    {
      path: CONFIG_MAPS,
      object: (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } }),
      recorder: Recorder.on(configMapInformer),
      cached: () => versions(configMapInformer.lister.list()),
      health: () => configMapInformer.health(),
    },
    {
      path: widgets,
      object: widget,
      recorder: Recorder.on(widgetInformer),
      cached: () => versions(widgetInformer.lister.list()),
      health: () => widgetInformer.health(),
    },
  ];
  const start = async () => {
    for (const factory of [typed, dynamic]) {
      factory.start();
      await factory.waitForCacheSync();
    }
  };
  /** The caches equal a fresh list, and so does what handlers were told. */
  const expectEqual = async () => {
    for (const { path, recorder, cached } of subjects) {
      // A server that has just started refuses for a moment: 429, its storage is initializing.
      const list = await until("a fresh list", () => api.list(path));
      const fresh = versions(list.items);
      await expect.poll(cached, RECOVERY).toEqual(fresh);
      await expect.poll(() => recorder.folded(), RECOVERY).toEqual(fresh);
      expect(recorder.breaches()).toEqual([]);
    }
  };
  return { api, subjects, start, expectEqual };
}
