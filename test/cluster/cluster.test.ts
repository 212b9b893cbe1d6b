/** The harness itself: what the other files rely on when they stop, kill, freeze and restart servers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { silent } from "./support/binaries.js";
import { builtBinaries, client, ownCluster, temporaryFolder, temporaryNamespace } from "./support/harness.js";
import { down, up } from "./support/running.js";
import { isAlive, isOurs } from "./support/service.js";
import { until } from "./support/until.js";

const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

test("objects can be created, changed, listed and deleted", async () => {
  const namespace = await temporaryNamespace();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  await client.create(path, configMap("one"));
  const changed = await client.patch(`${path}/one`, { data: { key: "value" } });
  expect(changed["data"]).toEqual({ key: "value" });
  const before = await client.list(path);
  expect(before.items.map(({ metadata }) => metadata.name)).toContain("one");
  await client.delete(`${path}/one`);
  await expect(client.get(`${path}/one`)).rejects.toThrow("404");
});

test("a killed API server comes back at its address with its objects, and etcd has forgotten what was compacted", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const path = "/api/v1/namespaces/default/configmaps";
  const { resourceVersion } = (await api.create(path, configMap("kept"))).metadata;
  await cluster.killApiServer("SIGKILL");
  await expect(api.list(path)).rejects.toThrow("ECONNREFUSED");

  const second = await cluster.secondApiServer();
  const other = ApiClient.fromFile(second.kubeConfigPath);
  await other.create(path, configMap("added"));
  await second.kill("SIGKILL");
  const revision = await cluster.compact();
  expect(revision).toBeGreaterThan(Number(resourceVersion));
  await cluster.startApiServer();

  expect((await api.list(path)).items.map(({ metadata }) => metadata.name).sort()).toEqual(["added", "kept"]);
  const past = `${path}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact&limit=1`;
  await expect(api.list(past)).rejects.toThrow("410");
});

test("etcd can be restarted, and a frozen API server answers once it is thawed", async (context) => {
  const cluster = await ownCluster(context);
  const api = ApiClient.fromFile(cluster.kubeConfigPath);
  const path = "/api/v1/namespaces/default/configmaps";
  await api.create(path, configMap("kept"));
  cluster.signalApiServer("SIGSTOP");
  const answer = api.get(`${path}/kept`);
  cluster.signalApiServer("SIGCONT");
  expect((await answer).metadata.name).toBe("kept");
  await cluster.stopEtcd();
  await cluster.startEtcd();
  await expect.poll(() => api.get(`${path}/kept`).then(({ metadata }) => metadata.name, String)).toBe("kept");
});

test("a stopped cluster leaves no process and no folder", async (context) => {
  const cluster = await ownCluster(context);
  const { etcd, apiServer } = cluster.processIds;
  expect([etcd, apiServer].map((pid) => isAlive(pid ?? 0))).toEqual([true, true]);
  expect(await cluster.kubectl("get", "namespace", "default", "-o", "name")).toBe("namespace/default\n");
  await cluster.stop();
  expect(existsSync(cluster.directory)).toBe(false);
  expect([etcd, apiServer].map((pid) => isAlive(pid ?? 0))).toEqual([false, false]);
});

test("a cluster ends with the process that started it, however that goes", async (context) => {
  const binaries = builtBinaries(context);
  const program = `
    const { Cluster } = await import(${JSON.stringify(new URL("./support/cluster.js", import.meta.url).href)});
    const cluster = await Cluster.start({ binaries: ${JSON.stringify(binaries)} });
    console.log(JSON.stringify({ ...cluster.processIds, directory: cluster.directory }));
    process.stdin.resume();`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { etcd, apiServer, directory } = JSON.parse(line.toString());
  expect(isOurs(etcd, directory) && isOurs(apiServer, directory)).toBe(true);
  child.kill("SIGKILL");
  await until("the guardian to do its work", () => !existsSync(directory));
  expect(isOurs(etcd, directory) || isOurs(apiServer, directory)).toBe(false);
});

test("the cluster that stays: asked for twice it is one, broken it is replaced, and only its own processes are ended", async (context) => {
  const binaries = builtBinaries(context);
  const cache = temporaryFolder();
  const start = () => up(silent, cache, async () => binaries);
  onTestFinished(async () => void (await down(cache)));

  const both = await Promise.all([start(), start()]);
  expect(both.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
  expect(both[0].cluster).toEqual(both[1].cluster);
  expect(await start()).toEqual({ cluster: both[0].cluster, isNew: false });

  process.kill(both[0].cluster.processIds[0]!, "SIGKILL");
  await until("the API server to end", () => !isOurs(both[0].cluster.processIds[0]!, both[0].cluster.directory));
  const { cluster, isNew } = await start();
  expect(isNew).toBe(true);
  expect(isOurs(both[0].cluster.processIds[1]!, both[0].cluster.directory)).toBe(false);

  // A recorded id may have become another program's: here it is this one's.
  const record = join(cache, "running.json");
  writeFileSync(record, JSON.stringify({ ...cluster, processIds: [...cluster.processIds, process.pid] }));
  expect(await down(cache)).toBe(true);
  expect(cluster.processIds.filter((pid) => isOurs(pid, cluster.directory))).toEqual([]);
  expect(readdirSync(cache)).toEqual([]);
  expect(await down(cache)).toBe(false);
});
