/** That the seeded bugs are still bugs of what the runtime's text is now, and what `npm run mutants` makes of their tests. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { sampleOf, type VitestReport, verdictOf } from "../../scripts/mutants.js";
import { projectRoot } from "../../scripts/support/command.js";
import { type Mutant, mutated } from "./mutant.js";
import { MUTANTS } from "./mutants.js";

const sourceOf = ({ file }: Mutant) => readFileSync(join(projectRoot, "runtime", `${file}.ts`), "utf8");

/** What does not parse of the files, each with its text: a file that does not would make any test fail. */
function syntaxErrorsOf(texts: ReadonlyMap<string, string>): string[] {
  const options = { noLib: true, noResolve: true, target: ts.ScriptTarget.ES2023 };
  const program = ts.createProgram([...texts.keys()], options, {
    ...ts.createCompilerHost(options),
    getSourceFile: (name, target) => ts.createSourceFile(name, texts.get(name) ?? "", target),
  });
  return program
    .getSyntacticDiagnostics()
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
}

describe("the seeded bugs", () => {
  test("stand once in the runtime's text, change it, and parse", () => {
    const texts = new Map<string, string>();
    const rotten: string[] = [];
    for (const mutant of MUTANTS) {
      try {
        texts.set(`${mutant.bug}.ts`, mutated(sourceOf(mutant), mutant));
      } catch (error) {
        rotten.push((error as Error).message);
      }
    }
    expect(rotten).toEqual([]);
    expect(MUTANTS.filter((mutant) => texts.get(`${mutant.bug}.ts`) === sourceOf(mutant))).toEqual([]);
    expect(syntaxErrorsOf(texts)).toEqual([]);
  });

  test("name tests that are there", () => {
    const files = new Set(MUTANTS.flatMap(({ killedBy }) => killedBy));
    expect([...files].filter((file) => !existsSync(join(projectRoot, "test", `${file}.test.ts`)))).toEqual([]);
    expect(MUTANTS.filter(({ killedBy }) => killedBy.length === 0)).toEqual([]);
  });

  test("have names of their own", () => {
    const bugs = MUTANTS.map(({ bug }) => bug);
    expect(bugs.filter((bug, at) => bugs.indexOf(bug) !== at)).toEqual([]);
  });
});

test("text that does not parse is seen", () => {
  expect(syntaxErrorsOf(new Map([["cut.ts", "const a = (1;"]]))).toEqual([expect.stringContaining("cut.ts: ")]);
});

describe("a seeded bug that has rotted is refused by name", () => {
  const mutant = { bug: "it is told twice", file: "cache/some", text: "tell();", becomes: "", killedBy: [] };

  test.each([
    ["gone", "told();", "0 times"],
    ["not alone", "tell(); tell();", "2 times"],
  ])("when its text is %s", (_, source, times) => {
    expect(() => mutated(source, mutant)).toThrow(
      `"it is told twice": its text stands in runtime/cache/some.ts ${times}`,
    );
  });

  test("and is put in as it is, whatever signs it holds", () => {
    expect(mutated("a; tell(); b;", { ...mutant, becomes: "$&$1" })).toBe("a; $&$1 b;");
  });
});

describe("what a run of the tests says of a seeded bug", () => {
  const reported = (success: boolean, ...statuses: string[]): VitestReport => ({
    success,
    testResults: [
      {
        name: join(projectRoot, "test/cache/some.test.ts"),
        assertionResults: statuses.map((status, at) => ({ status, fullName: `test ${at}` })),
      },
    ],
  });

  test.each([
    ["a test fails", reported(false, "passed", "failed"), false, "killed", "cache/some: test 1"],
    ["all pass", reported(true, "passed"), false, "survived", ""],
    ["an error outside of tests", reported(false, "passed"), false, "killed", "an error that no test was waiting for"],
    ["they turn in a circle", undefined, true, "killed", "the tests did not end"],
    ["none ran", reported(false), false, "broken", "no test ran"],
    ["nothing is reported", undefined, false, "broken", "no test ran"],
  ] as const)("%s", (_, report, timedOut, verdict, by) => {
    expect(verdictOf(report, timedOut)).toEqual({ verdict, by });
  });
});

test("a sample is as large as asked for, in order, the same for a seed, and another for another", () => {
  const all = Array.from({ length: 100 }, (_, at) => at);
  const sample = sampleOf(all, 10, 1);
  expect(sample).toHaveLength(10);
  expect(sample).toEqual([...new Set(sample)].sort((a, b) => a - b));
  expect(sampleOf(all, 10, 1)).toEqual(sample);
  expect(sampleOf(all, 10, 2)).not.toEqual(sample);
  expect(sampleOf(all, 1000, 1)).toEqual(all);
});
