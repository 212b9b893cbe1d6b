import { expect, test } from "vitest";
import { releaseProblems } from "../../scripts/release.js";

const manifest = { name: "kube-informers", version: "1.2.3", scripts: { test: "vitest run", build: "tsc" } };
const changelog = "# Changes\n\n## 1.2.3\n\nFirst.\n";

test("a manifest and a changelog as they have to be", () => {
  expect(releaseProblems(manifest, changelog)).toEqual([]);
});

test.each([
  ["a version that is none", { version: "next" }, changelog, "is no version"],
  ["a production dependency", { dependencies: { left: "1.0.0" } }, changelog, "depends on left"],
  ["a script that runs on install", { scripts: { postinstall: "node x" } }, changelog, '"postinstall"'],
  ["a script that runs on publish", { scripts: { prepublishOnly: "node x" } }, changelog, '"prepublishOnly"'],
  ["no changelog", {}, undefined, "there is none"],
  ["a changelog of another version", {}, "## 1.2.30\n", 'no heading "## 1.2.3"'],
])("refused: %s", (_, change, text, problem) => {
  expect(releaseProblems({ ...manifest, ...change }, text).join()).toContain(problem);
});
