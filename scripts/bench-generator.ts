/**
 * `npx tsx scripts/bench-generator.ts [DEFINITIONS]`: how long the generator takes over many definitions of 50 to 5,000
 * properties, half of them YAML and half JSON: how much memory, with the share of each stage, and how long TypeScript takes
 * over the result. The generator runs in a process of its own, so that its memory is its own.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dump } from "js-yaml";
import { generate } from "../generator/index.js";
import { projectRoot } from "./support/command.js";

const bounds = { generateMs: 30_000, peakMiB: 1024, compileMs: 60_000 };

/** A schema with about so many properties, in the proportions of real ones: mostly scalars, some objects, lists and maps. */
function schemaOf(properties: number, seed: number): object {
  let left = properties;
  let state = seed;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
  const node = (depth: number): object => {
    const kind = depth > 6 ? 0 : next(10);
    if (left <= 0 || kind < 6)
      return { type: "string", description: `What property ${left} is for, in a sentence or so.` };
    if (kind === 6) return { type: "integer", format: "int32", minimum: 0 };
    if (kind === 7) return { type: "array", items: node(depth + 1) };
    if (kind === 8) return { type: "object", additionalProperties: { type: "string" } };
    return object(depth + 1, 20);
  };
  const object = (depth: number, most: number): object => {
    const children: Record<string, object> = {};
    for (let index = 0; index < most && left > 0; index++) {
      left -= 1;
      children[`property${index}`] = node(depth);
    }
    return { type: "object", properties: children };
  };
  const spec: Record<string, object> = {};
  for (let index = 0; left > 0; index++) spec[`section${index}`] = object(1, 25);
  return { type: "object", properties: { spec: { type: "object", properties: spec } } };
}

function definition(index: number, count: number): object {
  // From 50 to 5,000, most of them small.
  const properties = Math.round(50 * 100 ** ((index / Math.max(1, count - 1)) ** 1));
  const group = `group${index % 50}.example.com`;
  const plural = `kind${index}s`;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: `Kind${index}`, plural },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schemaOf(properties, index + 1) } },
      ],
    },
  };
}

interface Run {
  readonly stages: readonly (readonly [name: string, ms: number])[];
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** In a process of its own: generates, and prints what it took. */
async function run(folder: string): Promise<void> {
  const begins: [name: string, from: number][] = [];
  const begin = performance.now();
  await generate({
    crd: [join(folder, "crds")],
    out: join(folder, "generated"),
    progress: { step: (text) => begins.push([text, performance.now()]) },
  });
  const end = performance.now();
  const { user, system } = process.cpuUsage();
  const result: Run = {
    stages: begins.map(([name, from], index) => [name, (begins[index + 1]?.[1] ?? end) - from] as const),
    ms: end - begin,
    cpuMs: (user + system) / 1000,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(result));
}

function main(count: number): boolean {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-bench-"));
  try {
    mkdirSync(join(folder, "crds"));
    for (let index = 0; index < count; index++) {
      const content = definition(index, count);
      const path = join(folder, "crds", `crd-${index}`);
      if (index % 2 === 0) writeFileSync(`${path}.json`, JSON.stringify(content, undefined, 1));
      else writeFileSync(`${path}.yaml`, dump(content));
    }
    const script = fileURLToPath(import.meta.url);
    const child = spawnSync(process.execPath, ["--import", "tsx", script, "--in", folder], { encoding: "utf8" });
    if (child.status !== 0) throw new Error(`the generator failed:\n${child.stderr}`);
    const { stages, ms, cpuMs, peakMiB } = JSON.parse(child.stdout) as Run;
    for (const [name, took] of stages) {
      console.log(
        `  ${name.padEnd(24)} ${(took / 1000).toFixed(2).padStart(7)} s ${((100 * took) / ms).toFixed(0).padStart(3)} %`,
      );
    }
    console.log(`  processor time           ${(cpuMs / 1000).toFixed(2).padStart(7)} s`);
    const rows: [what: string, value: number, bound: number, unit: string][] = [
      ["generate", ms / 1000, bounds.generateMs / 1000, "s"],
      ["peak memory", peakMiB, bounds.peakMiB, "MiB"],
      ["tsc", compile(folder) / 1000, bounds.compileMs / 1000, "s"],
    ];
    for (const [what, value, bound, unit] of rows) {
      console.log(
        `${value <= bound ? "ok     " : "OVER   "} ${what.padEnd(12)} ${value.toFixed(1).padStart(8)} ${unit} of ${bound} ${unit}`,
      );
    }
    return rows.every(([, value, bound]) => value <= bound);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compile(folder: string): number {
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023", "DOM"],
    module: "NodeNext",
    types: ["node"],
    typeRoots: [join(projectRoot, "node_modules/@types")],
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    paths: { "kube-informers/codegen": [join(projectRoot, "runtime/codegen.ts")] },
  };
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["generated"] }));
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const begin = performance.now();
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the result does not compile:\n${stdout.slice(0, 2000)}`);
  return performance.now() - begin;
}

const [first = "500", inFolder] = process.argv.slice(2);
if (first === "--in" && inFolder !== undefined) await run(inFolder);
else process.exitCode = main(Number(first)) ? 0 : 1;
