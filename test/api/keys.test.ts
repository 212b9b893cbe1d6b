import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { metaNamespaceKey, splitMetaNamespaceKey } from "../../runtime/api/keys.js";

const segment = fc.string({ minLength: 1, unit: "binary" }).filter((text) => !text.includes("/"));

describe("cache keys", () => {
  test("a namespaced object is namespace/name, a cluster-scoped one its name", () => {
    expect(metaNamespaceKey("default", "web")).toBe("default/web");
    expect(metaNamespaceKey("", "node-1")).toBe("node-1");
    expect(metaNamespaceKey(undefined, "node-1")).toBe("node-1");
  });

  test("splitting gives back what was joined, whatever characters the parts hold", () => {
    fc.assert(
      fc.property(fc.oneof(fc.constant(""), segment), segment, (namespace, name) => {
        expect(splitMetaNamespaceKey(metaNamespaceKey(namespace, name))).toEqual({ namespace, name });
      }),
    );
  });

  test("two objects never share a key", () => {
    fc.assert(
      fc.property(segment, segment, segment, segment, (namespace, name, otherNamespace, otherName) => {
        const same = namespace === otherNamespace && name === otherName;
        expect(metaNamespaceKey(namespace, name) === metaNamespaceKey(otherNamespace, otherName)).toBe(same);
        expect(metaNamespaceKey(namespace, name)).not.toBe(metaNamespaceKey("", otherName));
      }),
    );
  });
});
