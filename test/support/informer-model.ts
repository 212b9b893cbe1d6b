/** Random histories of a server, faults of the way to it and manners of handlers, and what must hold in each of them. */
import fc from "fast-check";
import { Play } from "./model-play.js";
import { scripts } from "./model-script.js";

export const INVARIANTS = {
  I1: "convergence: in the end cache and indexes are what the server has, and the cache says so",
  I2: "subsequence: the cache never holds a state that the server never had",
  I3: "no time travel: neither the cache nor a handler goes back to an older state, nor does the cache's resourceVersion",
  I4: "fold: in the end each handler's own story gives the cache",
  I5: "well-formed story: add, updates from what was told last, delete; all of what was watched, nothing after a removal",
  I6: "serial: a handler has one call at a time",
  I7: "read your event: the cache is as new as the event that is told, or newer",
  I8: "sync: not before the list is in the cache, and for good; each handler in the end, after its initial list",
  I9: "swap: keys, index and single reads agree between two turns of the loop",
  I10: "what is there when a handler joins is told once",
  I11: "resume: a watch begins, and the cache says that it is, where everything before was taken in, and not twice at one that has expired",
  I12: "relists: no more than faults give a reason for",
  I13: "rate: six requests in a second and twelve in ten at most, whatever happens",
  I14: "bound: what waits grows with the objects, never with the events",
  I15: "progress: once the server answers, all comes to rest",
  I16: "stop: from any state, and nothing is left",
  I17: "isolation: a handler that throws changes nothing for the others",
  I18: "honest errors: none without a fault",
  I19: "purity: what was given out never changes",
  I20: "hostile keys: all of this also for __proto__ and its like",
} as const;

const RUNS = 10_000;
/** Of the scripts: another each time, unless it is given. */
export const SEED = Number(process.env["MODEL_SEED"] ?? Date.now() % 2 ** 31);
/** Of one script of that seed, as a failure tells it: that one alone is played. */
const PATH = process.env["MODEL_PATH"];

/**
 * Plays {@link RUNS} scripts. A run that breaks an invariant is shrunk to the shortest that does.
 * @returns what did not hold, by invariant, with the script and the seed that make it again
 */
export async function brokenInvariants(byNamespaces: boolean): Promise<(invariant: string) => string> {
  const property = fc.asyncProperty(scripts(byNamespaces), async (script) => {
    const violations = await new Play(script).run();
    if (violations.size > 0) throw Object.assign(new Error([...violations].join("; ")), { violations });
  });
  const { failed, errorInstance, counterexample, counterexamplePath } = await fc.check(property, {
    numRuns: RUNS,
    seed: SEED,
    ...(PATH !== undefined && { path: PATH, endOnFailure: true }),
  });
  if (!failed) return () => "";
  if (!(errorInstance instanceof Error && "violations" in errorInstance)) throw errorInstance;
  const violations = errorInstance.violations as Map<string, string>;
  const again = `again: MODEL_SEED=${SEED} MODEL_PATH=${counterexamplePath} npx vitest run test/cache/shared-informer`;
  const report = `${again}; script ${JSON.stringify(counterexample?.[0])}`;
  return (invariant) => {
    // Each key of the scripts is one that breaks objects, or stands beside one.
    const what = invariant === "I20" ? [...violations.values()].join("; ") : violations.get(invariant);
    return what === undefined || what === "" ? "" : `${what} (${report})`;
  };
}
