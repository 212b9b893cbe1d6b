// Definitions that nobody wrote: whatever a server would take becomes code that passes the gate and compiles.
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
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

it("any structural schema", async () => {
  const samples = fc.sample(fc.record({ spec: schema, status: schema, rest: schema }), runs);
  const folder = temporaryFolder();
  const items = samples.map(({ spec, status, rest }, index) =>
    crd({ kind: `Kind${index}`, versions: [version("v1", { spec, status, rest })] }),
  );
  const input = source(folder, "a.json", { kind: "List", items });
  const { code, err } = await generate("--crd", input, "--out", join(folder, "generated"));
  expect(err).not.toContain("error: ");
  expect(code).toBe(0);
  expect(compile(folder)).toEqual([]);
});
