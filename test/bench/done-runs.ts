// What a benchmark has measured so far, so that one that was broken off can go on.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Measured } from "./table.js";

/** Kept in a file, of one commit. */
export class DoneRuns {
  readonly #path: string;
  readonly #commit: string;
  readonly #runs: Record<string, Measured> = {};

  constructor(path: string, commit: string, resume: boolean) {
    this.#path = path;
    this.#commit = commit;
    if (!resume || !existsSync(path)) return;
    const before = JSON.parse(readFileSync(path, "utf8")) as { commit: string; runs: Record<string, Measured> };
    if (before.commit === commit) this.#runs = before.runs;
  }

  get(key: string): Measured | undefined {
    return this.#runs[key];
  }

  set(key: string, measured: Measured): void {
    this.#runs[key] = measured;
    writeFileSync(this.#path, JSON.stringify({ commit: this.#commit, runs: this.#runs }));
  }
}
