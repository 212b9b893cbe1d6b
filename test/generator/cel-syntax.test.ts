// What a server's parser reads is read, and nothing else: the verdicts are a kube-apiserver's (test/cluster asks one again).
import { describe, expect, it } from "vitest";
import { celProblem } from "../../generator/load/cel-syntax.js";
import { expressions } from "../support/cel-expressions.js";

describe("an expression that a server reads", () => {
  it.each(expressions.read)("%j", (expression) => {
    expect(celProblem(expression)).toBeUndefined();
  });
});

describe("an expression that a server does not read", () => {
  it.each(expressions.unread)("%j", (expression) => {
    expect(celProblem(expression)).toMatch(/^(?:ends too early|cannot be read from ".+" on)$/);
  });
});

it("the place is named", () => {
  expect(celProblem("self.a && (self.b || ) && self.c")).toBe('cannot be read from ") && self.c" on');
  expect(celProblem("self.a ? 1 :")).toBe("ends too early");
});

it("what is too long or too deep is left to the server, and costs no time", () => {
  expect(celProblem("(".repeat(50_000))).toBeUndefined();
  expect(celProblem("!".repeat(90_000))).toBe("ends too early");
  expect(celProblem('"'.repeat(200_000))).toBeUndefined();
  expect(celProblem('"""'.repeat(33_333))).toContain("cannot be read");
  expect(celProblem(`"${"\\".repeat(99_000)}`)).toContain("cannot be read");
});
