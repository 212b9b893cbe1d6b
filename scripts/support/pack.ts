/** The package as it would be published, built from nothing, and as its users install it. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "./command.js";

/** Builds and packs into an empty folder, and gives the path of the package. */
export async function pack(folder: string): Promise<string> {
  await must("npm", ["run", "--silent", "build"]);
  await must("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder]);
  const [file] = readdirSync(folder);
  if (file === undefined) throw new Error("npm pack made nothing");
  return join(folder, file);
}

/** Makes an empty project with the package in it, and nothing else: without the generator's optional dependencies. */
export async function emptyProject(folder: string, tarball: string): Promise<void> {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  await must("npm", ["install", "--offline", "--omit=optional", "--no-audit", "--no-fund", tarball], folder);
}
