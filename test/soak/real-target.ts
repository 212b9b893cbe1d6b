/**
 * A real kube-apiserver and etcd as a soak's target. The client's server is killed, frozen and put back; writers have another over
 * the same etcd, so that they can go on.
 */
import { KubeConfig } from "@kubernetes/client-node";
import { ApiClient } from "../cluster/support/api-client.js";
import { type ClusterBinaries, clusterBinaries, type Progress } from "../cluster/support/binaries.js";
import { Cluster } from "../cluster/support/cluster.js";
import type { ApiServer } from "../cluster/support/servers.js";
import { until } from "../cluster/support/until.js";
import { DEFINITION, NAMESPACES, RESOURCES, type SoakResource } from "./protocol.js";
import { type Fault, NETWORK_FAULTS, type Target } from "./target.js";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Of all HTTP/2 requests: the share that is answered with a GOAWAY as well. */
const GOAWAY_CHANCE = 0.002;

function pathOf({ resource: { group, version, resource } }: SoakResource, namespace?: string): string {
  const api = group === "" ? "/api" : `/apis/${group}`;
  return `${api}/${version}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${resource}`;
}

export async function realTarget(progress: Progress): Promise<Target> {
  const binaries: ClusterBinaries = await clusterBinaries(progress);
  const cluster = await Cluster.start({ binaries, apiServerFlags: [`--goaway-chance=${GOAWAY_CHANCE}`] });
  const writers = await cluster.secondApiServer();
  const api = ApiClient.fromFile(writers.kubeConfigPath);
  for (const name of NAMESPACES) await api.create("/api/v1/namespaces", { metadata: { name } });
  await define(api, cluster.first);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeConfigPath);
  const caData = kubeConfig.getCurrentCluster()?.caData ?? "";
  const at = (type: SoakResource, key: string) => {
    const [namespace = "", name = ""] = key.split("/");
    return `${pathOf(type, namespace)}/${name}`;
  };
  return {
    name: "real kube-apiserver",
    server: new URL(cluster.url),
    ca: Buffer.from(caData, "base64").toString(),
    token: kubeConfig.getCurrentUser()?.token,
    faults: [...NETWORK_FAULTS, ...processFaults(cluster, writers, api)],
    create: async (type, object) => {
      const { metadata } = object as { metadata: { namespace: string } };
      await api.create(pathOf(type, metadata.namespace), object);
    },
    update: async (type, key, object) => void (await api.patch(at(type, key), object)),
    delete: async (type, key) => void (await api.delete(at(type, key))),
    // The items of a list do not say of which kind they are.
    list: async (type) => (await api.list(pathOf(type))).items.map((item) => ({ ...item, kind: type.kind })),
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
}

/** Resolves when both servers serve it. */
async function define(api: ApiClient, first: ApiServer): Promise<void> {
  const path = pathOf(RESOURCES.find(({ name }) => name === "custom")!);
  await until("the old definition to be gone", () => api.create(DEFINITIONS, DEFINITION));
  for (const server of [api, ApiClient.fromFile(first.kubeConfigPath)])
    await until("the new definition to be served", () => server.list(path));
}

function processFaults(cluster: Cluster, writers: ApiServer, api: ApiClient): Fault[] {
  const { first } = cluster;
  const writable = () => until("a server that answers", () => api.list("/api/v1/configmaps"));
  return [
    {
      name: "SIGKILL",
      run: async ({ pause }) => {
        await first.kill("SIGKILL");
        await pause(2_000);
        await first.start();
      },
    },
    {
      name: "SIGTERM",
      run: async ({ pause }) => {
        const ended = first.kill("SIGTERM");
        // It would serve its watches to their end, for a minute.
        await pause(5_000);
        await first.kill("SIGKILL");
        await ended;
        await first.start();
      },
    },
    {
      name: "SIGSTOP for 10 s",
      run: async ({ pause }) => {
        first.signal("SIGSTOP");
        await pause(10_000);
        first.signal("SIGCONT");
      },
    },
    {
      name: "etcd killed",
      run: async ({ hold, pause }) => {
        await hold();
        await cluster.stopEtcd("SIGKILL");
        await pause(2_000);
        await cluster.startEtcd();
        await writable();
      },
    },
    {
      name: "compacted while away",
      run: async ({ relay, pause }) => {
        relay.set("refuse");
        await first.kill("SIGKILL");
        await pause(1_500);
        await cluster.compact();
        await first.start();
        relay.set("pass");
      },
    },
    {
      name: "definition re-created",
      run: async ({ withdraw, resume, pause }) => {
        await withdraw("custom");
        await api.delete(`${DEFINITIONS}/${DEFINITION.metadata.name}`);
        await pause(2_000);
        await define(api, first);
        resume("custom");
      },
    },
    {
      name: "etcd restored",
      run: async ({ hold, mark, pause }) => {
        await hold();
        await writers.kill("SIGKILL");
        await cluster.backup();
        await writers.start();
        await writable();
        const rewind = await mark();
        await pause(2_000);
        await rewind();
        await Promise.all([first, writers].map((server) => server.kill("SIGKILL")));
        await cluster.restore();
        await writers.start();
        await writable();
        // Until it has been noticed: once the server has grown past what was seen before, resourceVersions tell nothing.
        await pause(12_000);
      },
    },
  ];
}
