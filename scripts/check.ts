/**
 * `npm run check [-- NAME… --report FILE]`: everything that can be known of the project without running its tests.
 * Each check is a command of its own, listed below; its output is shown when it fails.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type CommandResult, isEntryPoint, projectRoot, run, seconds } from "./support/command.js";

export interface Check {
  readonly name: string;
  readonly what: string;
  readonly command: readonly [program: string, ...args: string[]];
}

const CHECKS: readonly Check[] = [
  {
    name: "package",
    what: "builds, packs, installs, and loads by import and require",
    command: ["tsx", "scripts/check-package.ts"],
  },
  {
    name: "types",
    what: "TypeScript, over sources, tests, scripts and examples",
    command: ["tsc", "--noEmit", "-p", "."],
  },
  {
    name: "generated",
    what: "generated code is what the generator makes",
    command: ["npm", "run", "--loglevel=error", "generate:check"],
  },
  { name: "unused", what: "no unused file, export or dependency", command: ["knip", "--no-progress"] },
  { name: "style", what: "format and lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "imports", what: "folders import downwards only", command: ["tsx", "scripts/check-imports.ts"] },
  {
    name: "faults",
    what: "each fault has its test, each test of a fault its row",
    command: ["tsx", "scripts/check-faults.ts"],
  },
  { name: "spec", what: "each rule has its test, each test its rule", command: ["tsx", "scripts/check-spec.ts"] },
  {
    name: "lockfile",
    what: "the lock file names no registry, the manifest runs nothing on install",
    command: ["tsx", "scripts/check-manifest.ts"],
  },
];

export interface CheckOutcome extends CommandResult {
  readonly check: Check;
  readonly milliseconds: number;
}

/** Runs checks side by side, longest first, and prints each as it ends. */
export async function runChecks(
  checks: readonly Check[],
  workers: number,
  print: (text: string) => void,
): Promise<CheckOutcome[]> {
  const outcomes: CheckOutcome[] = [];
  const waiting = [...checks];
  const work = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const started = performance.now();
      const [program, ...args] = check.command;
      const result = await run(program, args);
      const outcome = { ...result, check, milliseconds: performance.now() - started };
      outcomes.push(outcome);
      print(describe(outcome));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return outcomes;
}

function describe({ check, code, output, milliseconds }: CheckOutcome): string {
  const line = `${code === 0 ? "ok    " : "FAILED"}  ${check.name.padEnd(10)} ${seconds(milliseconds).padStart(7)}  ${check.what}`;
  if (code === 0) return line;
  const indented = output.trimEnd().replace(/^/gm, "        ");
  return `${line}\n${indented}\n        again: npm run check -- ${check.name}`;
}

/** The checks that were asked for by name; all of them when none was. */
export function selectChecks(checks: readonly Check[], names: readonly string[]): Check[] {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `no check is called ${unknown.join(", ")}; there are: ${checks.map(({ name }) => name).join(", ")}`,
    );
  }
  return checks.filter((check) => names.length === 0 || names.includes(check.name));
}

async function main(): Promise<void> {
  const started = performance.now();
  process.chdir(projectRoot);
  const { values, positionals } = parseArgs({ options: { report: { type: "string" } }, allowPositionals: true });
  const checks = selectChecks(CHECKS, positionals);
  const outcomes = await runChecks(checks, Math.min(4, availableParallelism()), (text) => console.log(text));
  const failed = outcomes.filter(({ code }) => code !== 0).length;
  console.log(`\n${outcomes.length - failed} passed, ${failed} failed in ${seconds(performance.now() - started)}`);
  process.exitCode = failed === 0 ? 0 : 1;
  if (values.report !== undefined) {
    // The names that vitest's JSON reporter uses.
    const counts = { numPassedTests: outcomes.length - failed, numFailedTests: failed };
    writeFileSync(values.report, JSON.stringify(counts));
  }
}

if (isEntryPoint(import.meta.url)) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
