/** From what a real API server publishes to an informer that follows it. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { SharedInformerFactory } from "kube-informers";
import type { InformerFactory, KubernetesObject, ResourceInformer } from "kube-informers/codegen";
import { expect, test } from "vitest";
import { resources } from "../../generated/generic.js";
import { collectionPath } from "../../runtime/api/group-version-resource.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";
import { projectRoot, run } from "../../scripts/support/command.js";
import { ApiClient } from "./support/api-client.js";
import {
  builtBinaries,
  type CustomResource,
  client,
  installCustomResource,
  loadKubeConfig,
  ownCluster,
  quietCluster,
  temporaryFolder,
  temporaryNamespace,
} from "./support/harness.js";
import { runWithKubeConfig } from "./support/programs.js";
import { Recorder, versions } from "./support/recorder.js";
import { until } from "./support/until.js";

const GADGETS: CustomResource = { group: "generated.example.com", version: "v1", resource: "gadgets", kind: "Gadget" };

const SCHEMA = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer" },
        mode: { type: "string", enum: ["on", "off"] },
        parts: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
      },
    },
    status: { type: "object", properties: { phase: { type: "string" } } },
  },
};

/** Compiles only if the generated types say what the schema says. */
const CONSUMER = `
import { SharedInformerFactory } from "./generated/factory.js";
declare const kubeConfig: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(kubeConfig);
const gadget = factory.generatedExampleCom().v1().gadgets().lister().namespace("a").get("b");
export const size: number | undefined = gadget?.spec?.size;
export const mode: "on" | "off" | undefined = gadget?.spec?.mode;
export const part: string | undefined = gadget?.spec?.parts?.[0]?.name;
// @ts-expect-error: the schema has no such field.
export const nothing = gadget?.spec?.nothing;
// @ts-expect-error: what a cache gives is shared, and not to be changed.
if (gadget?.spec) gadget.spec.size = 1;
`;

const BUILT_IN_CONSUMER = `
import { SharedInformerFactory as Factory } from "./generated/factory.js";
export const phase = (factory: Factory): string | undefined =>
  factory.core().v1().pods().lister().namespace("a").get("b")?.status?.phase;
export const replicas = (factory: Factory): number | undefined =>
  factory.apps().v1().deployments().lister().namespace("a").get("b")?.spec?.replicas;
`;

const tsx = join(projectRoot, "node_modules", ".bin", "tsx");

async function generate(path: string, args: readonly string[], input = ""): Promise<void> {
  const cli = join(projectRoot, "generator", "cli.ts");
  const { code, stderr } = await runWithKubeConfig(tsx, path, [cli, "generate", ...args], input);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
}

/** Compiles a folder as a strict user of the package would. */
async function compile(folder: string): Promise<void> {
  const base = JSON.parse(readFileSync(join(projectRoot, "tsconfig.json"), "utf8").replace(/^\s*\/\/.*$/gm, ""));
  const paths = Object.fromEntries(
    Object.entries(base.compilerOptions.paths as Record<string, string[]>).map(([name, targets]) => [
      name,
      targets.map((target) => join(projectRoot, target)),
    ]),
  );
  const typeRoots = [join(projectRoot, "node_modules", "@types")];
  const compilerOptions = { ...base.compilerOptions, paths, typeRoots };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["."] }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  expect(await run("tsc", ["-p", folder])).toMatchObject({ code: 0, output: "" });
}

interface Gadget extends KubernetesObject {
  spec?: { size: number };
}

/** The generated factory, loaded, follows objects of the server that it was generated from. */
async function follow(folder: string, api: ApiClient, kubeConfigPath: string): Promise<void> {
  const generated = await import(pathToFileURL(join(folder, "generated", "factory.ts")).href);
  const namespace = await temporaryNamespace(api);
  const path = `/apis/${GADGETS.group}/${GADGETS.version}/namespaces/${namespace}/${GADGETS.resource}`;
  const object = { apiVersion: `${GADGETS.group}/${GADGETS.version}`, kind: GADGETS.kind, metadata: { name: "one" } };
  await api.create(path, { ...object, spec: { size: 1 } });

  // Its types exist when the test runs, not when the test is compiled.
  const typed = new generated.SharedInformerFactory(loadKubeConfig(kubeConfigPath), { namespace });
  await using factory: InformerFactory = typed;
  const gadgets: ResourceInformer<Gadget, "Namespaced"> = typed.generatedExampleCom().v1().gadgets();
  const recorder = Recorder.on(gadgets.informer());
  factory.start();
  await factory.waitForCacheSync();
  await api.patch(`${path}/one`, { spec: { size: 2 } });
  await expect.poll(() => gadgets.lister().namespace(namespace).get("one")?.spec?.size).toBe(2);
  await api.delete(`${path}/one`);
  await expect.poll(() => recorder.events.map(({ type }) => type)).toEqual(["add", "update", "delete"]);
}

test("from a live server: everything it serves compiles, and a generated informer follows it", async (context) => {
  const { api, kubeConfigPath } = await quietCluster(context);
  await installCustomResource(GADGETS, { api, schema: SCHEMA });
  const folder = temporaryFolder();
  const args = ["--cluster", "--kubeconfig", kubeConfigPath, "--out", join(folder, "generated")];
  await generate(kubeConfigPath, args);
  await generate(kubeConfigPath, [...args, "--check"]);
  writeFileSync(join(folder, "consumer.ts"), CONSUMER);
  writeFileSync(join(folder, "built-in-consumer.ts"), BUILT_IN_CONSUMER);
  await compile(folder);
  await follow(folder, api, kubeConfigPath);
});

test("from an installed definition: the same, of one resource", async (context) => {
  const { api, kubeConfigPath } = await quietCluster(context);
  const definition = await installCustomResource(GADGETS, { api, schema: SCHEMA });
  const folder = temporaryFolder();
  await generate(kubeConfigPath, ["--crd", "-", "--out", join(folder, "generated")], JSON.stringify(definition));
  expect(readdirSync(join(folder, "generated"))).not.toContain("core");
  writeFileSync(join(folder, "consumer.ts"), CONSUMER);
  await compile(folder);
  await follow(folder, api, kubeConfigPath);
});

interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

function isSameResource(a: GroupVersionResource, b: GroupVersionResource): boolean {
  return a.group === b.group && a.version === b.version && a.resource === b.resource;
}

interface ApiResourceList {
  readonly resources: readonly {
    name: string;
    kind: string;
    namespaced: boolean;
    verbs: string[];
    shortNames?: string[];
  }[];
}

test("the built-in groups are those of the server, and every informer of them syncs", async (context) => {
  // Another version of Kubernetes serves other groups.
  builtBinaries(context);
  const get = async <T>(path: string) => (await client.get(path)) as unknown as T;
  const { groups } = await get<{ groups: { name: string; versions: { groupVersion: string }[] }[] }>("/apis");
  const builtIn = groups.filter(({ name }) => !name.includes(".") || name.endsWith(".k8s.io"));
  const served: (GroupVersionResource & { kind: string; scope: string; shortNames: unknown })[] = [];
  for (const groupVersion of [
    "v1",
    ...builtIn.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)),
  ]) {
    const [version = "", group = ""] = groupVersion.split("/").reverse();
    const list = await get<ApiResourceList>(group === "" ? "/api/v1" : `/apis/${groupVersion}`);
    for (const { name, kind, namespaced, verbs, shortNames } of list.resources) {
      if (!verbs.includes("watch") || name.includes("/")) continue;
      served.push({ group, version, resource: name, kind, scope: namespaced ? "Namespaced" : "Cluster", shortNames });
    }
  }
  const known = resources.map(({ group, version, resource, kind, scope, shortNames }) => ({
    group,
    version,
    resource,
    kind,
    scope,
    shortNames,
  }));
  // What is generated has every version of the API; a server at its default settings leaves most alphas and betas out.
  const beyond = known.length - served.length;
  expect(known).toEqual(expect.arrayContaining(served));
  expect(known.filter(({ version }) => /alpha|beta/.test(version)).length).toBeGreaterThanOrEqual(beyond);
  const here = resources.filter((one) => served.some((other) => isSameResource(one, other)));

  await using factory = new SharedInformerFactory(loadKubeConfig());
  const informers = here.map((descriptor) => factory.informerFor(descriptor));
  factory.start();
  await factory.waitForCacheSync();
  for (const [index, informer] of informers.entries()) {
    const path = collectionPath(here[index]!);
    // Leases are renewed all the time: both sides are asked anew until they agree.
    const agree = async () => {
      const fresh = versions((await client.list(path)).items);
      return isDeepStrictEqual(fresh, versions(informer.lister.list()));
    };
    await until(`the cache of ${informer.resource} to equal a fresh list`, agree);
  }
});

/** Which of the fields a server lets a selector of a resource name. */
async function selectable(api: ApiClient, descriptor: GroupVersionResource, fields: readonly string[]) {
  const accepts = async (field: string) => {
    const path = `${collectionPath(descriptor)}?limit=1&fieldSelector=${field}%3Dtrue`;
    return api.get(path).then(
      () => [field],
      (error: Error) => {
        expect(error.message).toContain(": 400 ");
        return [];
      },
    );
  };
  return (await Promise.all(fields.map(accepts))).flat();
}

test("a server with all API versions publishes the schema that is kept, and is selected by the fields of the descriptors", async (context) => {
  const { kubeConfigPath } = await ownCluster(context, ["--runtime-config=api/all=true"]);
  const api = ApiClient.fromFile(kubeConfigPath);
  const saved = join(temporaryFolder(), "schema.json.gz");
  await generate(kubeConfigPath, ["--cluster", "--kubeconfig", kubeConfigPath, "--save-schema", saved]);
  expect(readFileSync(saved).equals(readFileSync(join(projectRoot, "generator/schema/kubernetes-1.36.json.gz")))).toBe(
    true,
  );

  const descriptors: readonly ResourceDescriptor<KubernetesObject>[] = resources;
  const known = [...new Set(descriptors.flatMap(({ selectableFields = [] }) => selectableFields))];
  for (const descriptor of descriptors) {
    const { selectableFields = [] } = descriptor;
    const accepted = await selectable(api, descriptor, known);
    expect(accepted.sort(), descriptor.resource).toEqual([...selectableFields].sort());
  }
});
