/**
 * `npm run mutants [-- PART_OF_A_NAME --sample N --seed N --report FILE]`: puts one bug after another into the runtime, as its tests
 * see it, and says which test notices. Fails when none of those does that are named for it. Nothing is written but
 * .tmp/mutants.json: a Vite plugin replaces the text, in a process of its own for each bug (vitest.mutants.config.ts).
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { type Mutant, mutated } from "../test/mutants/mutant.js";
import { MUTANTS } from "../test/mutants/mutants.js";
import { isEntryPoint, projectRoot, run, seconds, writeCounts } from "./support/command.js";
import { terminalProgress } from "./support/progress.js";

/** A bug may make a test turn in a circle, where no time limit of its own ends it. */
const LONGEST_MS = 180_000;

/** What is read of the report of Vitest's JSON reporter. */
export interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * - `killed` a test failed, or something failed beside the tests, or they did not end
 * - `survived` all of them passed
 * - `broken` it never came to a test: the bug is none, as it does not run
 */
export interface Verdict {
  readonly verdict: "killed" | "survived" | "broken";
  /** The test that failed, or what else happened. */
  readonly by: string;
}

/** @param report `undefined` when there is none */
export function verdictOf(report: VitestReport | undefined, timedOut: boolean): Verdict {
  if (timedOut) return { verdict: "killed", by: "the tests did not end" };
  const results = report?.testResults ?? [];
  for (const { name, assertionResults } of results) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    const file = relative(join(projectRoot, "test"), name).replace(/\.test\.ts$/, "");
    if (failed !== undefined) return { verdict: "killed", by: `${file}: ${failed.fullName}` };
  }
  if (!results.some(({ assertionResults }) => assertionResults.some(({ status }) => status === "passed")))
    return { verdict: "broken", by: "no test ran" };
  if (report?.success === true) return { verdict: "survived", by: "" };
  return { verdict: "killed", by: "an error that no test was waiting for" };
}

interface Outcome extends Verdict {
  readonly mutant: Mutant;
  readonly tookMs: number;
}

let runs = 0;

async function vitest(files: readonly string[], mutant?: Mutant): Promise<Verdict & { readonly output: string }> {
  const file = join(tmpdir(), `mutants-${process.pid}-${++runs}.json`);
  const started = performance.now();
  const flags = ["--config=vitest.mutants.config.ts", "--pool=threads", "--bail=1", "--reporter=json"];
  const { output } = await run("vitest", ["run", ...flags, `--outputFile=${file}`, ...files], {
    env: mutant === undefined ? {} : { KUBE_INFORMERS_MUTANT: mutant.bug },
    timeoutMs: mutant === undefined ? undefined : LONGEST_MS,
  });
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as VitestReport) : undefined;
  rmSync(file, { force: true });
  return { ...verdictOf(report, report === undefined && performance.now() - started >= LONGEST_MS), output };
}

const pathsOf = (mutants: readonly Mutant[]) => [
  ...new Set(mutants.flatMap(({ killedBy }) => killedBy.map((file) => `test/${file}.test.ts`))),
];

function lineOf({ mutant, verdict, by, tookMs }: Outcome): string {
  const word = verdict === "killed" ? "killed  " : verdict.toUpperCase();
  const detail = verdict === "survived" ? `no test of ${mutant.killedBy.join(", ")} fails` : by;
  return `${word}  ${mutant.file}: ${mutant.bug} (${seconds(tookMs)})\n            ${detail}`;
}

/** So many of them, picked by the seed: in their order. */
export function sampleOf<T>(all: readonly T[], count: number, seed: number): T[] {
  const rank = (at: number) => createHash("sha256").update(`${seed} ${at}`).digest("hex");
  const picked = all.map((_, at) => at).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return picked
    .slice(0, count)
    .sort((a, b) => a - b)
    .map((at) => all[at]!);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { report: { type: "string" }, sample: { type: "string" }, seed: { type: "string", default: "0" } },
    allowPositionals: true,
  });
  const [part = ""] = positionals;
  const named = MUTANTS.filter(({ bug, file }) => `${file}: ${bug}`.includes(part));
  if (named.length === 0) throw new Error(`no seeded bug is called "${part}"`);
  const mutants = sampleOf(named, Number(values.sample ?? named.length), Number(values.seed));
  for (const mutant of mutants)
    mutated(readFileSync(join(projectRoot, "runtime", `${mutant.file}.ts`), "utf8"), mutant);
  const started = performance.now();
  const progress = terminalProgress();
  progress.step("the same tests without a bug");
  const { verdict, by, output } = await vitest(pathsOf(mutants));
  if (verdict !== "survived") throw new Error(`the tests fail without a bug, so they tell nothing: ${by}\n${output}`);
  const waiting = [...mutants];
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const begun = performance.now();
      const outcome = { mutant, ...(await vitest(pathsOf([mutant]), mutant)), tookMs: performance.now() - begun };
      outcomes.push(outcome);
      console.log(lineOf(outcome));
      progress.status(`${outcomes.length} of ${mutants.length} seeded bugs`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const killed = outcomes.filter((outcome) => outcome.verdict === "killed").length;
  console.log(`\n${killed} of ${mutants.length} seeded bugs noticed in ${seconds(performance.now() - started)}`);
  mkdirSync(join(projectRoot, ".tmp"), { recursive: true });
  const rows = outcomes.map(({ mutant: { file, bug }, verdict, by, tookMs }) => ({ file, bug, verdict, by, tookMs }));
  writeFileSync(join(projectRoot, ".tmp/mutants.json"), `${JSON.stringify(rows, undefined, 1)}\n`);
  if (killed < mutants.length) process.exitCode = 1;
  writeCounts(values.report, killed, mutants.length - killed);
}

if (isEntryPoint(import.meta.url)) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
