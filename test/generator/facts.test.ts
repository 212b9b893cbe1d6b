// What a definition says of its resource beside the schema: in descriptors, accessors and comments.
import { join } from "node:path";
import { expect, it } from "vitest";
import { notesOf } from "../../generator/notes.js";
import { compile, crd, generate, readTree, source, temporaryFolder, version } from "./support/project.js";

const spec = {
  type: "object",
  properties: { color: { type: "string", enum: ["red", "blue"] }, size: { type: "integer" }, on: { type: "boolean" } },
};
const facts = {
  deprecated: true,
  deprecationWarning: "going; use v2",
  additionalPrinterColumns: [
    { name: "Size of It", type: "integer", jsonPath: '.spec["size"]', priority: 1, description: "how */ large" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [{ jsonPath: ".spec.color" }, { jsonPath: ".spec.size" }, { jsonPath: ".spec.on" }],
};

it("descriptors hold the facts of a version; what is deprecated says so, with its warning", async () => {
  const folder = temporaryFolder();
  const versions = [version("v1", { spec }, facts), version("v2", { spec }, { storage: false })];
  await generate("--crd", source(folder, "a.json", crd({ versions })), "--out", join(folder, "out"));
  const files = readTree(join(folder, "out"));
  const widget = files["example.com/v1/widget.ts"]!;
  expect(widget).toContain(`  storage: true,
  deprecated: true,
  deprecationWarning: "going; use v2",
  printerColumns: [
    { name: "Size of It", type: "integer", jsonPath: '.spec["size"]', description: "how */ large", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: ["spec.color", "spec.size", "spec.on"],
};`);
  expect(widget).toContain("/** @deprecated going; use v2 */\nexport const widgets");
  expect(widget).toContain("/** @deprecated going; use v2 */\nexport interface Widget {");
  expect(files["example.com/v1/index.ts"]).toContain("  /** @deprecated going; use v2 */\n  widgets():");
  expect(files["example.com/v2/widget.ts"]).not.toContain("deprecated");
  expect(files["example.com/v2/widget.ts"]).toContain("  storage: false,\n");
});

it("a paragraph that says that a field is deprecated does so to an editor too", async () => {
  const folder = temporaryFolder();
  const description = "How large.\n\nDeprecated: use color,\nor nothing.\n\nA number.";
  const old = { type: "object", properties: { size: { type: "integer", maximum: 3, description } } };
  await generate("--crd", source(folder, "a.json", crd({ versions: [version("v1", { spec: old })] })), "--out", folder);
  expect(readTree(folder)["example.com/v1/widget.ts"]).toContain(`  /**
   * How large.
   *
   * A number.
   *
   * At most 3.
   * @deprecated use color,
   * or nothing.
   */
  size?: number;`);
});

it("field selectors are typed by the fields that a server selects by", async () => {
  const folder = temporaryFolder();
  const versions = [version("v1", { spec }, { selectableFields: facts.selectableFields })];
  await generate("--crd", source(folder, "a.json", crd({ versions })), "--out", join(folder, "generated"));
  const consumer = `
import type { WidgetFieldSelector } from "./generated/example.com/v1/index.js";
export const good: WidgetFieldSelector = { "spec.color": "red", "spec.size": 3, "spec.on": true, "metadata.name": "a" };
export const bad: WidgetFieldSelector = { "spec.color": "green" };
export const worse: WidgetFieldSelector = { "spec.weight": 1 };
`;
  expect(compile(folder, consumer)).toEqual([
    expect.stringContaining(`Type '"green"' is not assignable`),
    expect.stringContaining("'\"spec.weight\"' does not exist"),
  ]);
});

it.each<[object, string[]]>([
  [{ type: "string" }, []],
  [{ type: "integer", format: "int32" }, []],
  [{ type: "integer", format: "int64" }, ["Format int64 (beyond 2^53 a number loses digits)."]],
  [{ format: "int32", minimum: 1, maximum: 65535 }, ["Format int32, at least 1, at most 65535."]],
  [{ minimum: 1, exclusiveMinimum: true, multipleOf: 2 }, ["More than 1, a multiple of 2."]],
  [
    { minLength: 1, maxLength: 63, pattern: "^a*/$" },
    ["At least 1 character, at most 63 characters.", "Pattern: ^a*\\/$"],
  ],
  [{ "x-kubernetes-list-type": "set", maxItems: 3 }, ["At most 3 items.", "A set: no item comes twice."]],
  [
    { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"] },
    ["Items are identified by port, protocol."],
  ],
  [{ type: "array", items: { format: "date-time" } }, ["Items: Format date-time."]],
  [{ default: { enabled: true } }, ['@default {"enabled":true}']],
  [{ default: "*/\n@ts-ignore" }, ['@default "*\\/\\n@ts-ignore"']],
])("%j is documented as %j", (schema, notes) => {
  expect(notesOf(schema as never)).toEqual(notes);
});
