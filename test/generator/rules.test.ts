// What a server refuses is refused: structural schemas, and the rules of a definition. Each row is one breach.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { patternProblem } from "../../generator/load/crd-pattern.js";
import { plainScalar } from "../../generator/load/scalars.js";
import { type CrdParts, crd, generate, source, temporaryFolder, version } from "./support/project.js";

async function refusal(definition: unknown): Promise<string> {
  const folder = temporaryFolder();
  const { code, err } = await generate("--crd", source(folder, "a.json", definition), "--out", join(folder, "out"));
  expect(existsSync(join(folder, "out"))).toBe(false);
  expect(code).toBe(3);
  return err;
}

const field = (schema: object) => crd({ versions: [version("v1", { a: schema })] });
const root = (schema: object, more: object = {}) =>
  crd({ versions: [{ ...version("v1", {}), schema: { openAPIV3Schema: { type: "object", ...schema } }, ...more }] });

const text = { type: "string" };

describe("a schema", () => {
  const rows: [schema: object, error: string][] = [
    [{ type: "array" }, "an array needs items"],
    [{}, "type is missing"],
    [{ properties: { b: text } }, "type is missing"],
    [{ type: "array", items: {} }, "type is missing"],
    [{ type: "object", additionalProperties: {} }, "type is missing"],
    [{ type: "object", properties: { b: text }, additionalProperties: text }, "additionalProperties beside properties"],
    [{ type: "object", "x-kubernetes-embedded-resource": true }, "an embedded resource without properties"],
    [{ "x-kubernetes-embedded-resource": true }, "an embedded resource needs type: object"],
    [{ type: "string", "x-kubernetes-preserve-unknown-fields": false }, "preserve-unknown-fields is false"],
    [{ "x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true }, "int-or-string excludes"],
    [{ type: "array", items: text, uniqueItems: true }, "uniqueItems cannot be true"],
    [{ type: "string", "x-kubernetes-list-type": "set" }, "x-kubernetes-list-type without type: array"],
    [{ type: "array", items: text, "x-kubernetes-list-type": "bag" }, 'x-kubernetes-list-type is "bag"'],
    [{ type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" }, "needs x-kubernetes-list-map-keys"],
    [
      {
        type: "array",
        items: { type: "object", properties: { k: text } },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
      },
      'key "k" is neither required nor has a default',
    ],
    [{ type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" }, "objects in a set are not atomic"],
    [{ type: "string", "x-kubernetes-map-type": "atomic" }, "x-kubernetes-map-type without type: object"],
    [{ type: "string", anyOf: [{ type: "string" }] }, "type within anyOf"],
    [{ type: "string", not: { nullable: true } }, "nullable within not"],
    [{ type: "string", pattern: "(?=x)" }, "pattern looks ahead or behind"],
    [{ type: "string", default: 5 }, "default is of type integer, not string"],
    [{ type: "string", enum: ["a"], default: "b" }, 'default "b" is not one of enum'],
    [{ type: "integer", minimum: 3, default: 1 }, "default is less than 3"],
    [{ type: "object", default: { gone: 1 }, properties: { b: text } }, 'default has "gone"'],
    [{ type: "object", default: {}, required: ["b"], properties: { b: text } }, 'default lacks "b"'],
    [{ type: ["string", "null"] }, "type is a list"],
    [{ type: "null" }, 'type "null" is not known'],
    [{ type: "string", nullable: "yes" }, 'nullable is "yes"'],
    [{ type: "string", maxLength: 1.5 }, "maxLength is 1.5"],
    [{ type: "string", description: 5 }, "description is 5"],
    [{ type: "object", patternProperties: { x: text } }, "cannot use patternProperties"],
    [{ type: "string", "x-kubernetes-validations": [{ rule: "" }] }, "rule is missing"],
    [{ type: "string", "x-kubernetes-validations": [{ rule: "true", message: " " }] }, "message is blank"],
    [{ type: "string", "x-kubernetes-validations": [{ rule: "true", reason: "No" }] }, 'reason "No" is not known'],
    [
      { type: "string", "x-kubernetes-validations": [{ rule: "true", optionalOldSelf: true }] },
      "optionalOldSelf of a rule without oldSelf",
    ],
    [
      { type: "string", "x-kubernetes-validations": [{ rule: "self.size() => 3" }] },
      'rule cannot be read from "=> 3" on',
    ],
    [{ type: "string", "x-kubernetes-validations": [{ rule: "self in ['a'" }] }, "rule ends too early"],
    [
      { type: "string", "x-kubernetes-validations": [{ rule: "true", messageExpression: "'is ' self" }] },
      'messageExpression cannot be read from "self" on',
    ],
    [{ type: "string", maxLength: 1e20 }, "maxLength is 100000000000000000000"],
    [{ type: "string", externalDocs: "x" }, 'externalDocs is "x"'],
    [{ type: "string", pattern: "a\\Z" }, "which is no escape of RE2"],
    [{ type: "string", pattern: "[[:foo:]]" }, "pattern has the class foo"],
    [{ type: "string", pattern: "(?x)a" }, "a group of an unknown kind"],
    [{ type: "string", oneOf: [{ uniqueItems: true }] }, "uniqueItems cannot be true"],
    [{ type: "integer", format: "int32", default: [1] }, "default is of type array, not integer"],
    [{ type: "integer", format: "int32", default: 2 ** 31 }, "default is no number of 32 bits"],
    [{ type: "integer", default: 1e20 }, "default is of type number, not integer"],
    [{ type: "integer", minimum: 1, exclusiveMinimum: true, default: 1 }, "default is less than 1"],
    [{ type: "integer", multipleOf: 4, default: 6 }, "default is no multiple of 4"],
    [{ type: "string", pattern: "^(?i)a[[:digit:]]$", default: "b1" }, 'default "b1" does not match'],
    [{ type: "string", format: "ipv4", default: "256.1.1.1" }, 'default "256.1.1.1" is not of the format ipv4'],
    [{ type: "string", anyOf: [{ enum: ["a"] }, { minLength: 3 }], default: "b" }, "default fits no schema of anyOf"],
    [{ type: "string", oneOf: [{ minLength: 1 }, { maxLength: 9 }], default: "b" }, "exactly one schema of oneOf"],
    [{ type: "string", not: { enum: ["a"] }, default: "a" }, "default fits the schema of not"],
    [
      { type: "object", required: ["b"], properties: { b: { ...text, default: "x" } }, default: {} },
      'default lacks "b"',
    ],
    [
      {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
        default: { apiVersion: "v1" },
      },
      "default of an embedded resource lacks apiVersion and kind",
    ],
    [{ type: "string", pattern: "[z-a]" }, "a range whose end comes before its beginning"],
    [{ type: "string", pattern: "(x{100}){11}" }, "pattern repeats more than 1000 times"],
    [{ type: "string", pattern: "\\p{Klingon}" }, "which is no class of Unicode"],
    [{ type: "string", pattern: "\\p{Old Italic}" }, "which is no class of Unicode"],
    [{ type: "number", multipleOf: 0.1, default: 0.35 }, "default is no multiple of 0.1"],
    [{ type: "string", externalDocs: { url: 5 } }, "url is 5"],
    [{ type: "string", $schema: "http://json-schema.org/schema#" }, "cannot use $schema"],
    [
      { type: "object", properties: { b: text }, "x-kubernetes-validations": [{ rule: "true", fieldPath: ".c" }] },
      'fieldPath ".c" leads to no field',
    ],
  ];
  it.each(rows)("%j", async (schema, error) => {
    expect(await refusal(field(schema))).toContain(error);
  });

  it.each<[what: string, schema: object]>([
    ["a fraction that no number holds", { type: "number", multipleOf: 0.1, default: 0.3 }],
    [
      "another order of keys",
      { "x-kubernetes-preserve-unknown-fields": true, enum: [[{ a: 1, b: 2 }]], default: [{ b: 2, a: 1 }] },
    ],
    ["a pattern too large to try", { type: "string", pattern: `^\\Q${"[".repeat(300_000)}`, default: "a" }],
    ["a default too long to try", { type: "string", pattern: "(x{30}){30}", default: "y".repeat(9_000) }],
  ])("that is taken: %s", async (_what, schema) => {
    const folder = temporaryFolder();
    const file = source(folder, "a.json", field(schema));
    expect(await generate("--crd", file, "--out", join(folder, "out"))).toMatchObject({ code: 0 });
  });

  it.each<[object, string, object?]>([
    [{ type: "string" }, "the root is of type string"],
    [{ nullable: true }, "the root cannot be nullable"],
    [{ oneOf: [{ properties: { b: { enum: ["x"] } } }] }, 'oneOf restricts property "b", not declared outside of it'],
    [{ additionalProperties: true }, "additionalProperties at the root"],
    [{ properties: { kind: { type: "integer" } } }, "kind is not of type string"],
    [
      { properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } } },
      "metadata restricts",
    ],
    [{ oneOf: [{ required: ["a"] }] }, "oneOf at the root is not allowed", { subresources: { status: {} } }],
    [
      { properties: { metadata: { type: "object", properties: { name: { ...text, default: "a" } } } } },
      "metadata cannot have a default",
    ],
  ])("root %j", async (schema, error, more) => {
    expect(await refusal(root(schema, more))).toContain(error);
  });
});

describe("a definition", () => {
  const rows: [what: string, parts: CrdParts, error: string][] = [
    ["no version that is stored", { versions: [version("v1", {}, { storage: false })] }, "no version is marked"],
    [
      "two that are",
      { versions: [version("v1", {}, { storage: true }), version("v2", {}, { storage: true })] },
      "2 versions are marked as the storage version",
    ],
    ["served as a text", { versions: [version("v1", {}, { served: "true" })] }, 'served is "true"'],
    ["a short name with a capital", { names: { shortNames: ["WI"] } }, "spec.names.shortNames.0"],
    ["short names that are a text", { names: { shortNames: "wi" } }, 'shortNames is "wi"'],
    ["a kind that is its list's", { names: { listKind: "Widget" } }, "kind and listKind are the same"],
    ["unknown fields everywhere", { spec: { preserveUnknownFields: true } }, "spec.preserveUnknownFields is true"],
    [
      "a warning without deprecation",
      { versions: [version("v1", {}, { deprecationWarning: "x" })] },
      "of a version that is not deprecated",
    ],
    [
      "a column of an unknown type",
      { versions: [version("v1", {}, { additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: ".a" }] })] },
      'printer column: type is "text"',
    ],
    [
      "a scale without paths",
      { versions: [version("v1", {}, { subresources: { scale: {} } })] },
      "scale: specReplicasPath is missing",
    ],
    [
      "a selectable object",
      {
        versions: [version("v1", { spec: { type: "object" } }, { selectableFields: [{ jsonPath: ".spec" }] })],
      },
      'selectable field ".spec" is no text, boolean or integer',
    ],
    ["a conversion that is a text", { spec: { conversion: "None" } }, 'conversion is "None"'],
    [
      "a conversion in the clear",
      {
        spec: {
          conversion: {
            strategy: "Webhook",
            webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "http://a.b/c" } },
          },
        },
      },
      'url "http://a.b/c" is not one that a server calls',
    ],
    [
      "a status that is a text",
      { versions: [version("v1", {}, { subresources: { status: "yes" } })] },
      'status is "yes"',
    ],
    ["a conversion by nobody", { spec: { conversion: { strategy: "Magic" } } }, 'conversion strategy is "Magic"'],
  ];
  it.each(rows)("%s", async (_what, parts, error) => {
    expect(await refusal(crd(parts))).toContain(error);
  });

  it("with a group whose label is long, and a selectable value of a map: both are taken", async () => {
    const group = `${"x".repeat(64)}.example.com`;
    const schema = { spec: { type: "object", additionalProperties: text } };
    const versions = [version("v1", schema, { selectableFields: [{ jsonPath: ".spec.color" }] })];
    const folder = temporaryFolder();
    const file = source(folder, "a.json", crd({ group, versions }));
    expect(await generate("--crd", file, "--out", join(folder, "out"))).toMatchObject({ code: 0 });
  });

  it("whose name is not plural and group", async () => {
    const other = { ...crd(), metadata: { name: "widget.example.com" } };
    expect(await refusal(other)).toContain('metadata.name is "widget.example.com"');
  });

  it("of Kubernetes' own groups without an approval", async () => {
    const other = { ...crd({ group: "x.k8s.io" }), metadata: { name: "widgets.x.k8s.io" } };
    expect(await refusal(other)).toContain("group x.k8s.io is Kubernetes' own");
  });
});

/** What is outside of the spec decides no type, and is still what a server reads. */
describe("metadata", () => {
  const of = (metadata: object) => {
    const definition = crd() as { metadata: object };
    return { ...definition, metadata: { ...definition.metadata, ...metadata } };
  };
  it.each<[object, string]>([
    [{ labels: { "-a": "b" } }, 'metadata.labels: "-a" is not what Kubernetes accepts'],
    [{ labels: { a: "two words" } }, 'metadata.labels: "two words"'],
    [{ labels: [] }, "labels is a list"],
    [{ labels: { a: 5 } }, "a is 5"],
    [{ annotations: { "a/b/c": "d" } }, 'metadata.annotations: "a/b/c"'],
    [{ annotations: { a: "x".repeat(300_000) } }, "metadata.annotations: 300001 bytes"],
    [{ finalizers: ["a b"] }, 'metadata.finalizers: "a b"'],
    [{ ownerReferences: [{ apiVersion: "v1", kind: "A", name: "a" }] }, "metadata.ownerReferences: null"],
    [{ creationTimestamp: "yesterday" }, 'creationTimestamp is "yesterday"'],
    [{ creationTimestamp: "2026-02-29T00:00:00Z" }, 'creationTimestamp is "2026-02-29T00:00:00Z"'],
    [{ generateName: "widgets-" }, 'metadata.generateName is "widgets-"'],
  ])("%j", async (metadata, error) => {
    expect(await refusal(of(metadata))).toContain(error);
  });

  it.each([
    { labels: { "example.com/app": "", version: "1.2_3" } },
    { labels: { app: '{{ template "chart.name" . }}' } },
    { annotations: { "Example.com/Anything": "at all: */" } },
    { creationTimestamp: "2024-02-29T00:00:00.5+01:00", finalizers: ["customresourcecleanup.apiextensions.k8s.io"] },
    { uid: "1", resourceVersion: "2", generation: 3, managedFields: [{ fieldsV1: { "f:spec": {} } }] },
  ])("as it may be: %j", async (metadata) => {
    const folder = temporaryFolder();
    const file = source(folder, "a.json", of(metadata));
    expect(await generate("--crd", file, "--out", join(folder, "out"))).toMatchObject({ code: 0 });
  });
});

it("all errors are told, each with its line, in one run", async () => {
  const folder = temporaryFolder();
  const broken = crd({ versions: [version("v1", { a: { type: "int" }, b: { $ref: "#/x" } })] });
  const lines = JSON.stringify(broken, undefined, 1);
  const path = source(folder, "a.json", lines);
  const other = source(folder, "b.json", crd({ kind: "1x", plural: "xs" }));
  const { code, err } = await generate("--crd", path, "--crd", other, "--out", join(folder, "out"));
  expect(code).toBe(3);
  expect(err.match(/error: /g)).toHaveLength(3);
  expect(err).toMatch(
    /a\.json:\d+:9: error: type "int" is not known\n +\d+ \| +"type": "int"\n +\| +\^\nhint: .*integer/,
  );
});

it("--allow-partial leaves out the definitions that are refused, and says so", async () => {
  const folder = temporaryFolder();
  const path = source(folder, "a.json", { kind: "List", items: [crd(), field({})] });
  const args = ["--crd", path, "--crd", source(folder, "b.json", crd({ kind: "Gadget" }))];
  expect(await generate(...args, "--out", join(folder, "out"))).toMatchObject({ code: 3 });
  const { code, out, err } = await generate(...args, "--allow-partial", "--out", join(folder, "out"));
  expect(code).toBe(0);
  expect(out).toContain("1 group, 2 resources");
  expect(err).toContain("left out: type is missing");
});

it.each<[string, unknown]>([
  ["y", true],
  ["off", false],
  ["~", null],
  ["0755", 493],
  ["0o17", 15],
  ["0x1F", 31],
  ["0b11", 3],
  ["1_000", 1000],
  ["08", 8],
  ["-0", 0],
  [".5", 0.5],
  ["1e3", 1000],
  ["1:30", "1:30"],
  ["2029-02-28", "2029-02-28"],
  ["=", "="],
  ["_1", "_1"],
  ["1e400", "1e400"],
  ["tRue", "tRue"],
])("the plain scalar %s is %j", (scalar, value) => {
  expect(plainScalar(scalar)).toBe(value);
});

it.each([
  ["^[a-z](?i)x[[:alpha:]]\\pL{2,3}$", undefined],
  ["[]a]|[^]b]|a??|\\Q(\\E", undefined],
  ["(", "pattern leaves a group open"],
  ["a)", "pattern closes a group that is not open"],
  ["[a", "pattern leaves a class open"],
  ["\\1", "pattern has a back-reference"],
  ["*a", "pattern repeats nothing"],
  ["a**", "pattern repeats a repetition"],
  ["a{1001}", "pattern repeats more than 1000 times"],
  ["a{3,2}", "pattern repeats at least more often than at most"],
  ["\\", "pattern ends with a backslash"],
])("the pattern %s: %s", (pattern, problem) => {
  expect(patternProblem(pattern)).toBe(problem);
});
