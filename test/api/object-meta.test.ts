import { describe, expect, test } from "vitest";
import { mutableCopy } from "../../runtime/api/object-meta.js";

describe("mutableCopy", () => {
  test("is deep: the cached object stays as it is, even a frozen one", () => {
    const labels: { readonly app: string } = Object.freeze({ app: "web" });
    const cached = Object.freeze({ metadata: Object.freeze({ labels }) });
    const copy = mutableCopy(cached);
    copy.metadata.labels.app = "changed";
    expect(cached.metadata.labels.app).toBe("web");
  });

  test("keeps __proto__ and then as the plain data that they are", () => {
    const hostile = JSON.parse('{"data":{"__proto__":{"polluted":true},"then":"x"}}');
    const copy = mutableCopy(hostile) as typeof hostile;
    expect(Object.keys(copy.data)).toEqual(["__proto__", "then"]);
    expect(copy.data.polluted).toBeUndefined();
    expect(Object.getPrototypeOf(copy.data)).toBe(Object.prototype);
  });
});
