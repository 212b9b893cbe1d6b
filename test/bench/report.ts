// Keeps what a benchmark measured in docs/bench, and fills the tables of the documents with it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SUITES } from "./suites.js";
import { drawChart, type Medians, printSummary, printTable } from "./table.js";
import { judge, printVerdicts, type Results } from "./verdicts.js";

/** A suite's result, as it is kept. */
export interface Kept {
  readonly suite: string;
  /** One line: how much of what, on what machine, which versions and which commit, and when. */
  readonly about: string;
  readonly medians: Medians;
}

/** Reads and writes docs/bench of the project in this folder. */
export class BenchReport {
  readonly #root: string;
  readonly #folder: string;

  constructor(root: string) {
    this.#root = root;
    this.#folder = join(root, "docs/bench");
  }

  keep(kept: Kept): void {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(this.#folder, `${kept.suite}.json`), `${JSON.stringify(kept, undefined, 2)}\n`);
    if (CHARTS.has(kept.suite)) writeFileSync(join(this.#folder, `${kept.suite}.svg`), drawChart(kept.medians));
  }

  /** Of all suites that were ever kept, in the order of the suites. */
  all(): Kept[] {
    return SUITES.map(({ name }) => join(this.#folder, `${name}.json`))
      .filter((path) => existsSync(path))
      .map((path) => JSON.parse(readFileSync(path, "utf8")) as Kept);
  }

  /** Writes each table between its marks: `<!-- bench NAME -->` and `<!-- /bench -->`. */
  fill(): void {
    const kept = this.all();
    const texts = new Map(kept.map((one) => [one.suite, `${printTable(one.suite, one.medians)}\n\n${one.about}`]));
    texts.set("verdicts", printVerdicts(judge(resultsOf(kept))));
    const main = kept.find(({ suite }) => suite === SUITES[0]!.name);
    if (main !== undefined) texts.set("summary", `${printSummary(main.medians)}\n\n${main.about}`);
    for (const name of ["README.md", "docs/performance.md"]) {
      const path = join(this.#root, name);
      const text = readFileSync(path, "utf8");
      const filled = text.replace(MARKED, (whole, opening: string, mark: string, closing: string) => {
        const table = texts.get(mark);
        return table === undefined ? whole : `${opening}\n\n${table}\n\n${closing}`;
      });
      if (filled !== text) writeFileSync(path, filled);
    }
  }
}

const MARKED = /(<!-- bench (\S+) -->)[\s\S]*?(<!-- \/bench -->)/g;
const CHARTS = new Set(["10000", "100000"]);

export function resultsOf(kept: readonly Kept[]): Results {
  return Object.fromEntries(kept.map(({ suite, medians }) => [suite, medians]));
}
