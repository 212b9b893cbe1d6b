/** Other people's clients, run as programs: kubectl, and an informer of client-go. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. What it caches at home goes beside the kubeconfig. */
export function runWithKubeConfig(
  program: string,
  kubeConfigPath: string,
  args: readonly string[],
  input = "",
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawnWithKubeConfig(program, kubeConfigPath, args);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** Starts a program that goes on; gives its lines as they come, and the way to end it. */
export function followWithKubeConfig(program: string, kubeConfigPath: string, args: readonly string[]) {
  const child = spawnWithKubeConfig(program, kubeConfigPath, args);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", (line) => lines.push(line));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = () => {
    child.kill("SIGKILL");
    return ended;
  };
  return { lines, stop };
}

function spawnWithKubeConfig(
  program: string,
  kubeConfigPath: string,
  args: readonly string[],
): ChildProcessWithoutNullStreams {
  const home = dirname(kubeConfigPath);
  const env = { ...process.env, KUBECONFIG: kubeConfigPath, KUBECACHEDIR: join(home, "kubectl-cache"), HOME: home };
  return spawn(program, [...args], { env });
}
