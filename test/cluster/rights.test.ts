/** Informers of somebody who may not see everything. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InformerError, SharedInformerFactory } from "kube-informers";
import { expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { rolesOfSources } from "../../generator/rbac.js";
import { deferred } from "../../runtime/util/abort.js";
import { projectRoot } from "../../scripts/support/command.js";
import { ApiClient } from "./support/api-client.js";
import { follow, RECOVERY } from "./support/follow.js";
import { fileCluster, loadKubeConfig, temporaryNamespace } from "./support/harness.js";
import { RESTRICTED_CONTEXT, RESTRICTED_USER } from "./support/identities.js";
import { Recorder } from "./support/recorder.js";

const rbacOf = (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
const binding = (kind: "Role" | "ClusterRole", name: string) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: `${kind}Binding`,
  metadata: { name },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: RESTRICTED_USER }],
});

test("without rights waiting ends with the reason; with them the same informer syncs", async (context) => {
  const cluster = await fileCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const kubeConfig = loadKubeConfig(cluster.kubeConfigPath);
  kubeConfig.setCurrentContext(RESTRICTED_CONTEXT);
  const namespace = await temporaryNamespace(api);
  await api.create(`/api/v1/namespaces/${namespace}/secrets`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "one" },
  });

  await using factory = new SharedInformerFactory(kubeConfig, { namespace, onError: () => {} });
  const secrets = factory.core().v1().secrets();
  const recorder = Recorder.on(secrets.informer());
  factory.start();
  await expect(factory.waitForCacheSync()).rejects.toMatchObject({
    code: "not-synced",
    message: expect.stringMatching(/secrets[\s\S]*restricted/),
    cause: { code: "forbidden" },
  });

  const rbac = rbacOf(namespace);
  await api.create(`${rbac}/roles`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "reader" },
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list", "watch"] }],
  });
  await api.create(`${rbac}/rolebindings`, binding("Role", "reader"));
  await secrets.informer().synced();
  await expect.poll(() => recorder.events.map(({ type, key }) => `${type} ${key}`)).toEqual([`add ${namespace}/one`]);
});

/** The informers that the test below asks for, in a program's own words. */
const SOURCE = `
import { SharedInformerFactory } from "kube-informers";
declare const kubeConfig: any;
const factory = new SharedInformerFactory(kubeConfig, { namespace: "NAMESPACE" });
factory.core().v1().secrets().informer();
factory.core().v1().nodes().informer();
factory.apps().v1().deployments().informer();
`;

/** What `kube-informers rbac --for` prints of it. */
async function rolesOfSource(namespace: string): Promise<unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-rights-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(projectRoot, "tsconfig.json") }));
  writeFileSync(join(folder, "main.ts"), SOURCE.replace("NAMESPACE", namespace));
  const printed = await rolesOfSources(folder, "printed", expect.unreachable);
  return parseAllDocuments(printed).map((document) => document.toJS());
}

test("the roles that a factory prints, and those of its sources, are enough, and each rule of them is needed", async (context) => {
  const cluster = await fileCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const kubeConfig = loadKubeConfig(cluster.kubeConfigPath);
  kubeConfig.setCurrentContext(RESTRICTED_CONTEXT);
  const informersOf = (factory: SharedInformerFactory) => [
    factory.core().v1().secrets().informer(),
    factory.core().v1().nodes().informer(),
    factory.apps().v1().deployments().informer(),
  ];
  const namespace = await temporaryNamespace(api);
  const printing = new SharedInformerFactory(kubeConfig, { namespace });
  informersOf(printing);
  const roles = printing.roles("printed");
  expect(await rolesOfSource(namespace)).toEqual(roles);
  const pathOf = ({ kind }: { kind: string }) =>
    kind === "Role" ? `${rbacOf(namespace)}/roles` : "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  for (const role of roles) {
    await api.create(pathOf(role), role);
    await api.create(pathOf(role).replace(/roles$/, "rolebindings"), binding(role.kind, "printed"));
  }
  /** What a program that starts now is told: the first refusal, or nothing when it syncs. */
  const refusal = async () => {
    const refused = deferred<string>();
    const onError = ({ code, message }: InformerError) => {
      if (code === "forbidden") refused.resolve(message);
    };
    await using factory = new SharedInformerFactory(kubeConfig, { namespace, onError });
    const informers = informersOf(factory);
    factory.start();
    const synced = Promise.all(informers.map((informer) => informer.synced())).then(() => "synced");
    return await Promise.race([refused.promise, synced]);
  };
  // RBAC is read from a cache of the server's own.
  await expect.poll(refusal, RECOVERY).toBe("synced");

  for (const role of roles) {
    for (const rule of role.rules) {
      await api.patch(`${pathOf(role)}/printed`, { rules: role.rules.filter((other) => other !== rule) });
      const missing = `resources: ["${rule.resources[0]}"], verbs: ["list", "watch"]`;
      await expect.poll(refusal, RECOVERY).toContain(missing);
      await api.patch(`${pathOf(role)}/printed`, { rules: role.rules });
      await expect.poll(refusal, RECOVERY).toBe("synced");
    }
  }
});

test("H13, H14 rights taken away and given back: forbidden is reported, the cache stays, and follows again", async (context) => {
  const cluster = await fileCluster(context);
  const kubeConfig = loadKubeConfig(cluster.kubeConfigPath);
  kubeConfig.setCurrentContext(RESTRICTED_CONTEXT);
  const namespace = await temporaryNamespace(ApiClient.fromFile(cluster.kubeConfigPath));
  // Rights are looked at when a watch is opened.
  const reflector = { watchTimeoutSeconds: [2, 3] as const };
  const { api, custom, subjects, errors, start, expectWell } = await follow(cluster, {
    kubeConfig,
    namespace,
    reflector,
  });
  const bindings = `${rbacOf(namespace)}/rolebindings`;
  await api.create(`${rbacOf(namespace)}/roles`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "reader" },
    rules: [{ apiGroups: ["", custom.group], resources: ["configmaps", "widgets"], verbs: ["list", "watch"] }],
  });
  await api.create(bindings, binding("Role", "reader"));
  for (const { path, object } of subjects) await api.create(path, object("one"));
  // RBAC is read from a cache of the server's own.
  await start().catch(() => {});
  for (const { informer } of subjects) await expect.poll(() => informer.hasSynced(), RECOVERY).toBe(true);
  errors.length = 0;
  await api.delete(`${bindings}/reader`);
  for (const { informer, cached, path, object } of subjects) {
    await expect.poll(() => informer.health().lastError?.code, RECOVERY).toBe("forbidden");
    expect([...cached().keys()]).toContain(`${namespace}/one`);
    await api.create(path, object("two"));
  }
  await api.create(bindings, binding("Role", "reader"));
  await expectWell();
  for (const { recorder } of subjects) expect(recorder.events.map(({ type }) => type)).not.toContain("delete");
});
