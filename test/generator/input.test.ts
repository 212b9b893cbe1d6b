// What is refused, where it says so, and that nothing is written then. What is taken: accepted.test.ts.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importTool } from "../../generator/load/tools.js";
import { crd, crdText, generate, source, temporaryFolder, version } from "./support/project.js";

/** Generates from one file; the output folder must not come to be. */
async function refused(content: unknown, name = "mycrd.yaml") {
  const folder = temporaryFolder();
  const out = join(folder, "out");
  const { code, err } = await generate("--crd", source(folder, name, content), "--out", out);
  expect(existsSync(out)).toBe(false);
  const lines = err.trimEnd().split("\n");
  const error = lines.find((line) => /^(?:[^ ]+: )?error: /.test(line)) ?? "";
  return { code, error: error.replace(`${folder}/`, ""), hint: lines.at(-1)!, err };
}

describe("refused, with the place, what was expected, and a hint", () => {
  const widget = crdText("widget", "Widget");
  const rows: [what: string, content: string | Buffer | object, error: string, hint: string][] = [
    ["no YAML", "a: [1\nb: 2\n", "mycrd.yaml:2:1: error: not YAML: ", "hint: expected YAML or JSON"],
    [
      "a template",
      "{{- if .x }}\na: b\n{{- end }}\n",
      "error: not YAML: ",
      "hint: this looks like a template: render it first (helm template)",
    ],
    [
      "a text",
      "just words\n",
      "mycrd.yaml:1:1: error: a text is no CustomResourceDefinition",
      "hint: expected apiVersion: apiextensions.k8s.io/v1",
    ],
    [
      "nothing",
      "# only a comment\n---\n",
      "mycrd.yaml:1:1: error: empty: no CustomResourceDefinition",
      "hint: expected apiVersion",
    ],
    [
      "another kind",
      "apiVersion: v1\nkind: Pod\n",
      'mycrd.yaml:2:1: error: kind "Pod" is no CustomResourceDefinition',
      "hint: expected apiVersion",
    ],
    [
      "an unknown version",
      widget.replace("k8s.io/v1", "k8s.io/v7"),
      "mycrd.yaml:2:1: error: apiVersion",
      "hint: expected apiextensions.k8s.io/v1",
    ],
    [
      "no spec",
      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
      "mycrd.yaml:1:1: error: spec is missing",
      "hint: ",
    ],
    [
      "no schema",
      widget.replace("openAPIV3Schema", "other"),
      "mycrd.yaml:10:7: error: Widget has no schema",
      "hint: expected spec.versions[].schema.openAPIV3Schema",
    ],
    [
      "no versions",
      widget.replace("  versions:", "  other:"),
      "mycrd.yaml:5:1: error: spec.versions is missing",
      "hint: expected a list of versions",
    ],
    [
      "no scope",
      widget.replace("  scope: Namespaced\n", ""),
      "mycrd.yaml:5:1: error: spec.scope is missing",
      "hint: expected Namespaced or Cluster",
    ],
    [
      "an unknown scope",
      widget.replace("Namespaced", "Galaxy"),
      'mycrd.yaml:7:3: error: spec.scope "Galaxy" is not known',
      "hint: expected Namespaced or Cluster",
    ],
    [
      "no kind",
      widget.replace("kind: Widget, ", ""),
      "mycrd.yaml:8:3: error: spec.names.kind is missing",
      "hint: expected letters",
    ],
    [
      "a version twice",
      `${widget}    - { name: v1, served: true }\n`,
      "mycrd.yaml:15:9: error: version v1 is there twice",
      "hint: ",
    ],
    [
      "nothing served",
      widget.replace("served: true", "served: false"),
      "mycrd.yaml:1:1: error: no version is served",
      "hint: expected a version with served: true",
    ],
    [
      "a schema that is a list",
      crdText("widget", "Widget", "[]"),
      "mycrd.yaml:14:9: error: a schema is expected, not a list",
      "hint: ",
    ],
    [
      "properties in a list",
      crdText("widget", "Widget", "{ type: object, properties: [] }"),
      "mycrd.yaml:14:42: error: properties is a list",
      "hint: expected a map",
    ],
    [
      "a property that is a text",
      crdText("widget", "Widget", "{ type: object, properties: { a: x } }"),
      'mycrd.yaml:14:56: error: a schema is expected, not "x"',
      "hint: ",
    ],
    [
      "an unknown type",
      crdText("widget", "Widget", "{ type: object, properties: { a: { type: int } } }"),
      'mycrd.yaml:14:61: error: type "int" is not known',
      "hint: expected object",
    ],
    [
      "a $ref",
      crdText("widget", "Widget", "{ type: object, properties: { a: { $ref: 'file:///etc/passwd' } } }"),
      "mycrd.yaml:14:61: error: a CustomResourceDefinition cannot use $ref",
      "hint: ",
    ],
    [
      "an enum that is no list",
      crdText("widget", "Widget", "{ type: string, enum: x }"),
      "error: enum is",
      "hint: expected a list",
    ],
    [
      "a tag",
      widget.replace("kind: Widget", "kind: !!js/function Widget"),
      "mycrd.yaml:8:18: error: not YAML: Unresolved tag",
      "hint: ",
    ],
    [
      "an alias without an anchor",
      widget.replace("kind: Widget", "kind: *gone"),
      "mycrd.yaml:8:18: error: alias *gone has no anchor",
      "hint: ",
    ],
    [
      "UTF-16",
      Buffer.from(`\ufeff${widget}`, "utf16le"),
      "mycrd.yaml:1:1: error: UTF-16, not text",
      "hint: expected YAML or JSON in UTF-8",
    ],
    [
      "a binary file",
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
      "mycrd.yaml:1:1: error: a binary file, not text",
      "hint: ",
    ],
    ["broken UTF-8", Buffer.from([0x61, 0xff, 0xfe, 0x61]), "mycrd.yaml:1:1: error: a binary file, not text", "hint: "],
  ];
  it.each(rows)("%s", async (_what, content, error, hint) => {
    const outcome = await refused(content);
    expect(outcome.code).toBe(3);
    expect(outcome.error).toContain(error);
    expect(outcome.hint).toContain(hint);
  });

  it.each([
    ["group", { group: "../../etc" }],
    ["group", { group: "Example.com" }],
    ["group", { group: "example" }],
    ["group", { group: "example.com/../x" }],
    ["group", { group: `${"a".repeat(250)}.com` }],
    ["kind", { kind: "Widget; alert(1)", plural: "widgets" }],
    ["kind", { kind: "1Widget", plural: "widgets" }],
    ["kind", { kind: "Wïdget", plural: "widgets" }],
    ["kind", { kind: "", plural: "widgets" }],
    ["plural", { plural: "../widgets" }],
    ["plural", { plural: "pingcap:singular=x" }],
    ["plural", { plural: "a".repeat(64) }],
    ["name", { versions: [version("v1/../..", {})] }],
    ["name", { versions: [version("V1", {})] }],
    ["name", { versions: [version("", {})] }],
  ])("a %s that Kubernetes does not accept: %j", async (what, parts) => {
    const outcome = await refused(crd(parts), "mycrd.json");
    expect(outcome.code).toBe(3);
    expect(outcome.error).toMatch(
      new RegExp(
        `^mycrd\\.json:1:\\d+: error: (?:spec\\.)?(?:names\\.)?${what}: .* is not a name that Kubernetes accepts`,
      ),
    );
    expect(outcome.hint).toMatch(/^hint: expected /);
  });

  it("all of it in one run, a wrong scope too", async () => {
    const text = widget
      .replace("Namespaced", "namespaced")
      .replace("widgets.", "others.")
      .replace("type: object", "type: o");
    const { code, err } = await refused(text);
    expect(code).toBe(3);
    for (const problem of ['spec.scope "namespaced"', 'type "o"', "metadata.name is"]) expect(err).toContain(problem);
  });

  it("a file that does not exist, and a folder without files", async () => {
    const folder = temporaryFolder();
    const missing = await generate("--crd", join(folder, "gone.yaml"), "--out", join(folder, "out"));
    expect(missing).toMatchObject({ code: 3, err: expect.stringMatching(/gone\.yaml does not exist\nhint: /) });
    mkdirSync(join(folder, "empty"));
    const empty = await generate("--crd", join(folder, "empty"), "--out", join(folder, "out"));
    expect(empty).toMatchObject({ code: 3, err: expect.stringMatching(/no YAML or JSON file in .*\nhint: /) });
  });

  it("what the system does not let be read: a link to itself, alone or in a folder, a folder for a configuration", async () => {
    const folder = temporaryFolder();
    const loop = join(folder, "loop.yaml");
    symlinkSync(loop, loop);
    for (const args of [
      ["--crd", loop],
      ["--crd", folder],
      ["--config", folder],
    ])
      expect(await generate(...args)).toMatchObject({
        code: 3,
        err: expect.stringMatching(/ cannot be read: E.*\nhint: /),
      });
  });
});

describe("a tool", () => {
  const client = "@kubernetes/client-node";
  const failing = (error: Error) => importTool(client, () => Promise.reject(error));

  it("that is not installed is named, with the version that is tested", async () => {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    await expect(failing(missing)).rejects.toMatchObject({
      code: "usage",
      message: `the generator needs the package ${client}, which is not installed`,
      hint: expect.stringMatching(/^npm install --save-dev @kubernetes\/client-node@\d/),
    });
  });

  it("that is for another Node is no bug of ours", async () => {
    await expect(failing(new TypeError("no bind"))).rejects.toMatchObject({
      code: "usage",
      message: `the package ${client} does not load on Node ${process.version}: TypeError: no bind`,
      hint: expect.stringContaining("or use a newer Node"),
    });
  });
});

describe("a limit", () => {
  const deep = (open: string, close: string, levels: number) => `a: ${open.repeat(levels)}${close.repeat(levels)}\n`;
  const bomb = [
    "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
    ...Array.from(
      { length: 9 },
      (_, level) => `a${level + 1}: &a${level + 1} [${Array(10).fill(`*a${level}`).join(", ")}]`,
    ),
  ].join("\n");
  const merges = [
    "a0: &a0 { x0: 1 }",
    ...Array.from(
      { length: 20 },
      (_, level) => `a${level + 1}: &a${level + 1} { <<: [*a${level}, *a${level}], x${level + 1}: 1 }`,
    ),
  ].join("\n");
  it.each([
    ["depth", deep("[", "]", 1000)],
    ["depth beyond the stack", deep("[", "]", 100_000)],
    [
      "depth of a schema",
      JSON.stringify(
        crd({
          versions: [
            version(
              "v1",
              JSON.parse(`${'{"type":"object","properties":{"a":'.repeat(260)}{}${"}}".repeat(260)}`) as object,
            ),
          ],
        }),
      ),
    ],
    ["an anchor that holds itself", "a: &a [*a]\n"],
    ["aliases of aliases", bomb],
    ["merged aliases", merges],
    ["documents", "---\na: 1\n".repeat(10_001)],
  ])("%s", async (_what, content) => {
    expect(await refused(content)).toMatchObject({ code: 5, hint: expect.stringMatching(/^hint: ./) });
  });
});
