/**
 * `npm run soak -- --minutes 10 [--real] [--client-go] [--seed N] [--rate N] [--objects N] [--out FOLDER]`: informers under writes and faults, for
 * minutes or hours. Prints the figures, writes them as JSON and as one page, and fails on any loss. See docs/reliability.md.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, platform, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Progress } from "../test/cluster/support/binaries.js";
import { embeddedTarget } from "../test/soak/embedded-target.js";
import { renderSoakPage } from "../test/soak/page.js";
import { realTarget } from "../test/soak/real-target.js";
import type { SoakResult } from "../test/soak/result.js";
import { Soak } from "../test/soak/soak.js";
import { clientGo, ours } from "../test/soak/subject.js";
import { figureRows } from "../test/soak/text.js";
import { isEntryPoint, must, projectRoot, run, writeCounts } from "./support/command.js";
import { flagsOf } from "./support/flags.js";
import { terminalProgress } from "./support/progress.js";

const USAGE = `usage: npm run soak -- [options]
  --minutes N     how long to write and to break things: 10
  --real          a real kube-apiserver, whose processes are killed and stopped, in place of the embedded one
  --client-go     client-go's informers in place of ours: the same writes, faults and judgement; needs Go
  --seed N        the same writes and the same order of faults: 1
  --rate N        writes a second: 100
  --objects N     objects that are there: 1000
  --out FOLDER    where soak.json and soak.html go: .tmp/soak`;

/** The number of an option. @throws Error that names it */
function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least))
    throw new Error(`--${name} takes a number from ${least} on, not "${text}"\n${USAGE}`);
  return value;
}

async function main(): Promise<void> {
  const values = flagsOf(USAGE, {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "100" },
    objects: { type: "string", default: "1000" },
    out: { type: "string", default: join(".tmp", "soak") },
    real: { type: "boolean", default: false },
    "client-go": { type: "boolean", default: false },
    report: { type: "string" },
  });
  const minutes = numberOf("minutes", values.minutes, 0.1);
  const progress = terminalProgress();
  // In a short run many faults, and pauses to match; in a long one those that users see.
  const isShort = minutes < 10;
  await using folder = temporaryFolder();
  const start = values["client-go"] ? clientGo(await buildClientGo(folder.path, progress)) : ours;
  await using target = values.real ? await realTarget(progress) : await embeddedTarget();
  const soak = new Soak(target, start, {
    minutes,
    seed: numberOf("seed", values.seed, 0),
    ratePerSecond: numberOf("rate", values.rate, 1),
    objects: numberOf("objects", values.objects, 10),
    everyMs: isShort ? 3_000 : 32_000,
    backoffCapMs: isShort ? 2_000 : 30_000,
    onProgress: (line) => progress.status(line),
  });
  process.once("SIGINT", () => {
    soak.kill();
    process.exitCode = 130;
  });
  progress.step(`soak: ${minutes} min against the ${target.name}`);
  const result = await soak.run();
  const commit = await run("git", ["rev-parse", "--short", "HEAD"]);
  const machine = `${platform()}, ${availableParallelism()} × ${cpus()[0]?.model ?? "unknown"}`;
  const document = { commit: commit.stdout.trim(), node: process.version, machine, ...result };
  const out = resolve(projectRoot, values.out);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "soak.json"), `${JSON.stringify(document, undefined, 1)}\n`);
  writeFileSync(join(out, "soak.html"), renderSoakPage(document));
  print(result);
  console.log(`\n${join(out, "soak.html")}`);
  const failed = result.verdicts.filter(({ passed }) => !passed).length;
  if (failed > 0) process.exitCode = 1;
  writeCounts(values.report, result.verdicts.length - failed, failed);
}

/** A folder for what is built, gone at the end. */
function temporaryFolder(): AsyncDisposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "kube-informers-soak-"));
  return { path, [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }) };
}

async function buildClientGo(folder: string, progress: Progress): Promise<string> {
  progress.step("building client-go's informers");
  const program = join(folder, "client-go");
  const cwd = join(projectRoot, "test/conformance/client-go");
  await must("go", ["build", "-mod=readonly", "-buildvcs=false", "-o", program, "./soak"], cwd);
  return program;
}

function print({ verdicts, figures, problems }: SoakResult): void {
  console.log();
  for (const [name, value] of figureRows(figures)) console.log(`  ${name.padEnd(44)} ${value}`);
  console.log();
  for (const { passed, what, value, bar } of verdicts)
    console.log(`${passed ? "ok    " : "FAILED"}  ${what.padEnd(44)} ${value.padStart(14)}   ${bar}`);
  for (const problem of problems) console.log(`        ${problem}`);
}

if (isEntryPoint(import.meta.url)) {
  await main().catch((error: Error) => {
    console.error(error.stack);
    process.exitCode = 2;
  });
}
