import { describe, expect, it } from "vitest";
import { isApiError } from "../../runtime/testing/index.js";
import { applyPatch } from "../../runtime/testing/patch.js";

const merge = (target: object, patch: unknown) =>
  applyPatch("application/merge-patch+json", target as { [key: string]: unknown }, patch);
const json = (target: object, patch: unknown) =>
  applyPatch("application/json-patch+json", target as { [key: string]: unknown }, patch);
const strategic = (target: object, patch: unknown) =>
  applyPatch("application/strategic-merge-patch+json", target as { [key: string]: unknown }, patch);

describe("merge patch (RFC 7386)", () => {
  it.each<[object, object, object]>([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: { b: 1, c: 2 } }, { a: { b: null, d: 3 } }, { a: { c: 2, d: 3 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: "text" }, { a: { b: 1, c: null } }, { a: { b: 1 } }],
  ])("%j with %j is %j", (target, patch, expected) => {
    expect(merge(target, patch)).toEqual(expected);
  });

  it("never sets a prototype", () => {
    const merged = merge({}, JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1}}'));
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true},"a":{"__proto__":1}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("leaves its target as it was", () => {
    const target = { a: { b: 1 } };
    merge(target, { a: { b: 2 } });
    expect(target).toEqual({ a: { b: 1 } });
  });
});

describe("JSON patch (RFC 6902)", () => {
  it.each<[object, object[], object]>([
    [{}, [{ op: "add", path: "/a", value: 1 }], { a: 1 }],
    [{ a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
    [{ a: 1 }, [{ op: "replace", path: "/a", value: 2 }], { a: 2 }],
    [{ a: { b: [1, 2] } }, [{ op: "remove", path: "/a/b/0" }], { a: { b: [2] } }],
    [{ a: 1 }, [{ op: "move", from: "/a", path: "/b" }], { b: 1 }],
    [{ a: { c: 1 } }, [{ op: "copy", from: "/a", path: "/b" }], { a: { c: 1 }, b: { c: 1 } }],
    [{ a: { b: 1 } }, [{ op: "test", path: "/a", value: { b: 1 } }], { a: { b: 1 } }],
    [{}, [{ op: "add", path: "/a~1b~0c", value: 1 }], { "a/b~c": 1 }],
  ])("%j with %j is %j", (target, patch, expected) => {
    expect(json(target, patch)).toEqual(expected);
  });

  it.each<[object, unknown]>([
    [{ a: 1 }, [{ op: "test", path: "/a", value: 2 }]],
    [{}, [{ op: "remove", path: "/a" }]],
    [{}, [{ op: "replace", path: "/a", value: 1 }]],
    [{}, [{ op: "add", path: "/a/b", value: 1 }]],
    [{ a: [] }, [{ op: "add", path: "/a/1", value: 1 }]],
    [{ a: [] }, [{ op: "add", path: "/a/01", value: 1 }]],
    [{}, [{ op: "add", path: "a", value: 1 }]],
    [{}, [{ op: "add", path: "/a" }]],
    [{}, [{ op: "nonsense", path: "/a" }]],
    [{}, [{ op: "replace", path: "", value: 1 }]],
    [{}, [{ op: "remove", path: "/constructor" }]],
  ])("%j with %j is refused", (target, patch) => {
    let thrown: unknown;
    try {
      json(target, patch);
    } catch (error) {
      thrown = error;
    }
    expect(isApiError(thrown) && thrown.code).toBe(422);
  });
});

describe("strategic merge", () => {
  const target = {
    spec: { containers: [{ name: "a", image: "1", env: [{ name: "X", value: "1" }] }, { name: "b" }], args: ["x"] },
    metadata: { finalizers: ["one"] },
  };

  it("merges lists by the key of their items", () => {
    const patch = { spec: { containers: [{ name: "a", image: "2", env: [{ name: "Y", value: "2" }] }] } };
    expect(strategic(target, patch)).toMatchObject({
      spec: {
        containers: [{ name: "a", image: "2", env: [{ name: "X" }, { name: "Y" }] }, { name: "b" }],
        args: ["x"],
      },
    });
  });

  it("deletes, orders, retains and replaces as it is told", () => {
    expect(strategic(target, { spec: { containers: [{ name: "a", $patch: "delete" }] } })).toMatchObject({
      spec: { containers: [{ name: "b" }] },
    });
    expect(
      strategic(target, {
        spec: {
          "$setElementOrder/containers": [{ name: "c" }, { name: "b" }, { name: "a" }],
          containers: [{ name: "c" }],
        },
      }),
    ).toMatchObject({ spec: { containers: [{ name: "c" }, { name: "b" }, { name: "a" }] } });
    expect(strategic(target, { spec: { $retainKeys: ["args"] } })).toEqual({
      spec: { args: ["x"] },
      metadata: { finalizers: ["one"] },
    });
    expect(strategic(target, { spec: { $patch: "replace", a: 1 } })).toMatchObject({ spec: { a: 1 } });
    expect(strategic(target, { spec: { $patch: "delete" } })).toEqual({ metadata: { finalizers: ["one"] } });
  });

  it("tells ports apart by what they have", () => {
    const service = { ports: [{ port: 80, name: "http" }] };
    expect(strategic(service, { ports: [{ port: 80, targetPort: 8080 }, { port: 443 }] })).toEqual({
      ports: [{ port: 80, name: "http", targetPort: 8080 }, { port: 443 }],
    });
  });

  it("merges finalizers as a set, and replaces other lists", () => {
    expect(strategic(target, { metadata: { finalizers: ["two", "one"] } })).toMatchObject({
      metadata: { finalizers: ["one", "two"] },
    });
    expect(strategic(target, { metadata: { "$deleteFromPrimitiveList/finalizers": ["one"] } })).toMatchObject({
      metadata: { finalizers: [] },
    });
    expect(strategic(target, { spec: { args: ["y"] } })).toMatchObject({ spec: { args: ["y"] } });
  });
});
