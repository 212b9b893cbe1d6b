import { describe, expect, it } from "vitest";
import { faultProblems, faultRows, idsOfTitles } from "../../scripts/check-faults.js";

const DOCS = `# Faults
| | fault | what happens | test |
| --- | --- | --- | --- |
| N1, P1 | one | this | \`faults/one\` |
| N2 | another | that | \`faults/one\`, \`cache/two\` |
| N3 | nothing to test | so | – |
`;
const ids = new Map([
  ["faults/one", new Set(["N1", "P1"])],
  ["cache/two", new Set(["N2"])],
]);
const problems = (docs: string, changed = ids) =>
  faultProblems(faultRows(docs), ["faults/one"], (file) => changed.get(file));

describe("check-faults", () => {
  it("reads rows, and the numbers with which titles begin", () => {
    expect(faultRows(DOCS).map(({ ids: of, files }) => [of.join(), files.join()])).toEqual([
      ["N1,P1", "faults/one"],
      ["N2", "faults/one,cache/two"],
      ["N3", ""],
    ]);
    expect([...idsOfTitles(["N1 one", "P2, P3: two", "U4", "like N5", "C", "N10x"])]).toEqual(["N1", "P2", "P3", "U4"]);
    expect(problems(DOCS)).toEqual([]);
  });

  it("finds rows without a test, tests without a row, gaps and doubles", () => {
    expect(problems(DOCS.replace("`cache/two`", "`cache/three`"))).toEqual([
      "N2: there is no test file cache/three",
      "N2: no title in faults/one, cache/three begins with it",
    ]);
    expect(problems(DOCS, new Map([...ids, ["cache/two", new Set<string>()]]))).toEqual([
      "N2: no title in faults/one, cache/two begins with it",
    ]);
    expect(problems(DOCS, new Map([...ids, ["faults/one", new Set(["N1", "P1", "S9"])]]))).toEqual([
      "S9 of faults/one has no row",
    ]);
    expect(problems(DOCS.replace("| N2 |", "| N1 |"))).toContain("N1 has two rows");
    expect(problems(DOCS.replace("| N2 |", "| N4 |"))).toContain("N2 has no row");
    expect(problems("")).toContain("there is no row");
  });
});
