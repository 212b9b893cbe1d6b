/**
 * `npx tsx scripts/bench-generator.ts [DEFINITIONS]`: how long the generator takes over many definitions of 50 to 5,000
 * properties, how much memory, with the share of each stage, and how long TypeScript takes over the result.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

async function main(count: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-bench-"));
  try {
    const crds = Array.from({ length: count }, (_item, index) => {
      const path = join(folder, `crd-${index}.json`);
      writeFileSync(path, JSON.stringify(definition(index, count), undefined, 1));
      return path;
    });
    const stages: [name: string, from: number][] = [];
    const begin = performance.now();
    const out = join(folder, "generated");
    const result = await generate({
      crd: crds,
      out,
      progress: { step: (text) => stages.push([text, performance.now()]) },
    });
    const end = performance.now();
    console.log(`${result.resources.length} resources, ${result.types} types, ${result.plan.created.length} files`);
    for (const [index, [name, from]] of stages.entries()) {
      const ms = (stages[index + 1]?.[1] ?? end) - from;
      console.log(
        `  ${name.padEnd(24)} ${(ms / 1000).toFixed(2).padStart(7)} s ${((100 * ms) / (end - begin)).toFixed(0).padStart(3)} %`,
      );
    }
    const peakMiB = process.resourceUsage().maxRSS / 1024;
    const compileMs = compile(folder);
    const rows: [what: string, value: number, bound: number, unit: string][] = [
      ["generate", (end - begin) / 1000, bounds.generateMs / 1000, "s"],
      ["peak memory", peakMiB, bounds.peakMiB, "MiB"],
      ["tsc", compileMs / 1000, bounds.compileMs / 1000, "s"],
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

process.exitCode = (await main(Number(process.argv[2] ?? 500))) ? 0 : 1;
