import { describe, expect, test } from "vitest";
import type { Cached } from "../../runtime/api/object-meta.js";
import { Indexer } from "../../runtime/cache/indexer.js";
import { IndexerLister } from "../../runtime/cache/lister.js";
import { type Thing, thing } from "../support/entries.js";
import { spyOnJsonParse } from "../support/json-parse.js";
import { informerErrorOf } from "../support/thrown.js";

/** Lists `shop/web` and `shop/db`, `lab/web`, and the cluster-scoped `node`. */
function create() {
  const indexer = new Indexer<Thing>((error) => {
    throw error;
  });
  indexer.put(thing("shop/web", "1", { labels: { app: "web", tier: "front" } }));
  indexer.put(thing("shop/db", "2", { labels: { app: "db" } }));
  indexer.put(thing("lab/web", "3", { labels: { app: "web" } }));
  indexer.put(thing("node", "4"));
  return { indexer, lister: new IndexerLister(indexer) };
}

const keys = (objects: readonly Cached<Thing>[]) =>
  objects.map(({ metadata: { namespace, name } }) => (namespace === undefined ? name : `${namespace}/${name}`));

describe("list", () => {
  test("gives everything, or what a selector of either form selects", () => {
    const { lister } = create();
    expect(keys(lister.list())).toEqual(["shop/web", "shop/db", "lab/web", "node"]);
    expect(keys(lister.list(""))).toHaveLength(4);
    expect(keys(lister.list("app=web"))).toEqual(["shop/web", "lab/web"]);
    expect(keys(lister.list({ matchLabels: { app: "web", tier: "front" } }))).toEqual(["shop/web"]);
    expect(keys(lister.list("app!=web"))).toEqual(["shop/db", "node"]);
    expect(keys(lister.list("!app"))).toEqual(["node"]);
    expect(lister.list("app=mq")).toEqual([]);
  });

  test("of a namespace gives its objects alone", () => {
    const { lister } = create();
    expect(keys(lister.namespace("shop").list())).toEqual(["shop/web", "shop/db"]);
    expect(keys(lister.namespace("shop").list("app=web"))).toEqual(["shop/web"]);
    expect(lister.namespace("nowhere").list()).toEqual([]);
  });

  test('of the namespace "" gives all, as in client-go', () => {
    const { lister } = create();
    expect(keys(lister.namespace("").list())).toHaveLength(4);
    expect(keys(lister.namespace("").list("app=web"))).toEqual(["shop/web", "lab/web"]);
  });

  test("decodes what a selector selects, and nothing else", () => {
    const { indexer, lister } = create();
    const parsed = spyOnJsonParse();
    lister.namespace("shop").list("app=web");
    expect([...indexer.entries()].map(({ isDecoded }) => isDecoded)).toEqual([true, false, false, false]);
    expect(parsed.filter((text) => text.includes('"kind"'))).toHaveLength(1);
  });

  test("an array belongs to the caller, the objects in it are the cache's", () => {
    const { indexer, lister } = create();
    lister.list().length = 0;
    expect(lister.list()).toHaveLength(4);
    expect(lister.list("tier")[0]).toBe(indexer.get("shop/web"));
  });

  test("a selector that is malformed is refused, also over an empty namespace", async () => {
    const { lister } = create();
    expect((await informerErrorOf(() => lister.list("a b"))).code).toBe("usage");
    expect((await informerErrorOf(() => lister.namespace("nowhere").list("a b"))).code).toBe("usage");
  });
});

describe("get", () => {
  test("gives the cached object itself, by key or by name within a namespace", () => {
    const { indexer, lister } = create();
    expect(lister.get("shop/web")).toBe(indexer.get("shop/web"));
    expect(lister.namespace("lab").get("web")).toBe(indexer.get("lab/web"));
    expect(lister.get("node")).toBe(indexer.get("node"));
  });

  test.each(["constructor", "__proto__", "web", "shop", "shop/", "/web", ""])("has nothing at %j", (key) => {
    const { lister } = create();
    expect(lister.get(key)).toBeUndefined();
    expect(lister.namespace("nowhere").get(key)).toBeUndefined();
  });

  test("follows the cache", () => {
    const { indexer, lister } = create();
    const shop = lister.namespace("shop");
    indexer.delete("shop/web");
    expect(shop.get("web")).toBeUndefined();
    indexer.put(thing("shop/new", "6"));
    expect(keys(shop.list())).toEqual(["shop/db", "shop/new"]);
  });
});
