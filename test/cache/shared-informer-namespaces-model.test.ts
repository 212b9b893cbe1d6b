/** The same as in shared-informer-model.test.ts of an informer over several namespaces, which come and go and are forbidden. */
import { beforeAll, describe, expect, test } from "vitest";
import { brokenInvariants, INVARIANTS, SEED } from "../support/informer-model.js";

describe(`whatever else happens while namespaces are followed and let go (seed ${SEED})`, () => {
  let broken: (invariant: string) => string;
  beforeAll(async () => {
    broken = await brokenInvariants(true);
  }, 600_000);

  test.each(Object.entries(INVARIANTS))("%s %s", (invariant) => expect(broken(invariant)).toBe(""));
});
