/**
 * The package as its users get it: built, packed, looked through, and installed into an empty project without the
 * generator's optional dependencies, where it has to load by `import` and by `require` and to compile.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isEntryPoint, projectRoot, report, run } from "./support/command.js";
import { emptyProject, pack } from "./support/pack.js";
import { strictest } from "./support/strictest.js";

/** What may be in the package, beside what `files` in package.json lets through. */
const EXPECTED = [
  /^(package\.json|LICENSE|(README|ARCHITECTURE|SECURITY)\.md)$/,
  /^templates\/[\w./-]+\.hbs$/,
  /^dist\/[\w./-]+\.(js|d\.ts)$/,
];
/** Bytes on disk of an installation without optional packages. Output is readable as it is, so there are no source maps. */
const MAXIMAL_BYTES = 3_000_000;
const MUST_HAVE = ["package.json", "LICENSE", "README.md", "dist/index.js", "dist/index.d.ts"];
const ENTRY_POINTS = [
  "kube-informers",
  "kube-informers/testing",
  "kube-informers/codegen",
  "kube-informers/core/v1",
  "kube-informers/generator",
];

/** What is wrong with a package's files, given as path → text. `buildRoot` is where it was built. */
export function contentProblems(files: ReadonlyMap<string, string>, buildRoot: string): string[] {
  const problems: string[] = [];
  const bytes = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > MAXIMAL_BYTES) problems.push(`${bytes} bytes unpacked are more than ${MAXIMAL_BYTES}`);
  for (const name of MUST_HAVE) if (!files.has(name)) problems.push(`${name} is missing`);
  for (const [path, text] of files) {
    if (!EXPECTED.some((pattern) => pattern.test(path))) problems.push(`${path} does not belong in the package`);
    if (/\.(test|spec|bench)\.|(^|\/)(fixtures|golden|__tests__)\//.test(path)) problems.push(`${path} is a test`);
    if (text.includes(buildRoot)) problems.push(`${path} names the folder that it was built in`);
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) problems.push(`${path} holds a private key`);
  }
  return problems;
}

/** What importing the package must leave to the first connection; each costs megabytes. Names of node's own modules. */
const LOADED_LATER = ["http", "http2", "https", "tls", "crypto", "child_process", "internal/deps/undici/undici"];

/** Fails when importing a module loads or leaves behind what it must not: a handle, a listener, a global, a word. */
const QUIET_IMPORT = `
  const state = () => ({
    globals: Object.getOwnPropertyNames(globalThis).length,
    // Requests are the loader's own, and end by themselves.
    handles: process.getActiveResourcesInfo().filter((name) => !name.includes("Req")),
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  });
  const before = JSON.stringify(state());
  await import(process.argv[1]);
  const loaded = process.moduleLoadList.map((name) => name.replace(/^\\w+ /, ""));
  const early = ${JSON.stringify(LOADED_LATER)}.filter((name) => loaded.includes(name));
  if (early.length > 0) throw new Error("loads " + early.join(", "));
  if (JSON.stringify(state()) !== before) throw new Error("leaves behind " + JSON.stringify(state()) + ", before " + before);
`;

/** A strict consumer: the names that an application imports first. */
const CONSUMER = `
import { SharedInformerFactory } from "kube-informers";
import type { Pod } from "kube-informers/core/v1";
import * as codegen from "kube-informers/codegen";
import * as testing from "kube-informers/testing";
export const names: string[] = [SharedInformerFactory.name, ...Object.keys(codegen), ...Object.keys(testing)];
export const phase = (pod: Pod): string | undefined => pod.status?.phase;
`;

async function main(): Promise<void> {
  const problems: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-package-"));
  try {
    /** Runs one step; what it prints is a problem if it fails. */
    const step = async (what: string, program: string, args: string[], cwd = projectRoot): Promise<void> => {
      const { code, output } = await run(program, args, { cwd });
      if (code !== 0) problems.push(`${what} failed:\n${output.trimEnd()}`);
    };

    const [packed, project] = [join(folder, "packed"), join(folder, "project")];
    mkdirSync(packed);
    const tarball = await pack(packed);
    await step("publint", "publint", [tarball, "--strict"]);
    // The ignored rule is about imports within the package as node 10 resolves them, and has no resolution to ignore it by;
    // compiling a consumer, below, is the better test.
    const ignored = ["--ignore-rules", "internal-resolution-error"];
    await step("attw", "attw", [tarball, "--profile", "esm-only", "--include-entrypoints", "core/v1", ...ignored]);

    await emptyProject(project, tarball);

    const installed = readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."));
    if (installed.join() !== "kube-informers")
      problems.push(`installing it brings other packages: ${installed.join(", ")}`);
    problems.push(...contentProblems(readFiles(join(project, "node_modules", "kube-informers")), projectRoot));

    for (const name of ENTRY_POINTS) {
      const nonEmpty = (namespace: string) =>
        `if (Object.keys(${namespace}).length === 0) throw new Error("no exports")`;
      const asModule = `import * as it from "${name}"; ${nonEmpty("it")}`;
      const asCommonJs = `const it = require("${name}"); ${nonEmpty("it")}`;
      await step(`import "${name}"`, process.execPath, ["--input-type=module", "--eval", asModule], project);
      await step(`require("${name}")`, process.execPath, ["--input-type=commonjs", "--eval", asCommonJs], project);
    }

    for (const name of ["kube-informers", "kube-informers/codegen", "kube-informers/core/v1"]) {
      const { code, output } = await run(process.execPath, ["--input-type=module", "--eval", QUIET_IMPORT, name], {
        cwd: project,
      });
      if (code !== 0 || output !== "") problems.push(`importing ${name} is not without effects:\n${output.trimEnd()}`);
    }

    writeFileSync(join(project, "consumer.ts"), CONSUMER);
    for (const module of ["NodeNext", "bundler"]) {
      const compilerOptions = {
        ...strictest,
        lib: ["ES2023"],
        ...(module === "bundler" ? { module: "ESNext", moduleResolution: "bundler" } : { module }),
        typeRoots: [join(projectRoot, "node_modules", "@types")],
      };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
      await step(`compiling a consumer, module ${module},`, "tsc", ["-p", project], project);
    }
    if (problems.length === 0) console.log(`${(statSync(tarball).size / 1024).toFixed(0)} kB packed`);
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    report(problems, "the package is what it should be");
  }
}

function readFiles(root: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(root.length + 1).replaceAll("\\", "/"), readFileSync(path, "utf8"));
  }
  return files;
}

if (isEntryPoint(import.meta.url)) await main();
