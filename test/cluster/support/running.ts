/** The one cluster that `npm run cluster:up` leaves running, and the record by which it is found again. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, clusterBinaries, type Progress } from "./binaries.js";
import { Cluster } from "./cluster.js";
import { statusOf } from "./servers.js";
import { isOurs } from "./service.js";
import { until } from "./until.js";

export interface RunningCluster {
  readonly url: string;
  readonly kubeConfigPath: string;
  readonly kubectl: string;
  readonly directory: string;
  readonly processIds: readonly number[];
}

const recordPath = (cache: string) => join(cache, "running.json");

/** The recorded cluster, whatever is left of it. */
export function recordedCluster(cache = cacheDirectory()): RunningCluster | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(cache), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Gives the cluster that runs, or starts one; what is left of a broken one is removed first. */
export async function up(
  progress: Progress,
  cache = cacheDirectory(),
  makeBinaries = () => clusterBinaries(progress, cache),
): Promise<{ cluster: RunningCluster; isNew: boolean }> {
  const recorded = recordedCluster(cache);
  if (recorded !== undefined) {
    if (await answers(recorded)) return { cluster: recorded, isNew: false };
    progress.step("the recorded cluster does not answer: removing it");
    await down(cache);
  }
  const binaries = await makeBinaries();
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, "running-"));
  const started = await Cluster.start({ binaries, directory, detached: true, progress });
  const { etcd, apiServer } = started.processIds;
  const cluster: RunningCluster = {
    url: started.url,
    kubeConfigPath: started.kubeConfigPath,
    kubectl: binaries.kubectl,
    directory,
    processIds: [apiServer, etcd].filter((pid) => pid !== undefined),
  };
  try {
    // Fails if another process was quicker: then its cluster is the one.
    writeFileSync(recordPath(cache), `${JSON.stringify(cluster, undefined, 2)}\n`, { flag: "wx" });
  } catch (error) {
    await started.stop();
    const other = recordedCluster(cache);
    if (other === undefined) throw error;
    return { cluster: other, isNew: false };
  }
  return { cluster, isNew: true };
}

async function answers({ url, processIds, directory }: RunningCluster): Promise<boolean> {
  if (!processIds.every((pid) => isOurs(pid, directory))) return false;
  // Anything but a refused connection: without a certificate authority at hand, TLS is where this ends.
  return statusOf(url).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ECONNREFUSED",
  );
}

/** Ends the recorded cluster; gives false if there was none. A recorded id that now belongs to another program is left alone. */
export async function down(cache = cacheDirectory()): Promise<boolean> {
  const recorded = recordedCluster(cache);
  if (recorded === undefined) return false;
  const { processIds, directory } = recorded;
  const alive = () => processIds.filter((pid) => isOurs(pid, directory));
  for (const pid of alive()) process.kill(pid, "SIGKILL");
  await until("the cluster's processes to end", () => alive().length === 0);
  rmSync(directory, { recursive: true, force: true });
  rmSync(recordPath(cache), { force: true });
  return true;
}
