/**
 * The embedded API server beside the real one: kubectl and client-go have to find no difference. Left out, because the
 * embedded server leaves it out: server-side apply, protobuf bodies (`kubectl create configmap`), tables with columns of
 * their own for each built-in kind.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EmbeddedApiServer } from "kube-informers/testing";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import {
  builtBinaries,
  installCustomResource,
  kubeConfigPath,
  newCustomResource,
  temporaryFolder,
  temporaryNamespace,
} from "./support/harness.js";
import { followWithKubeConfig, runWithKubeConfig } from "./support/programs.js";
import { until } from "./support/until.js";

interface Server {
  readonly name: string;
  readonly kubeConfigPath: string;
  readonly namespace: string;
  readonly api: ApiClient;
}

/** Both servers, each with a namespace for this test; the real one is what is expected. */
async function servers(context: TestContext) {
  const binaries = builtBinaries(context);
  const embedded = await EmbeddedApiServer.start();
  onTestFinished(() => embedded.close());
  const embeddedPath = join(temporaryFolder(), "kubeconfig");
  writeFileSync(embeddedPath, embedded.kubeConfig().exportConfig());
  const describe = async (name: string, path: string): Promise<Server> => {
    const api = ApiClient.fromFile(path);
    return { name, kubeConfigPath: path, namespace: await temporaryNamespace(api), api };
  };
  return { binaries, real: await describe("real", kubeConfigPath), embedded: await describe("embedded", embeddedPath) };
}

/** What differs between any two clusters is replaced by a word. */
function comparable(text: string, namespace: string): string {
  return (
    text
      .replaceAll(namespace, "NAMESPACE")
      .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "UID")
      .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
      .replace(/(resourceVersion"?: ?"?)\d+/g, "$1VERSION")
      .replace(/\b\d+(ms|s|m)\b/g, "AGE")
      // Where the rule for names begins, which each server puts in its own words.
      .replace(/(RFC 1123 subdomain must).*/g, "$1 …")
      .replace(/https?:\/\/127\.0\.0\.1:\d+/g, "SERVER")
  );
}

const APPLIED = (label: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "applied", labels: { label } },
    data: { one: "1", two: "2" },
  });

const MADE = JSON.stringify({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "made" },
  data: { key: "value" },
});

const DEPLOYMENT = JSON.stringify({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 80 }] }] },
    },
  },
});

const WRONG = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "Not a Name" } });

/** One after the other, as typed by somebody; what is read by a person is compared as it is. */
const SESSION: readonly [command: string, input?: string][] = [
  ["get configmaps -o name"],
  ["create -f -", MADE],
  ["create -f -", MADE],
  ["apply -f -", APPLIED("first")],
  ["apply -f -", APPLIED("first")],
  ["apply -f -", APPLIED("second")],
  ["get configmap applied -o jsonpath={.metadata.labels}/{.data}"],
  ["apply -f -", WRONG],
  ["get configmaps -o custom-columns=NAME:.metadata.name,LABEL:.metadata.labels.label"],
  ["get configmaps -l label=second -o name"],
  ["get configmaps --field-selector metadata.name=made -o name"],
  ["label configmap made tier=front"],
  ["annotate configmap made note=yes"],
  ['patch configmap made --type=json -p [{"op":"add","path":"/data/more","value":"1"}]'],
  ["get configmap made -o jsonpath={.metadata.labels}{.metadata.annotations}{.data}"],
  ["create -f -", DEPLOYMENT],
  ["get deployments -o custom-columns=NAME:.metadata.name,REPLICAS:.spec.replicas"],
  ["scale deployment web --replicas=3"],
  ["get deployment web -o jsonpath={.spec.replicas}"],
  ["get deployment,configmap -o name"],
  ["delete configmap made"],
  ["delete configmap made"],
  ["get configmap made"],
  ["get nonsense"],
  ["delete configmaps --all"],
  ["delete deployment web"],
  ["get configmaps,deployments -o name"],
];

async function expectSameAnswers(
  kubectl: string,
  [real, embedded]: readonly [Server, Server],
  session: readonly (readonly [command: string, input?: string])[],
): Promise<void> {
  for (const [command, input] of session) {
    const answer = async (server: Server) => {
      const args = ["--namespace", server.namespace, ...command.split(" ")];
      const { code, stdout, stderr } = await runWithKubeConfig(kubectl, server.kubeConfigPath, args, input);
      return { command, code, output: comparable(stdout + stderr, server.namespace) };
    };
    const [expected, actual] = await Promise.all([answer(real), answer(embedded)]);
    expect.soft(actual).toEqual(expected);
  }
}

test("kubectl: a session gives the same answers", async (context) => {
  const { binaries, real, embedded } = await servers(context);
  await expectSameAnswers(binaries.kubectl, [real, embedded], SESSION);
});

test("kubectl: so does one with a custom resource", async (context) => {
  const { binaries, real, embedded } = await servers(context);
  const toys = { ...newCustomResource(), resource: "toys", kind: "Toy" };
  const schema = {
    type: "object",
    properties: {
      spec: {
        type: "object",
        required: ["size"],
        properties: { size: { type: "integer", minimum: 1 }, colour: { type: "string", default: "red" } },
      },
    },
  };
  for (const { api, kubeConfigPath } of [real, embedded]) {
    await installCustomResource(toys, { api, schema });
    const list = () => runWithKubeConfig(binaries.kubectl, kubeConfigPath, ["get", toys.resource]);
    await until("discovery to name the new resource", async () => (await list()).code === 0);
  }
  const toy = (size: unknown, more = {}) =>
    JSON.stringify({
      apiVersion: `${toys.group}/v1`,
      kind: "Toy",
      metadata: { name: "ball" },
      spec: { size, ...more },
    });
  await expectSameAnswers(
    binaries.kubectl,
    [real, embedded],
    [
      ["get toys"],
      ["apply -f -", toy(1)],
      ["apply -f -", toy(1)],
      ["get toys"],
      ["get toy ball -o jsonpath={.spec}"],
      ["apply -f -", toy(0)],
      ["apply -f -", toy("large")],
      ["create -f -", toy(2, { unknown: true })],
      ["apply -f -", toy(3, { colour: "blue" })],
      ["get toy ball -o jsonpath={.metadata.generation}{.spec}"],
      ['patch toy ball --type=merge -p {"spec":{"size":4}}'],
      [`get toys.v1.${toys.group} -o name`],
      ["delete toy ball"],
      ["get toys -o name"],
    ],
  );
});

test("kubectl get --watch: the same lines for the same changes", async (context) => {
  const { binaries, ...both } = await servers(context);
  const follow = async ({ kubeConfigPath, namespace, api }: Server) => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await api.create(path, { metadata: { name: "early" } });
    const args = ["--namespace", namespace, "get", "configmaps", "--watch", "--output-watch-events", "-o", "name"];
    const watching = followWithKubeConfig(binaries.kubectl, kubeConfigPath, args);
    onTestFinished(watching.stop);
    await expect.poll(() => watching.lines.join()).toContain("early");
    await api.create(path, { metadata: { name: "late" } });
    await api.patch(`${path}/late`, { data: { key: "value" } });
    await api.delete(`${path}/late`);
    await expect.poll(() => watching.lines.filter((line) => line.includes("late")).length).toBe(3);
    return watching.lines.filter((line) => !line.includes("kube-root-ca"));
  };
  expect(await follow(both.embedded)).toEqual(await follow(both.real));
});

test("client-go: an informer is told the same", async (context) => {
  const { binaries, ...both } = await servers(context);
  const follow = async ({ kubeConfigPath, namespace, api }: Server) => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    await api.create(path, { metadata: { name: "early" } });
    const args = ["--kubeconfig", kubeConfigPath, "--namespace", namespace, "--resource", "configmaps"];
    const informer = followWithKubeConfig(binaries.clientGo, kubeConfigPath, args);
    onTestFinished(informer.stop);
    await expect.poll(() => informer.lines.join()).toContain("synced");
    await api.create(path, { metadata: { name: "late" } });
    await api.patch(`${path}/late`, { data: { key: "value" } });
    await api.delete(`${path}/late`);
    await expect.poll(() => informer.lines.at(-1)).toContain(`"delete","key":"${namespace}/late"`);
    return informer.lines.map((line) => comparable(line, namespace).replace(/"resourceVersion":"\d+",?/, ""));
  };
  expect(await follow(both.embedded)).toEqual(await follow(both.real));
});
