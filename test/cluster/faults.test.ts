/** The rows of the fault matrix that only a real server can play, by their numbers: see docs/faults.md. */
import { expect, onTestFinished, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { follow, NAMESPACE, RECOVERY } from "./support/follow.js";
import { ownCluster } from "./support/harness.js";
import { until } from "./support/until.js";

test("S6 etcd restored to an older copy: what went back is told of, and caches equal the server", async (context) => {
  const cluster = await ownCluster(context);
  const { api, subjects, errors, start, expectWell } = await follow(cluster, { reflector: { probeAfterMs: 2_000 } });
  for (const { path, object } of subjects) for (const name of ["kept", "changed"]) await api.create(path, object(name));
  await cluster.backup();
  await start();
  for (const { path, object } of subjects) {
    await until("the server to write again", () => api.create(path, object("undone")));
    for (let change = 0; change < 20; change++)
      await api.patch(`${path}/changed`, { metadata: { labels: { change: `${change}` } } });
  }
  for (const { cached } of subjects)
    await expect.poll(() => [...cached().keys()], RECOVERY).toContain(`${NAMESPACE}/undone`);
  await cluster.killApiServer();
  await cluster.restore();
  for (const { cached } of subjects)
    await expect.poll(() => [...cached().keys()], RECOVERY).not.toContain(`${NAMESPACE}/undone`);
  await expectWell();
  for (const { recorder } of subjects)
    expect(recorder.of(`${NAMESPACE}/undone`).map(({ type }) => type)).toEqual(["add", "delete"]);
  expect(errors.map(({ code }) => code)).toContain("regressed");
});

test("N5 SIGSTOP, half open: found by the question, and nothing is lost once the server goes on", async (context) => {
  const cluster = await ownCluster(context);
  const { api, subjects, start, expectWell } = await follow(cluster, { reflector: { probeAfterMs: 1_000 } });
  await start();
  const second = await cluster.secondApiServer();
  const other = ApiClient.fromFile(second.kubeConfigPath);
  cluster.signalApiServer("SIGSTOP");
  onTestFinished(() => cluster.signalApiServer("SIGCONT"));
  for (const { path, object } of subjects) await other.create(path, object("meanwhile"));
  for (const { informer } of subjects)
    await expect.poll(() => informer.health().lastError?.code, RECOVERY).toBe("timeout");
  cluster.signalApiServer("SIGCONT");
  await until("the server to answer", () => api.get("/version"));
  await expectWell();
});

test("N16 HTTP/2 whose server says GOAWAY now and then: requests go on over new connections, and nothing is lost", async (context) => {
  const cluster = await ownCluster(context, ["--goaway-chance=0.02"]);
  const { api, subjects, start, expectWell } = await follow(cluster, { reflector: { watchTimeoutSeconds: [1, 2] } });
  await start();
  for (let round = 0; round < 30; round++)
    for (const { path, object } of subjects) await api.create(path, object(`object-${round}`));
  await expectWell();
});
