/** What RBAC has to allow; test/cluster/rights.test.ts has a real server judge it. */
import { expect, test } from "vitest";
import { InformerFactory, type InformerFactoryOptions } from "../../runtime/index.js";

const API = "rbac.authorization.k8s.io/v1";
const kubeConfig = { getCurrentCluster: () => ({ server: "http://127.0.0.1:1" }), applyToHTTPSOptions: async () => {} };
const pods = { group: "", version: "v1", resource: "pods", kind: "Pod", scope: "Namespaced" } as const;
const nodes = { group: "", version: "v1", resource: "nodes", kind: "Node", scope: "Cluster" } as const;
const jobs = { group: "batch", version: "v1", resource: "jobs" };
const oldJobs = { group: "batch", version: "v1beta1", resource: "jobs" };

function factoryOf(options?: InformerFactoryOptions): InformerFactory {
  const factory = new InformerFactory(kubeConfig, options);
  for (const resource of [nodes, pods, oldJobs, jobs]) factory.forResource(resource).informer();
  return factory;
}

test("without a namespace a ClusterRole has it all: list and watch, by name, once for each group", () => {
  expect(factoryOf().roles("viewer")).toEqual([
    {
      apiVersion: API,
      kind: "ClusterRole",
      metadata: { name: "viewer" },
      rules: [
        { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["list", "watch"] },
        { apiGroups: ["batch"], resources: ["jobs"], verbs: ["list", "watch"] },
      ],
    },
  ]);
});

test("with one a Role in it, and a ClusterRole for what has no namespace", () => {
  expect(factoryOf({ namespace: "web" }).roles("viewer")).toEqual([
    {
      apiVersion: API,
      kind: "ClusterRole",
      metadata: { name: "viewer" },
      rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"] }],
    },
    {
      apiVersion: API,
      kind: "Role",
      metadata: { name: "viewer", namespace: "web" },
      rules: [
        { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
        { apiGroups: ["batch"], resources: ["jobs"], verbs: ["list", "watch"] },
      ],
    },
  ]);
});

test("with several namespaces a Role in each", () => {
  const roles = factoryOf({ namespaces: ["web", "shop"] }).roles("viewer");
  expect(roles.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
    ["ClusterRole", undefined],
    ["Role", "web"],
    ["Role", "shop"],
  ]);
});

test("all namespaces but some are everywhere, to RBAC", () => {
  const roles = factoryOf({ namespaces: { except: ["kube-system"] } }).roles("viewer");
  expect(roles.map(({ kind }) => kind)).toEqual(["ClusterRole"]);
});

test("who asks for nothing needs nothing", () => {
  expect(new InformerFactory(kubeConfig).roles("viewer")).toEqual([]);
});
