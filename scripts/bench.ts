/**
 * The informer side by side with others, each in a process of its own, in turns, against a synthetic server. Prints medians, and
 * what is asked and reached; ratios within one run hold, times drift with the machine.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { DoneRuns } from "../test/bench/done-runs.js";
import { BenchReport, type Kept, resultsOf } from "../test/bench/report.js";
import { built, NODE, type Row, SUITES, type Suite, serverOf } from "../test/bench/suites.js";
import { type Measured, mediansOf, printTable } from "../test/bench/table.js";
import { judge, printVerdicts } from "../test/bench/verdicts.js";
import { projectRoot, run } from "./support/command.js";
import { flagsOf } from "./support/flags.js";
import { matrixTools, pinnedVersions } from "./support/matrix-tools.js";

const USAGE = `usage: npm run bench -- [options]

  --peers         adds client-go and kube-rs, where Go and cargo are there
  --suite NAMES   of ${SUITES.map(({ name }) => name).join(", ")};
                  without it the first, or with --write all of them
  --only ROWS     those that begin so: "project keys,limit"
  --rounds N --count N --burst N  other sizes than the suite's
  --port N        where the server listens, on loopback: 18090
  --write         keeps each suite's result in docs/bench when it has ended, and fills the tables of the documents
  --resume        goes on after a run of this commit that did not come to its end`;
const flags = flagsOf(USAGE, {
  suite: { type: "string" },
  rounds: { type: "string" },
  count: { type: "string" },
  burst: { type: "string" },
  only: { type: "string" },
  port: { type: "string", default: "18090" },
  peers: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
  resume: { type: "boolean", default: false },
});
/** A program that takes longer is ended. */
const MOST_MS = 300_000;
const address = `127.0.0.1:${flags.port}`;
const only = flags.only?.split(",").map((name) => name.trim());
const names = flags.suite?.split(",") ?? (flags.write ? undefined : [SUITES[0]!.name]);
const unknown = names?.find((name) => !SUITES.some((suite) => suite.name === name));
if (unknown !== undefined) {
  console.error(`there is no suite "${unknown}"\n\n${USAGE}`);
  process.exit(2);
}

const wanted = SUITES.filter(({ name }) => names?.includes(name) ?? true).map((suite) => ({
  ...suite,
  rows: suite.rows.filter(({ name }) => only?.some((of) => name.startsWith(of)) ?? true),
}));
mkdirSync(built, { recursive: true });
const tools = wanted.some(({ node }) => node !== undefined) ? await matrixTools() : undefined;
const peers = flags.peers
  ? await buildPeers(new Set(wanted.flatMap(({ rows }) => rows.flatMap(({ peer = [] }) => peer))))
  : new Set<string>();
const suites: Suite[] = wanted.map((suite) => ({
  ...suite,
  rounds: Number(flags.rounds ?? suite.rounds),
  count: suite.server.startsWith("kinds") ? suite.count : Number(flags.count ?? suite.count),
  burst: Number(flags.burst ?? suite.burst ?? 0),
  rows: suite.rows.filter(({ peer }) => peer === undefined || peers.has(peer)),
}));
const commit = (await run("git", ["describe", "--always", "--dirty"])).stdout.trim() || "unknown";
const versions = await versionsOf();
const done = new DoneRuns(join(built, "runs.json"), commit, flags.resume);
const report = new BenchReport(projectRoot);
const kept: Kept[] = [];
const startMs = performance.now();
const total = suites.reduce((sum, { rounds, rows }) => sum + rounds * rows.length, 0);
let ran = 0;
for (const suite of suites) {
  const results = new Map<string, Measured[]>(suite.rows.map(({ name }) => [name, []]));
  for (let round = 1; round <= suite.rounds; round++) {
    for (const row of suite.rows) {
      const minutes = ((performance.now() - startMs) / 60e3).toFixed(1);
      process.stderr.write(`${++ran} of ${total}, ${minutes} min: ${suite.title}, round ${round}: ${row.name}\n`);
      const key = [suite.name, suite.count, suite.burst, row.name, round, flags.peers].join(" ");
      const measured = done.get(key) ?? (await measure(suite, row));
      if (measured === undefined) continue;
      results.get(row.name)!.push(measured);
      done.set(key, measured);
    }
  }
  const medians = mediansOf(results);
  const times = suite.rounds === 1 ? "one round" : `medians of ${suite.rounds} rounds`;
  const sizes = suite.server.startsWith("kinds")
    ? `${suite.count} objects of each`
    : `${suite.title}${suite.count === Number(flags.count) ? `, but ${suite.count}` : ""}`;
  const date = new Date().toISOString().slice(0, 10);
  const on = suite.node === undefined ? versions : versions.replace(process.version.slice(1), nodeVersion(suite.node));
  const about = `${sizes[0]!.toUpperCase()}${sizes.slice(1)}, ${times}; commit ${commit}, ${date}, ${on}.`;
  const result = { suite: suite.name, about, medians };
  kept.push(result);
  console.log(`\n${suite.title}\n\n${printTable(suite.name, medians)}\n\n${about}`);
  if (flags.write) {
    report.keep(result);
    report.fill();
  }
}
const verdicts = judge(resultsOf(kept)).filter(({ reached }) => reached !== undefined);
if (verdicts.length > 0) console.log(`\n${printVerdicts(verdicts)}`);

/** Builds those that take part, and says which there are then. */
async function buildPeers(wantedPeers: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const build = async (name: string, command: string, ...args: string[]): Promise<boolean> => {
    process.stderr.write(`building ${name}\n`);
    const { code, output } = await run(command, args, {
      cwd: join(projectRoot, "test/bench/peers", name),
      env: { CARGO_TARGET_DIR: join(built, "rust") },
    });
    if (code !== 0) console.error(`${name} is left out: ${output.trim()}`);
    return code === 0;
  };
  const go = (name: string) => build(name, "go", "build", "-o", join(built, name), ".");
  const found = new Set<string>();
  // Peers are measured against the server in Go alone.
  if (wantedPeers.size === 0 || !(await go("loadserver"))) return found;
  if (wantedPeers.has("go") && (await go("clientgo"))) found.add("go");
  const cargo = ["build", "--release", "--quiet", "--locked"];
  if (wantedPeers.has("cargo") && (await build("kubers", "cargo", ...cargo))) found.add("cargo");
  return found;
}

/** Of one of test/matrix/tools. */
function nodeVersion(name: string): string {
  return pinnedVersions("node").find((pinned) => pinned.name === name)?.version ?? "unknown";
}

async function versionsOf(): Promise<string> {
  const said = async (command: string, ...args: string[]) => (await run(command, args)).stdout.trim();
  const clientNode = JSON.parse(
    readFileSync(join(projectRoot, "node_modules/@kubernetes/client-node/package.json"), "utf8"),
  ) as { version: string };
  const all = [`Node ${process.versions.node}`, `client-node ${clientNode.version}`];
  const pinned = (file: string, pattern: RegExp) =>
    pattern.exec(readFileSync(join(projectRoot, "test/bench/peers", file), "utf8"))?.[1] ?? "unknown";
  if (peers.has("go")) {
    const goVersion = (await said("go", "version")).split(" ")[2]?.replace("go", "Go ");
    all.push(`${goVersion}, client-go ${pinned("clientgo/go.mod", /k8s\.io\/client-go v(\S+)/)}`);
  }
  if (peers.has("cargo")) {
    const rust = (await said("cargo", "--version")).split(" ")[1];
    all.push(`Rust ${rust}, kube-rs ${pinned("kubers/Cargo.lock", /name = "kube"\nversion = "([^"]+)"/)}`);
  }
  const gib = Math.round(totalmem() / 2 ** 30);
  all.push(
    `${availableParallelism()} CPUs (${cpus()[0]?.model.trim() ?? "unknown"}), ${gib} GiB, ${process.platform} ${release()}`,
  );
  return all.join(", ");
}

/** One program's run against a fresh server; `undefined`, and a word why, when it did not come to its end. */
async function measure(suite: Suite, { name, command, serverArgs = [] }: Row): Promise<Measured | undefined> {
  const url = `${suite.server.endsWith("HTTP/2") ? "https" : "http"}://${address}`;
  const [serverProgram, ...ownArgs] = serverOf(suite, address, peers.size > 0);
  const serving = start(serverProgram!, [...ownArgs, ...serverArgs], "ignore");
  const ended = new Promise((resolve) => serving.once("close", resolve));
  try {
    await isServing(serving);
    const [perSecond, events] = suite.rate ?? [1, 0];
    const phases = suite.server.startsWith("kinds")
      ? []
      : [
          ...["--burst", String(suite.burst), "--warm-up", String(suite.warmUp ?? 0)],
          ...["--rate", String(perSecond), "--rate-events", String(events)],
        ];
    const [program, ...args] = suite.node === undefined ? command : [tools!.node(suite.node), ...command.slice(1)];
    const client = start(program!, [...args, "--url", url, "--count", String(suite.count), ...phases], "pipe");
    let output = "";
    client.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const timer = setTimeout(() => client.kill("SIGKILL"), MOST_MS);
    await new Promise((resolve) => client.once("close", resolve));
    clearTimeout(timer);
    const line = output.trim().split("\n").at(-1) ?? "";
    if (line.startsWith("{")) return JSON.parse(line) as Measured;
    console.error(`${name} has not come to its end`);
    return undefined;
  } finally {
    if (serving.kill()) await ended;
  }
}

/** A connection is taken. Of a million pods it takes a while. */
async function isServing(server: ChildProcess): Promise<void> {
  const [host, port] = address.split(":") as [string, string];
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the load server ended; is port ${port} taken?`);
    const socket = connect(Number(port), host);
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function start(program: string, args: readonly string[], output: "ignore" | "pipe"): ChildProcess {
  const stderr = output === "ignore" ? "ignore" : "inherit";
  return spawn(program === NODE ? process.execPath : program, args, {
    cwd: projectRoot,
    stdio: ["ignore", output, stderr],
  });
}
