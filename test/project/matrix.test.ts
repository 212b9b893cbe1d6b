// What the matrix promises to try is pinned, each to one version.
import { expect, test } from "vitest";
import { pinnedVersions } from "../../scripts/support/matrix-tools.js";

test.each([
  ["node", ["node-20", "node-22", "node-24", "node-26"]],
  ["typescript", ["typescript-5.9", "typescript-6.0", "typescript-7.0"]],
  ["client-node", ["client-node-1", "client-node-2"]],
] as const)("%s", (kind, names) => {
  const pinned = pinnedVersions(kind);
  expect(pinned.map(({ name }) => name)).toEqual(names);
  for (const { name, version } of pinned) expect(version).toMatch(`${name.slice(kind.length + 1)}.`);
  for (const { version } of pinned) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test("the oldest Node is the oldest that the package says it runs on", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
  expect(manifest.engines.node).toBe(`>=${pinnedVersions("node")[0]?.version.replace(/\.0$/, "")}`);
});
