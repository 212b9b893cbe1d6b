/**
 * `npm run check [-- NAME… --report FILE]`: everything that can be known of the project without running its tests.
 * Each check is a command of its own, listed below; its output is shown when it fails.
 */
import { availableParallelism } from "node:os";
import { type Check, checksProgram, command } from "./support/checks.js";
import { isEntryPoint } from "./support/command.js";

const CHECKS: readonly Check[] = [
  {
    name: "package",
    what: "builds, packs, installs, and loads by import and require",
    work: command("tsx", "scripts/check-package.ts"),
  },
  {
    name: "types",
    what: "TypeScript, over sources, tests, scripts and examples",
    work: command("tsc", "--noEmit", "-p", "."),
  },
  {
    name: "generated",
    what: "generated code is what the generator makes",
    work: command("npm", "run", "--loglevel=error", "generate:check"),
  },
  { name: "unused", what: "no unused file, export or dependency", work: command("knip", "--no-progress") },
  { name: "style", what: "format and lint", work: command("biome", "check", "--error-on-warnings", ".") },
  { name: "imports", what: "folders import downwards only", work: command("tsx", "scripts/check-imports.ts") },
  {
    name: "faults",
    what: "each fault has its test, each test of a fault its row",
    work: command("tsx", "scripts/check-faults.ts"),
  },
  { name: "spec", what: "each rule has its test, each test its rule", work: command("tsx", "scripts/check-spec.ts") },
  {
    name: "lockfile",
    what: "the lock file names no registry, the manifest runs nothing on install",
    work: command("tsx", "scripts/check-manifest.ts"),
  },
];

if (isEntryPoint(import.meta.url)) await checksProgram(CHECKS, Math.min(4, availableParallelism()), "npm run check");
