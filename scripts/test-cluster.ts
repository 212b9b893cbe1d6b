/**
 * `npm run test:cluster [-- --kubeconfig PATH] [vitest's own arguments]`: the tests against a real API server.
 * Without `--kubeconfig` it starts one of its own. A cluster named by the environment alone is never touched.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { clusterBinaries, GoMissingError } from "../test/cluster/support/binaries.js";
import { isEntryPoint, projectRoot } from "./support/command.js";
import { terminalProgress } from "./support/progress.js";

/** Splits off `--kubeconfig`, in both its forms. */
export function parseArguments(args: readonly string[]): { kubeConfig?: string; rest: string[] } {
  const rest = [...args];
  const index = rest.findIndex((arg) => arg === "--kubeconfig" || arg.startsWith("--kubeconfig="));
  if (index < 0) return { rest };
  const [flag = ""] = rest.splice(index, 1);
  const inline = flag.startsWith("--kubeconfig=") ? flag.slice("--kubeconfig=".length) : undefined;
  const kubeConfig = inline ?? rest.splice(index, 1)[0];
  if (!kubeConfig) throw new Error("--kubeconfig needs the path of a file");
  return { kubeConfig, rest };
}

async function main(args: string[]): Promise<number> {
  const { kubeConfig, rest } = parseArguments(args);
  const env = { ...process.env };
  if (kubeConfig === undefined) {
    // Here, and not when vitest has the terminal: the first time takes minutes, and shows how far it is.
    await clusterBinaries(terminalProgress());
  } else {
    const path = resolve(process.env["INIT_CWD"] ?? ".", kubeConfig);
    if (!existsSync(path)) throw new Error(`--kubeconfig: there is no file ${path}`);
    env["KUBE_INFORMERS_TEST_KUBECONFIG"] = path;
    // The reporter that says of each skipped test why.
    if (!rest.some((arg) => arg.startsWith("--reporter"))) rest.push("--reporter=verbose");
  }
  const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
  const vitestArgs = [vitest, "run", "--config", "vitest.cluster.config.ts", ...rest];
  const child = spawn(process.execPath, vitestArgs, { cwd: projectRoot, env, stdio: "inherit" });
  // The terminal sends these to vitest too, which then cleans up; this process only has to outlast it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((done) => child.on("close", (code) => done(code ?? 1)));
}

if (isEntryPoint(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error instanceof GoMissingError ? `The cluster tests did not run.\n${error.message}` : error.message);
    return 1;
  });
}
