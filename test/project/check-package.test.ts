import { expect, test } from "vitest";
import { contentProblems } from "../../scripts/check-package.js";

const ROOT = "/home/somebody/kube-informers";
const PACKAGE: readonly [path: string, text: string][] = [
  ["package.json", "{}"],
  ["LICENSE", "text"],
  ["README.md", "text"],
  ["templates/factory.ts.hbs", "text"],
  ["dist/index.js", "export {};"],
  ["dist/index.d.ts", "export {};"],
  ["dist/runtime/testing/index.js", "export {};"],
];

const problemsWith = (path: string, text: string) => contentProblems(new Map([...PACKAGE, [path, text]]), ROOT);

test("a package in order has no problems", () => {
  expect(contentProblems(new Map(PACKAGE), ROOT)).toEqual([]);
});

test.each([
  ["dist/runtime/cache/store.test.js", "", "is a test"],
  ["dist/generator/fixtures/a.js", "", "is a test"],
  ["runtime/index.ts", "", "does not belong"],
  [".env", "", "does not belong"],
  ["dist/tsconfig.tsbuildinfo", "", "does not belong"],
  ["dist/a.js", `throw new Error("${ROOT}/a.ts")`, "names the folder"],
  ["dist/a.js.map", "{}", "does not belong"],
  ["dist/a.js", "é".repeat(1_500_000), "bytes unpacked are more than 3000000"],
  ["dist/a.js", "-----BEGIN RSA PRIVATE KEY-----", "private key"],
])("%s: %.40s", (path, text, message) => {
  expect(problemsWith(path, text)).toEqual([expect.stringContaining(message)]);
});

test("what must be there is missed", () => {
  expect(contentProblems(new Map(PACKAGE.filter(([path]) => path !== "LICENSE")), ROOT)).toEqual([
    "LICENSE is missing",
  ]);
});
