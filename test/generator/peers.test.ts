// What other generators for TypeScript were seen to get wrong or to leave out, of one definition: a row for each, with a program
// that compiles only where it is right.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ResourceDescriptor } from "kube-informers/codegen";
import { afterAll, beforeAll, expect, it, test } from "vitest";
import { compile, generate, readTree } from "./support/project.js";

const fixture = fileURLToPath(new URL("fixtures/peers.crd.yaml", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kube-informers-peers-"));
const out = join(folder, "generated");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows: Readonly<Record<string, string>> = {
  "what is required is required": `
    // @ts-expect-error: no spec
    const none: Gateway = {};
    const some: Gateway = { spec: { port: 80 } };
    use(none, some);`,
  "int-or-string is a number or a string": `same<Spec["port"], number | string>();`,
  "nullable stays": `same<Spec["host"], string | null | undefined>();`,
  "declared fields stay beside those that are preserved": `
    same<NonNullable<Spec["settings"]>["level"], number | undefined>();
    same<NonNullable<Spec["settings"]>[string], unknown>();`,
  "what is preserved alone has to be looked at before it is used": `same<Spec["anything"], unknown>();`,
  "an embedded resource is one, with free fields": `
    const template: Spec["template"] = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: {} };
    // @ts-expect-error: no kind
    const bad: Spec["template"] = { apiVersion: "v1" };
    same<NonNullable<Spec["template"]>["kind"], string>();
    use(template, bad);`,
  "a free map can be read and written": `
    const labels: NonNullable<Record["spec"]>["labels"] = { a: "b" };
    const value: string | undefined = labels?.["a"];
    use(value);`,
  "an enum is a union of literals, with the empty one": `same<Spec["mode"], "" | "Strict" | "Loose" | undefined>();`,
  "a date is the string that JSON has": `same<Spec["notBefore"], string | undefined>();`,
  "a default makes nothing required, since old objects may be without": `same<Spec["replicas"], number | undefined>();`,
  "oneOf that only validates takes nothing away": `
    same<Spec["host"], string | null | undefined>();
    same<Spec["address"], string | undefined>();`,
  "status is there": `same<NonNullable<Gateway["status"]>["ready"], boolean | undefined>();`,
  "properties keep their names": `same<Spec["odd-name.io/key"] | Spec["class"], string | undefined>();`,
  "types that look alike stay apart, named by their path": `
    const limits: v1.GatewaySpecLimits = {};
    const others: v1.GatewaySpecListenersLimits = {};
    use(limits, others);`,
  "a kind may be called as a global type is": `same<NonNullable<Record["spec"]>["ttl"], number | undefined>();`,
  "versions stand side by side; none takes the plain name": `
    same<NonNullable<v1alpha1.Gateway["spec"]>["host"], string | undefined>();`,
  "metadata of what is in a cache is there": `
    same<string, NonNullable<ReturnType<typeof gateway>>["metadata"]["name"]>();
    same<string, NonNullable<ReturnType<typeof record>>["metadata"]["name"]>();`,
  "informers and listers come with it, and know the scope": `
    factory.peersExampleCom().v1().gateways().informer().addEventHandler({ onAdd: ({ spec }) => use(spec.port) });
    // @ts-expect-error: of the cluster
    factory.peersExampleCom().v1().records().lister().namespace("a");`,
};

const header = `
import { SharedInformerFactory } from "./generated/factory.js";
import type * as v1 from "./generated/peers.example.com/v1/index.js";
import type * as v1alpha1 from "./generated/peers.example.com/v1alpha1/index.js";
type Gateway = v1.Gateway;
type Record = v1.Record;
type Spec = Gateway["spec"];
declare const source: ConstructorParameters<typeof SharedInformerFactory>[0];
const factory = new SharedInformerFactory(source);
const gateway = () => factory.peersExampleCom().v1().gateways().lister().namespace("a").get("b");
const record = () => factory.peersExampleCom().v1().records().lister().get("b");
function use(..._values: unknown[]): void {}
/** Compiles for a type that is the other, and not merely fits it. */
function same<A, B>(..._proof: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never]): void {}
`;

/** Diagnostics by the row that they are about; `""` for those of the generated code. */
const diagnostics = new Map<string, string[]>();

beforeAll(async () => {
  expect(await generate("--crd", fixture, "--out", out)).toMatchObject({ code: 0, err: "" });
  let consumer = header;
  const starts: [row: string, line: number][] = [];
  for (const [row, code] of Object.entries(rows)) {
    starts.push([row, consumer.split("\n").length]);
    consumer += `{${code}\n}\n`;
  }
  for (const text of compile(folder, consumer)) {
    const line = Number(/^consumer\.ts:(\d+)/.exec(text)?.[1] ?? 0);
    const row = starts.findLast(([, start]) => start <= line)?.[0] ?? "";
    diagnostics.set(row, [...(diagnostics.get(row) ?? []), text]);
  }
}, 60_000);

test("a comment ends where it should: the output compiles", () => {
  expect(diagnostics.get("")).toBeUndefined();
});

it.each(Object.keys(rows))("%s", (row) => {
  expect(diagnostics.get(row)).toBeUndefined();
});

test("a descriptor knows scope, plural, short names, categories, list kind and subresources; and which version is stored", async () => {
  const { resources } = (await import(pathToFileURL(join(out, "generic.ts")).href)) as {
    resources: readonly ResourceDescriptor[];
  };
  const names = { kind: "Gateway", resource: "gateways", singular: "gateway", shortNames: ["gw"], categories: ["all"] };
  const facts = { group: "peers.example.com", listKind: "GatewayList", scope: "Namespaced", ...names };
  const deprecationWarning = "peers.example.com/v1alpha1 Gateway ends next year; use v1";
  expect(resources).toEqual([
    { ...facts, version: "v1", subresources: ["scale", "status"], storage: true },
    expect.objectContaining({ version: "v1", kind: "Record", listKind: "RecordList", scope: "Cluster" }),
    { ...facts, version: "v1alpha1", storage: false, deprecated: true, deprecationWarning },
  ]);
});

test("an editor strikes out what is deprecated: a version with its warning, a field with what its description says", () => {
  const files = readTree(out);
  expect(files["peers.example.com/v1alpha1/gateway.ts"]).toContain(
    "/** @deprecated peers.example.com/v1alpha1 Gateway ends next year; use v1 */\nexport interface Gateway {",
  );
  expect(files["peers.example.com/v1/gateway.ts"]).toContain("  /** @deprecated use host. */\n  oldHost?: string;");
});
