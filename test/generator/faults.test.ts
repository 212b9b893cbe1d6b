// Faults that generators have, by their number in the project's list: each is tried here, or named where it is.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkOutput } from "../../generator/check-output.js";
import { compile, crd, generate, readTree, source, temporaryFolder, version } from "./support/project.js";

async function attempt(content: unknown, name = "a.json") {
  const folder = temporaryFolder();
  const out = join(folder, "generated");
  const result = await generate("--crd", source(folder, name, content), "--out", out);
  const files = existsSync(out) ? readTree(out) : {};
  return { ...result, folder, files, text: Object.values(files).join("\n") };
}

const one = (properties: object, more: object = {}) =>
  crd({ versions: [version("v1", { spec: { type: "object", properties } }, more)] });
const text = { type: "string" };

describe("reading", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghi"].map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]},`.repeat(9)}]`).join("\n")}\n`;

  it.each<[string, string | Buffer, number]>([
    ["G1: an alias bomb", bomb, 5],
    ["G2: merge keys that multiply", bomb.replaceAll("[", "{<<: [").replaceAll("]", "]}"), 5],
    ["G2: a tag that runs code", "kind: !!js/function 'x'\n", 3],
    ["G3: a hundred thousand levels", `a: ${"[".repeat(100_000)}`, 5],
    ["G4: a binary file", Buffer.from([0, 1, 2, 255]), 3],
    ["G4: UTF-16", Buffer.from("\ufeffa: b", "utf16le"), 3],
    ["G4: too many documents", "---\na: b\n".repeat(10_001), 5],
  ])("%s", async (_what, content, code) => {
    const result = await attempt(content, "a.yaml");
    expect(result.code).toBe(code);
    expect(result.files).toEqual({});
  });

  it("G19: what is malformed is refused with its place", async () => {
    const { code, err } = await attempt(one({ a: { type: ["string", "null"] } }));
    expect(code).toBe(3);
    expect(err).toMatch(/a\.json:1:\d+: error: type is a list/);
  });

  it("G16: a $ref is never followed", async () => {
    for (const $ref of ["http://127.0.0.1:1/x", "file:///etc/passwd", "#/paths/x"]) {
      expect(await attempt(one({ a: { $ref } }))).toMatchObject({ code: 3, files: {} });
    }
  });

  it("G20: nothing served, nothing stored, a version twice", async () => {
    expect(await attempt(crd({ versions: [version("v1", {}, { served: false })] }))).toMatchObject({ code: 3 });
    expect(await attempt(crd({ versions: [version("v1", {}, { storage: false })] }))).toMatchObject({ code: 3 });
    expect(await attempt(crd({ versions: [version("v1", {}), version("v1", {})] }))).toMatchObject({ code: 3 });
  });

  it("G26: names that look like others are told of, and kept apart", async () => {
    const {
      code,
      err,
      text: printed,
    } = await attempt(one({ "\u0440assword": text, "caf\u00e9": text, "cafe\u0301": text }));
    expect(code).toBe(0);
    expect(err).toContain('"\u0440assword" mixes letters of several scripts');
    expect(err).toContain('"cafe\u0301" is there twice, in two encodings');
    expect(printed).toContain("  \u0440assword?: string;");
  });

  it("G29: no configuration is executed", async () => {
    const folder = temporaryFolder();
    const config = source(folder, "kube-informers.config.js", "throw new Error('executed');");
    expect(await generate("--config", config)).toMatchObject({
      code: 2,
      err: expect.stringContaining("a configuration is one map"),
    });
  });
});

describe("writing", () => {
  const hostile = [
    "*/",
    "`${" + "process.exit()}`",
    "'];alert(1);//",
    "\u2028",
    "\u202e",
    "@ts-nocheck",
    "{{{x}}}",
    "\u001b[31m",
  ];

  it("G5, G6: property names are keys of types, whatever they are", async () => {
    const names = ["__proto__", "constructor", "prototype", "", "日本", "😀", "new\nline", ...hostile];
    const schema = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, text]))));
    Object.defineProperty(schema, "__proto__", { value: text, enumerable: true });
    const { code, folder } = await attempt(one(schema));
    expect(code).toBe(0);
    expect(compile(folder)).toEqual([]);
    expect(({} as { type?: string }).type).toBeUndefined();
  });

  it("G7, G8, G9: no text of a schema is more than text", async () => {
    const schemas = hostile.map((value) => ({
      ...text,
      description: value,
      title: value,
      format: value,
      default: value,
      enum: [value],
    }));
    const {
      code,
      files,
      text: output,
    } = await attempt(one(Object.fromEntries(schemas.map((schema, index) => [`p${index}`, schema]))));
    expect(code).toBe(0);
    await expect(
      checkOutput(new Map(Object.entries(files).filter(([path]) => path.endsWith(".ts")))),
    ).resolves.toBeUndefined();
    for (const raw of ["\u2028", "\u202e", "\u001b"]) expect(output).not.toContain(raw);
  });

  it("G10: names that leave the folder are no names", async () => {
    for (const group of ["../x.y", "a/b.c", "a\\b.c", "a%2fb.c", "a\0b.c", "a.b.", `${"a".repeat(300)}.b`]) {
      expect(await attempt(crd({ group }))).toMatchObject({ code: 3, files: {} });
    }
    expect((await attempt(crd({ group: "con.example.com", kind: "Aux", plural: "aux" }))).code).toBe(0);
  });

  it("G11: what differs in case alone gets a suffix, the same everywhere", async () => {
    const items = [crd({ kind: "IOChaos", plural: "iochaos" }), crd({ kind: "IoChaos", plural: "iochaoses" })];
    const { code, files } = await attempt({ kind: "List", items });
    expect(code).toBe(0);
    const paths = Object.keys(files).filter((path) => path.includes("io-chaos"));
    expect(paths).toHaveLength(2);
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(2);
    const { files: again } = await attempt({ kind: "List", items: items.toReversed() });
    expect(again).toEqual(files);
  });

  it("G12, G13: one kind in several groups, and kinds that are globals", async () => {
    const kinds = ["Node", "Event", "Object", "Promise", "Function", "Class", "Constructor", "Record", "Map"];
    const items = kinds.flatMap((kind) => ["a.example.com", "b.example.com"].map((group) => crd({ kind, group })));
    const { code, folder } = await attempt({ kind: "List", items });
    expect(code).toBe(0);
    expect(compile(folder)).toEqual([]);
  });

  it("G14: reserved words are properties like any other", async () => {
    const words = "default enum continue namespace class await yield let static import".split(" ");
    const { code, folder } = await attempt(one(Object.fromEntries(words.map((word) => [word, text]))));
    expect(code).toBe(0);
    expect(compile(folder)).toEqual([]);
  });

  it("G18: ten thousand properties and a thousand values", async () => {
    const properties = Object.fromEntries(Array.from({ length: 10_000 }, (_item, index) => [`p${index}`, text]));
    const values = Array.from({ length: 1000 }, (_item, index) => `value ${index}`);
    const { code, text: output } = await attempt(one({ ...properties, e: { ...text, enum: values } }));
    expect(code).toBe(0);
    expect(output).toContain("p9999?: string;");
    expect(output).toContain('| "value 999"');
  });

  it("G23: hand-written files stay", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "out", "example.com", "v1"), { recursive: true });
    source(join(folder, "out", "example.com", "v1"), "widget.ts", "export const mine = 1;\n");
    expect(await generate("--crd", source(folder, "a.json", crd()), "--out", join(folder, "out"))).toMatchObject({
      code: 6,
    });
    expect(readTree(join(folder, "out"))).toEqual({ "example.com/v1/widget.ts": "export const mine = 1;\n" });
  });

  it("G27: the output knows nothing of who made it", async () => {
    const { text: output, folder } = await attempt(crd());
    expect(output).not.toContain(folder);
    expect(output).not.toMatch(/https?:|file:|\/home\/|\/tmp\//);
  });

  it("G28: integers of 64 bits say what a number loses, and dates stay texts", async () => {
    const { text: output } = await attempt(
      one({ n: { type: "integer", format: "int64" }, t: { ...text, format: "date-time" } }),
    );
    expect(output).toContain("beyond 2^53 a number loses digits");
    expect(output).toContain("t?: string;");
    expect(output).not.toContain("Date;");
  });
});

/** What other generators for TypeScript get wrong of one definition, topic by topic; a type here is what is right. */
it("one definition, and every topic that generators differ in", async () => {
  const spec = {
    type: "object",
    required: ["name"],
    properties: {
      name: { ...text, description: "ends here */ export const evil = 1; /*" },
      port: { "x-kubernetes-int-or-string": true },
      nullable: { ...text, nullable: true },
      open: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { declared: text } },
      any: { "x-kubernetes-preserve-unknown-fields": true },
      embedded: {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
      },
      free: { type: "object" },
      mode: { ...text, enum: ["", "on"] },
      time: { ...text, format: "date-time" },
      defaulted: { ...text, default: "x" },
      "odd-name": text,
      one: { type: "object", properties: { a: text }, oneOf: [{ required: ["a"] }] },
    },
  };
  const schema = {
    type: "object",
    required: ["spec"],
    properties: { spec, status: { type: "object", properties: { ready: { type: "boolean" } } } },
  };
  const versions = [
    { name: "v1", served: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } },
    version("v1alpha1", { spec }, { deprecated: true }),
  ];
  const record = crd({ kind: "Record", scope: "Cluster", names: { shortNames: ["rec"] } });
  const { code, folder, files } = await attempt({ kind: "List", items: [crd({ versions }), record] });
  expect(code).toBe(0);
  const consumer = `
import { type Widget, widgets } from "./generated/example.com/v1/index.js";
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type S = Widget["spec"];
export const topics: [
  required: Same<S["name"], string>,
  intOrString: Same<S["port"], number | string | undefined>,
  nullable: Same<S["nullable"], string | null | undefined>,
  preserved: Same<NonNullable<S["open"]>["declared"], string | undefined>,
  preservedOthers: Same<NonNullable<S["open"]>["other"], unknown>,
  preservedAlone: Same<Required<S>["any"], unknown>,
  embedded: Same<NonNullable<S["embedded"]>["kind"], string>,
  freeForm: Same<NonNullable<S["free"]>[string], unknown>,
  enumeration: Same<NonNullable<S["mode"]>, "" | "on">,
  dateTime: Same<NonNullable<S["time"]>, string>,
  defaulted: Same<S["defaulted"], string | undefined>,
  names: Same<S["odd-name"], string | undefined>,
  logic: Same<NonNullable<S["one"]>["a"], string | undefined>,
  status: Same<NonNullable<Widget["status"]>["ready"], boolean | undefined>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true];
export const facts = [widgets.scope, widgets.resource, widgets.listKind, widgets.subresources];
`;
  expect(compile(folder, consumer)).toEqual([]);
  expect(files["example.com/v1alpha1/widget.ts"]).toContain("@deprecated");
  expect(files["example.com/v1/record.ts"]).toContain('shortNames: ["rec"]');
  expect(files["example.com/v1/widget.ts"]).toContain("export interface WidgetSpecOpen {");
});
