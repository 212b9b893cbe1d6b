// Pods as a cluster has them: about 6.5 KB each, a third of it managedFields; or slim ones of 0.9 KB.
import { readFileSync } from "node:fs";

const parts = JSON.parse(readFileSync(new URL("pod-parts.json", import.meta.url), "utf8")) as Record<string, unknown>;
const NAMESPACES = 50;

/** The JSON of pod `i` at a resourceVersion. @param sent goes into an annotation, to measure latency by */
export function podJson(i: number, resourceVersion: number, slim: boolean, sent?: bigint): string {
  const app = i % 200;
  const node = i % 500;
  const hex = (n: number, length: number) => n.toString(16).padStart(length, "0");
  const image = `registry.example.com/team/app-${app}:1.2.${app % 30}`;
  const ip = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
  const metadata = {
    name: `app-${app}-${hex(app * 7919, 8)}-${String(i).padStart(5, "0")}`,
    generateName: `app-${app}-${hex(app * 7919, 8)}-`,
    namespace: `ns-${i % NAMESPACES}`,
    uid: `${hex(i, 8)}-0000-4000-8000-${hex(i, 12)}`,
    resourceVersion: String(resourceVersion),
    generation: 1,
    creationTimestamp: "2026-01-02T03:04:05Z",
    labels: {
      app: `app-${app}`,
      "app.kubernetes.io/name": `app-${app}`,
      "app.kubernetes.io/part-of": `suite-${app % 20}`,
      "pod-template-hash": hex(app * 7919, 8),
      "topology.kubernetes.io/zone": `zone-${"abc"[i % 3]}`,
      tier: "backend",
    },
    annotations: {
      ...(sent === undefined ? {} : { "bench.example.com/sent": String(sent) }),
      "prometheus.io/scrape": "true",
      "prometheus.io/port": "9090",
    },
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: `app-${app}-${hex(app * 7919, 8)}`,
        uid: `${hex(app, 8)}-1111-4000-8000-000000000000`,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
    ...(slim ? {} : { managedFields: parts["managedFields"] }),
  };
  const typeMeta = { kind: "Pod", apiVersion: "v1" };
  if (slim) {
    return JSON.stringify({
      ...typeMeta,
      metadata,
      spec: { nodeName: `node-${node}`, containers: [{ name: "main", image }] },
      status: { phase: "Running", podIP: ip },
    });
  }
  const state = (name: string, of: string, id: number) => ({
    name,
    state: { running: { startedAt: "2026-01-02T03:04:08Z" } },
    lastState: {},
    ready: true,
    restartCount: resourceVersion % 7,
    image: of,
    imageID: `${of.split(":")[0]}@sha256:${hex(id, 64)}`,
    containerID: `containerd://${hex(id + 1, 64)}`,
    started: true,
  });
  return JSON.stringify({
    ...typeMeta,
    metadata,
    spec: {
      volumes: parts["volumes"],
      containers: [{ name: "main", image, ...(parts["main"] as object) }, parts["sidecar"]],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      nodeSelector: { "kubernetes.io/os": "linux", pool: "general" },
      serviceAccountName: `app-${app}`,
      nodeName: `node-${node}`,
      ...(parts["rest"] as object),
    },
    status: {
      phase: "Running",
      hostIP: `192.0.2.${node % 250}`,
      podIP: ip,
      podIPs: [{ ip }],
      startTime: "2026-01-02T03:04:06Z",
      qosClass: "Burstable",
      conditions: parts["conditions"],
      containerStatuses: [state("main", image, i), state("proxy", "registry.example.com/mesh/proxy:3.4.5", 17)],
    },
  });
}
