// Definitions that nobody wrote: whatever a server would take becomes code that passes the gate and compiles.
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { generate as generateInto } from "../../generator/index.js";
import { asSchema, type Schema } from "../../generator/model.js";
import { compile, crd, generate, source, temporaryFolder, version } from "./support/project.js";

const runs = Number(process.env["FUZZ_RUNS"] ?? 20);

const word = fc.constantFrom(
  ..."a b spec status metadata kind apiVersion items properties type default class constructor __proto__ toString".split(
    " ",
  ),
  ..."proxyURL proxyUrl proxy_url informer lister fieldSelector".split(" "),
  ...["", "*/", "a b", "x-y", "$ref", "$" + "{x}", "it's", 'a"b', "\u2028", "日本", "😀", "1st", "new\nline", "\\"],
);
const text = fc.oneof(word, fc.string({ unit: "binary", maxLength: 12 }));
const extras = fc.record(
  { description: text, nullable: fc.boolean(), title: text, "x-other": text },
  { requiredKeys: [] },
);

const { schema } = fc.letrec<{ schema: object }>((tie) => {
  const scalar = fc.oneof(
    fc.record({ type: fc.constant("string"), enum: fc.uniqueArray(text, { minLength: 1, maxLength: 4 }) }),
    fc.record({ type: fc.constant("integer"), enum: fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 3 }) }),
    fc.record({ type: fc.constantFrom("string", "integer", "number", "boolean"), format: text }),
    fc.record({ type: fc.constant("string"), default: text, maxLength: fc.constant(100) }),
    fc.constant({ "x-kubernetes-int-or-string": true }),
    fc.constant({ "x-kubernetes-preserve-unknown-fields": true }),
    fc.constant({
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    }),
  );
  const object = fc.record({
    type: fc.constant("object"),
    properties: fc.dictionary(word, tie("schema"), { maxKeys: 4, noNullPrototype: true }),
    required: fc.array(word, { maxLength: 3 }),
  });
  const open = object.map((of) => ({ ...of, "x-kubernetes-preserve-unknown-fields": true }));
  const list = fc.record({ type: fc.constant("array"), items: tie("schema") });
  const map = fc.record({ type: fc.constant("object"), additionalProperties: tie("schema") });
  const one = fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, object, open, list, map);
  return { schema: fc.tuple(one, extras).map(([base, more]) => ({ ...more, ...base })) };
});

/** TypeScript gives the names that every object has the types that they have there, whatever an index signature says. */
const key = word.filter((name) => !(name in {}));

/** Any value that a server takes of a schema of the above. */
function valueIn(of: unknown): fc.Arbitrary<unknown> {
  const {
    type,
    nullable,
    enum: values,
    properties,
    required,
    items,
    additionalProperties,
    ...more
  } = asSchema(of) ?? {};
  const value = (): fc.Arbitrary<unknown> => {
    if (Array.isArray(values)) return fc.constantFrom(...values);
    if (more["x-kubernetes-int-or-string"] === true) return fc.oneof(fc.integer(), text);
    if (type === "string") return text;
    if (type === "integer" || type === "number") return fc.integer();
    if (type === "boolean") return fc.boolean();
    if (type === "array") return fc.array(valueIn(items), { maxLength: 2 });
    if (type === undefined) return fc.jsonValue({ maxDepth: 2 });
    if (additionalProperties !== undefined) return fc.dictionary(key, valueIn(additionalProperties), { maxKeys: 2 });
    const isEmbedded = more["x-kubernetes-embedded-resource"] === true;
    const fields = Object.entries(asSchema(properties) ?? {}).map(([name, property]) => {
      // Without a field of its own, an object has the one of that name that every object has, as TypeScript sees it.
      const isRequired = (Array.isArray(required) && required.includes(name)) || name in {};
      const present = valueIn(property).map((inner): [string, unknown][] => [[name, inner]]);
      return isRequired ? present : fc.oneof(fc.constant<[string, unknown][]>([]), present);
    });
    const meta = isEmbedded ? { apiVersion: "v1", kind: "Pod", metadata: { labels: { a: "b" } } } : {};
    return fc.tuple(...fields).map((given) => ({ ...meta, ...Object.fromEntries(given.flat()) }));
  };
  return nullable === true ? fc.oneof(fc.constant(null), value()) : value();
}

const valued = schema.chain((of) => valueIn(of).map((value) => ({ of, value })));

it("any structural schema, and any object of it", async () => {
  const samples = fc.sample(fc.record({ spec: valued, status: valued, rest: valued }), runs);
  const folder = temporaryFolder();
  const items = samples.map(({ spec, status, rest }, index) =>
    crd({ kind: `Kind${index}`, versions: [version("v1", { spec: spec.of, status: status.of, rest: rest.of })] }),
  );
  const input = source(folder, "a.json", { kind: "List", items });
  const { code, err } = await generate("--crd", input, "--out", join(folder, "generated"));
  expect(err).not.toContain("error: ");
  expect(code).toBe(0);
  const names = samples.map((_sample, index) => `Kind${index}`);
  const objects = samples.map(
    ({ spec, status, rest }, index) =>
      `export const object${index}: Kind${index} = ${JSON.stringify({ spec: spec.value, status: status.value, rest: rest.value })};`,
  );
  const imports = `import type { ${names.join(", ")} } from "./generated/example.com/v1/index.js";`;
  expect(compile(folder, [imports, ...objects].join("\n"))).toEqual([]);
}, 60_000);

async function contentsOf(...definitions: object[]): Promise<ReadonlyMap<string, string>> {
  const input = source(temporaryFolder(), "a.json", { kind: "List", items: definitions });
  return (await generateInto({ crd: [input], out: "nowhere", write: false })).contents;
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  const object = asSchema(value);
  if (object === undefined) return value;
  return Object.fromEntries(
    Object.entries(object)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}

it("the same bytes whatever the order of its keys", async () => {
  const definitions = fc
    .sample(schema, runs)
    .map((spec, index) => crd({ kind: `Kind${index}`, versions: [version("v1", { spec })] }));
  expect(await contentsOf(...(reversed(definitions) as object[]))).toEqual(await contentsOf(...definitions));
});

it("the same types, under the same names, when a sibling and another kind are added", async () => {
  const object = schema.filter((of) => Object.keys(asSchema((of as Schema)["properties"]) ?? {}).length > 0);
  const schemas = fc.sample(object, runs) as Schema[];
  const added = { type: "object", properties: { inner: { type: "object", properties: { a: { type: "string" } } } } };
  const definition = (spec: object, index: number) =>
    crd({ kind: `Kind${index}`, versions: [version("v1", { spec })] });
  const before = await contentsOf(...schemas.map(definition));
  const after = await contentsOf(
    crd({ kind: "Another" }),
    ...schemas
      .map((spec) => ({ ...spec, properties: { ...asSchema(spec["properties"]), addedLater: added } }))
      .map(definition),
  );
  for (const index of schemas.keys()) {
    const path = `example.com/v1/kind${index}.ts`;
    const types = (text = "") =>
      text
        .split(/^export interface /m)
        .slice(1)
        .map((type) => type.trim());
    const [was, is] = [types(before.get(path)), types(after.get(path))];
    const parent = `Kind${index}Spec {`;
    expect(was.filter((type) => !type.startsWith(parent) && !is.includes(type))).toEqual([]);
    const lines = (of: string[]) => of.find((type) => type.startsWith(parent))?.split("\n") ?? [];
    expect(lines(is).filter((line) => !/addedLater\?:/.test(line))).toEqual(lines(was));
    expect(is).toHaveLength(was.length + 2);
  }
});
