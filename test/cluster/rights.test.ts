/** Informers of somebody who may not see everything. */
import { SharedInformerFactory } from "kube-informers";
import { expect, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { RESTRICTED_CONTEXT, RESTRICTED_USER } from "./support/cluster.js";
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
