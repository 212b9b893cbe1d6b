/** The tests over a runtime with a seeded bug, named by KUBE_INFORMERS_MUTANT: see scripts/mutants.ts. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { mutated } from "./test/mutants/mutant.js";
import { MUTANTS } from "./test/mutants/mutants.js";
import base from "./vitest.config.js";

const name = process.env["KUBE_INFORMERS_MUTANT"];
const mutant = MUTANTS.find(({ bug }) => bug === name);
if (name !== undefined && mutant === undefined) throw new Error(`no seeded bug is called "${name}"`);
const path = mutant && fileURLToPath(new URL(`./runtime/${mutant.file}.ts`, import.meta.url));

export default defineConfig({
  ...base,
  // The same scripts for the model each time: of other seeds, some of its bugs need more scripts than a run plays.
  test: { ...base.test, env: { MODEL_SEED: "4" } },
  plugins: [
    {
      name: "mutant",
      enforce: "pre",
      transform: (code, id) => (id === path && mutant !== undefined ? mutated(code, mutant) : undefined),
    },
  ],
});
