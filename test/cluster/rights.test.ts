/** Informers of somebody who may not see everything. */
import { type InformerError, SharedInformerFactory } from "kube-informers";
import { expect, test } from "vitest";
import { deferred } from "../../runtime/util/abort.js";
import { ApiClient } from "./support/api-client.js";
import { RESTRICTED_CONTEXT, RESTRICTED_USER } from "./support/cluster.js";
import { RECOVERY } from "./support/follow.js";
import { loadKubeConfig, ownCluster } from "./support/harness.js";
import { Recorder } from "./support/recorder.js";

const RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";

test("without rights waiting ends with the reason; with them the same informer syncs", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const kubeConfig = loadKubeConfig(cluster.kubeConfigPath);
  kubeConfig.setCurrentContext(RESTRICTED_CONTEXT);
  await api.create("/api/v1/namespaces/default/secrets", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "one" },
  });

  await using factory = new SharedInformerFactory(kubeConfig, { namespace: "default", onError: () => {} });
  const secrets = factory.core().v1().secrets();
  const recorder = Recorder.on(secrets.informer());
  factory.start();
  await expect(factory.waitForCacheSync()).rejects.toMatchObject({
    code: "not-synced",
    message: expect.stringMatching(/secrets[\s\S]*restricted/),
    cause: { code: "forbidden" },
  });

  await api.create(`${RBAC}/roles`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "reader" },
    rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list", "watch"] }],
  });
  await api.create(`${RBAC}/rolebindings`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "reader" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: RESTRICTED_USER }],
  });
  await secrets.informer().synced();
  await expect.poll(() => recorder.events.map(({ type, key }) => `${type} ${key}`)).toEqual(["add default/one"]);
});

test("the roles that a factory prints are enough, and each rule of them is needed", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const kubeConfig = loadKubeConfig(cluster.kubeConfigPath);
  kubeConfig.setCurrentContext(RESTRICTED_CONTEXT);
  const informersOf = (factory: SharedInformerFactory) => [
    factory.core().v1().secrets().informer(),
    factory.core().v1().nodes().informer(),
    factory.apps().v1().deployments().informer(),
  ];
  const printing = new SharedInformerFactory(kubeConfig, { namespace: "default" });
  informersOf(printing);
  const roles = printing.roles("printed");
  const pathOf = ({ kind }: { kind: string }) =>
    kind === "Role" ? `${RBAC}/roles` : "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  for (const role of roles) {
    await api.create(pathOf(role), role);
    await api.create(`${pathOf(role).replace(/roles$/, "rolebindings")}`, {
      apiVersion: role.apiVersion,
      kind: `${role.kind}Binding`,
      metadata: { name: "printed" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: role.kind, name: "printed" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: RESTRICTED_USER }],
    });
  }
  /** What a program that starts now is told: the first refusal, or nothing when it syncs. */
  const refusal = async () => {
    const refused = deferred<string>();
    const onError = ({ code, message }: InformerError) => {
      if (code === "forbidden") refused.resolve(message);
    };
    await using factory = new SharedInformerFactory(kubeConfig, { namespace: "default", onError });
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
