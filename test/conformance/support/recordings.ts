/** What client-go did: one file for each script. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileNameOf, type Outcome, type Script } from "./script.js";

const FOLDER = fileURLToPath(new URL("../recordings", import.meta.url));

export function recordingOf(script: Script): Outcome | undefined {
  const path = join(FOLDER, fileNameOf(script));
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Outcome) : undefined;
}

export function keepRecording(script: Script, outcome: Outcome): void {
  writeFileSync(join(FOLDER, fileNameOf(script)), `${JSON.stringify(outcome, undefined, 2)}\n`);
}
