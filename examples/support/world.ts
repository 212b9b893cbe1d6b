// A few objects, and things that happen to them, for examples that run without a cluster.
import { setTimeout as sleep } from "node:timers/promises";
import { deployments } from "kube-informers/apps/v1";
import { configMaps, pods, services } from "kube-informers/core/v1";
import type { EmbeddedApiServer } from "kube-informers/testing";
import { cronTabs } from "../generated/stable.example.com/v1/index.js";

export function podOf(name: string, namespace = "default", nodeName = "worker-1"): object {
  const app = name.replace(/-.*/, "");
  return {
    metadata: { name, namespace, labels: { app } },
    spec: { nodeName, containers: [{ name: app, image: `registry.example.com/${app}:1.0.0` }] },
    status: { phase: "Pending" },
  };
}

export function cronTabOf(name: string, replicas: number, namespace = "default"): object {
  return {
    apiVersion: "stable.example.com/v1",
    kind: "CronTab",
    metadata: { name, namespace },
    spec: { cronSpec: "*/5 * * * *", image: "registry.example.com/cron:2.1.0", replicas },
  };
}

function serviceOf(name: string, team: string): object {
  return { metadata: { name, namespace: "default", labels: { team } }, spec: { ports: [{ port: 80 }] } };
}

function deploymentOf(name: string, replicas: number): object {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name, image: `registry.example.com/${name}:1.0.0` }] },
  };
  return {
    metadata: { name, namespace: "default", labels },
    spec: { replicas, selector: { matchLabels: labels }, template },
  };
}

export function populate(server: EmbeddedApiServer): void {
  for (const name of ["web-0", "web-1", "db-0"]) server.create(pods, podOf(name));
  server.create(pods, podOf("dns-0", "kube-system", "worker-2"));
  server.create(services, serviceOf("web", "shop"));
  server.create(services, serviceOf("checkout", "shop"));
  server.create(services, serviceOf("metrics", "platform"));
  server.create(deployments, deploymentOf("web", 2));
  server.create(deployments, deploymentOf("db", 1));
  server.create(configMaps, { metadata: { name: "settings", namespace: "default" }, data: { colour: "blue" } });
  server.create(cronTabs, cronTabOf("nightly", 1));
  server.create(cronTabs, cronTabOf("hourly", 2));
}

/** Changes something every 400 ms, over and over, until the signal aborts. */
export async function live(server: EmbeddedApiServer, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const pod = `batch-${round}`;
    const happenings: (() => void)[] = [
      () =>
        server.patch(pods, "web-0", { status: { phase: "Running" } }, { namespace: "default", subresource: "status" }),
      () => server.create(pods, podOf(pod, "default", "worker-2")),
      () =>
        server.patch(
          services,
          "metrics",
          { metadata: { labels: { team: round % 2 === 0 ? "shop" : "platform" } } },
          { namespace: "default" },
        ),
      () => server.patch(deployments, "web", { spec: { replicas: 3 + (round % 2) } }, { namespace: "default" }),
      () => server.patch(cronTabs, "hourly", { spec: { replicas: 3 + round } }, { namespace: "default" }),
      () =>
        server.patch(
          configMaps,
          "settings",
          { data: { colour: round % 2 === 0 ? "green" : "blue" } },
          { namespace: "default" },
        ),
      () => server.delete(pods, pod, { namespace: "default" }),
    ];
    for (const happen of happenings) {
      await sleep(400, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      happen();
    }
  }
}
