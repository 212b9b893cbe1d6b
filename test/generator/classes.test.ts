// Every class of definition that is known from the field, in small ones of our own: one file for each family.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compile, crd, generate, projectRoot, readTree, source, temporaryFolder } from "./support/project.js";

const fixtures = join(projectRoot, "test/generator/fixtures/classes");

/** Types are compared both ways, so that neither may say more than the other. */
const consumer = `
import { SharedInformerFactory } from "./generated/factory.js";
import type { Typed, TypedSpecTemplate } from "./generated/types.example.com/v1/index.js";
import type { Valued } from "./generated/values.example.com/v1/index.js";
import type { Owner } from "./generated/properties.example.com/v1/index.js";
import type { Open, Whole } from "./generated/root.example.com/v1/index.js";
import type { Reading } from "./generated/yaml.example.com/v1/index.js";
import type { Bare, Single } from "./generated/oldest.example.com/v1alpha1/index.js";
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Spec<T extends { spec?: unknown }> = Required<NonNullable<T["spec"]>>;
type T = Spec<Typed>;
type V = Spec<Valued>;
type O = Spec<Owner>;
type R = Spec<Reading>;
type Text = { [key: string]: string };
export const types: [
  Same<T["any"], unknown>,
  Same<NonNullable<T["open"]>["a"], string | undefined>,
  Same<NonNullable<T["open"]>["anything"], unknown>,
  Same<T["free"], { [key: string]: unknown }>,
  Same<T["none"], { [key: string]: unknown }>,
  Same<T["empty"], { [key: string]: never }>,
  Same<T["stated"], number | string>,
  Same<T["port"], number | string>,
  Same<T["quantity"], number | string>,
  Same<T["velero"], string>,
  Same<TypedSpecTemplate["apiVersion"], string>,
  Same<NonNullable<TypedSpecTemplate["spec"]>["on"], boolean | undefined>,
  Same<T["pod"]["kind"], "Pod">,
  Same<T["list"][number]["port"], number>,
  Same<T["list"][number]["protocol"], string | undefined>,
  Same<T["selector"], Text>,
  Same<T["one"]["a"], string | undefined>,
  Same<T["anyValues"], { [key: string]: unknown }>,
  Same<T["mapOfObjects"][string]["a"], string | undefined>,
  Same<T["mapOfArrays"], { [key: string]: number[] }>,
  Same<T["mapOfMaps"], { [key: string]: { [key: string]: boolean } }>,
  Same<T["mapOfPorts"], { [key: string]: number | string }>,
  Same<T["mapOfNullable"], { [key: string]: string | null }>,
  Same<T["arrays"], number[][]>,
  Same<T["nullableItems"], (string | null)[]>,
  Same<T["itemsOfText"], string>,
  Same<T["propertiesOfList"], string[]>,
  Same<T["nullable"], number | null>,
  Same<T["nullableEnum"], "IPv4" | "IPv6" | null>,
  Same<T["both"], number>,
  Same<V["mode"], "" | "pool" | "image">,
  Same<V["ip"], 4 | 6>,
  Same<V["words"], "True" | "False" | "null" | "on" | "true">,
  Same<V["spaced"], "read, write" | "s/mime" | 'a"b' | "it's" | "back\`tick \${x}">,
  Same<V["cased"], "head" | "HEAD" | "Head">,
  Same<V["mixed"], "a">,
  Same<V["percent"], 1 | "50%">,
  Same<V["flags"], true>,
  Same<V["nulls"], "a" | null>,
  Same<V["time"], string>,
  Same<V["huge"], number>,
  Same<O["amz-cache"], string>,
  Same<O["kind"], number>,
  Same<NonNullable<O["proxyUrl"]>["b"], string | undefined>,
  Same<O["init_containers"][number]["c"], string | undefined>,
  Same<O["initContainers"][number]["d"], string | undefined>,
  Same<NonNullable<O["rollout"]["strategy"]>["e"], string | undefined>,
  Same<O["rolloutStrategy"]["f"], string | undefined>,
  Same<O["__proto__"]["polluted"], boolean | undefined>,
  Same<R["repeated"], number>,
  Same<R["true"], string>,
  Same<R["n"], string>,
  Same<R["equals"], "a" | "=">,
  Same<R["octal"], 493 | 15 | 31>,
  Same<R["aliased"], string>,
  Same<Whole["kind"], "Whole" | undefined>,
  Same<Open["anything"], unknown>,
  Same<Spec<Single>["untyped"], unknown>,
  Same<Spec<Single>["port"], number | string>,
] = [
  true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
  true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
  true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
];
export const typed: Typed = {
  apiVersion: "types.example.com/v1",
  kind: "Typed",
  metadata: { name: "a", namespace: "b", labels: { "app.kubernetes.io/name": "a" } },
  spec: {
    any: [1, { b: null }],
    open: { a: "x", other: true },
    free: { anything: [{}] },
    empty: {},
    port: "http",
    quantity: 5,
    embedded: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { a: "b" } },
    pod: { apiVersion: "v1", kind: "Pod", metadata: {} },
    set: ["a"],
    list: [{ port: 80 }, { port: 53, protocol: "UDP" }],
    selector: { app: "a" },
    guarded: { "b-c": "x" },
    mapOfArrays: { a: [1] },
    mapOfPorts: { a: 80, b: "http" },
    mapOfNullable: { a: null },
    arrays: [[1.5], []],
    nullableItems: ["a", null],
    nullable: null,
    both: 3,
  },
};
// @ts-expect-error: nothing may be in it.
export const filled: Typed = { spec: { both: 1, list: [], empty: { a: 1 } } };
// @ts-expect-error: no item without its key.
export const keyless: Typed = { spec: { both: 1, list: [{ protocol: "UDP" }] } };
export const valued: Valued = {
  spec: { mode: "", ip: 6, words: "on", spaced: "it's", cased: "HEAD", percent: "50%", flags: true, nulls: null, list: [{ nodes: "10%" }], huge: 2 ** 53, time: "2026-01-01T00:00:00Z", many: ["a"] },
};
// @ts-expect-error: none of the values.
export const misvalued: Valued = { spec: { mode: "none" } };
export const whole: Whole = { spec: { a: "x", other: 1 }, missing: 1 };
declare const source: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(source);
export const function_ = factory.namesExampleCom().v1().functions().lister().list();
export const constructor_ = factory.namesExampleCom().v1().constructor_().lister();
export const resource = factory.namesExampleCom().v1().resources().lister().namespace("a").get("b")?.spec?.size;
export const old = factory.envelopeExampleCom().verylongversion().lastings();
`;

it("compiles, strictly, as the types that an expert would have written", async () => {
  const folder = temporaryFolder();
  const { code, err, out } = await generate("--crd", fixtures, "--out", join(folder, "generated"));
  expect(err).not.toContain("error");
  expect(code).toBe(0);
  expect(out).toContain("1 object of other kinds ignored");
  expect(err).toContain("Lasting v0 is not served: skipped");
  expect(err).toContain("Bare v1 has no schema: its content is free");
  expect(err).toContain('"repeated" is repeated: the last one counts');
  const diagnostics = compile(folder, consumer.replace("Bare, Single", "Single"));
  // A required name without a property is no property: the object literal says so.
  expect(diagnostics).toEqual([expect.stringContaining("'missing' does not exist in type 'Whole'")]);
});

it("gives the same from each file alone", async () => {
  const all = temporaryFolder();
  await generate("--crd", fixtures, "--out", all);
  const together = readTree(all);
  for (const file of readdirSync(fixtures)) {
    const folder = temporaryFolder();
    expect(await generate("--crd", join(fixtures, file), "--out", folder)).toMatchObject({ code: 0 });
    const alone = Object.entries(readTree(folder)).filter(([path]) => path.includes("/"));
    for (const [path, text] of alone) expect(together[path]).toBe(text);
  }
});

it("compiles with more resources in one folder than the compiler makes a union of", async () => {
  const folder = temporaryFolder();
  const items = Array.from({ length: 1200 }, (_, number) => crd({ kind: `Kind${number}` }));
  const file = source(folder, "many.json", { kind: "List", items });
  expect(await generate("--crd", file, "--out", join(folder, "generated"))).toMatchObject({ code: 0 });
  expect(compile(folder)).toEqual([]);
});
