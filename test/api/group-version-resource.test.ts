import { describe, expect, test } from "vitest";
import { apiVersionOf, collectionPath, formatGroupVersionResource } from "../../runtime/api/group-version-resource.js";

const pods = { group: "", version: "v1", resource: "pods" };
const deployments = { group: "apps", version: "v1", resource: "deployments" };

describe("group, version, resource", () => {
  test("the core group has no name, in the text form, in apiVersion and in the path", () => {
    expect(formatGroupVersionResource(pods)).toBe("pods.v1");
    expect(apiVersionOf(pods)).toBe("v1");
    expect(collectionPath(pods)).toBe("/api/v1/pods");
    expect(formatGroupVersionResource(deployments)).toBe("deployments.v1.apps");
    expect(apiVersionOf(deployments)).toBe("apps/v1");
    expect(collectionPath(deployments)).toBe("/apis/apps/v1/deployments");
  });

  test("a namespace goes before the resource; an empty one means all", () => {
    expect(collectionPath(deployments, "shop")).toBe("/apis/apps/v1/namespaces/shop/deployments");
    expect(collectionPath(pods, "")).toBe("/api/v1/pods");
  });

  test.each(["../../secrets", "a/b", "a?watch=true", "a#b", "%2e%2e", "a b"])(
    "the namespace %j stays one segment of the path",
    (namespace) => {
      const path = collectionPath(pods, namespace);
      const url = new URL(path, "https://server");
      expect(url.search + url.hash).toBe("");
      expect(url.pathname.split("/")).toHaveLength(6);
      expect(decodeURIComponent(url.pathname.split("/")[4]!)).toBe(namespace);
    },
  );

  test.each([".", ".."])("%j is refused as a part of a path", (part) => {
    expect(() => collectionPath(pods, part)).toThrow(TypeError);
    expect(() => collectionPath({ ...deployments, group: part })).toThrow(TypeError);
    expect(() => collectionPath({ ...pods, resource: part })).toThrow(TypeError);
  });

  test("a resource or version that is empty is refused", () => {
    expect(() => collectionPath({ ...pods, resource: "" })).toThrow(TypeError);
    expect(() => collectionPath({ ...pods, version: "" })).toThrow(TypeError);
  });
});
