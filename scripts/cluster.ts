/** `npm run cluster:up` and `npm run cluster:down`: a real kube-apiserver and etcd on this machine, to try things on. */
import { GoMissingError } from "../test/cluster/support/binaries.js";
import { RESTRICTED_CONTEXT } from "../test/cluster/support/identities.js";
import { down, up } from "../test/cluster/support/running.js";
import { isEntryPoint, seconds } from "./support/command.js";
import { terminalProgress } from "./support/progress.js";

const USAGE = `usage: npm run cluster:up      start a cluster, or show the one that runs
       npm run cluster:down    stop it and remove its data`;

async function main([command]: string[]): Promise<number> {
  if (command === "down") {
    console.log((await down()) ? "The cluster is stopped and its data removed." : "No cluster is running.");
    return 0;
  }
  if (command !== "up") {
    console.error(USAGE);
    return 2;
  }
  const started = performance.now();
  const { cluster, isNew } = await up(terminalProgress());
  console.log(`${isNew ? `A cluster is up after ${seconds(performance.now() - started)}` : "A cluster is running"}: ${cluster.url}

    export KUBECONFIG=${cluster.kubeConfigPath}
    ${cluster.kubectl} get namespaces

The current context may do everything; the context ${RESTRICTED_CONTEXT} may do nothing until RBAC says so.
No controllers run: pods do not start, deleted namespaces stay. Logs are in ${cluster.directory}.
To stop it: npm run cluster:down`);
  return 0;
}

if (isEntryPoint(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof GoMissingError ? error.message : error);
    return 1;
  });
}
