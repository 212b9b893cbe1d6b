import { describe, expect, test } from "vitest";
import { listOptionsQuery } from "../../runtime/api/list-options.js";

describe("listOptionsQuery", () => {
  test("leaves out what is the server's default", () => {
    const options = { labelSelector: "", limit: 0, resourceVersion: "", sendInitialEvents: false };
    expect(listOptionsQuery(options, false)).toBe("");
  });

  test('sends resourceVersion "0", which is not the default', () => {
    expect(listOptionsQuery({ resourceVersion: "0", limit: 500 }, false)).toBe("resourceVersion=0&limit=500");
  });

  test("a watch says so", () => {
    expect(listOptionsQuery({ allowWatchBookmarks: true, timeoutSeconds: 300 }, true)).toBe(
      "watch=true&allowWatchBookmarks=true&timeoutSeconds=300",
    );
  });

  test("values reach the server as they are, whatever they hold", () => {
    const labelSelector = "app in (a, b),!x&limit=1#%";
    const sent = new URLSearchParams(listOptionsQuery({ labelSelector, continue: "a+b/c==" }, false));
    expect(Object.fromEntries(sent)).toEqual({ labelSelector, continue: "a+b/c==" });
  });
});
