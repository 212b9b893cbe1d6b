import { describe, expect, it } from "vitest";
import { defaulted, pruned, type StructuralSchema, schemaErrors } from "../../runtime/testing/structural-schema.js";

function prune(schema: StructuralSchema, object: object): { kept: object; dropped: string[] } {
  const dropped: string[] = [];
  return { kept: pruned(schema, object as { [key: string]: unknown }, dropped), dropped };
}

function messages(schema: StructuralSchema, value: unknown): string[] {
  return schemaErrors({ type: "object", properties: { v: schema } }, { v: value }).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

describe("pruning", () => {
  it("drops what the schema does not know, at every depth, and says where", () => {
    const schema: StructuralSchema = {
      type: "object",
      properties: {
        list: { type: "array", items: { type: "object", properties: { a: { type: "string" } } } },
        map: { type: "object", additionalProperties: { type: "object", properties: { a: { type: "string" } } } },
      },
    };
    const { kept, dropped } = prune(schema, {
      list: [{ a: "1", b: "2" }],
      map: { k: { a: "1", b: "2" } },
      other: 1,
      metadata: { name: "n" },
    });
    expect(kept).toEqual({ list: [{ a: "1" }], map: { k: { a: "1" } }, metadata: { name: "n" } });
    expect(dropped).toEqual(["list[0].b", "map.k.b", "other"]);
  });

  it("keeps unknown fields where it is told to, and still looks into known ones", () => {
    const schema: StructuralSchema = {
      type: "object",
      properties: { known: { type: "object", properties: { a: {} } } },
      "x-kubernetes-preserve-unknown-fields": true,
    };
    expect(prune(schema, { known: { a: 1, b: 2 }, other: { c: 3 } }).kept).toEqual({
      known: { a: 1 },
      other: { c: 3 },
    });
  });

  it("keeps the kind and metadata of an embedded resource", () => {
    const schema: StructuralSchema = {
      type: "object",
      properties: { t: { type: "object", "x-kubernetes-embedded-resource": true } },
    };
    expect(prune(schema, { t: { apiVersion: "v1", kind: "K", metadata: {}, spec: {} } }).kept).toEqual({
      t: { apiVersion: "v1", kind: "K", metadata: {} },
    });
  });

  it("takes names for names", () => {
    const object = JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":2}');
    expect(prune({ type: "object", properties: {} }, object).dropped).toEqual(["__proto__", "constructor", "toString"]);
    const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"object","properties":{"a":{}}}}}');
    expect(JSON.stringify(prune(schema, object).kept)).toBe('{"__proto__":{"a":1}}');
  });
});

describe("defaulting", () => {
  const schema: StructuralSchema = {
    type: "object",
    properties: {
      image: { type: "string", default: "busybox" },
      optional: { type: "string", nullable: true, default: "d" },
      plain: { type: "string" },
      nested: { type: "object", default: {}, properties: { depth: { type: "integer", default: 1 } } },
      list: { type: "array", items: { type: "object", properties: { port: { type: "integer", default: 80 } } } },
    },
  };

  it("fills in what is absent, also in what it fills in", () => {
    expect(defaulted(schema, { list: [{}] })).toEqual({
      list: [{ port: 80 }],
      image: "busybox",
      optional: "d",
      nested: { depth: 1 },
    });
  });

  it("takes null for absent, where null is not allowed", () => {
    expect(defaulted(schema, { image: null, optional: null, plain: null })).toEqual({
      image: "busybox",
      optional: null,
      nested: { depth: 1 },
    });
  });

  it("gives each object its own copy", () => {
    const shared: StructuralSchema = { type: "object", properties: { a: { default: { b: [] } } } };
    expect(defaulted(shared, {})["a"]).not.toBe(defaulted(shared, {})["a"]);
  });
});

describe("validation", () => {
  it.each<[StructuralSchema, unknown, string[]]>([
    [{ type: "string" }, 5, ['v: Invalid value: "integer": v in body must be of type string: "integer"']],
    [{ type: "integer" }, 1.5, ['v: Invalid value: "number": v in body must be of type integer: "number"']],
    [{ type: "number" }, 1, []],
    [{ type: "string", nullable: true }, null, []],
    [{ type: "object" }, [], ['v: Invalid value: "array": v in body must be of type object: "array"']],
    [{ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }, "80%", []],
    [
      { "x-kubernetes-int-or-string": true },
      true,
      ['v: Invalid value: "boolean": v in body must be of type integer,string: "boolean"'],
    ],
    [{ type: "string", enum: ["a", "b"] }, "q", ['v: Unsupported value: "q": supported values: "a", "b"']],
    [{ type: "integer", minimum: 0 }, -1, ["v: Invalid value: -1: v in body should be greater than or equal to 0"]],
    [
      { type: "integer", maximum: 3, exclusiveMaximum: true },
      3,
      ["v: Invalid value: 3: v in body should be less than 3"],
    ],
    [{ type: "integer", multipleOf: 5 }, 7, ["v: Invalid value: 7: v in body should be a multiple of 5"]],
    [{ type: "string", maxLength: 5 }, "yyyyyy", ["v: Too long: may not be more than 5 bytes"]],
    [{ type: "string", minLength: 1 }, "", ['v: Invalid value: "": v in body should be at least 1 chars long']],
    [{ type: "string", pattern: "^x" }, "y", ["v: Invalid value: \"y\": v in body should match '^x'"]],
    [{ type: "string", pattern: "(?i)x(" }, "y", []],
    [{ type: "array", maxItems: 2 }, [1, 2, 3], ["v: Too many: 3: must have at most 2 items"]],
    [{ type: "array", minItems: 1 }, [], ["v: Invalid value: 0: v in body should have at least 1 items"]],
    [{ type: "array", "x-kubernetes-list-type": "set" }, [1, 2, 1], ["v[2]: Duplicate value: 1"]],
    [
      { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] },
      [{ k: 1 }, { k: 1, other: 2 }],
      ["v[1]: Duplicate value: [1]"],
    ],
    [{ type: "object", maxProperties: 1 }, { a: 1, b: 2 }, ["v: Too many: 2: must have at most 1 items"]],
    [{ type: "object", required: ["a"] }, {}, ["v.a: Required value"]],
    [
      { type: "object", additionalProperties: { type: "integer" } },
      { k: "x" },
      ['v.k: Invalid value: "string": v.k in body must be of type integer: "string"'],
    ],
    [{ allOf: [{ minimum: 3 }] }, 2, ["v: Invalid value: 2: v in body should be greater than or equal to 3"]],
    [
      { oneOf: [{ minimum: 1 }, { minimum: 2 }] },
      3,
      ["v: Invalid value: 3: v in body should match exactly one schema (oneOf)"],
    ],
    [
      { anyOf: [{ minimum: 5 }, { maximum: 1 }] },
      3,
      ["v: Invalid value: 3: v in body should match at least one schema (anyOf)"],
    ],
    [{ not: { minimum: 1 } }, 3, ["v: Invalid value: 3: v in body should not match the schema (not)"]],
  ])("%j of %j", (schema, value, expected) => {
    expect(messages(schema, value)).toEqual(expected);
  });
});
