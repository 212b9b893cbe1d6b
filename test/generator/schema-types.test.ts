// What each kind of schema becomes: the contract of schema-types.ts, whichever tools it uses.
import { describe, expect, it } from "vitest";
import { discover } from "../../generator/discover.js";
import type { Schema } from "../../generator/model.js";
import { type TypeModule, typeModules } from "../../generator/schema-types.js";
import { shapesOf } from "../../generator/shapes.js";

async function typesOf(schemas: Record<string, Schema>, documentation = true): Promise<Map<string, TypeModule>> {
  const resource = {
    group: "example.com",
    version: "v1",
    resource: "widgets",
    kind: "Widget",
    scope: "Namespaced" as const,
    shortNames: [],
    categories: [],
    subresources: [],
    watchable: true,
    schema: "com.example.v1.Widget",
  };
  const document = {
    group: "example.com",
    version: "v1",
    complete: false,
    resources: [resource],
    schemas: new Map(Object.entries(schemas)),
  };
  return typeModules(shapesOf(discover([document])), { documentation });
}

/** The text of the module of a kind whose objects have one field. */
async function printed(field: Schema, more: Record<string, Schema> = {}): Promise<string> {
  const root = { type: "object", properties: { field } };
  const modules = await typesOf({ "com.example.v1.Widget": root, ...more });
  return modules.get("example.com/v1/widget")!.text;
}

async function typeOf(field: Schema, more?: Record<string, Schema>): Promise<string> {
  return /^ {2}field\?:\s*([\s\S]*?);$/m.exec(await printed(field, more))![1]!;
}

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const string = { type: "string" };

describe("the type of a schema", () => {
  const rows: [given: Schema, want: string][] = [
    [string, "string"],
    [{ type: "boolean" }, "boolean"],
    [{ type: "integer", format: "int64" }, "number"],
    [{ type: "number", format: "double" }, "number"],
    [{ type: "string", format: "date-time" }, "string"],
    [{ type: "string", format: "byte" }, "string"],
    [{ type: "string", nullable: true }, "string | null"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "string", enum: ["a", "b", "a"] }, '"a" | "b"'],
    [{ type: "string", enum: ["a"], nullable: true }, '"a" | null'],
    [{ type: "integer", enum: [4, 6] }, "4 | 6"],
    [{ enum: ["x", 1, true, null] }, '"x" | 1 | true | null'],
    [{ type: "string", enum: [] }, "string"],
    [{ "x-kubernetes-int-or-string": true }, "number | string"],
    [{ type: "integer", "x-kubernetes-int-or-string": true }, "number | string"],
    [{ "x-kubernetes-int-or-string": true, nullable: true }, "number | string | null"],
    [{ anyOf: [{ type: "integer" }, string] }, "number | string"],
    [{ type: "object" }, "{ [key: string]: unknown }"],
    [object({}), "{ [key: string]: unknown }"],
    [{ type: "object", nullable: true }, "{ [key: string]: unknown } | null"],
    [{ type: "object", additionalProperties: string }, "{ [key: string]: string }"],
    [{ type: "object", additionalProperties: true }, "{ [key: string]: unknown }"],
    [
      { type: "object", additionalProperties: { "x-kubernetes-int-or-string": true } },
      "{ [key: string]: number | string }",
    ],
    [{ type: "object", additionalProperties: { type: "string", enum: ["a", "b"] } }, '{ [key: string]: "a" | "b" }'],
    [{ type: "object", additionalProperties: { ...string, nullable: true } }, "{ [key: string]: string | null }"],
    [{ type: "array", items: string }, "string[]"],
    [{ type: "array", items: { type: "string", enum: ["a", "b"] } }, '("a" | "b")[]'],
    [{ type: "array", items: { "x-kubernetes-int-or-string": true } }, "(number | string)[]"],
    [{ type: "array", items: { type: "array", items: { ...string, nullable: true } } }, "(string | null)[][]"],
    [{ type: "array" }, "unknown[]"],
    [{}, "unknown"],
    [{ "x-kubernetes-preserve-unknown-fields": true }, "unknown"],
    [{ type: "object", "x-kubernetes-preserve-unknown-fields": true }, "{ [key: string]: unknown }"],
    [{ pattern: "x", not: {} }, "unknown"],
    [object({ a: string }), "WidgetField"],
    [{ properties: { a: string } }, "WidgetField"],
    [object({ a: string }, { nullable: true }), "WidgetField | null"],
    [object({ a: string }, { oneOf: [{ required: ["a"] }, { properties: { a: {} } }] }), "WidgetField"],
    [{ type: "array", items: object({ a: string }) }, "WidgetField[]"],
    [{ type: "object", additionalProperties: object({ a: string }) }, "{ [key: string]: WidgetField }"],
  ];
  it.each(rows)("%j is %s", async (given, want) => {
    expect(await typeOf(given)).toBe(want);
  });
});

describe("an object", () => {
  it("keeps what is required, also with a default", async () => {
    const text = await printed(
      object({ a: { ...string, default: "x" }, b: { type: "object", default: {} } }, { required: ["a"] }),
    );
    expect(text).toContain("  a: string;\n  /** @default {} */\n  b?: { [key: string]: unknown };");
  });

  it("that preserves unknown fields keeps its own, and has room for others", async () => {
    const text = await printed(object({ a: string }, { "x-kubernetes-preserve-unknown-fields": true }));
    expect(text).toContain("interface WidgetField {\n  [key: string]: unknown;\n  a?: string;\n}");
  });

  it("that is an embedded resource has apiVersion, kind and metadata", async () => {
    const text = await printed({
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    });
    expect(text).toContain(
      "interface WidgetField {\n  [key: string]: unknown;\n  apiVersion: string;\n  kind: string;\n  metadata?: ObjectMeta;\n}",
    );
  });

  it("is named by its path, and by a number where two paths give one name", async () => {
    const text = await printed(
      object({ a_b: object({ x: string }), aB: object({ y: string }), a: object({ b: object({ z: string }) }) }),
    );
    expect(text).toContain("aB?: WidgetFieldAB;");
    expect(text).toContain("a_b?: WidgetFieldAB2;");
    expect(text).toContain("b?: WidgetFieldAB3;");
  });

  it("may be of a kind without a schema: its content is free", async () => {
    const modules = await typesOf({ "com.example.v1.Widget": {} });
    expect(modules.get("example.com/v1/widget")!.text).toBe(
      'export interface Widget {\n  [key: string]: unknown;\n  apiVersion?: "example.com/v1";\n  kind?: "Widget";\n  metadata?: ObjectMeta;\n}\n',
    );
  });
});

describe("a reference", () => {
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const wrapped = (name: string) => ({ default: {}, allOf: [ref(name)] });
  const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

  it.each([
    [`${meta}.Time`, "string"],
    [`${meta}.MicroTime`, "string"],
    ["io.k8s.apimachinery.pkg.api.resource.Quantity", "string"],
    ["io.k8s.apimachinery.pkg.util.intstr.IntOrString", "number | string"],
    ["io.k8s.apimachinery.pkg.runtime.RawExtension", "{ [key: string]: unknown }"],
    [`${meta}.FieldsV1`, "{ [key: string]: unknown }"],
    [`${meta}.ObjectMeta`, "ObjectMeta"],
    [`${meta}.OwnerReference`, "OwnerReference"],
  ])("to %s is %s", async (name, want) => {
    expect(await typeOf(wrapped(name))).toBe(want);
  });

  it("to what is no object is written out; to an object it is imported from its own group", async () => {
    const more = {
      "io.k8s.api.core.v1.Json": {},
      "io.k8s.api.core.v1.Names": { type: "array", items: string },
      "io.k8s.api.core.v1.PodSpec": object({ node: string }),
    };
    expect(await typeOf(ref("io.k8s.api.core.v1.Json"), more)).toBe("unknown");
    expect(await typeOf(ref("io.k8s.api.core.v1.Names"), more)).toBe("string[]");
    expect(await typeOf(ref("io.k8s.api.core.v1.PodSpec"), more)).toBe("PodSpec");
    const modules = await typesOf({
      "com.example.v1.Widget": object({ spec: ref("io.k8s.api.core.v1.PodSpec") }),
      ...more,
    });
    expect([...modules.keys()].sort()).toEqual(["core/v1/types", "example.com/v1/widget"]);
    expect([...modules.get("example.com/v1/widget")!.imports.get("core/v1/types")!.keys()]).toEqual(["PodSpec"]);
  });

  it("to a type whose name is taken gets another one here", async () => {
    const more = { "io.k8s.api.core.v1.Widget": object({ a: string }) };
    expect(await typeOf(ref("io.k8s.api.core.v1.Widget"), more)).toBe("CoreV1Widget");
  });

  it("G15: in a circle stays one", async () => {
    const more = {
      "io.k8s.api.core.v1.Tree": object({
        left: wrapped("io.k8s.api.core.v1.Tree"),
        all: { type: "array", items: ref("io.k8s.api.core.v1.Tree") },
      }),
      "io.k8s.api.core.v1.Alias": ref("io.k8s.api.core.v1.Other"),
      "io.k8s.api.core.v1.Other": { type: "array", items: ref("io.k8s.api.core.v1.Alias") },
    };
    const modules = await typesOf({
      "com.example.v1.Widget": object({ tree: ref("io.k8s.api.core.v1.Tree") }),
      ...more,
    });
    expect(modules.get("core/v1/types")!.text).toBe("export interface Tree {\n  all?: Tree[];\n  left?: Tree;\n}\n");
    expect(await typeOf(ref("io.k8s.api.core.v1.Alias"), more)).toBe("unknown[]");
  });

  it.each(["http://example.com/x.json#/a", "file:///etc/passwd", "other.yaml#/X", "#/paths/~1x", "../x"])(
    "to %s is refused",
    async ($ref) => {
      await expect(typeOf({ $ref })).rejects.toMatchObject({ code: "input", message: expect.stringContaining("$ref") });
    },
  );

  it("to nothing is refused", async () => {
    await expect(typeOf(ref("io.k8s.api.core.v1.Gone"))).rejects.toMatchObject({
      code: "input",
      message: expect.stringContaining("Gone"),
    });
  });
});

describe("documentation", () => {
  it("is printed beside what it describes, or not at all", async () => {
    const schemas = {
      "com.example.v1.Widget": object({ a: { ...string, description: "One." } }, { description: "First.\nSecond." }),
    };
    const text = (await typesOf(schemas)).get("example.com/v1/widget")!.text;
    expect(text).toContain("/**\n * First.\n * Second.\n */\nexport interface Widget {\n  /** One. */\n  a?: string;");
    expect((await typesOf(schemas, false)).get("example.com/v1/widget")!.text).not.toContain("/**");
  });
});
