/** Running other programs from the project's own scripts. */
import { spawn } from "node:child_process";
import { realpathSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

export interface CommandResult {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
  readonly stdout: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** It is killed after so long; never unless given. */
  readonly timeoutMs?: number | undefined;
}

/** Runs a program of `node_modules/.bin`, or of the system, to its end; never throws for an exit code. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...options.env };
    env["PATH"] = [join(projectRoot, "node_modules", ".bin"), env["PATH"] ?? ""].join(delimiter);
    const child = spawn(command, args, {
      cwd: options.cwd ?? projectRoot,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", (error) => resolve({ code: 127, output: `${command}: ${error.message}\n`, stdout }));
    child.on("close", (code) => resolve({ code: code ?? 1, output, stdout }));
  });
}

/**
 * Runs what the rest cannot do without.
 * @throws Error with all that the program printed when it ends with another code than 0
 */
export async function must(command: string, args: readonly string[], cwd = projectRoot): Promise<void> {
  const { code, output } = await run(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${output}`);
}

/** Whether a module is the program that was started, and not imported by another. */
export function isEntryPoint(moduleUrl: string): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === realpathSync(fileURLToPath(moduleUrl));
}

/** Ends a check: lists what is wrong and sets the exit code, or says that all is well. */
export function report(problems: readonly string[], allWell: string): void {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(allWell);
}

/** What `--report FILE` writes, for who sums up several programs: the names that vitest's JSON reporter uses. */
export function writeCounts(file: string | undefined, passed: number, failed: number): void {
  if (file !== undefined) writeFileSync(file, JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
