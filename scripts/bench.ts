/**
 * `npm run bench [-- --rounds 3 --count 10000 --burst 20000 --slim --only "project keys,limit" --peers --write]`: the informer
 * side by side with others, each in a process of its own, in turns, against a synthetic server. Prints medians; ratios within
 * one run hold, times drift with the machine. `--peers` adds client-go and kube-rs where Go and cargo are there; `--write`
 * keeps the result in docs/bench.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawChart, type Measured, mediansOf, printTable } from "../test/bench/table.js";
import { projectRoot, run } from "./support/command.js";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    count: { type: "string", default: "10000" },
    burst: { type: "string", default: "20000" },
    rate: { type: "string", default: "500" },
    "rate-events": { type: "string", default: "2500" },
    only: { type: "string" },
    port: { type: "string", default: "18090" },
    slim: { type: "boolean", default: false },
    peers: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const url = `http://127.0.0.1:${flags.port}`;
const node = (...args: string[]): string[] => [process.execPath, "--expose-gc", "--import", "tsx", ...args];
const only = flags.only?.split(",").map((name) => name.trim());
const isWanted = (name: string): boolean => only === undefined || only.some((wanted) => name.startsWith(wanted));
const built = join(tmpdir(), "kube-informers-bench");

interface Row {
  readonly name: string;
  readonly command: readonly string[];
}

const project = (name: string, ...args: string[]): Row => ({
  name: `project ${name}`,
  command: node("scripts/bench-client.ts", ...args),
});
const rows: Row[] = [
  { name: "limit raw", command: node("test/bench/limit.ts", "--mode", "raw") },
  { name: "limit parse", command: node("test/bench/limit.ts", "--mode", "parse") },
  { name: "client-node", command: node("test/bench/client-node.ts") },
  project("keys", "--mode", "keys"),
  project("keys, no managedFields", "--mode", "keys", "--managed-fields", "drop"),
  project("objects", "--mode", "objects"),
  project("objects, no managedFields", "--mode", "objects", "--managed-fields", "drop"),
  project("dynamic", "--mode", "dynamic"),
];

let server: readonly string[] = node(
  "test/bench/load-server.ts",
  flags.port,
  flags.count,
  flags.slim ? "slim" : "full",
);
if (flags.peers) {
  mkdirSync(built, { recursive: true });
  const peer = (name: string) => join(projectRoot, "test/bench/peers", name);
  const build = async (name: string, command: string, ...args: string[]): Promise<boolean> => {
    const { code, output } = await run(command, args, {
      cwd: peer(name),
      env: { CARGO_TARGET_DIR: join(built, "rust") },
    });
    if (code !== 0) console.error(`${name} is left out: ${output.trim()}`);
    return code === 0;
  };
  const go = (name: string) => build(name, "go", "build", "-o", join(built, name), ".");
  if (await go("loadserver")) {
    const slim = flags.slim ? ["-slim"] : [];
    server = [join(built, "loadserver"), "-addr", `127.0.0.1:${flags.port}`, "-n", flags.count, ...slim];
    if (await go("clientgo")) {
      const client = join(built, "clientgo");
      rows.push(
        { name: "client-go protobuf", command: [client] },
        { name: "client-go JSON", command: [client, "--json"] },
        { name: "client-go dynamic", command: [client, "--dynamic"] },
      );
    }
    if (isWanted("kube-rs") && (await build("kubers", "cargo", "build", "--release", "--quiet")))
      rows.push({ name: "kube-rs", command: [join(built, "rust/release/kubers")] });
  }
}

const chosen = rows.filter(({ name }) => isWanted(name));
const results = new Map<string, Measured[]>(chosen.map(({ name }) => [name, []]));
for (let round = 1; round <= Number(flags.rounds); round++) {
  for (const { name, command } of chosen) {
    process.stderr.write(`round ${round}: ${name}\n`);
    const measured = await measure(name, command);
    if (measured === undefined) console.error(`${name} has not come to its end`);
    else results.get(name)!.push(measured);
  }
}
const medians = mediansOf(results);
const commit = (await run("git", ["rev-parse", "--short", "HEAD"])).stdout.trim();
const about = `${flags.count} ${flags.slim ? "slim " : ""}pods, burst of ${flags.burst}, medians of ${flags.rounds} rounds; \
Node ${process.version}, ${availableParallelism()} CPUs (${cpus()[0]?.model ?? "unknown"}), commit ${commit || "unknown"}`;
console.log(`${about}\n\n${printTable(medians)}`);
if (flags.write) {
  const folder = join(projectRoot, "docs/bench");
  mkdirSync(folder, { recursive: true });
  const name = `${flags.count}${flags.slim ? "-slim" : ""}`;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ about, medians }, undefined, 2)}\n`);
  writeFileSync(join(folder, `${name}.svg`), drawChart(medians));
}

/** One program's run against a fresh server. */
async function measure(name: string, [program, ...args]: readonly string[]): Promise<Measured | undefined> {
  const [serverProgram, ...serverArgs] = server;
  const protobuf = flags.peers && name.includes("protobuf") ? ["-protobuf"] : [];
  const serving = start(serverProgram!, [...serverArgs, ...protobuf], "ignore");
  const ended = new Promise((resolve) => serving.once("close", resolve));
  try {
    while (!(await fetch(`${url}/version`).catch(() => undefined))?.ok) {
      if (serving.exitCode !== null) throw new Error(`the load server ended; is port ${flags.port} taken?`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const phases = name.startsWith("limit") ? [] : ["--rate", flags.rate, "--rate-events", flags["rate-events"]];
    const common = ["--url", url, "--count", flags.count, "--burst", flags.burst];
    const client = start(program!, [...args, ...common, ...phases], "pipe");
    let output = "";
    client.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await new Promise((resolve) => client.once("close", resolve));
    const line = output.trim().split("\n").at(-1) ?? "";
    return line.startsWith("{") ? (JSON.parse(line) as Measured) : undefined;
  } finally {
    if (serving.kill()) await ended;
  }
}

function start(program: string, args: readonly string[], output: "ignore" | "pipe"): ChildProcess {
  const stderr = output === "ignore" ? "ignore" : "inherit";
  return spawn(program, args, { cwd: projectRoot, stdio: ["ignore", output, stderr] });
}
