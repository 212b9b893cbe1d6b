/** A live API server → documents: its OpenAPI v3 for the schemas, its discovery for verbs, short names and categories. */
import type { RequestOptions } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { GeneratorError } from "../errors.js";
import { type ApiDocument, asSchema, type Resource } from "../model.js";
import { type DiscoveredResource, readDiscovery } from "./discovery.js";
import { get } from "./http.js";
import { openApiDocuments } from "./openapi.js";
import { importTool } from "./tools.js";

export interface ClusterSource {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly allowExec: boolean;
  readonly allowPartial: boolean;
}

/** A way to ask one server. */
export interface ServerClient {
  readonly name: string;
  get(path: string, accept?: string): Promise<{ status: number; body: Buffer }>;
}

interface Progress {
  step(text: string): void;
  warn(text: string): void;
}

const maxDocuments = 2000;
const publishedWithinMs = 20_000;

export async function loadCluster(source: ClusterSource, progress: Progress, signal: AbortSignal): Promise<ApiDocument[]> {
  const client = await connect(source, signal);
  progress.step(`asking ${client.name}`);
  const discovered = await discovery(client);
  const deadline = performance.now() + publishedWithinMs;
  for (;;) {
    const { documents, failed } = await readDocuments(client, progress);
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
    await delay(500, undefined, { signal }).catch(() => {
      throw new GeneratorError("interrupted", "interrupted");
    });
  }
}

/** Reads `/openapi/v3` of a server: the index, then every document that the index names. */
async function readDocuments(client: ServerClient, progress: Progress): Promise<{ documents: ApiDocument[]; failed: string[] }> {
  const index = asSchema(asSchema(parse((await ask(client, "/openapi/v3")).body, "/openapi/v3"))?.["paths"]) ?? {};
  const names = Object.keys(index).filter((name) => /^(?:api\/[^/]+|apis\/[^/]+\/[^/]+)$/.test(name));
  if (names.length > maxDocuments) throw new GeneratorError("limit", `the index of /openapi/v3 names ${names.length} documents`);
  const documents: ApiDocument[] = [];
  const failed: string[] = [];
  for (const [number, name] of names.sort().entries()) {
    progress.step(`reading schemas ${number + 1}/${names.length} ${name}`);
    const path = relativePath(asSchema(index[name])?.["serverRelativeURL"], name);
    const { status, body } = await client.get(path);
    if (status === 401 || status === 403) throw forbidden(client, path, status);
    if (status !== 200) failed.push(`${name} answers ${status}`);
    else documents.push(...openApiDocuments(parse(body, path), path));
  }
  return { documents, failed };
}

/** A path of the same server: an index must not send us, and our credentials, anywhere else. */
function relativePath(url: unknown, name: string): string {
  const plain = typeof url === "string" && /^\/openapi\/v3\/[^/\\]/.test(url) && !/[\u0000- \\#]|(?:^|\/)\.{1,2}(?:[/?]|$)|%2e|%2f|%5c/i.test(url);
  if (plain) return url;
  throw new GeneratorError("input", `the index of /openapi/v3 sends ${name} to ${JSON.stringify(url)}`, {
    hint: "only paths of the same server, below /openapi/v3/, are followed",
  });
}

async function connect(source: ClusterSource, signal: AbortSignal): Promise<ServerClient> {
  const { KubeConfig } = await importTool("@kubernetes/client-node", () => import("@kubernetes/client-node"));
  const config = new KubeConfig();
  try {
    if (source.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(source.kubeconfig);
    if (source.context !== undefined) {
      if (config.getContextObject(source.context) === null) throw new Error(`it has no context ${JSON.stringify(source.context)}`);
      config.setCurrentContext(source.context);
    }
  } catch (cause) {
    throw new GeneratorError("usage", `the kubeconfig cannot be used: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
      hint: "see --kubeconfig and --context; kubectl config get-contexts lists what there is",
    });
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
  await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0]);
  const base = cluster.server.replace(/\/+$/, "");
  return {
    name: config.getCurrentContext(),
    get: (path, accept = "application/json") =>
      get(new URL(base + path), { ...options, headers: { ...options.headers, accept } }, signal),
  };
}

async function discovery(client: ServerClient): Promise<DiscoveredResource[]> {
  const aggregated = ["v2", "v2beta1"].map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`);
  const found: DiscoveredResource[] = [];
  for (const path of ["/api", "/apis"]) {
    const { body } = await ask(client, path, [...aggregated, "application/json"].join(","));
    found.push(...readDiscovery(parse(body, path)));
  }
  return found;
}

async function ask(client: ServerClient, path: string, accept?: string): Promise<{ body: Buffer }> {
  const answer = await client.get(path, accept);
  if (answer.status === 200) return answer;
  if (answer.status === 401 || answer.status === 403) throw forbidden(client, path, answer.status);
  throw new GeneratorError("cluster", `${client.name} answers ${answer.status} to ${path}`, {
    hint: path === "/openapi/v3" ? "OpenAPI v3 is served by Kubernetes 1.24 and newer" : "is this the address of an API server?",
  });
}

function forbidden(client: ServerClient, path: string, status: number): GeneratorError {
  return new GeneratorError("cluster", `${client.name} does not allow to read ${path} (${status})`, {
    hint: 'the ClusterRole system:discovery allows it: nonResourceURLs ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"], verbs ["get"]',
  });
}

function parse(body: Buffer, path: string): unknown {
  if (body.length === 0) return { openapi: "3.0.0" };
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new GeneratorError("cluster", `the answer to ${path} is no JSON`, { cause, hint: "is this the address of an API server?" });
  }
}

const idOf = ({ group, version, resource }: Pick<Resource, "group" | "version" | "resource">) => `${resource}.${version}.${group}`;

function missingFrom(documents: readonly ApiDocument[], discovered: readonly DiscoveredResource[]): string[] {
  const known = new Set(documents.flatMap(({ resources }) => resources.map(idOf)));
  return discovered.filter((resource) => resource.verbs.includes("list") && !known.has(idOf(resource))).map((resource) => `no schema of ${idOf(resource)}`);
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
