/** Credentials that run out while informers use them: the server has the last word on when. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { follow, RECOVERY } from "./support/follow.js";
import { fileCluster, loadKubeConfig, temporaryFolder, temporaryNamespace } from "./support/harness.js";

const fromNow = (seconds: number) => new Date(Date.now() + seconds * 1000);
/** By how much a server's clock may differ from that of who signed a token: RFC 7519 calls it leeway. */
const LEEWAY_SECONDS = 60;
/** A watch that is open goes on with what it was opened with. */
const reflector = { watchTimeoutSeconds: [2, 3] as const, backoff: { baseMs: 500, capMs: 3_000 } };

test("A2 a token that expires: told of while there is no other, and the next in its file is taken", async (context) => {
  const cluster = await fileCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const namespace = await temporaryNamespace(api);
  const account = await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "informer" },
  });
  await api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: "informer", namespace }],
  });
  const file = join(temporaryFolder(), "token");
  const write = (seconds: number) => writeFileSync(file, `${cluster.serviceAccountToken(account, fromNow(seconds))}\n`);
  write(6 - LEEWAY_SECONDS);
  // As in a pod.
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [loadKubeConfig(cluster.kubeConfigPath).getCurrentCluster()],
    users: [{ name: "pod", authProvider: { name: "tokenFile", config: { tokenFile: file } } }],
    contexts: [{ name: "pod", cluster: "kube-informers", user: "pod" }],
    currentContext: "pod",
  });
  const { subjects, errors, start, expectWell } = await follow(cluster, { kubeConfig, namespace, reflector });
  for (const { path, object } of subjects) await api.create(path, object("before"));
  await start();
  for (const { informer, cached, path, object } of subjects) {
    await expect.poll(() => informer.health().lastError?.code, RECOVERY).toBe("unauthorized");
    expect([...cached().keys()]).toContain(`${namespace}/before`);
    await api.create(path, object("meanwhile"));
  }
  write(3_600);
  await expectWell();
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(["unauthorized"]));
  for (const { requests } of subjects) expect(requests.filter(({ isList }) => isList)).toHaveLength(1);
});

test.for([
  ["HTTP/2", []],
  ["HTTP/1.1", ["--disable-http2-serving"]],
] as const)(
  "A8 a client certificate that expires over %s: one that was put in its place in time is used without a word, a late one at last",
  async ([, flags], context) => {
    const cluster = await fileCluster(context);
    const server = await cluster.secondApiServer({ flags });
    const api = ApiClient.fromFile(server.kubeConfigPath);
    const namespace = await temporaryNamespace(api);
    const informers = async (name: string) => {
      const folder = temporaryFolder();
      const files = { certFile: join(folder, "client.crt"), keyFile: join(folder, "client.key") };
      const write = (seconds: number) => {
        const { cert, key } = cluster.clientCertificate(name, "system:masters", fromNow(seconds));
        writeFileSync(files.certFile, cert);
        writeFileSync(files.keyFile, key);
      };
      write(6);
      const kubeConfig = new KubeConfig();
      kubeConfig.loadFromOptions({
        clusters: [loadKubeConfig(server.kubeConfigPath).getCurrentCluster()],
        users: [{ name, ...files }],
        contexts: [{ name, cluster: "kube-informers", user: name }],
        currentContext: name,
      });
      const followed = await follow(server, { kubeConfig, namespace, reflector });
      await followed.start();
      return { ...followed, write };
    };
    const [prompt, late] = [await informers("prompt"), await informers("late")];
    prompt.write(3_600);
    for (const { informer, path, object } of late.subjects) {
      await expect.poll(() => informer.health().lastError?.code, RECOVERY).toBe("unauthorized");
      await api.create(path, object("meanwhile"));
    }
    await prompt.expectWell();
    expect(prompt.errors).toEqual([]);
    late.write(3_600);
    await late.expectWell();
    expect(new Set(late.errors.map(({ code }) => code))).toEqual(new Set(["unauthorized"]));
  },
);
