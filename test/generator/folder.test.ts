// The output folder: what joins it, what leaves it, and what nobody touches.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { manifestFile } from "../../generator/manifest.js";
import { carryOut } from "../../generator/write.js";
import { compile, crd, generate, readTree, source, temporaryFolder, version } from "./support/project.js";

let folder: string;
let out: string;
beforeEach(() => {
  folder = temporaryFolder();
  out = join(folder, "generated");
});

const put = (name: string, definition: object) => source(folder, name, definition);
const add = (definition: object, ...flags: string[]) =>
  generate("--crd", put("input.json", definition), "--out", out, ...flags);
const widget = crd();
const gadget = crd({ group: "other.example.com", kind: "Gadget" });

describe("a second run", () => {
  it("into the same folder joins what is there", async () => {
    await add(widget);
    await add(gadget);
    const both = readTree(out);
    expect(both["factory.ts"]).toContain("exampleCom(): ExampleComInformers");
    expect(both["factory.ts"]).toContain("otherExampleCom(): OtherExampleComInformers");
    const consumer = `
import { SharedInformerFactory } from "./generated/factory.js";
import { resources } from "./generated/generic.js";
declare const source: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(source);
export const size: number | undefined = factory.exampleCom().v1().widgets().lister().namespace("a").get("b")?.spec?.size;
export const other = factory.otherExampleCom().v1().gadgets().informer();
export const count: number = resources.length;
`;
    expect(compile(folder, consumer)).toEqual([]);
    rmSync(out, { recursive: true });
    const one = await generate("--crd", put("a.json", widget), "--crd", put("b.json", gadget), "--out", out);
    expect(one.code).toBe(0);
    expect(readTree(out)).toEqual(both);
  });

  it("into the same group and version keeps the other kinds", async () => {
    await add(widget);
    await add(crd({ kind: "Gear" }));
    const files = readTree(out);
    expect(files["example.com/v1/index.ts"]).toMatch(/gears\(\)[\s\S]*widgets\(\)/);
    expect(files["example.com/v1/types.ts"]).toContain('from "./widget.js"');
    expect(compile(folder)).toEqual([]);
  });

  it("with the same input changes no byte and touches no file", async () => {
    await add(widget);
    const before = readTree(out);
    const touched = statSync(join(out, "factory.ts")).mtimeMs;
    const { out: report } = await add(widget);
    expect(report).toContain("0 new, 0 changed, 7 unchanged, 0 removed");
    expect(readTree(out)).toEqual(before);
    expect(statSync(join(out, "factory.ts")).mtimeMs).toBe(touched);
  });

  it("takes away a version that the definition no longer has, and its folder", async () => {
    const old = version("v1alpha1", { spec: { type: "object" } });
    await add(crd({ versions: [version("v1", {}), old] }));
    expect(existsSync(join(out, "example.com/v1alpha1"))).toBe(true);
    const { out: report } = await add(crd({ versions: [version("v1", {})] }));
    expect(report).toContain("3 removed");
    expect(existsSync(join(out, "example.com/v1alpha1"))).toBe(false);
    expect(readTree(out)["example.com/index.ts"]).not.toContain("v1alpha1");
  });

  it("leaves hand-written files alone, also where a generated one was", async () => {
    await add(crd({ versions: [version("v1", {}), version("v1alpha1", {})] }));
    writeFileSync(join(out, "mine.ts"), "export {};\n");
    writeFileSync(join(out, "example.com/v1alpha1/widget.ts"), "// taken over\n");
    const { code, out: report } = await add(crd({ versions: [version("v1", {})] }));
    expect(code).toBe(0);
    expect(report).toContain("left alone, since not generated any more: example.com/v1alpha1/widget.ts");
    expect(readFileSync(join(out, "example.com/v1alpha1/widget.ts"), "utf8")).toBe("// taken over\n");
    expect(existsSync(join(out, "mine.ts"))).toBe(true);
  });
});

describe("refused, and nothing is written", () => {
  const unchanged = async (definition: object, code: number, message: RegExp) => {
    const before = existsSync(out) ? readTree(out) : undefined;
    const outcome = await add(definition);
    expect(outcome).toMatchObject({ code, err: expect.stringMatching(message) });
    expect(existsSync(out) ? readTree(out) : undefined).toEqual(before);
  };

  it("a file of somebody else in a place of ours", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "factory.ts"), "export const mine = 1;\n");
    await unchanged(widget, 6, /factory\.ts is not a generated file and would be overwritten\nhint: /);
  });

  it("a file where the folder should be", async () => {
    writeFileSync(out, "");
    expect(await add(widget)).toMatchObject({ code: 6, err: expect.stringMatching(/generated is no folder\nhint: /) });
    rmSync(out);
  });

  it("a symbolic link on the way", async () => {
    const outside = join(folder, "outside");
    mkdirSync(outside);
    mkdirSync(out);
    symlinkSync(outside, join(out, "example.com"));
    const outcome = await add(widget);
    expect(outcome).toMatchObject({ code: 6, err: expect.stringContaining("example.com is a symbolic link") });
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(out)).toEqual(["example.com"]);
  });

  it("a symbolic link in the place of a file", async () => {
    const secret = source(folder, "secret", "keep");
    mkdirSync(out);
    symlinkSync(secret, join(out, "generic.ts"));
    expect(await add(widget)).toMatchObject({ code: 6 });
    expect(readFileSync(secret, "utf8")).toBe("keep");
  });

  it.each([
    ["damaged", "{"],
    ["of another tool", '{"files":[]}'],
    ["that leads out", JSON.stringify({ manifestVersion: 1, resources: [], types: { "../../x": [] }, files: [] })],
    [
      "that carries code",
      JSON.stringify({
        manifestVersion: 1,
        resources: [
          {
            group: "a.b",
            version: "v1",
            resource: "xs",
            kind: "X",
            scope: "Cluster",
            type: "X{}; evil()",
            typeModule: "a.b/v1/x",
          },
        ],
        types: {},
        files: [],
      }),
    ],
  ])("a manifest %s", async (_what, content) => {
    mkdirSync(out);
    writeFileSync(join(out, manifestFile), content);
    await unchanged(widget, 6, /is no manifest of this generator\nhint: /);
  });

  it("a manifest that lists files of others: they are not ours to remove", async () => {
    await add(widget);
    const victim = source(folder, "victim.ts", "// Code generated by kube-informers generate. DO NOT EDIT.\n");
    const manifest = JSON.parse(readFileSync(join(out, manifestFile), "utf8"));
    writeFileSync(join(out, manifestFile), JSON.stringify({ ...manifest, files: [...manifest.files, "../victim.ts"] }));
    expect(await add(widget)).toMatchObject({ code: 6, err: expect.stringContaining("would leave") });
    expect(existsSync(victim)).toBe(true);
  });

  it("a folder that lost a file which this run does not make", async () => {
    await add(widget);
    rmSync(join(out, "example.com/v1/widget.ts"));
    await unchanged(gadget, 6, /widget\.ts is gone, and this run does not make it\nhint: /);
    expect(await add(widget)).toMatchObject({ code: 0 });
  });

  it("two groups with one accessor", async () => {
    await add(crd({ group: "a-b.example.com" }));
    await unchanged(
      crd({ group: "a.b.example.com" }),
      6,
      /both be the accessor aBExampleCom\nhint: generate them into two folders/,
    );
  });

  it("two kinds whose files differ in case alone", async () => {
    await add(crd({ kind: "IOChaos", plural: "iochaos" }));
    await unchanged(crd({ kind: "IoChaos", plural: "iochaoses" }), 6, /both be the file example\.com\/v1\/io-chaos/);
  });

  it.skipIf(process.getuid?.() === 0)("a folder without the right to write", async () => {
    mkdirSync(out);
    chmodSync(out, 0o500);
    await unchanged(widget, 6, /cannot be written/);
    chmodSync(out, 0o700);
  });

  it("what fails half-way: what was moved already comes back", () => {
    mkdirSync(out);
    source(out, "a.ts", "old");
    source(out, "gone.ts", "to go");
    source(out, "file", "no folder");
    const before = readTree(out);
    const plan = {
      folder: out,
      created: ["b/new.ts", "file/new.ts"],
      changed: ["a.ts"],
      removed: ["gone.ts"],
      unchanged: [],
      foreign: [],
    };
    const files = new Map(["a.ts", "b/new.ts", "file/new.ts"].map((path) => [path, "new"]));
    expect(() => carryOut(plan, files)).toThrow("is no folder");
    expect(readTree(out)).toEqual(before);
    expect(readdirSync(out).sort()).toEqual(["a.ts", "file", "gone.ts"]);
  });

  it("a place that is taken by a folder", async () => {
    await add(widget);
    rmSync(join(out, "generic.ts"));
    mkdirSync(join(out, "generic.ts"));
    await unchanged(gadget, 6, /generic\.ts is no file/);
  });
});

describe("--check", () => {
  it("passes where nothing would change, and fails with 7 otherwise, writing nothing", async () => {
    expect(await add(widget, "--check")).toMatchObject({ code: 7, out: expect.stringContaining("+ factory.ts") });
    expect(existsSync(out)).toBe(false);
    await add(widget);
    expect(await add(widget, "--check")).toMatchObject({ code: 0, out: expect.stringContaining("up to date") });
    appendFileSync(join(out, "factory.ts"), "// edited\n");
    rmSync(join(out, "generic.ts"));
    const before = readTree(out);
    const drift = await add(widget, "--check");
    expect(drift).toMatchObject({
      code: 7,
      out: expect.stringContaining("+ generic.ts\n~ factory.ts\nnot up to date"),
    });
    expect(readTree(out)).toEqual(before);
  });
});

describe("--dry-run and --json", () => {
  it("list what would be written", async () => {
    const { code, out: report } = await add(widget, "--dry-run");
    expect(code).toBe(0);
    expect(report).toContain("+ example.com/v1/widget.ts");
    expect(report).toContain("nothing was written");
    expect(existsSync(out)).toBe(false);
  });

  it("give the summary as data", async () => {
    const { out: report } = await add(
      crd({ versions: [version("v1", {}), version("v2", {}, { served: false })] }),
      "--json",
    );
    expect(JSON.parse(report)).toEqual({
      groups: ["example.com"],
      resources: ["widgets.v1.example.com"],
      types: 1,
      folder: expect.stringMatching(/generated$/),
      files: {
        created: expect.arrayContaining(["factory.ts", manifestFile]),
        changed: [],
        removed: [],
        unchanged: 0,
        foreign: [],
      },
      ignored: 0,
      warnings: [expect.stringContaining("Widget v2 is not served: skipped")],
      milliseconds: expect.any(Number),
    });
  });
});

it("leaves no trace of the work in the folder", async () => {
  await add(widget);
  expect(readdirSync(out).sort()).toEqual([manifestFile, "example.com", "factory.ts", "generic.ts"]);
});
