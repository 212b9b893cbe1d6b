/** One cluster for all test files; those that do violence to servers start one of their own. */
import type { TestProject } from "vitest/node";
import { type ClusterBinaries, clusterBinaries } from "./binaries.js";
import { Cluster } from "./cluster.js";

/** What test files get: see harness.ts. */
export interface ProvidedCluster {
  readonly kubeConfigPath: string;
  /** Missing when the tests run against a cluster that somebody else runs. */
  readonly binaries?: ClusterBinaries;
}

declare module "vitest" {
  export interface ProvidedContext {
    cluster: ProvidedCluster;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env["KUBE_INFORMERS_TEST_KUBECONFIG"];
  if (given !== undefined) {
    project.provide("cluster", { kubeConfigPath: given });
    return undefined;
  }
  const binaries = await clusterBinaries();
  const cluster = await Cluster.start({ binaries });
  project.provide("cluster", { kubeConfigPath: cluster.kubeConfigPath, binaries });
  return () => cluster.stop();
}
