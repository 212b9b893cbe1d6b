/**
 * The last step of `npm run build`: what the compiler made of the runtime and of `generated/`, two hundred small files, becomes
 * one file for each entry point of the package. Loading those takes node four times as long (docs/performance.md). Types stay
 * as the compiler made them, and so does the generator.
 */
import { readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { projectRoot } from "./support/command.js";

/** Entry points that share the runtime: one copy of it, whichever of them are imported. The last is for the generator. */
const SHARING = ["index.js", "runtime/codegen.js", "runtime/testing/index.js", "runtime/informers/roles.js"];

const dist = join(projectRoot, "dist");
const options = {
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: ["@kubernetes/client-node"],
  // The compiler has applied it; and its table of names would lead back to the sources.
  tsconfigRaw: {},
  absWorkingDir: projectRoot,
  outdir: dist,
  outbase: dist,
  chunkNames: "runtime/shared-[hash]",
  allowOverwrite: true,
  metafile: true,
  logLevel: "warning",
} satisfies BuildOptions;

const inDist = (path: string) => join(dist, path);
const filesIn = (folder: string) =>
  readdirSync(inDist(folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".js"))
    .map((path) => join(folder, path));

const parts = [...filesIn("runtime"), ...filesIn("generated")];
const indexes = parts.filter((path) => path.startsWith("generated") && path.endsWith("index.js"));
const results = [
  await build({ ...options, entryPoints: SHARING.map(inDist), splitting: true }),
  // Descriptors are data, and found by what they say: that the factory has them too does no harm.
  await build({ ...options, entryPoints: indexes.map(inDist) }),
];
const made = new Set(
  results.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((path) => relative("dist", path)),
);
for (const path of parts) if (!made.has(path)) rmSync(inDist(path));
