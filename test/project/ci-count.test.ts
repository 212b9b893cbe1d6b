import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const program = fileURLToPath(new URL("../../.ci/count.mjs", import.meta.url));

/** What CI makes of a suite's report (none: it wrote none) and exit code. */
function count(report: string | undefined, exitCode: number): string {
  const folder = mkdtempSync(join(tmpdir(), "kube-informers-count-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "report.json");
  if (report !== undefined) writeFileSync(path, report);
  return execFileSync(process.execPath, [program, path, String(exitCode)], { encoding: "utf8" }).trim();
}

const report = (numPassedTests: number, numFailedTests: number) => JSON.stringify({ numPassedTests, numFailedTests });

test.each([
  ["all passed", report(5, 0), 0, "5 0"],
  ["some failed", report(5, 2), 1, "5 2"],
  ["all passed, and yet the suite failed, as for an unhandled rejection", report(5, 0), 1, "5 1"],
  ["a suite without tests", report(0, 0), 0, "0 1"],
  ["no report", undefined, 1, "0 1"],
  ["no report, and no complaint either", undefined, 0, "0 1"],
  ["half a report", '{"numPassedTests": 5', 1, "0 1"],
])("%s", (_case, text, exitCode, expected) => {
  expect(count(text, exitCode)).toBe(expected);
});
