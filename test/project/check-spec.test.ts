import { describe, expect, it } from "vitest";
import { citedTests, specProblems } from "../../scripts/check-spec.js";
import { testTitles } from "../../scripts/support/test-titles.js";

const SPEC = `# Rules
| rule | what holds | test |
| --- | --- | --- |
| A1 | one thing | \`cache/one\` does one; \`cache/two\` |
| A2 | another | \`cache/two\` does two |
`;
const texts = new Map([
  ["cache/one", 'test("does one thing", () => {});'],
  ["cache/two", 'describe("both", () => { test("does two things", () => {}); });'],
]);
const problems = (spec: string, files = [...texts.keys()]) =>
  specProblems(citedTests(spec), files, (file) => {
    const text = texts.get(file);
    return text === undefined ? undefined : testTitles(text);
  });

describe("check-spec", () => {
  it("reads rules and the tests that they name", () => {
    expect(citedTests(SPEC)).toEqual([
      { rule: "A1", line: 4, file: "cache/one", title: "does one" },
      { rule: "A1", line: 4, file: "cache/two", title: "" },
      { rule: "A2", line: 5, file: "cache/two", title: "does two" },
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
    expect(problems(SPEC.replace("does two", "two things"))).toEqual(['A2: cache/two has no test "two things"']);
    expect(problems(SPEC.replace("| A2", "| A1"))).toEqual(["A1 has two lines"]);
    expect(problems("# nothing\n", [])).toEqual(["the specification has no rule"]);
  });

  it("takes for a title what begins a test or a group, tables included, and nothing else", () => {
    const source = `
      // test("a comment", () => {});
      const ROWS = [["of a table with a name", 1]];
      describe("a group", () => {
        test.each([["a row", "its text"]])("%s", () => expect("an expectation").toBe("x"));
        test(\`a template \${1}\`, () => {});
        it.runIf(true)("with a condition", () => {});
      });`;
    expect(testTitles(source).sort()).toEqual(
      ["%s", "a group", "a row", "a template ", "its text", "of a table with a name", "with a condition"].sort(),
    );
  });
});
