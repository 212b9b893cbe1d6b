import { describe, expect, it } from "vitest";
import { jsonPathValues, withValueAt } from "../../runtime/testing/json-path.js";
import { parseFieldSelector } from "../../runtime/testing/selectors.js";
import { age } from "../../runtime/testing/table.js";

const object = {
  spec: { replicas: 3, "a.b": 1, list: [{ n: 1 }, { n: 2 }] },
  status: {
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Other", status: "False" },
    ],
  },
  metadata: { annotations: { "example.com/x": "y" } },
};

describe("JSONPath of definitions", () => {
  it.each<[string, unknown[]]>([
    [".spec.replicas", [3]],
    ["{.spec.replicas}", [3]],
    [".spec['a.b']", [1]],
    [".spec.a\\.b", [1]],
    [".spec.list[0].n", [1]],
    [".spec.list[-1].n", [2]],
    [".spec.list[*].n", [1, 2]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type == 'Other')].status", ["False"]],
    [".metadata.annotations.example\\.com/x", ["y"]],
    [".spec.nothing.at.all", []],
    [".spec.constructor", []],
    [".spec[", []],
  ])("%s", (path, expected) => {
    expect(jsonPathValues(object, path)).toEqual(expected);
  });

  it("sets a value, making what is missing on the way", () => {
    expect(withValueAt({ spec: { a: 1 } }, ".spec.scale.replicas", 2)).toEqual({
      spec: { a: 1, scale: { replicas: 2 } },
    });
  });
});

describe("field selectors", () => {
  it("are terms, with backslashes before what would end a value", () => {
    expect(parseFieldSelector("a=b,c!=d,e==f,g=h\\,i\\=j\\\\")).toEqual([
      { field: "a", equal: true, value: "b" },
      { field: "c", equal: false, value: "d" },
      { field: "e", equal: true, value: "f" },
      { field: "g", equal: true, value: "h,i=j\\" },
    ]);
  });
});

describe("ages", () => {
  it.each([
    [0, "0s"],
    [119_999, "119s"],
    [184_000, "3m4s"],
    [180_000, "3m"],
    [3_600_000, "60m"],
    [7 * 3_600_000, "7h"],
    [12 * 86_400_000, "12d"],
    [800 * 86_400_000, "2y"],
    [-60_000, "<invalid>"],
    [Number.NaN, "<invalid>"],
  ])("%d ms is %s", (ms, expected) => {
    expect(age(ms)).toBe(expected);
  });
});
