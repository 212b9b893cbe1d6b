/** What a cache is after servers came and went while others kept writing. */
import { expect, test } from "vitest";
import { ApiClient } from "./support/api-client.js";
import { follow, NAMESPACE, RECOVERY } from "./support/follow.js";
import { ownCluster } from "./support/harness.js";

test("while servers are killed again and again, writers write: caches end up equal to a fresh list", async (context) => {
  const cluster = await ownCluster(context);
  const { subjects, start, expectWell } = await follow(cluster);
  const second = await cluster.secondApiServer();
  const other = ApiClient.fromFile(second.kubeConfigPath);
  await start();
  let writes = 0;
  const abort = new AbortController();
  // Each name goes through its whole life again and again; the sequence is the same in every run.
  const write = async ({ path, object }: (typeof subjects)[number]) => {
    for (let step = 0; !abort.signal.aborted; step++) {
      const name = `object-${step % 7}`;
      const phase = Math.floor(step / 7) % 3;
      if (phase === 0) await other.create(path, object(name));
      else if (phase === 1) await other.patch(`${path}/${name}`, { metadata: { labels: { step: String(step) } } });
      else await other.delete(`${path}/${name}`);
      writes++;
    }
  };
  const writing = Promise.all(subjects.map(write));
  // Two rounds: failures add up for two minutes, and each doubles the pause that follows.
  for (let round = 0; round < 2; round++) {
    const before = writes;
    await expect.poll(() => writes, RECOVERY).toBeGreaterThan(before + 50);
    await cluster.killApiServer("SIGKILL");
    if (round === 1) await cluster.compact();
    await cluster.startApiServer();
  }
  abort.abort();
  await writing;
  await expectWell();
});

test("etcd goes away and returns: caches stay readable, and follow again", async (context) => {
  const cluster = await ownCluster(context);
  const { api, subjects, start, expectWell } = await follow(cluster);
  for (const { path, object } of subjects) await api.create(path, object("kept"));
  await start();
  await expectWell();
  await cluster.stopEtcd();
  for (const { cached } of subjects) expect([...cached().keys()]).toContain(`${NAMESPACE}/kept`);
  await cluster.startEtcd();
  for (const { path, object } of subjects) {
    await expect
      .poll(() => api.create(path, object("new")).then(() => "created", String), RECOVERY)
      .toMatch(/created|409/);
  }
  await expectWell();
});
