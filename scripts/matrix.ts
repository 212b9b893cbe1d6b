/**
 * `npm run matrix [-- NAME… --report FILE]`: everywhere it says it runs. Generated code under each TypeScript, the package as
 * installed on each Node, client-node 1.x and 2.x, and the whole test suite on each Node (`tests`, which takes a minute each).
 * Versions are pinned in test/matrix/tools.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Check, checksProgram } from "./support/checks.js";
import { type CommandResult, isEntryPoint, must, projectRoot, run } from "./support/command.js";
import { type MatrixTools, matrixTools, pinnedVersions } from "./support/matrix-tools.js";
import { emptyProject, pack } from "./support/pack.js";
import { strictest } from "./support/strictest.js";

type Outcome = Pick<CommandResult, "code" | "output">;

/** An empty project with the package in it, generated code, and programs that use both. */
interface Bench {
  readonly tools: MatrixTools;
  readonly project: string;
}

const fixtures = join(projectRoot, "test/matrix/fixtures");
const published = join(projectRoot, "../shared/crds");
const withoutPublished = existsSync(published) ? "" : " (without ../shared/crds, which is not there)";
const temporary: string[] = [];

/** One after another until one fails. */
async function inTurn(...steps: (() => Promise<Outcome>)[]): Promise<Outcome> {
  let last: Outcome = { code: 0, output: "" };
  for (const step of steps) {
    last = await step();
    if (last.code !== 0) break;
  }
  return last;
}

async function prepare(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-matrix-"));
  temporary.push(folder);
  const [tools, project, packed] = [await matrixTools(), join(folder, "project"), join(folder, "packed")];
  mkdirSync(packed);
  await emptyProject(project, await pack(packed));
  cpSync(fixtures, project, { recursive: true });
  cpSync(join(projectRoot, "generated"), join(project, "built-in"), { recursive: true });
  const cli = join(projectRoot, "dist/generator/cli.js");
  const generate = (crd: string, out: string) =>
    must(process.execPath, [cli, "generate", "--crd", crd, "--out", out], project);
  const crds = { classes: "test/generator/fixtures/classes", nasty: "test/generator/fixtures/nasty.crd.yaml" };
  for (const [name, path] of Object.entries(crds)) {
    await generate(join(projectRoot, path), name);
  }
  if (existsSync(published)) await generate(published, "published");
  return { tools, project };
}

let bench: Promise<Bench> | undefined;
const prepared = (): Promise<Bench> => {
  bench ??= prepare();
  return bench;
};

/** A check that needs the bench; what throws is a failed one. */
function check(name: string, what: string, work: (bench: Bench) => Promise<Outcome>): Check {
  return {
    name,
    what,
    work: () =>
      prepared()
        .then(work)
        .catch((error: unknown) => ({ code: 1, output: error instanceof Error ? error.message : String(error) })),
  };
}

async function compile({ tools, project }: Bench, compiler: string): Promise<Outcome> {
  const config = join(project, `tsconfig.${compiler}.json`);
  const compilerOptions = { ...strictest, typeRoots: [join(projectRoot, "node_modules/@types")] };
  const folders = ["built-in", "classes", "nasty", "published"].filter((name) => existsSync(join(project, name)));
  writeFileSync(config, JSON.stringify({ compilerOptions, include: ["consumer.ts", ...folders] }));
  return run(process.execPath, [tools.compiler(compiler), "-p", config], { cwd: project });
}

/** Runs with a Node, which the programs that it starts find too. */
function runOn(
  node: string,
  args: readonly string[],
  cwd = projectRoot,
  env: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  return run(node, args, {
    cwd,
    env: { ...env, NO_COLOR: "1", PATH: `${dirname(node)}${delimiter}${process.env["PATH"] ?? ""}` },
  });
}

async function installed({ tools, project }: Bench, name: string): Promise<Outcome> {
  const node = tools.node(name);
  return inTurn(
    () => runOn(node, ["informer.mjs"], project),
    () => runOn(node, ["informer.cjs"], project),
    () => runOn(node, ["dist/generator/cli.js", "generate", "--check"]),
  );
}

const vitest = ["node_modules/vitest/vitest.mjs", "run"];

/** Compiles what gives a factory client-node's KubeConfig, and runs every test that has to do with client-node. */
async function clientNode({ tools, project }: Bench, name: string): Promise<Outcome> {
  const folder = join(project, name);
  const packages = join(folder, "node_modules");
  mkdirSync(join(packages, "@kubernetes"), { recursive: true });
  symlinkSync(tools.folder(name), join(packages, "@kubernetes/client-node"));
  cpSync(join(fixtures, "client-node.ts"), join(folder, "client-node.ts"));
  const own = join(tools.folder(name), "node_modules/@types");
  const typeRoots = [existsSync(own) ? own : join(tools.folder(name), "../@types")];
  const compilerOptions = { ...strictest, skipLibCheck: true, typeRoots };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["client-node.ts"] }));
  const tests = readdirSync(join(projectRoot, "test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts") && !/^(cluster|project)\b/.test(path))
    .map((path) => join("test", path))
    .filter((path) => readFileSync(join(projectRoot, path), "utf8").includes("client-node"));
  // 2.x needs Node 22.19.
  const node = tools.node("node-24");
  return inTurn(
    () => run(process.execPath, [tools.compiler("typescript-5.9"), "-p", folder], { cwd: folder }),
    () => runOn(node, [...vitest, ...tests], projectRoot, { KUBE_INFORMERS_CLIENT_NODE: tools.folder(name) }),
  );
}

const CHECKS: readonly Check[] = [
  ...pinnedVersions("typescript").map(({ name, version }) =>
    check(name, `generated code compiles under TypeScript ${version}${withoutPublished}`, (it) => compile(it, name)),
  ),
  ...pinnedVersions("node").map(({ name, version }) =>
    check(name, `on Node ${version} the package works by import and require; generated/ comes out the same`, (it) =>
      installed(it, name),
    ),
  ),
  ...pinnedVersions("client-node").map(({ name, version }) =>
    check(name, `client-node ${version}: types, and every test that uses it`, (it) => clientNode(it, name)),
  ),
  ...pinnedVersions("node").map(({ name, version }) =>
    check(name.replace("node", "tests"), `the whole test suite on Node ${version}`, async ({ tools }) =>
      runOn(tools.node(name), vitest),
    ),
  ),
];

if (isEntryPoint(import.meta.url)) {
  try {
    await checksProgram(CHECKS, 1, "npm run matrix");
  } finally {
    for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
  }
}
