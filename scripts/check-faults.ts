/**
 * That docs/faults.md and the tests agree: the rows of each letter are numbered without a gap, each row names test files whose
 * titles have its number, or `–` and why; and each number in a title of test/faults has its row.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isEntryPoint, projectRoot, report } from "./support/command.js";
import { testTitles } from "./support/test-titles.js";

export interface FaultRow {
  /** `N1`; a row may stand for several. */
  readonly ids: readonly string[];
  /** `faults/network`; none where there is nothing to test, which the row says. */
  readonly files: readonly string[];
}

const ID = /\b[NHPSRULCAM][0-9]+\b/g;

export function faultRows(markdown: string): FaultRow[] {
  const rows: FaultRow[] = [];
  for (const line of markdown.split("\n")) {
    const cells = /^\| ([NHPSRULCAM][^|]*) \| .* \| ([^|]+) \|$/.exec(line);
    if (cells === null) continue;
    const files = Array.from(cells[2]!.matchAll(/`([^`]+)`/g), ([, file]) => file!);
    rows.push({ ids: cells[1]!.match(ID) ?? [], files });
  }
  return rows;
}

/** Numbers with which a title begins: `N10, P24 a proxy …`. */
export function idsOfTitles(titles: readonly string[]): Set<string> {
  const ids = titles.flatMap((title) => /^(?:[NHPSRULCAM][0-9]+(?:,? |:|$)\s*)+/.exec(title)?.[0].match(ID) ?? []);
  return new Set(ids);
}

/** What does not agree. @param idsOf of a test file, `undefined` when there is none */
export function faultProblems(
  rows: readonly FaultRow[],
  faultFiles: readonly string[],
  idsOf: (file: string) => ReadonlySet<string> | undefined,
): string[] {
  const problems: string[] = [];
  const listed = new Set<string>();
  for (const { ids, files } of rows) {
    for (const id of ids) {
      if (listed.has(id)) problems.push(`${id} has two rows`);
      listed.add(id);
      for (const file of files) {
        const tested = idsOf(file);
        if (tested === undefined) problems.push(`${id}: there is no test file ${file}`);
      }
      if (files.length > 0 && !files.some((file) => idsOf(file)?.has(id))) {
        problems.push(`${id}: no title in ${files.join(", ")} begins with it`);
      }
    }
  }
  for (const letter of new Set([...listed].map((id) => id[0]!))) {
    const numbers = [...listed].filter((id) => id.startsWith(letter)).map((id) => Number(id.slice(1)));
    for (let number = 1; number < Math.max(...numbers); number++) {
      if (!listed.has(`${letter}${number}`)) problems.push(`${letter}${number} has no row`);
    }
  }
  for (const file of faultFiles) {
    for (const id of idsOf(file) ?? []) if (!listed.has(id)) problems.push(`${id} of ${file} has no row`);
  }
  if (rows.length === 0) problems.push("there is no row");
  return problems;
}

if (isEntryPoint(import.meta.url)) {
  const rows = faultRows(readFileSync(join(projectRoot, "docs/faults.md"), "utf8"));
  const faultFiles = readdirSync(join(projectRoot, "test/faults")).map(
    (file) => `faults/${file.replace(".test.ts", "")}`,
  );
  const problems = faultProblems(rows, faultFiles, (file) => {
    const path = join(projectRoot, "test", `${file}.test.ts`);
    return existsSync(path) ? idsOfTitles(testTitles(readFileSync(path, "utf8"))) : undefined;
  });
  const untested = rows.filter(({ files }) => files.length === 0).flatMap(({ ids }) => ids);
  report(problems, `${rows.flatMap(({ ids }) => ids).length} faults; nothing to test in ${untested.join(", ")}`);
}
