/**
 * Two informers that follow a cluster through what is done to it, and the judgement that is the same after each fault: what is
 * asked for is that of test/support/oracle.ts, by the names of docs/faults.md.
 */
import {
  DynamicSharedInformerFactory,
  type GroupVersionResource,
  type InformerError,
  isInformerError,
  type KubeConfigLike,
  type ReflectorTunables,
  SharedInformerFactory,
} from "kube-informers";
import { expect, onTestFinished } from "vitest";
import type { KubernetesObject, SharedInformer } from "../../../runtime/codegen.js";
import { maxWithin } from "../../soak/figures.js";
import { ApiClient } from "./api-client.js";
import { type CustomResource, loadKubeConfig, temporaryCustomResource } from "./harness.js";
import { Recorder, versions } from "./recorder.js";
import { until } from "./until.js";

export const NAMESPACE = "default";
/** The longest pause between two attempts, 60 s, and then some. Most recoveries take less than ten. */
export const RECOVERY = { timeout: 90_000, interval: 50 };

export interface FollowOptions {
  readonly reflector?: ReflectorTunables;
  /** Who the informers are, and how they get there: the administrator, directly. */
  readonly kubeConfig?: KubeConfigLike;
  readonly namespace?: string;
  /** What is followed beside config maps: a resource made for it. */
  readonly custom?: CustomResource;
}

/** One informer, and what it was seen to do. */
export interface Subject {
  /** Of its objects, in the namespace. */
  readonly path: string;
  readonly object: (name: string) => object;
  readonly recorder: Recorder;
  readonly informer: SharedInformer<KubernetesObject>;
  /** key → resourceVersion */
  readonly cached: () => Map<string, string>;
  /** When each list and watch began, in milliseconds; the pages of a list are one request. */
  readonly requests: { readonly isList: boolean; readonly atMs: number }[];
}

/** Two informers, typed and dynamic, that follow a cluster until the test ends. */
export async function follow(cluster: { readonly kubeConfigPath: string }, options: FollowOptions = {}) {
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const { reflector = {}, namespace = NAMESPACE } = options;
  const kubeConfig = options.kubeConfig ?? loadKubeConfig(cluster.kubeConfigPath);
  const custom = options.custom ?? (await temporaryCustomResource(api));
  const errors: InformerError[] = [];
  const requests = new Map<string, Subject["requests"]>([
    ["configmaps", []],
    [custom.resource, []],
  ]);
  const factoryOptions = {
    namespace,
    reflector,
    onError: (error: InformerError) => errors.push(error),
    tweakListOptions: <
      Options extends { sendInitialEvents?: boolean; timeoutSeconds?: number; continue?: string; limit?: number },
    >(
      asked: Options,
      { resource }: GroupVersionResource,
    ) => {
      const isList = asked.timeoutSeconds === undefined || asked.sendInitialEvents === true;
      if ((asked.continue ?? "") === "")
        requests.get(resource)?.push({ isList: isList && asked.limit !== 1, atMs: performance.now() });
      return asked;
    },
  };
  const typed = new SharedInformerFactory(kubeConfig, factoryOptions);
  const dynamic = new DynamicSharedInformerFactory(kubeConfig, factoryOptions);
  onTestFinished(async () => {
    await Promise.all([typed.shutdown(), dynamic.shutdown()]);
  });
  const subject = (
    informer: SharedInformer<KubernetesObject>,
    apiVersion: string,
    kind: string,
    resource: string,
  ): Subject => ({
    path: `/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}/namespaces/${namespace}/${resource}`,
    object: (name) => ({ apiVersion, kind, metadata: { name } }),
    recorder: Recorder.on(informer),
    informer,
    cached: () => versions(informer.lister.list() as Parameters<typeof versions>[0]),
    requests: requests.get(resource)!,
  });
  const configMaps = typed.core().v1().configMaps().informer() as SharedInformer<KubernetesObject>;
  const widgets = dynamic.forResource(custom).informer() as SharedInformer<KubernetesObject>;
  const subjects = [
    subject(configMaps, "v1", "ConfigMap", "configmaps"),
    subject(widgets, `${custom.group}/${custom.version}`, custom.kind, custom.resource),
  ] as const;

  const begin = () => {
    for (const factory of [typed, dynamic]) factory.start();
  };
  const start = async () => {
    begin();
    for (const factory of [typed, dynamic]) await factory.waitForCacheSync();
  };
  let rounds = 0;
  /** To be asked when the fault is over: that nothing is left of it but what was told. */
  const expectWell = async () => {
    const round = `${++rounds}`;
    for (const { path, object, recorder, cached, informer, requests: made } of subjects) {
      // A server that has just started refuses for a moment: 429, its storage is initializing.
      await until("a first write", () =>
        api.create(path, object(`well-${round}`)).catch((error: Error) => error.message.includes(" 409 ")),
      );
      const list = await until("a fresh list", () => api.list(path));
      const fresh = versions(list.items);
      await expect.poll(cached, { ...RECOVERY, message: "O1: the cache is what the server has" }).toEqual(fresh);
      await expect
        .poll(() => recorder.folded(), { ...RECOVERY, message: "O3: the handler was told of all of it" })
        .toEqual(fresh);
      const isDeclared = errors.some(({ code }) => code === "regressed");
      expect(recorder.breaches(isDeclared), "O2, O4: nothing made up, nothing goes back").toEqual([]);
      const times = made.map(({ atMs }) => atMs);
      expect(maxWithin(times, 1_000), "O5: requests within a second").toBeLessThanOrEqual(5);
      expect(maxWithin(times, 10_000), "O5: requests within ten seconds").toBeLessThanOrEqual(10);
      const isWell = { phase: "watching", synced: true, failingSinceMs: undefined, delayedSinceMs: undefined };
      await expect.poll(() => informer.health(), { message: "O8: all is well, and says so" }).toMatchObject(isWell);
      expect(informer.health().handlers[0]?.pending, "O6: nothing piles up").toBe(0);
    }
    expect(errors.every(isInformerError), "O8: errors are typed").toBe(true);
  };
  return { api, namespace, custom, subjects, errors, begin, start, expectWell };
}
