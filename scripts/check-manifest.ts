/**
 * What package.json, package-lock.json and .npmrc promise to those who install the package or clone the project:
 * nothing runs on install, the runtime brings no dependencies, and the lock file works with any registry.
 */
import { readFileSync } from "node:fs";
import { isEntryPoint, projectRoot, report } from "./support/command.js";

/** npm runs these on somebody's machine without being asked to. */
const LIFECYCLE_SCRIPTS = [
  "preinstall",
  "install",
  "postinstall",
  "preuninstall",
  "uninstall",
  "postuninstall",
  "prepublish",
  "preprepare",
  "prepare",
  "postprepare",
  "prepack",
  "postpack",
  "dependencies",
];

const OMIT_RESOLVED = "omit-lockfile-registry-resolved=true";

interface Manifest {
  readonly type?: string;
  readonly license?: string;
  readonly sideEffects?: boolean;
  readonly engines?: { readonly node?: string };
  readonly scripts?: { readonly [name: string]: string };
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
  readonly peerDependencies?: { readonly [name: string]: string };
  readonly peerDependenciesMeta?: { readonly [name: string]: { readonly optional?: boolean } };
}

interface LockedPackage {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: { readonly [name: string]: string };
}

interface Lockfile {
  readonly packages?: { readonly [path: string]: LockedPackage };
}

export function manifestProblems(manifest: Manifest): string[] {
  const problems: string[] = [];
  for (const name of LIFECYCLE_SCRIPTS) {
    if (manifest.scripts?.[name] !== undefined) problems.push(`package.json: scripts.${name} runs on its own`);
  }
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    problems.push(`package.json: the runtime has no dependencies, but "dependencies" has ${name}`);
  }
  for (const name of Object.keys(manifest.peerDependencies ?? {})) {
    if (manifest.peerDependenciesMeta?.[name]?.optional !== true)
      problems.push(`package.json: the peer ${name} is not optional`);
  }
  for (const [name, range] of Object.entries({ ...manifest.optionalDependencies, ...manifest.devDependencies })) {
    if (!/^\d+\.\d+\.\d+$/.test(range)) problems.push(`package.json: ${name} is "${range}", and not one exact version`);
  }
  if (manifest.type !== "module") problems.push(`package.json: "type" is not "module"`);
  if (manifest.sideEffects !== false) problems.push(`package.json: "sideEffects" is not false`);
  if (manifest.license !== "Apache-2.0") problems.push(`package.json: "license" is not "Apache-2.0"`);
  if (manifest.engines?.node === undefined) problems.push(`package.json: "engines.node" is missing`);
  return problems;
}

export function lockfileProblems(lockfile: Lockfile): string[] {
  const packages = lockfile.packages ?? {};
  const problems: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      // Where a registry does not have the builds for another platform, npm leaves them out, and `npm ci` then refuses.
      const isLocked = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((at) => at in packages);
      if (!isLocked) problems.push(`package-lock.json: ${name}, optional for ${path || "the project"}, is not locked`);
    }
    if (path === "") continue;
    if (entry.resolved !== undefined) problems.push(`package-lock.json: ${path} has "resolved": ${entry.resolved}`);
    // Of a build for one platform only the version may have been known where the file was made.
    const isForOnePlatform = entry.optional === true && entry.os !== undefined;
    if (entry.integrity === undefined && !isForOnePlatform)
      problems.push(`package-lock.json: ${path} has no "integrity"`);
  }
  if (Object.keys(packages).length === 0) problems.push("package-lock.json: it locks nothing");
  return problems;
}

export function npmrcProblems(npmrc: string): string[] {
  const lines = npmrc.split("\n").map((line) => line.trim());
  const problems = lines
    .filter((line) => /registry\s*=|_auth|_password|\/\//.test(line.replace(OMIT_RESOLVED, "")))
    .map((line) => `.npmrc: "${line.split("=")[0]}" is a matter of each machine`);
  if (!lines.includes(OMIT_RESOLVED)) problems.push(`.npmrc: "${OMIT_RESOLVED}" is missing`);
  return problems;
}

if (isEntryPoint(import.meta.url)) {
  const read = (name: string) => readFileSync(`${projectRoot}/${name}`, "utf8");
  const problems = [
    ...manifestProblems(JSON.parse(read("package.json"))),
    ...lockfileProblems(JSON.parse(read("package-lock.json"))),
    ...lockfileProblems(JSON.parse(read("test/matrix/tools/package-lock.json"))).map(
      (text) => `test/matrix/tools: ${text}`,
    ),
    ...npmrcProblems(read(".npmrc")),
  ];
  report(problems, "manifest and lock file are in order");
}
