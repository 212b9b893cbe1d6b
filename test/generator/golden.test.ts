// The whole output, byte for byte. After a change that is meant: UPDATE_GOLDEN=1 npx vitest run test/generator/golden
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compile, generate, golden, projectRoot, readTree, temporaryFolder } from "./support/project.js";

const nasty = join(projectRoot, "test/generator/fixtures/nasty.crd.yaml");

describe("golden output", () => {
  it("of the example is what examples/generated holds", async () => {
    const folder = temporaryFolder();
    const input = join(projectRoot, "examples/crontab.crd.yaml");
    expect(await generate("--crd", input, "--out", folder)).toMatchObject({ code: 0 });
    expect(readTree(folder)).toEqual(readTree(join(projectRoot, "examples/generated")));
  });

  it("of a definition full of traps", async () => {
    const folder = process.env["UPDATE_GOLDEN"] === undefined ? temporaryFolder() : golden("nasty");
    const { code, out, err } = await generate("--crd", nasty, "--out", folder);
    expect(code).toBe(0);
    expect(readTree(folder)).toEqual(readTree(golden("nasty")));
    expect(out).toContain("1 object of other kinds ignored");
    expect(err).toContain("Function v1alpha1 is not served: skipped");
    expect(err).toContain("Function v1beta1 has no schema: its content is free");
  });
});

describe("a strict consumer", () => {
  it("compiles what a definition full of traps becomes, and uses it", async () => {
    const folder = temporaryFolder();
    await generate("--crd", nasty, "--out", join(folder, "generated"));
    const consumer = `
import { SharedInformerFactory } from "./generated/factory.js";
import { type Function, type FunctionSpec, functions } from "./generated/constructor.example.com/v1/index.js";
declare const source: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(source);
const item = factory.constructorExampleCom().v1().functions().lister().get("a");
export const mode: "" | "head" | "HEAD" | undefined | null | string = item?.status?.enumeration;
export const polluted: boolean | undefined = item?.spec.__proto__?.polluted;
export const embeddedKind: string | undefined = item?.status?.embedded?.kind;
export const port: number | string | null | undefined = item?.status?.port;
export const made: Function = { spec: { default: "a", class: "b", toString: "c" } };
export const other: FunctionSpec = { informerFactory: { a: "b" } };
export const scope: "Cluster" = functions.scope;
export const deleted = factory.constructorExampleCom().v1().delete();
// @ts-expect-error: not one of the values
export const wrong: Function = { spec: { default: "a", class: "b", toString: "c" }, status: { longOne: "no" } };
`;
    expect(compile(folder, consumer)).toEqual([]);
  });
});
