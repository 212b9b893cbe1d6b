/** Checks by name, run side by side, each shown as it ends, and counted: what `npm run check` and `npm run matrix` are made of. */
import { parseArgs } from "node:util";
import { type CommandResult, projectRoot, run, seconds, writeCounts } from "./command.js";

export interface Check {
  readonly name: string;
  readonly what: string;
  /** Its output is shown when its code is not 0. */
  work(): Promise<Pick<CommandResult, "code" | "output">>;
}

export interface CheckOutcome {
  readonly check: Check;
  readonly code: number;
  readonly output: string;
  readonly milliseconds: number;
}

/** The work of a check that is a program's. */
export function command(program: string, ...args: string[]): Check["work"] {
  return () => run(program, args);
}

/** Runs checks side by side in the order given, and prints each as it ends. `again` is the command that runs one of them. */
export async function runChecks(
  checks: readonly Check[],
  workers: number,
  again: string,
  print: (text: string) => void,
): Promise<CheckOutcome[]> {
  const outcomes: CheckOutcome[] = [];
  const waiting = [...checks];
  const work = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const started = performance.now();
      const { code, output } = await check.work();
      const outcome = { code, output, check, milliseconds: performance.now() - started };
      outcomes.push(outcome);
      print(describe(outcome, again));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return outcomes;
}

function describe({ check, code, output, milliseconds }: CheckOutcome, again: string): string {
  const line = `${code === 0 ? "ok    " : "FAILED"}  ${check.name.padEnd(14)} ${seconds(milliseconds).padStart(7)}  ${check.what}`;
  if (code === 0) return line;
  const indented = output.trimEnd().replace(/^/gm, "        ");
  return `${line}\n${indented}\n        again: ${again} -- ${check.name}`;
}

/** The checks that were asked for, by name or by the family before the dash (`node` for `node-20`); all when none was. */
export function selectChecks(checks: readonly Check[], names: readonly string[]): Check[] {
  const isCalled = (check: Check, name: string) => check.name === name || check.name.startsWith(`${name}-`);
  const unknown = names.filter((name) => !checks.some((check) => isCalled(check, name)));
  if (unknown.length > 0) {
    throw new Error(
      `no check is called ${unknown.join(", ")}; there are: ${checks.map(({ name }) => name).join(", ")}`,
    );
  }
  return checks.filter((check) => names.length === 0 || names.some((name) => isCalled(check, name)));
}

/** A program of checks: `[NAME… --report FILE]`. Its exit code is 1 when one of them failed, and 2 when it cannot run them. */
export async function checksProgram(checks: readonly Check[], workers: number, again: string): Promise<void> {
  try {
    const started = performance.now();
    process.chdir(projectRoot);
    const { values, positionals } = parseArgs({ options: { report: { type: "string" } }, allowPositionals: true });
    const selected = selectChecks(checks, positionals);
    const outcomes = await runChecks(selected, workers, again, (text) => console.log(text));
    const failed = outcomes.filter(({ code }) => code !== 0).length;
    console.log(`\n${outcomes.length - failed} passed, ${failed} failed in ${seconds(performance.now() - started)}`);
    process.exitCode = failed === 0 ? 0 : 1;
    writeCounts(values.report, outcomes.length - failed, failed);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}
