import { expect, test } from "vitest";
import { type Check, command, runChecks, selectChecks } from "../../scripts/support/checks.js";

const check = (name: string, script: string): Check => ({
  name,
  what: `what ${name} is about`,
  work: command(process.execPath, "--eval", script),
});

test("every check runs, a failing one is shown with what it said, and counted", async () => {
  const checks = [check("good", "console.log('quiet')"), check("bad", "console.error('the reason'); process.exit(3)")];
  const lines: string[] = [];
  const outcomes = await runChecks(checks, 1, "npm run check", (text) => lines.push(text));
  expect(outcomes.map(({ check, code }) => [check.name, code])).toEqual([
    ["good", 0],
    ["bad", 3],
  ]);
  expect(lines[0]).toMatch(/^ok +good +\d+\.\d s {2}what good is about$/);
  expect(lines[1]).toMatch(/^FAILED +bad .*\n +the reason\n +again: npm run check -- bad$/);
});

test("a program that does not exist is a failed check", async () => {
  const missing: Check = { name: "missing", what: "", work: command("no-such-program-anywhere") };
  const [outcome] = await runChecks([missing], 1, "npm run check", () => {});
  expect(outcome?.code).toBe(127);
  expect(outcome?.output).toContain("no-such-program-anywhere");
});

test("checks are chosen by name or family, and a wrong name is refused", () => {
  const checks = [check("one", ""), check("two", "")];
  expect(selectChecks(checks, [])).toHaveLength(2);
  expect(selectChecks(checks, ["two"]).map(({ name }) => name)).toEqual(["two"]);
  const family = [check("node-20", ""), check("node-22", ""), check("nodes", "")];
  expect(selectChecks(family, ["node"]).map(({ name }) => name)).toEqual(["node-20", "node-22"]);
  expect(() => selectChecks(checks, ["three"])).toThrow("no check is called three; there are: one, two");
});
