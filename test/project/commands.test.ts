// The commands that the documents show exist, with the options that they are shown with.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../../generator/cli.js";
import { projectRoot } from "../../scripts/support/command.js";

const documents = [
  ...readdirSync(projectRoot).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(projectRoot, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
];
const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

/** Where `pattern` is found in the documents: the first group, with the document it stands in. */
const found = (pattern: RegExp) =>
  documents.flatMap((path) => [...read(path).matchAll(pattern)].map((match) => [match[1] ?? "", path] as const));

test.each(found(/npm run (?:--silent |-s )?([a-z:]+)/g))("npm run %s, in %s", (name) => {
  expect(JSON.parse(read("package.json"))).toHaveProperty(["scripts", name]);
});

test.each(found(/npx tsx ([a-z0-9/.-]+\.ts)/g))("npx tsx %s, in %s", (path) => {
  expect(existsSync(join(projectRoot, path))).toBe(true);
});

test.each(found(/(?<!!)\[[^\]]*\]\(([\w./-]+)(?:#[\w-]+)?\)/g))("a link to %s, in %s", (path, from) => {
  expect(existsSync(join(projectRoot, from, "..", path))).toBe(true);
});

test.each(found(/kube-informers ((?:generate|completion)\b[^`\n]*)/g))("kube-informers %s, in %s", async (command) => {
  const options = command.match(/(?<=^| )--[a-z-]+/g) ?? [];
  let help = "";
  const show = (text: string) => {
    help += text;
  };
  expect(await run([command.split(" ")[0]!, "--help"], { out: show, err: show, columns: 0 })).toBe(0);
  for (const option of options) expect(help).toContain(`${option} `);
});
