// Every class of definition that was counted in the field: where our own fixtures have it, and what came of it.
// What the types are is asserted in classes.test.ts; here no class may be without a fixture, and each leaves its mark.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { generate as generateInto } from "../../generator/index.js";
import { compile, crd, generate, projectRoot, source, temporaryFolder, version } from "./support/project.js";

const fixtures = join(projectRoot, "test/generator/fixtures/classes");

type Row = readonly [what: string, given: string | RegExp, gives: string | RegExp];

/** By fixture; what it gives is looked for in all that was generated, and in the warnings. */
const classes: Readonly<Record<string, readonly Row[]>> = {
  yaml: [
    [
      "a quoted scalar that goes on at its key's margin",
      /"a scalar in quotes that\n {10}goes on/,
      "a scalar in quotes that goes on",
    ],
    ["a repeated key", /repeated: .*\n +repeated: /, '"repeated" is repeated: the last one counts'],
    ["a plain =", '["a", =]', 'equals?: "a" | "=";'],
    ["a plain scalar like a time", "2029-02-28T02:03:52Z", "date?: string;"],
    ["a plain scalar like a boolean, as a key", /^ +y: /m, "true?: string;"],
    ["octal and hexadecimal numbers", "0755, 0o17, 0x1F", "octal?: 493 | 15 | 31;"],
    ["an empty document", "---\n---", 'kind: "Reading"'],
    ["what is not ASCII", "naïve ☃", "naïve ☃"],
    ["other objects beside definitions", "kind: Namespace", "1 objects of other kinds ignored"],
    ["an anchor and an alias", "*anchored", "aliased?: string;"],
  ],
  envelope: [
    ["several definitions in a file", /\n---\n/, 'kind: "Global"'],
    ["scope Cluster", "scope: Cluster", 'ResourceDescriptor<Global, "Cluster">'],
    ["more than three versions, with different schemas", "length: {", "length?: number;"],
    ["a version that is not served", "served: false", "Lasting v0 is not served: skipped"],
    ["a deprecated version", "deprecated: true", "@deprecated"],
    ["a warning of deprecation", "deprecationWarning", "is going; use v1"],
    ["a version name out of the scheme", "name: verylongversion", 'version: "verylongversion"'],
    ["a conversion webhook", "strategy: Webhook", 'kind: "Global"'],
    ["conversion None", "strategy: None", 'kind: "Lasting"'],
    ["the subresources status and scale", "scale: {", 'subresources: ["scale", "status"]'],
    ["scale without a selector", /scale: \{(?![^}]*labelSelectorPath)/, '["scale", "status"]'],
    ["printer columns", "additionalPrinterColumns", 'name: "Host"'],
    ["a filter in a column's path", "[?(@.type==", '[?(@.type=="x")]'],
    ["a column's name with spaces", "Size of It", 'name: "Size of It"'],
    ["a column's description of several lines", "how\\nlarge", 'description: "how\\nlarge"'],
    ["selectable fields", "selectableFields", 'selectableFields: ["spec.size"]'],
    ["short names", "shortNames", 'shortNames: ["la", "lst"]'],
    ["categories", "categories", 'categories: ["all", "example"]'],
    ["no singular, no listKind", "names: { kind: Global, plural: globals }", 'listKind: "GlobalList"'],
    ["an unknown field at the top", "description: a field that no server knows", 'kind: "Lasting"'],
    ["an empty time of creation", "creationTimestamp: null", 'kind: "Lasting"'],
    ["a status", "storedVersions", 'kind: "Lasting"'],
    ["a template's text in metadata", "{{ template", 'kind: "Lasting"'],
  ],
  oldest: [
    ["v1beta1", "apiextensions.k8s.io/v1beta1", 'group: "oldest.example.com"'],
    ["an empty scope", 'scope: ""', 'ResourceDescriptor<Single, "Namespaced">'],
    ["one schema for all versions", "validation:", "racks?: unknown[];"],
    ["a version at the spec alone", "version: v1alpha1", 'version: "v1alpha1"'],
    ["versions beside it", /version: v1\n +versions/, 'version: "v2"'],
    ["a schema of each version", "schema: { openAPIV3Schema", "b?: string;"],
    ["no schema", "kind: Bare", "Bare v1 has no schema: its content is free"],
    ["unknown fields preserved", "preserveUnknownFields: true", 'kind: "Single"'],
    ["a root without a type", /openAPIV3Schema:\n +properties/, "spec?: SingleSpec;"],
    ["an array without items", "racks: { type: array, prop", "racks?: unknown[];"],
    ["an empty schema", "untyped: {}", "untyped?: unknown;"],
    [
      "int-or-string said by anyOf alone",
      "port: { anyOf: [{ type: integer }, { type: string }] }",
      "port?: number | string;",
    ],
  ],
  names: [
    ["a plural that is none of the kind", "plural: dummies", 'resource: "dummies"'],
    ["a plural that is the singular", "plural: podinfo", 'resource: "podinfo"'],
    ["a kind in lower case", "kind: postgresql", 'kind: "postgresql"'],
    ["a kind that ends in List", "kind: ManagedPrefixList", 'listKind: "ManagedPrefixListList"'],
    ["a kind with a digit", "kind: S3", 'kind: "S3"'],
    ["a kind with an acronym", "kind: MCPServer", 'kind: "MCPServer"'],
    [
      "a kind over 40 characters",
      "kind: BeyondtrustWorkload",
      "interface BeyondtrustWorkloadCredentialsDynamicSecret ",
    ],
    ["a kind of JavaScript's globals", "kind: Function", "interface Function "],
    ["a kind of the browser's globals", "kind: Lock", "interface Lock "],
    ["a kind's list of the browser's globals", "kind: NodeList", "interface NodeList "],
    ["a kind of Kubernetes' own", "kind: Service", "interface Service "],
    ["kinds that differ in case", "kind: GrafanaDatasource", "GrafanaDataSource"],
    ["a kind that is another's with a suffix", "kind: WorkflowTemplate", "interface WorkflowTemplate "],
    ["a group with a dash", "group: a-b.example.com", 'group: "a-b.example.com"'],
    ["a group with a digit first", "group: postgresql.k8s.2ndq.io", 'group: "postgresql.k8s.2ndq.io"'],
    ["a group with a reserved word", "group: acid.zalan.do", 'group: "acid.zalan.do"'],
    ["a group of many labels", "group: crd-upgrades.a.b.c.example.com", 'group: "crd-upgrades.a.b.c.example.com"'],
    ["groups that share the first label", /group: postgresql\.cnpg\.io/, 'group: "postgresql.cnpg.io"'],
  ],
  root: [
    ["a root without properties", "kind: Bare", "interface Bare "],
    [
      "a root that keeps what it does not know",
      /openAPIV3Schema:\n +type: object\n +x-kubernetes-preserve/,
      "[key: string]: unknown;",
    ],
    ["other properties beside spec and status", "scopes: {", "scopes?: string[];"],
    ["metadata with a name's restriction", "maxLength: 63", "metadata?: ObjectMeta;"],
    ["apiVersion and kind that are restricted", "enum: [Whole]", 'kind?: "Whole";'],
    ["a status without its subresource", "kind: Whole", "status?: { [key: string]: unknown };"],
    ["its subresource without a status", "subresources: { status: {} }", 'kind: "NoStatus"'],
    ["logic at the root", "oneOf: [{ required: [spec] }", "interface Whole "],
    ["a required name without a property", "required: [spec, missing]", "interface Whole "],
  ],
  types: [
    ["any value", "any: { x-kubernetes-preserve", "any?: unknown;"],
    [
      "declared fields and others",
      "open: {",
      /interface TypedSpecOpen \{\n {2}\[key: string\]: unknown;\n {2}a\?: string;/,
    ],
    ["an object that says nothing", "free: { type: object }", "free?: { [key: string]: unknown };"],
    ["properties: {}", "properties: {} }", "none?: { [key: string]: unknown };"],
    ["int-or-string", "port: {", "port?: number | string;"],
    ["int-or-string with a type", "stated: { type: integer", "stated?: number | string;"],
    ["a quantity", "quantity: {", "quantity?: number | string;"],
    ["an embedded resource", "embedded: {", "interface TypedSpecEmbedded "],
    ["an embedded resource with properties", "template: {", "spec?: TypedSpecTemplateSpec;"],
    ["an atomic list", "x-kubernetes-list-type: atomic", "atomic?: string[];"],
    ["a set", "x-kubernetes-list-type: set", "A set: no item comes twice."],
    ["a list by keys, several", "[port, protocol]", "Items are identified by port, protocol."],
    ["an atomic map", "x-kubernetes-map-type: atomic", "selector?: { [key: string]: string };"],
    ["a granular map", "x-kubernetes-map-type: granular", "granular?: { [key: string]: string };"],
    ["a rule of CEL about what was", "self == oldSelf", "ruled?: string;"],
    ["a reason, and a message with the end of a comment", "no */ change", "ruled?: string;"],
    ["optionalOldSelf, a field's path, an escaped name", "optionalOldSelf: true", "guarded?: TypedSpecGuarded;"],
    ["oneOf", "oneOf: [{ required: [a] }, {", "one?: TypedSpecOne;"],
    ["oneOf with one branch", "single: {", "single?: TypedSpecSingle;"],
    ["logic in logic", "not: { anyOf", "nested?: TypedSpecNested;"],
    ["allOf, anyOf and not at one place", "allOf: [{", "all?: TypedSpecAll;"],
    ["anyOf that is empty", "anyOf: null", "noLogic?: string;"],
    ["additionalProperties: true", "additionalProperties: true", "anyValues?: { [key: string]: unknown };"],
    ["a map of objects", "mapOfObjects: {", "mapOfObjects?: { [key: string]: TypedSpecMapOfObjects };"],
    ["a map of arrays", "mapOfArrays: {", "mapOfArrays?: { [key: string]: number[] };"],
    ["a map of maps", "mapOfMaps: {", "{ [key: string]: { [key: string]: boolean } }"],
    ["a map of int-or-string", "mapOfPorts: {", "{ [key: string]: number | string }"],
    ["a map of nullable values", "mapOfNullable: {", "{ [key: string]: string | null }"],
    ["an array of arrays", "arrays: {", "arrays?: number[][];"],
    ["nullable items", "nullableItems: {", "(string | null)[]"],
    ["items of what is no array", "itemsOfText: {", "itemsOfText?: string;"],
    ["properties of what is no object", "propertiesOfList: {", "propertiesOfList?: string[];"],
    ["nullable", "nullable: { type: integer", "nullable?: number | null;"],
    ["nullable with an enum", "nullableEnum: {", '"IPv4" | "IPv6" | null'],
    ["nullable with a default", "nullableDefault: {", "nullableDefault?: boolean | null;"],
    ["required with a default", "both: {", "both: number;"],
    ["required: []", "required: []", "emptyRequired?: TypedSpecEmptyRequired;"],
    ["required without a property", "required: [gone]", "missing?: TypedSpecMissing;"],
    ["unknown keywords, an example, multipleOf, exclusiveMinimum", "x-unknown: AnyValue", "A multiple of 1024."],
  ],
  values: [
    ["an enum with the empty text", '["", pool', 'mode?: "" | "pool" | "image";'],
    ["an enum of numbers", "[4, 6]", "ip?: 4 | 6;"],
    ["an enum with null", "[a, null]", 'nulls?: "a" | null;'],
    ["an enum without a type", "untyped: {", 'untyped?: "4Ki" | "16Ki";'],
    ["texts like booleans", '"True", "False"', '"True" | "False" | "null"'],
    ["texts like numbers", '"2097152"', '"2097152" | "16777216"'],
    ["spaces and punctuation in an enum", "read, write", '"read, write" | "s/mime"'],
    ["reserved words in an enum", "[delete, class", '"delete" | "class"'],
    ["values that differ in case", "[head, HEAD", '"head" | "HEAD" | "Head"'],
    ["an enum of one", "[only]", 'one?: "only";'],
    ["a default text", "default: Never", '@default "Never"'],
    ["a default of the empty text", 'default: ""', '@default ""'],
    ["a default number", "default: 0", "@default 0"],
    ["a default boolean", "default: false", "@default false"],
    ["a default array", 'default: [{ nodes: "10%" }]', '@default [{"nodes":"10%"}]'],
    ["a default object", "default: { enabled: true }", '@default {"enabled":true}'],
    ["a default of {}", "default: {}", "@default {}"],
    ["the end of a comment in a pattern", ")*/)$", ")*\\/)$"],
    ["quotes and back-ticks in a pattern", "^[-!#$%&'*+", "^[-!#$%&'*+.0-9A-Z^_`a-z|~]+"],
    ["a pattern that JavaScript does not know", "(?i)[[:alpha:]]", "(?i)[[:alpha:]]µ+"],
    ["a pattern of a number", "onNumber: {", "onNumber?: number;"],
    ["a maximum beyond 2^53", "9223372036854775807", "beyond 2^53 a number loses digits"],
    ["format byte", "format: byte", "Format byte."],
    ["format date-time", "format: date-time", "time?: string;"],
    ["a format that nobody knows", "format: dateTime", "Format dateTime"],
    ["an empty format", 'format: ""', "blank?: string;"],
  ],
  properties: [
    ["a dash", "amz-cache: {", '"amz-cache"?: string;'],
    ["a dash first", "-XX: {", '"-XX"?: string;'],
    ["a dollar first", "$propertyBag", "$propertyBag?: { [key: string]: string };"],
    ["x- first", "x-kubernetes-validations: { type", '"x-kubernetes-validations"?: string[];'],
    ["in PascalCase", "ARN: {", "ARN?: string;"],
    ["a reserved word", "default: { type", "default?: string;"],
    ["a keyword of schemas", "properties: { type: object, properties: { items", "properties?: OwnerSpecProperties;"],
    ["metadata within", "metadata: { type: object, properties: { labels", "metadata?: OwnerSpecMetadata;"],
    ["apiVersion within", "apiVersion: { type: string }", "apiVersion?: string;"],
    ["names that differ in case", "proxyUrl: {", /proxyURL\?: OwnerSpecProxyURL;/],
    ["names that are one in camelCase", "jwks_uri: {", "jwks_uri?: string;"],
    ["two paths with one type's name", "init_containers: {", /init_containers\?: OwnerSpec\w+\[\];/],
    ["paths of several depths with one type's name", "rolloutStrategy: {", /strategy\?: OwnerSpecRolloutStrategy2;/],
    ["__proto__ and constructor", "__proto__: {", /["']?__proto__["']?\?: /],
    ["a dot, a slash, a space", "a.b/c d: {", '"a.b/c d"?: string;'],
    ["the empty name", '"": {', '""?: string;'],
    ["a digit first", "1st: {", '"1st"?: string;'],
    ["what is not ASCII", "日本: {", "日本?: "],
  ],
  descriptions: [
    ["the end of a comment", "Ends here? */ export", "Ends here? *\\/ export"],
    ["back-ticks and {{", "{{args.duration}} `tick`", "{{args.duration}} `tick`"],
    ["a fence", "```yaml", "```yaml"],
    ["a tag", "@deprecated not really", "deprecated not really"],
    ["tags of HTML", "<image_name>", "<image_name>"],
    ["a line of dashes", "--- a line", "--- a line"],
    ["a tab and a no-break space", "\\ttab\\u00a0nbsp", /tab.nbsp/],
    ["blanks alone", 'description: "   "', "blank?: string;"],
    ["over 1,000 characters in a line", /(?:word ){200}/, /word word/],
  ],
};

describe.each(Object.entries(classes))("%s", (name, rows) => {
  const given = readFileSync(join(fixtures, `${name}.yaml`), "utf8");
  let generated = "";
  beforeAll(async () => {
    const options = { crd: [join(fixtures, `${name}.yaml`)], out: "nowhere", write: false };
    const { ignored, warnings, contents } = await generateInto(options);
    generated = [`${ignored} objects of other kinds ignored`, ...warnings, ...contents.values()].join("\n");
  });
  it.each(rows)("%s", (_what, has, gives) => {
    if (typeof has === "string") expect(given).toContain(has);
    else expect(given).toMatch(has);
    if (typeof gives === "string") expect(generated).toContain(gives);
    else expect(generated).toMatch(gives);
  });
});

it("what is large: enums, patterns, lines, and objects of many properties", async () => {
  const many = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index));
  const properties = {
    kinds: { type: "string", enum: many(60, (index) => `kind-${index}`) },
    ranges: { type: "string", pattern: `^(?:${many(200, (index) => `r${index}`).join("|")})$` },
    told: { type: "string", description: "word ".repeat(2000) },
    wide: {
      type: "object",
      properties: Object.fromEntries(many(200, (index) => [`p${index}`, { type: "string" }])),
    },
    deep: many(40, () => "level").reduceRight<object>(
      (inner, name) => ({ type: "object", properties: { [name]: inner } }),
      {
        type: "string",
      },
    ),
  };
  const folder = temporaryFolder();
  const definition = crd({ versions: [version("v1", { spec: { type: "object", properties } })] });
  const outcome = await generate("--crd", source(folder, "large.json", definition), "--out", join(folder, "generated"));
  expect(outcome.code).toBe(0);
  const consumer = `
import type { WidgetSpec } from "./generated/example.com/v1/index.js";
export const spec: WidgetSpec = { kinds: "kind-59", ranges: "r1", wide: { p199: "x" } };
// @ts-expect-error: one more than there are.
export const kind: WidgetSpec["kinds"] = "kind-60";
`;
  expect(compile(folder, consumer)).toEqual([]);
});
