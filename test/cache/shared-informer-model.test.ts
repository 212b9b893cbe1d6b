/**
 * Invariants over random histories of a server, faults of the way to it and manners of handlers. All are held in each of 10,000
 * runs; a run that breaks one is shrunk to a script, which the test of that invariant shows with the command that plays it again:
 * `MODEL_SEED=… MODEL_PATH=… npx vitest run test/cache/shared-informer-model`.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { brokenInvariants, INVARIANTS, SEED } from "../support/informer-model.js";

describe(`whatever the server, the connection and the handlers do (seed ${SEED})`, () => {
  let broken: (invariant: string) => string;
  beforeAll(async () => {
    broken = await brokenInvariants(false);
  }, 600_000);

  test.each(Object.entries(INVARIANTS))("%s %s", (invariant) => expect(broken(invariant)).toBe(""));
});
