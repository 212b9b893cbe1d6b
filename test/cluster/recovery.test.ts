/** What a cache is after the API server was killed and has forgotten what happened meanwhile. */
import { expect, onTestFinished, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { follow, NAMESPACE, RECOVERY } from "./support/follow.js";
import { builtBinaries, ownCluster } from "./support/harness.js";
import { followWithKubeConfig } from "./support/programs.js";

interface Told {
  readonly type: string;
  readonly key?: string;
  readonly resourceVersion?: string;
  readonly finalStateUnknown?: boolean;
}

const comparable = ({ type, resourceVersion, finalStateUnknown = false }: Told) => ({
  type,
  resourceVersion,
  finalStateUnknown,
});

/** Of one object. After a relist client-go also tells of what has not changed, as an update from a version to itself. */
function toldByClientGo(lines: readonly string[], key: string) {
  const told = lines.filter((line) => line.startsWith("{")).map((line): Told => JSON.parse(line));
  return told
    .filter((event) => event.key === key)
    .filter(
      ({ type, resourceVersion }, at, all) => type !== "update" || resourceVersion !== all[at - 1]?.resourceVersion,
    )
    .map(comparable);
}

test("after kill -9 and a compaction, caches are whole again, and what went meanwhile arrives as a tombstone", async (context) => {
  const cluster = await ownCluster(context);
  const { api, subjects, start, expectWell } = await follow(cluster);
  for (const { path, object } of subjects)
    for (const name of ["kept", "changed", "gone"]) await api.create(path, object(name));
  await start();
  await expectWell();
  // The reference lives through the same.
  const args = ["--kubeconfig", cluster.kubeConfigPath, "--namespace", NAMESPACE, "--resource", "configmaps"];
  const clientGo = followWithKubeConfig(builtBinaries(context).clientGo, cluster.kubeConfigPath, args);
  onTestFinished(clientGo.stop);
  await expect.poll(() => clientGo.lines.join(), RECOVERY).toContain("synced");
  await cluster.killApiServer("SIGKILL");

  // The world goes on without this server, and then forgets how.
  const second = await cluster.secondApiServer();
  const other = ApiClient.fromFile(second.kubeConfigPath);
  for (const { path, object } of subjects) {
    await other.delete(`${path}/gone`);
    await other.patch(`${path}/changed`, { metadata: { labels: { changed: "yes" } } });
    await other.create(path, object("new"));
  }
  await second.kill("SIGKILL");
  await cluster.compact();
  for (const { informer } of subjects)
    await expect.poll(() => informer.health().consecutiveFailures, RECOVERY).toBeGreaterThan(0);
  await cluster.startApiServer();

  await expectWell();
  for (const { recorder } of subjects) {
    const told = (name: string) => recorder.of(`${NAMESPACE}/${name}`);
    expect(told("gone").map(({ type, finalStateUnknown }) => [type, finalStateUnknown])).toEqual([
      ["add", undefined],
      ["delete", true],
    ]);
    expect(told("changed").map(({ type }) => type)).toEqual(["add", "update"]);
    expect(told("new").map(({ type }) => type)).toEqual(["add"]);
  }

  // And the stream goes on as before.
  for (const { path, recorder } of subjects) {
    await api.delete(`${path}/kept`);
    await expect
      .poll(() => recorder.of(`${NAMESPACE}/kept`).at(-1), RECOVERY)
      .toMatchObject({ type: "delete", finalStateUnknown: false });
  }
  const ours = subjects[0]!.recorder;
  for (const name of ["kept", "changed", "gone", "new"]) {
    const key = `${NAMESPACE}/${name}`;
    await expect.poll(() => toldByClientGo(clientGo.lines, key), RECOVERY).toEqual(ours.of(key).map(comparable));
  }
});

test.for(["SIGKILL", "SIGTERM"] as const)(
  "a server that ends by %s and returns: nothing is lost",
  async (signal, context) => {
    const cluster = await ownCluster(context);
    const { api, subjects, start, expectWell } = await follow(cluster);
    for (const { path, object } of subjects) for (const name of ["kept", "gone"]) await api.create(path, object(name));
    await start();
    await expectWell();
    const second = await cluster.secondApiServer();
    const other = ApiClient.fromFile(second.kubeConfigPath);
    const stopping = cluster.killApiServer(signal);
    for (const { path, object } of subjects) {
      await other.delete(`${path}/gone`);
      await other.create(path, object("new"));
    }
    // A server that is asked to end drains its watches first, for minutes.
    if (signal === "SIGTERM")
      await expect.poll(() => api.get("/version").then(() => "", String), RECOVERY).toContain("REFUSED");
    await cluster.killApiServer("SIGKILL");
    await stopping;
    await cluster.startApiServer();
    await expectWell();
  },
);
