/** A live API server → documents: its OpenAPI v3 for the schemas, its discovery for verbs, short names and categories. */
import type { RequestOptions } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { GeneratorError } from "../errors.js";
import type { ApiDocument, Resource } from "../model.js";
import { cacheFolder, withCache } from "./cache.js";
import { type DiscoveredResource, readDiscovery } from "./discovery.js";
import { get } from "./http.js";
import type { Progress } from "./progress.js";
import { ask, parseAnswer, readPublished, type ServerClient } from "./published.js";
import { importTool } from "./tools.js";

export interface ClusterSource {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly allowExec: boolean;
  readonly allowPartial: boolean;
}

/** How long a server gets to publish what it serves, and how often it is asked. */
export interface Patience {
  readonly withinMs: number;
  readonly everyMs: number;
}

export async function loadCluster(
  source: ClusterSource,
  progress: Progress,
  patience: Patience = { withinMs: 20_000, everyMs: 500 },
): Promise<ApiDocument[]> {
  const client = await connect(source);
  progress.step(`asking ${client.name}`);
  const discovered = await discovery(client);
  const deadline = performance.now() + patience.withinMs;
  for (;;) {
    const { documents, failed } = await readPublished(client, progress);
    const missing = missingFrom(documents, discovered);
    const problems = [...failed, ...missing];
    if (problems.length === 0) return withFacts(documents, discovered);
    // A group's document stays empty for some seconds after a start, or after its CRD was created.
    if (missing.length === 0 || performance.now() > deadline) {
      if (source.allowPartial) {
        for (const problem of problems) progress.warn(`left out: ${problem}`);
        return withFacts(documents, discovered);
      }
      throw new GeneratorError("cluster", `the cluster does not publish all of its API: ${problems.join("; ")}`, {
        hint: "try again in a minute, or leave those groups out with --allow-partial",
      });
    }
    progress.step("waiting for the cluster to publish its schemas");
    await delay(patience.everyMs);
  }
}

async function connect(source: ClusterSource): Promise<ServerClient> {
  const { KubeConfig } = await importTool("@kubernetes/client-node", () => import("@kubernetes/client-node"));
  const config = new KubeConfig();
  try {
    if (source.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(source.kubeconfig);
    if (source.context !== undefined) {
      if (config.getContextObject(source.context) === null)
        throw new Error(`it has no context ${JSON.stringify(source.context)}`);
      config.setCurrentContext(source.context);
    }
  } catch (cause) {
    throw new GeneratorError(
      "usage",
      `the kubeconfig cannot be used: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
        hint: "see --kubeconfig and --context; kubectl config get-contexts lists what there is",
      },
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new GeneratorError("usage", "no cluster is configured", { hint: "see --kubeconfig and --context" });
  }
  if (source.kubeconfig !== undefined && config.getCurrentUser()?.exec !== undefined && !source.allowExec) {
    throw new GeneratorError("usage", "the given kubeconfig runs a program to log in", {
      hint: "add --allow-exec if you trust the file",
    });
  }
  const options: RequestOptions = {};
  // In the clear client-node gives no credentials but throws. `kubectl proxy` needs none.
  if (!cluster.server.startsWith("http:") || cluster.skipTLSVerify) {
    await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0]).catch((cause) => {
      throw new GeneratorError("cluster", `no credentials for ${cluster.server}: ${String(cause?.message ?? cause)}`, {
        cause,
        hint: "kubectl cluster-info logs in the same way, and may say more",
      });
    });
  }
  const base = cluster.server.replace(/\/+$/, "");
  const client: ServerClient = {
    name: config.getCurrentContext(),
    get: (path, accept = "application/json") =>
      get(new URL(base + path), { ...options, headers: { ...options.headers, accept } }),
  };
  return withCache(client, base, cacheFolder());
}

async function discovery(client: ServerClient): Promise<DiscoveredResource[]> {
  const aggregated = ["v2", "v2beta1"].map(
    (v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`,
  );
  const found: DiscoveredResource[] = [];
  for (const path of ["/api", "/apis"]) {
    const { body } = await ask(client, path, [...aggregated, "application/json"].join(","));
    found.push(...readDiscovery(parseAnswer(body, path)));
  }
  return found;
}

const idOf = ({ group, version, resource }: Pick<Resource, "group" | "version" | "resource">) =>
  `${resource}.${version}.${group}`;

function missingFrom(documents: readonly ApiDocument[], discovered: readonly DiscoveredResource[]): string[] {
  const known = new Set(documents.flatMap(({ resources }) => resources.map(idOf)));
  return discovered
    .filter((resource) => resource.verbs.includes("list") && !known.has(idOf(resource)))
    .map((resource) => `no schema of ${idOf(resource)}`);
}

/** Discovery knows what OpenAPI does not say, and is right about verbs. */
function withFacts(documents: readonly ApiDocument[], discovered: readonly DiscoveredResource[]): ApiDocument[] {
  const facts = new Map(discovered.map((resource) => [idOf(resource), resource]));
  return documents.map((document) => ({
    ...document,
    resources: document.resources.map((resource) => {
      const known = facts.get(idOf(resource));
      if (known === undefined) return resource;
      const { singular, shortNames, categories, verbs } = known;
      const watchable = verbs.includes("watch");
      return { ...resource, ...(singular === "" ? {} : { singular }), shortNames, categories, watchable };
    }),
  }));
}
