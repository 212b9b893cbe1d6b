/**
 * `npm run release [-- --ci] [--out FOLDER]`: everything that a release needs, up to the command that publishes it, which this
 * never runs. `--ci` runs `.ci/run` as well. What is made: the package, its SHA-256, and the SBOM (CycloneDX).
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { isEntryPoint, projectRoot, report, run } from "./support/command.js";
import { pack } from "./support/pack.js";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** What npm runs by itself on install, pack or publish. */
const LIFECYCLE = /^(pre|post)?(install|pack|publish|prepare|uninstall)$|^prepublishOnly$|^dependencies$/;

/** Asks the registry's audit endpoint: one that has none fails the release. Under `npm run --silent` npm would not say why. */
const AUDIT = ["audit", "--omit=dev", "--loglevel=warn"];

/** What is wrong with a manifest and a changelog, before anything is built. */
export function releaseProblems(manifest: Manifest, changelog: string | undefined): string[] {
  const problems: string[] = [];
  const { version, dependencies = {}, scripts = {} } = manifest;
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) problems.push(`package.json: "${version}" is no version`);
  for (const name of Object.keys(dependencies))
    problems.push(`package.json: depends on ${name}; the runtime has no dependencies`);
  for (const name of Object.keys(scripts))
    if (LIFECYCLE.test(name)) problems.push(`package.json: npm runs the script "${name}" by itself`);
  const heading = new RegExp(`^## ${version.replaceAll(".", "\\.")}\\b`, "m");
  if (changelog === undefined) problems.push("CHANGELOG.md: there is none");
  else if (!heading.test(changelog)) problems.push(`CHANGELOG.md: no heading "## ${version}"`);
  return problems;
}

/** Runs a command; its output when it failed. */
async function failure(what: string, command: string, args: readonly string[]): Promise<string[]> {
  console.log(`${what} …`);
  const { code, output } = await run(command, args);
  return code === 0 ? [] : [`${what}: ${command} ${args.join(" ")} ended with ${code}. ${output.trim()}`];
}

const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Builds twice: who builds it again gets the same bytes. */
async function packTwice(out: string): Promise<string[]> {
  console.log("building and packing, twice …");
  const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), "kube-informers-release-")));
  try {
    const packages: string[] = [];
    for (const folder of folders) packages.push(await pack(folder));
    const [first, second] = packages.map(sha256);
    if (first !== second) return [`the package is not reproducible: ${first} and ${second}`];
    cpSync(folders[0]!, out, { recursive: true });
    console.log(`${readdirSync(folders[0]!)[0]}  sha256 ${first}`);
    return [];
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

async function writeBill(out: string): Promise<string[]> {
  console.log("listing what is in it …");
  const { code, output, stdout } = await run("npm", [
    "sbom",
    "--omit=dev",
    "--sbom-format=cyclonedx",
    "--package-lock-only",
  ]);
  if (code !== 0) return [`npm sbom ended with ${code}\n${output}`];
  writeFileSync(join(out, "sbom.cdx.json"), stdout);
  const { components = [] } = JSON.parse(stdout) as { components?: { name: string; scope?: string }[] };
  return components
    .filter(({ scope }) => scope !== "optional")
    .map(({ name }) => `the production tree holds ${name}, which is not optional`);
}

async function main(): Promise<void> {
  process.chdir(projectRoot);
  const { values } = parseArgs({
    options: {
      // What it always is: to publish is done by hand.
      "dry-run": { type: "boolean" },
      ci: { type: "boolean", default: false },
      out: { type: "string", default: join(".tmp", "release") },
    },
  });
  const out = resolve(values.out);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const manifest: Manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const changelog = existsSync("CHANGELOG.md") ? readFileSync("CHANGELOG.md", "utf8") : undefined;
  const problems = releaseProblems(manifest, changelog);
  const { stdout: changed } = await run("git", ["status", "--porcelain"]);
  if (changed !== "") problems.push(`what is committed is not what is here:\n${changed.trimEnd()}`);
  if (values.ci) problems.push(...(await failure("CI", ".ci/run", [])));
  problems.push(...(await packTwice(out)));
  problems.push(...(await writeBill(out)));
  problems.push(...(await failure("auditing what is used in production", "npm", AUDIT)));
  report(
    problems,
    `
${out} holds what is to be published. By hand, from CI with an identity of its own (provenance names the build):
    git tag --sign v${manifest.version} && git push origin v${manifest.version}
    npm publish ${join(out, `${manifest.name}-${manifest.version}.tgz`)} --provenance --access public`,
  );
}

if (isEntryPoint(import.meta.url)) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
