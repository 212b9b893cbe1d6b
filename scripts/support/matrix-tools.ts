/**
 * What `npm run matrix` tries the package with: each Node, TypeScript and client-node, at the versions that
 * test/matrix/tools/package-lock.json pins. They are installed once per machine, outside the clone, beside the programs of the
 * real cluster.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../../test/cluster/support/binaries.js";
import { must, projectRoot } from "./command.js";

const pinned = join(projectRoot, "test/matrix/tools");

interface Pins {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

export interface MatrixTools {
  /** The program of a Node, as of `nodes`. */
  node(name: string): string;
  /** The compiler's program, a module for Node to run. */
  compiler(name: string): string;
  /** The folder of a package. */
  folder(name: string): string;
}

const platform = `${process.platform}-${process.arch}`;

/** The pinned names of a kind with their versions: `{ name: "typescript-5.9", version: "5.9.3" }`. */
export function pinnedVersions(kind: "client-node" | "node" | "typescript"): { name: string; version: string }[] {
  const pins = JSON.parse(readFileSync(join(pinned, "package.json"), "utf8")) as Pins;
  // A Node has a package for each platform; the names of all but this part are the same.
  const versions = Object.entries({ ...pins.dependencies, ...pins.optionalDependencies })
    .map(([name, spec]) => ({ name: /^[a-z-]+-[\d.]+/.exec(name)?.[0] ?? name, version: spec.split("@").at(-1) ?? "" }))
    .filter(({ name }) => name.startsWith(kind));
  return [...new Map(versions.map((entry) => [entry.name, entry])).values()];
}

/** The tools, from the cache or newly installed: half a minute, and a gigabyte on disk. */
export async function matrixTools(cache = join(dirname(cacheDirectory()), "matrix")): Promise<MatrixTools> {
  const hash = createHash("sha256")
    .update(readFileSync(join(pinned, "package-lock.json")))
    .digest("hex")
    .slice(0, 8);
  const directory = join(cache, `${platform}-${hash}`);
  if (!existsSync(directory)) await install(directory, cache);
  const folder = (name: string) => join(directory, "node_modules", name);
  return {
    folder,
    compiler: (name) => join(folder(name), "bin/tsc"),
    node(name) {
      const path = join(folder(`${name}-${platform}`), "bin/node");
      if (!existsSync(path)) throw new Error(`test/matrix/tools/package.json has no ${name} for ${platform}`);
      return path;
    },
  };
}

/** Any number of processes may install at once: each into a folder of its own, and the first to finish gives its to all. */
async function install(directory: string, cache: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "install-"));
  try {
    cpSync(pinned, folder, { recursive: true });
    await must("npm", ["ci", "--ignore-scripts", "--loglevel=error"], folder);
    if (!existsSync(directory)) renameSync(folder, directory);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
