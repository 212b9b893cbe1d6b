/**
 * That runtime/SPEC.md and the tests agree: each rule names tests that exist, and each test file of the informer's own parts
 * is named by a rule. A test is named as `folder/file` and the beginning of its title, or of that of a group of tests; the title
 * may be left out.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isEntryPoint, projectRoot, report } from "./support/command.js";
import { testTitles } from "./support/test-titles.js";

/** Folders of `test/` in which every file must stand for a rule. */
const HELD_FOLDERS = ["api", "cache", "informers", "transport", "util"];

export interface CitedTest {
  readonly rule: string;
  /** Of the specification, from 1. */
  readonly line: number;
  /** `cache/reflector` */
  readonly file: string;
  /** `""` when the whole file is meant. */
  readonly title: string;
}

/** Every test that the tables of a specification name. */
export function citedTests(markdown: string): CitedTest[] {
  const cited: CitedTest[] = [];
  for (const [index, line] of markdown.split("\n").entries()) {
    const cells = /^\| ([A-Z]+[0-9]+) \| .* \| ([^|]+) \|$/.exec(line);
    if (cells === null) continue;
    const [, rule = "", tests = ""] = cells;
    for (const test of tests.split("; ")) {
      const [, file = "", title = ""] = /^`([^`]+)`(.*)$/.exec(test.trim()) ?? [];
      cited.push({ rule, line: index + 1, file, title: title.trim() });
    }
  }
  return cited;
}

/** What does not agree. @param titlesOf a test file, `undefined` when there is none */
export function specProblems(
  cited: readonly CitedTest[],
  files: readonly string[],
  titlesOf: (file: string) => readonly string[] | undefined,
): string[] {
  const problems: string[] = [];
  const lines = new Map<string, number>();
  for (const { rule, line, file, title } of cited) {
    if (lines.get(rule) !== undefined && lines.get(rule) !== line) problems.push(`${rule} has two lines`);
    lines.set(rule, line);
    const titles = titlesOf(file);
    if (titles === undefined) problems.push(`${rule}: there is no test file ${file || "named"}`);
    else if (!titles.some((each) => each.startsWith(title))) problems.push(`${rule}: ${file} has no test "${title}"`);
  }
  if (lines.size === 0) problems.push("the specification has no rule");
  const held = new Set(cited.map(({ file }) => file));
  for (const file of files)
    if (!held.has(file)) problems.push(`test/${file}.test.ts stands for no rule of the specification`);
  return problems;
}

function fileOf(name: string): string | undefined {
  return [".test.ts", ".ts"].map((ending) => join(projectRoot, "test", name + ending)).find((path) => existsSync(path));
}

if (isEntryPoint(import.meta.url)) {
  const files = HELD_FOLDERS.filter((folder) => existsSync(join(projectRoot, "test", folder))).flatMap((folder) =>
    readdirSync(join(projectRoot, "test", folder))
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => `${folder}/${file.slice(0, -".test.ts".length)}`),
  );
  const cited = citedTests(readFileSync(join(projectRoot, "runtime/SPEC.md"), "utf8"));
  const problems = specProblems(cited, files, (name) => {
    const path = fileOf(name);
    return path === undefined ? undefined : testTitles(readFileSync(path, "utf8"));
  });
  report(problems, `${new Set(cited.map(({ rule }) => rule)).size} rules, ${cited.length} tests named`);
}
