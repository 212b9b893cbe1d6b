import { expect } from "vitest";
import { type InformerError, isInformerError } from "../../runtime/api/informer-error.js";

/** The InformerError that a call throws or a promise rejects with; anything else, or nothing, fails the test. */
export async function informerErrorOf(action: (() => unknown) | Promise<unknown>): Promise<InformerError> {
  let thrown: unknown;
  try {
    await (typeof action === "function" ? action() : action);
  } catch (error) {
    thrown = error;
  }
  expect(thrown, "an InformerError").toSatisfy(isInformerError);
  return thrown as InformerError;
}
