import { describe, expect, it } from "vitest";
import { citedTests, specProblems } from "../../scripts/check-spec.js";

const SPEC = `# Rules
| rule | what holds | test |
| --- | --- | --- |
| A1 | one thing | \`cache/one\` does one; \`cache/two\` |
| A2 | another | \`cache/two\` does two |
`;
const texts = new Map([
  ["cache/one", 'test("does one thing", …)'],
  ["cache/two", 'test("does two things", …)'],
]);
const problems = (spec: string, files = [...texts.keys()]) =>
  specProblems(citedTests(spec), files, (file) => texts.get(file));

describe("check-spec", () => {
  it("reads rules and the tests that they name", () => {
    expect(citedTests(SPEC)).toEqual([
      { rule: "A1", file: "cache/one", title: "does one" },
      { rule: "A1", file: "cache/two", title: "" },
      { rule: "A2", file: "cache/two", title: "does two" },
    ]);
    expect(problems(SPEC)).toEqual([]);
  });

  it("finds a rule without a test, and a test without a rule", () => {
    expect(problems(SPEC.replace("`cache/two` does two", "`cache/three`"))).toEqual([
      "A2: there is no test file cache/three",
    ]);
    expect(problems(SPEC.replace("does one;", "does none;"))).toEqual(['A1: cache/one has no test "does none"']);
    expect(problems(SPEC.replace("`cache/one` does one", "by hand"))).toEqual([
      "A1: there is no test file named",
      "test/cache/one.test.ts stands for no rule of the specification",
    ]);
    expect(problems(SPEC, ["cache/four"])).toEqual(["test/cache/four.test.ts stands for no rule of the specification"]);
    expect(problems("# nothing\n", [])).toEqual(["the specification has no rule"]);
  });
});
