// What Kubernetes' own reader takes is taken: streams, lists, JSON, and YAML that stricter parsers refuse.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { crd, crdText, generate, readTree, source, temporaryFolder, version } from "./support/project.js";

async function accepted(content: unknown, name = "mycrd.yaml") {
  const folder = temporaryFolder();
  const out = join(folder, "out");
  const outcome = await generate("--crd", source(folder, name, content), "--out", out);
  expect(outcome).toMatchObject({ code: 0 });
  return { ...outcome, err: outcome.err.replaceAll(`${folder}/`, ""), files: readTree(out) };
}

describe("accepted, as Kubernetes' own reader does", () => {
  const widget = crdText("widget", "Widget");

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
    const { files } = await accepted(crdText("widget", "Widget", schema));
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
    const { files } = await accepted(crdText("widget", "Widget", schema));
    const printed = files["example.com/v1/widget.ts"];
    expect(printed).toContain('/** one two "three" four */');
    expect(printed).toContain("   * it's\n   * five\n");
  });

  it("such scalars in a file that something is said about, whose quotes are not what they seem", async () => {
    const schema = `
          type: object
          properties:
            a:
              description: |
                not 'the beginning
              type: string
            b:
              x-kubernetes-validations:
              - message: one
                rule: 'self == ''a''
              || true'
              - rule: "self == 'b'
              || true"
                message: two
              type: string
              type: string`;
    const { err } = await accepted(crdText("widget", "Widget", schema));
    expect(err).toBe('warning: mycrd.yaml:30:15: "type" is repeated: the last one counts\n');
    const problem = await generate(
      "--crd",
      source(temporaryFolder(), "b.yaml", crdText("widget", "Widget", schema.replace("- rule", "- role"))),
      "--dry-run",
    );
    expect(problem.err).toMatch(/b\.yaml:26:17: error: rule is missing/);
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

  it("one kind under two plurals, of which a server takes one: the last one counts, and it is said", async () => {
    const [before, after] = [crd({ plural: "widgetses" }), crd({ plural: "widgets" })];
    const { err, out, files } = await accepted(`${JSON.stringify(before)}\n---\n${JSON.stringify(after)}\n`);
    expect(err).toContain("widgets.v1.example.com has the kind Widget of widgetses, at mycrd.yaml:1: ");
    expect(out).toContain("1 group, 1 resource");
    expect(files["example.com/v1/widget.ts"]).toContain('resource: "widgets"');
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
