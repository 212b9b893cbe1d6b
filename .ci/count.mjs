// count.mjs REPORT EXIT-CODE: prints "PASSED FAILED" for one suite.
// A suite that failed without a failed test (it crashed, or wrote no report) counts as one failure.
import { readFileSync } from "node:fs";

const [report, exitCode] = process.argv.slice(2);

function counts() {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return [numPassedTests, numFailedTests];
  } catch {
    return [0, 0];
  }
}

const [passed, failed] = counts();
const hasFailed = exitCode !== "0" || passed + failed === 0;
console.log(`${passed} ${hasFailed ? Math.max(1, failed) : failed}`);
