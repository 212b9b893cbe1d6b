/** What the test files of this folder share: the cluster they were given, and namespaces of their own in it. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, inject, onTestFinished, type TestContext } from "vitest";
import { ApiClient, type ApiObject } from "./api-client.js";
import type { ClusterBinaries } from "./binaries.js";
import { Cluster } from "./cluster.js";
import { until } from "./until.js";

const provided = inject("cluster");

export const kubeConfigPath = provided.kubeConfigPath;

/** A fresh one each time: nothing of one test's credentials reaches another. */
export function loadKubeConfig(path = kubeConfigPath): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(path);
  return kubeConfig;
}

export const client = ApiClient.fromFile(kubeConfigPath);

/** A new namespace, which is deleted after the test. */
export async function temporaryNamespace(api = client): Promise<string> {
  const name = `kube-informers-${randomBytes(4).toString("hex")}`;
  await api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  onTestFinished(async () => {
    await api.delete(`/api/v1/namespaces/${name}`);
  });
  return name;
}

export interface CustomResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
}

/** A new namespaced resource of a group that nobody else has; it is removed after the test. */
export async function temporaryCustomResource(api = client): Promise<CustomResource> {
  const custom = newCustomResource();
  await installCustomResource(custom, { api });
  return custom;
}

export function newCustomResource(): CustomResource {
  return {
    group: `test-${randomBytes(4).toString("hex")}.example.com`,
    version: "v1",
    resource: "widgets",
    kind: "Widget",
  };
}

const ANYTHING = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** Installs a definition of its own making, with one version. */
export function installCustomResource(
  { group, version, resource, kind }: CustomResource,
  { api = client, schema = ANYTHING as object } = {},
): Promise<ApiObject> {
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${resource}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: resource, singular: kind.toLowerCase(), kind },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  return installDefinition(definition, api);
}

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string }[];
  };
}

/** Resolves when the resource is served, with the definition as the server has it; it is removed after the test. */
export async function installDefinition(definition: Definition, api = client): Promise<ApiObject> {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const { name } = definition.metadata;
  const installed = await api.create(path, definition);
  onTestFinished(async () => {
    // The test may have removed it already.
    await api.delete(`${path}/${name}`).catch(() => undefined);
    const isGone = () =>
      api.get(`${path}/${name}`).then(
        () => false,
        (error: Error) => error.message.includes("404"),
      );
    await until(`${name} to be gone`, isGone);
  });
  const { group, names, versions } = definition.spec;
  await until(`${name} to be served`, () => api.list(`/apis/${group}/${versions[0]?.name}/${names.plural}`));
  return installed;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The programs that were built for the tests; skips the test, saying so, when it runs against somebody's cluster. */
export function builtBinaries(context: TestContext): ClusterBinaries {
  return binariesOrSkip(context, "needs programs that are built when no --kubeconfig is given");
}

/** A cluster whose resources no other file changes at the same time. */
export async function quietCluster(context: TestContext): Promise<{ api: ApiClient; kubeConfigPath: string }> {
  // Against a given cluster the files run one after the other.
  if (provided.binaries === undefined) return { api: client, kubeConfigPath };
  const cluster = await ownCluster(context);
  return { api: ApiClient.fromFile(cluster.kubeConfigPath), kubeConfigPath: cluster.kubeConfigPath };
}

function binariesOrSkip(context: TestContext, reason: string): ClusterBinaries {
  if (provided.binaries === undefined) {
    context.skip(reason);
    throw new Error("skipped");
  }
  return provided.binaries;
}

/** A cluster for this test alone, which it may stop, kill, freeze and restart; ends with the test. */
export async function ownCluster(context: TestContext, apiServerFlags: readonly string[] = []): Promise<Cluster> {
  const reason = "stops and restarts servers, which is not done to a cluster given by --kubeconfig";
  const cluster = await Cluster.start({ binaries: binariesOrSkip(context, reason), apiServerFlags });
  onTestFinished(() => cluster.stop());
  return cluster;
}

let shared: Promise<Cluster> | undefined;
afterAll(async () => (await shared)?.stop());

/** A cluster for the tests of this file, whose users and keys they know; it is not stopped in between. */
export function fileCluster(context: TestContext): Promise<Cluster> {
  const binaries = binariesOrSkip(context, "gives rights to users that a cluster given by --kubeconfig does not have");
  shared ??= Cluster.start({ binaries });
  return shared;
}
