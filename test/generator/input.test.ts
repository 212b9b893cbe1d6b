// What is refused, where it says so, and that nothing is written then.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { crd, generate, readTree, source, temporaryFolder, version } from "./support/project.js";

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

async function accepted(content: unknown, name = "mycrd.yaml") {
  const folder = temporaryFolder();
  const out = join(folder, "out");
  const outcome = await generate("--crd", source(folder, name, content), "--out", out);
  expect(outcome).toMatchObject({ code: 0 });
  return { ...outcome, err: outcome.err.replaceAll(`${folder}/`, ""), files: readTree(out) };
}

const text = (name: string, kind: string, schema = "{ type: object, properties: { a: { type: string } } }") => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${name}s.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: ${kind}, plural: ${name}s }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: ${schema}
`;

describe("refused, with the place, what was expected, and a hint", () => {
  const widget = text("widget", "Widget");
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
      text("widget", "Widget", "[]"),
      "mycrd.yaml:14:9: error: a schema is expected, not a list",
      "hint: ",
    ],
    [
      "properties in a list",
      text("widget", "Widget", "{ type: object, properties: [] }"),
      "mycrd.yaml:14:42: error: properties is a list",
      "hint: expected a map",
    ],
    [
      "a property that is a text",
      text("widget", "Widget", "{ type: object, properties: { a: x } }"),
      'mycrd.yaml:14:56: error: a schema is expected, not "x"',
      "hint: ",
    ],
    [
      "an unknown type",
      text("widget", "Widget", "{ type: object, properties: { a: { type: int } } }"),
      'mycrd.yaml:14:61: error: type "int" is not known',
      "hint: expected object",
    ],
    [
      "a $ref",
      text("widget", "Widget", "{ type: object, properties: { a: { $ref: 'file:///etc/passwd' } } }"),
      "mycrd.yaml:14:61: error: a CustomResourceDefinition cannot use $ref",
      "hint: ",
    ],
    [
      "an enum that is no list",
      text("widget", "Widget", "{ type: string, enum: x }"),
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

  it("a file that does not exist, and a folder without files", async () => {
    const folder = temporaryFolder();
    const missing = await generate("--crd", join(folder, "gone.yaml"), "--out", join(folder, "out"));
    expect(missing).toMatchObject({ code: 3, err: expect.stringMatching(/gone\.yaml does not exist\nhint: /) });
    mkdirSync(join(folder, "empty"));
    const empty = await generate("--crd", join(folder, "empty"), "--out", join(folder, "out"));
    expect(empty).toMatchObject({ code: 3, err: expect.stringMatching(/no YAML or JSON file in .*\nhint: /) });
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
    expect(await refused(content)).toMatchObject({ code: 5 });
  });
});

describe("accepted, as Kubernetes' own reader does", () => {
  const widget = text("widget", "Widget");

  it("many documents, empty ones, lists and other objects", async () => {
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [crd({ kind: "Gadget" }), { apiVersion: "v1", kind: "Secret" }],
    };
    const { out, files } = await accepted(
      `---\n${widget}---\n---\n# nothing\n---\n${JSON.stringify(list)}\n---\nkind: Namespace\n`,
    );
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(["example.com/v1/widget.ts", "example.com/v1/gadget.ts"]),
    );
    expect(out).toContain("2 objects of other kinds ignored");
  });

  it("JSON, with tabs and without a line break at the end", async () => {
    await accepted(JSON.stringify(crd(), undefined, "\t"), "mycrd.json");
  });

  it("a stream of JSON objects, with and without something between them", async () => {
    const [one, two, three] = ["Widget", "Gadget", "Gizmo"].map((kind) => JSON.stringify(crd({ kind }), undefined, 2));
    const { files } = await accepted(`\uFEFF${one}${two}\r\n---\n${three}\n`, "mycrd.json");
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(["widget", "gadget", "gizmo"].map((name) => `example.com/v1/${name}.ts`)),
    );
  });

  it("a repeated key of JSON, which is told as one of YAML, at its place in the stream", async () => {
    const [one, two] = ["Widget", "Gadget"].map((kind) => JSON.stringify(crd({ kind })));
    const { err } = await accepted(`${one}\n${two!.replace('"scope":', '"scope":"Cluster", "scope":')}`, "mycrd.json");
    expect(err).toMatch(/warning: mycrd\.json:2:\d+: "scope" is repeated: the last one counts/);
  });

  it("line breaks of Windows, tabs between values, and a byte order mark", async () => {
    const { files } = await accepted(
      `\uFEFF${widget.trimStart()}`.replaceAll("\n", "\r\n").replace("kind: ", "kind:\t"),
    );
    expect(files["example.com/v1/widget.ts"]).toContain("  a?: string;");
  });

  it("repeated keys: the last one counts, and it is said", async () => {
    const { err, files } = await accepted(
      widget.replace("  scope: Namespaced\n", "  scope: Namespaced\n  scope: Cluster\n"),
    );
    expect(err).toContain('warning: mycrd.yaml:8:3: "scope" is repeated: the last one counts');
    expect(files["example.com/v1/widget.ts"]).toContain('scope: "Cluster"');
  });

  it("anchors and merge keys", async () => {
    const schema =
      "{ type: object, properties: { a: &s { type: string, description: x }, b: { <<: *s, type: integer }, c: *s } }";
    const { files } = await accepted(text("widget", "Widget", schema));
    expect(files["example.com/v1/widget.ts"]).toContain("  a?: string;\n  apiVersion");
    expect(files["example.com/v1/widget.ts"]).toContain("  /** x */\n  b?: number;\n  /** x */\n  c?: string;");
  });

  it("quoted scalars whose further lines stand at the left margin", async () => {
    const schema = `
          type: object
          description: "one
two \\"three\\"
four"
          properties:
            a:
              type: string
              description: 'it''s

five'`;
    const { files } = await accepted(text("widget", "Widget", schema));
    const printed = files["example.com/v1/widget.ts"];
    expect(printed).toContain('/** one two "three" four */');
    expect(printed).toContain("   * it's\n   * five\n");
  });

  it("a version without a schema beside one that has one", async () => {
    const versions = [version("v1", { spec: { type: "object" } }), { name: "v1alpha1", served: true, storage: false }];
    const { err, files } = await accepted(crd({ versions }));
    expect(err).toContain("Widget v1alpha1 has no schema: its content is free");
    expect(files["example.com/v1alpha1/widget.ts"]).toContain("[key: string]: unknown;");
  });

  it("the layouts of v1beta1", async () => {
    const definition = (spec: object) => ({ ...crd({ spec }), apiVersion: "apiextensions.k8s.io/v1beta1" });
    const openAPIV3Schema = {
      type: "object",
      properties: { spec: { type: "object", properties: { a: { type: "string" } } } },
    };
    const single = await accepted(
      definition({
        version: "v1alpha2",
        versions: undefined,
        scope: "",
        validation: { openAPIV3Schema },
        subresources: { status: {} },
      }),
    );
    expect(single.files["example.com/v1alpha2/widget.ts"]).toContain('ResourceDescriptor<Widget, "Namespaced">');
    expect(single.files["example.com/v1alpha2/widget.ts"]).toContain('subresources: ["status"]');
    const shared = await accepted(
      definition({
        version: "v1",
        versions: [
          { name: "v1", served: true },
          { name: "v2", served: true },
        ],
        validation: { openAPIV3Schema },
      }),
    );
    expect(Object.keys(shared.files)).toEqual(
      expect.arrayContaining(["example.com/v1/widget.ts", "example.com/v2/widget.ts"]),
    );
  });

  it("one resource defined twice: the last one counts, and it is said when they differ", async () => {
    const second = crd({ scope: "Cluster" });
    const differs = await accepted(`${JSON.stringify(crd())}\n---\n${JSON.stringify(second)}\n`);
    expect(differs.err).toContain("widgets.v1.example.com was defined before, at mycrd.yaml:1: the last one counts");
    expect(differs.files["example.com/v1/widget.ts"]).toContain('scope: "Cluster"');
    const same = await accepted(`${JSON.stringify(crd())}\n---\n${JSON.stringify(crd())}\n`);
    expect(same.err).not.toContain("warning");
  });

  it("a folder, with its folders, in the order of their paths", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "in", "deeper"), { recursive: true });
    source(join(folder, "in"), "b.yaml", widget);
    source(join(folder, "in"), "notes.txt", "not read");
    source(join(folder, "in", "deeper"), "a.json", crd({ kind: "Gadget" }));
    const outcome = await generate("--crd", join(folder, "in"), "--out", join(folder, "out"));
    expect(outcome).toMatchObject({ code: 0, out: expect.stringContaining("1 group, 2 resources") });
  });
});
