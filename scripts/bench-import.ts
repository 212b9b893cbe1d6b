/**
 * `npm run bench:import [-- NODE…]`: what `import "kube-informers"` costs over a bare Node, in processes of its own, in turns; the
 * package as it is published, with the Nodes given by path (the one that runs, without any). The rest of docs/performance.md
 * is about what informers do once they run.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { must, projectRoot, run } from "./support/command.js";

const RUNS = 21;

interface Cost {
  readonly milliseconds: number;
  readonly processorMs: number;
  readonly megabytes: number;
}

async function costOf(node: string, module: string): Promise<Cost> {
  const program = `
    const cpu = process.cpuUsage(), start = performance.now();
    ${module === "" ? "" : `await import(${JSON.stringify(module)});`}
    const milliseconds = performance.now() - start, { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({ milliseconds, processorMs: (user + system) / 1e3, megabytes: process.memoryUsage.rss() / 1e6 }));`;
  const { code, stdout, output } = await run(node, ["--input-type=module", "--eval", program]);
  if (code !== 0) throw new Error(output);
  return JSON.parse(stdout) as Cost;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function compare(node: string): Promise<string> {
  const modules = { bare: "", ours: pathToFileURL(join(projectRoot, "dist/index.js")).href };
  const costs: Record<keyof typeof modules, Cost[]> = { bare: [], ours: [] };
  for (let i = 0; i < RUNS; i++) {
    costs.bare.push(await costOf(node, modules.bare));
    costs.ours.push(await costOf(node, modules.ours));
  }
  const more = (key: keyof Cost) =>
    (median(costs.ours.map((cost) => cost[key])) - median(costs.bare.map((cost) => cost[key]))).toFixed(1);
  const { stdout: version } = await run(node, ["--version"]);
  return `| ${version.trim()} | ${more("milliseconds")} ms | ${more("processorMs")} ms | ${more("megabytes")} MB |`;
}

await must("npm", ["run", "--silent", "build"]);
console.log("| Node | time | processor | memory |\n| --- | --- | --- | --- |");
const nodes = process.argv.slice(2);
for (const node of nodes.length === 0 ? [process.execPath] : nodes) console.log(await compare(node));
