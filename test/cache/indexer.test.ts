import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InformerError } from "../../runtime/api/informer-error.js";
import { metaNamespaceKey } from "../../runtime/api/keys.js";
import { Entry } from "../../runtime/cache/entry.js";
import { Indexer } from "../../runtime/cache/indexer.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import type { IndexFunc } from "../../runtime/cache/store.js";
import { type Thing, thing } from "../support/entries.js";
import { spyOnJsonParse } from "../support/json-parse.js";
import { informerErrorOf } from "../support/thrown.js";

/** `spec.value` split at commas; `!` throws, `?` gives what is no array, nothing gives no value. */
const byValue: IndexFunc<Thing> = ({ spec }) => {
  if (spec?.value === "!") throw new Error("cannot index");
  if (spec?.value === "?") return "text" as unknown as string[];
  return spec?.value?.split(",") ?? [];
};

function create(indexers = {}) {
  const errors: InformerError[] = [];
  const indexer = new Indexer<Thing>((error) => errors.push(error));
  indexer.addIndexers(indexers);
  return { indexer, errors };
}

const names = (objects: readonly { metadata?: { name?: string } }[]) => objects.map(({ metadata }) => metadata?.name);

describe("the store", () => {
  test("reads what was written, by key", () => {
    const { indexer } = create();
    const first = thing("default/a", "1");
    const second = thing("default/a", "2");
    expect(indexer.put(first)).toBeUndefined();
    expect(indexer.put(second)).toBe(first);
    expect(indexer.size).toBe(1);
    expect(indexer.getEntry("default/a")).toBe(second);
    expect(indexer.get("default/a")).toBe(second.object);
    expect([indexer.has("default/a"), indexer.has("a"), indexer.has("default/b")]).toEqual([true, false, false]);
    expect(indexer.delete("default/a")).toBe(second);
    expect(indexer.delete("default/a")).toBeUndefined();
    expect([indexer.size, indexer.get("default/a"), indexer.list()]).toEqual([0, undefined, []]);
  });

  test("an object that is not JSON after all is reported once and left out; who asks for it is told", async () => {
    const { indexer, errors } = create();
    const meta = { key: "ns/bad", uid: "u", resourceVersion: "1" };
    indexer.put(thing("ns/a", "1"));
    indexer.put(Entry.fromBytes<Thing>(meta, new SlabAllocator(), Buffer.from('{"metadata":{},garbage}')));
    indexer.put(thing("ns/b", "1"));
    for (const list of [indexer.list(), indexer.byIndex("namespace", "ns"), indexer.list()])
      expect(names(list)).toEqual(["a", "b"]);
    expect(errors.map(({ code }) => code)).toEqual(["decode"]);
    expect(errors[0]?.message).toContain("ns/bad");
    expect(await informerErrorOf(() => indexer.get("ns/bad"))).toMatchObject({ code: "decode" });
  });

  test("its arrays belong to the caller", () => {
    const { indexer } = create({ byValue });
    indexer.put(thing("ns/a", "1", { value: "x" }));
    indexer.list().pop();
    indexer.listKeys().pop();
    indexer.byIndex("byValue", "x").pop();
    indexer.indexKeys("byValue", "x").pop();
    indexer.listIndexValues("byValue").pop();
    expect(names(indexer.list())).toEqual(["a"]);
    expect(indexer.indexKeys("byValue", "x")).toEqual(["ns/a"]);
    expect(indexer.listIndexValues("byValue")).toEqual(["x"]);
  });

  test("says the resourceVersion that it was told, not that of the last write: earlier changes may still be missing", () => {
    const { indexer } = create();
    indexer.put(thing("a", "5"));
    indexer.delete("a");
    expect(indexer.resourceVersion).toBe("");
    indexer.advance("7");
    expect(indexer.resourceVersion).toBe("7");
    // A server that was restored from a backup is behind what it was: the list is what counts.
    indexer.replace([], "3");
    expect(indexer.resourceVersion).toBe("3");
  });

  test("decodes nothing for keys, namespaces and counts", () => {
    const parsed = spyOnJsonParse();
    const { indexer } = create();
    indexer.replace([thing("ns/a", "1"), thing("ns/b", "1")], "1");
    indexer.put(thing("ns/a", "2"));
    indexer.delete("ns/b");
    expect([indexer.listKeys(), indexer.indexKeys("namespace", "ns"), indexer.size]).toEqual([["ns/a"], ["ns/a"], 1]);
    expect(parsed).toEqual([]);
    indexer.get("ns/a");
    expect(parsed).toHaveLength(1);
  });
});

describe("replacing", () => {
  test("shows the old content until the last step, and fills an index that is added in between", () => {
    const { indexer } = create({ byValue });
    const kept = thing("ns/kept", "1", { value: "x" });
    indexer.replace([kept, thing("ns/gone", "1", { value: "x" })], "1");
    const steps = indexer.replacing([thing("ns/kept", "1", { value: "x" }), thing("ns/new", "2", { value: "y" })], "2");
    let step = steps.next();
    indexer.addIndexers({ late: byValue });
    steps.next();
    step = steps.next();
    // The indexes that were there have been filled in part.
    indexer.addIndexers({ later: byValue });
    for (; step.done !== true; step = steps.next()) {
      expect(names(indexer.list())).toEqual(["kept", "gone"]);
      expect(indexer.indexKeys("byValue", "x")).toEqual(["ns/kept", "ns/gone"]);
      expect(indexer.indexKeys("namespace", "ns")).toEqual(["ns/kept", "ns/gone"]);
      expect(indexer.resourceVersion).toBe("1");
    }
    expect(step.value.deleted.map(({ key }) => key)).toEqual(["ns/gone"]);
    expect(step.value.changed.map(({ entry }) => entry.key)).toEqual(["ns/new"]);
    expect(indexer.getEntry("ns/kept")).toBe(kept);
    for (const index of ["byValue", "late", "later"]) {
      expect(indexer.indexKeys(index, "x")).toEqual(["ns/kept"]);
      expect(indexer.indexKeys(index, "y")).toEqual(["ns/new"]);
    }
    expect(indexer.indexKeys("namespace", "ns")).toEqual(["ns/kept", "ns/new"]);
    expect(indexer.getIn("ns", "gone")).toBeUndefined();
  });
});

describe("replace", () => {
  test("says what was deleted, and what is new or changed, in the order of the list", () => {
    const { indexer } = create();
    const [a, b, c] = [thing("a", "1"), thing("b", "1"), thing("c", "1")];
    indexer.replace([a, b, c], "1");
    const [newC, newD] = [thing("c", "2"), thing("d", "2")];
    const { deleted, changed } = indexer.replace([newD, thing("b", "1"), newC], "2");
    expect(deleted).toEqual([a]);
    expect(changed).toEqual([
      { old: undefined, entry: newD },
      { old: c, entry: newC },
    ]);
    expect(indexer.listKeys()).toEqual(["d", "b", "c"]);
  });

  test("keeps an entry that is as it was, with its decoded object", () => {
    const { indexer } = create();
    indexer.put(thing("a", "1"));
    const object = indexer.get("a");
    expect(indexer.replace([thing("a", "1")], "9")).toEqual({ deleted: [], changed: [] });
    expect(indexer.get("a")).toBe(object);
  });

  test("an object that was made again is changed, whatever its resourceVersion", () => {
    const { indexer } = create();
    const old = thing("a", "1", { uid: "first" });
    indexer.put(old);
    const entry = thing("a", "1", { uid: "second" });
    expect(indexer.replace([entry], "1").changed).toEqual([{ old, entry }]);
    // Of what a transform made there is no content to compare.
    const again = Entry.fromObject<Thing>({ key: "a", uid: "third", resourceVersion: "1" }, entry.object);
    expect(indexer.replace([again], "1").changed).toEqual([{ old: entry, entry: again }]);
  });

  test("of a list that names a key twice, the last counts", () => {
    const { indexer } = create({ byValue });
    const last = thing("a", "2", { value: "last" });
    const { changed } = indexer.replace([thing("a", "1", { value: "first" }), last], "2");
    expect(changed).toEqual([{ old: undefined, entry: last }]);
    expect(indexer.listIndexValues("byValue")).toEqual(["last"]);
  });

  test("is seen whole: an index function that reads the store sees it as it was", () => {
    const seen: number[] = [];
    const { indexer } = create();
    indexer.addIndexers({
      size: () => {
        seen.push(indexer.list().length);
        return [];
      },
    });
    indexer.replace([thing("a", "1"), thing("b", "1")], "1");
    expect(seen).toEqual([0, 0]);
  });
});

describe("indexes", () => {
  test("find objects by every value that they have, once", () => {
    const { indexer } = create({ byValue });
    indexer.put(thing("a", "1", { value: "x,y,x" }));
    indexer.put(thing("b", "1", { value: "y" }));
    indexer.put(thing("c", "1"));
    expect(names(indexer.byIndex("byValue", "y"))).toEqual(["a", "b"]);
    expect(names(indexer.byIndex("byValue", "x"))).toEqual(["a"]);
    expect(indexer.byIndex("byValue", "z")).toEqual([]);
    expect(indexer.listIndexValues("byValue")).toEqual(["x", "y"]);
    expect(names(indexer.index("byValue", indexer.get("a")!))).toEqual(["a", "b"]);
    expect(indexer.index("byValue", indexer.get("c")!)).toEqual([]);
  });

  test("an object leaves every value that it has no more, and stays under those that it has", () => {
    const { indexer } = create({ byValue });
    indexer.put(thing("a", "1", { value: "x,y,z" }));
    indexer.put(thing("a", "2", { value: "y" }));
    expect(indexer.listIndexValues("byValue")).toEqual(["y"]);
    expect(indexer.byIndex("byValue", "y")).toEqual([indexer.get("a")]);
  });

  test("index finds what shares a value with an object that is not in the cache", () => {
    const { indexer } = create();
    indexer.put(thing("ns/a", "1"));
    indexer.put(thing("other/b", "1"));
    expect(names(indexer.index("namespace", thing("ns/new", "1").object))).toEqual(["a"]);
  });

  test("a value that no object has any more is gone", () => {
    const { indexer } = create({ byValue });
    for (let i = 0; i < 100; i++) indexer.put(thing("a", String(i), { value: `v${i}` }));
    expect(indexer.listIndexValues("byValue")).toEqual(["v99"]);
    indexer.delete("a");
    expect(indexer.listIndexValues("byValue")).toEqual([]);
    expect(indexer.listIndexValues("namespace")).toEqual([]);
  });

  test.each(["__proto__", "constructor", "toString", "", "x".repeat(1_000_000)])(
    "%j is a value like any other",
    (value) => {
      const { indexer } = create({ byValue });
      expect(indexer.byIndex("byValue", value)).toEqual([]);
      indexer.put(thing("ns/a", "1", { value }));
      expect(indexer.indexKeys("byValue", value)).toEqual(["ns/a"]);
      expect(indexer.listIndexValues("byValue")).toEqual([value]);
      indexer.delete("ns/a");
      expect(indexer.byIndex("byValue", value)).toEqual([]);
    },
  );

  test.each(["constructor", "toString"])("%j is a key and a namespace like any other", (name) => {
    const { indexer } = create();
    expect(indexer.has(name)).toBe(false);
    indexer.put(thing(name, "1"));
    indexer.put(thing(`${name}/${name}`, "1"));
    expect(indexer.get(name)?.metadata.name).toBe(name);
    expect(indexer.indexKeys("namespace", name)).toEqual([`${name}/${name}`]);
  });

  test.each([
    ["!", /cannot index/],
    ["?", /returned string, not an array/],
  ])(
    "an index function that fails (%s) leaves the object out of its index alone, and is reported",
    (value, message) => {
      const { indexer, errors } = create({ byValue, other: () => ["all"] });
      indexer.put(thing("ns/a", "1", { value: "x" }));
      indexer.put(thing("ns/a", "2", { value }));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ code: "index", message: expect.stringMatching(message) });
      expect(errors[0]?.message).toContain('"byValue" of ns/a');
      expect(indexer.get("ns/a")?.spec?.value).toBe(value);
      expect(indexer.listIndexValues("byValue")).toEqual([]);
      expect(indexer.indexKeys("other", "all")).toEqual(["ns/a"]);
      indexer.put(thing("ns/a", "3", { value: "y" }));
      expect(indexer.indexKeys("byValue", "y")).toEqual(["ns/a"]);
    },
  );

  test("are filled at once when they are added, with what is there", () => {
    const { indexer } = create();
    indexer.put(thing("a", "1", { value: "x" }));
    indexer.addIndexers({ byValue });
    expect(indexer.indexKeys("byValue", "x")).toEqual(["a"]);
  });

  test("a name that is taken is refused, and none of its companions is added", async () => {
    const { indexer } = create({ byValue });
    const again = await informerErrorOf(() => indexer.addIndexers({ other: byValue, byValue }));
    expect(again).toMatchObject({ code: "usage", message: expect.stringContaining('"byValue"') });
    expect((await informerErrorOf(() => indexer.addIndexers({ namespace: byValue }))).code).toBe("usage");
    expect(indexer.listIndexes()).toEqual(["namespace", "byValue"]);
    expect((await informerErrorOf(() => indexer.byIndex("other", "x"))).code).toBe("usage");
  });

  test.each<[string, (indexer: Indexer<Thing>) => unknown]>([
    ["byIndex", (indexer) => indexer.byIndex("constructor", "x")],
    ["indexKeys", (indexer) => indexer.indexKeys("constructor", "x")],
    ["index", (indexer) => indexer.index("constructor", thing("a", "1").object)],
    ["listIndexValues", (indexer) => indexer.listIndexValues("constructor")],
  ])("%s of an index that is not there is refused, and says which there are", async (_, read) => {
    const error = await informerErrorOf(() => read(create({ byValue }).indexer));
    expect(error.code).toBe("usage");
    expect(error.message).toContain("namespace, byValue");
  });
});

describe("against a naive model", () => {
  const key = fc
    .tuple(fc.constantFrom("", "ns", "constructor"), fc.constantFrom("a", "b", "toString"))
    .map(([namespace, name]) => metaNamespaceKey(namespace, name));
  const value = fc.oneof(
    fc.constantFrom("!", "?"),
    fc
      .array(fc.constantFrom("", "x", "y", "__proto__", "constructor"), { maxLength: 3 })
      .map((values) => values.join(",")),
    fc.constant(undefined),
  );
  const write = fc
    .tuple(key, value, fc.constantFrom("first", "second"), fc.nat({ max: 5 }))
    .map(([of, v, uid, version]) => ({ key: of, value: v, uid, version: String(version) }));
  type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ put: write }) },
    { weight: 2, arbitrary: fc.record({ delete: key }) },
    { weight: 2, arbitrary: fc.record({ replace: fc.array(write, { maxLength: 6 }) }) },
    { weight: 1, arbitrary: fc.constant({ addIndexers: true as const }) },
  );
  const entryOf = ({ key: of, value: v, uid, version }: Write) =>
    thing(of, version, { uid, ...(v === undefined ? {} : { value: v }) });

  function valuesOf(entry: Entry<Thing>): string[] {
    try {
      const values: unknown = byValue(entry.object);
      return Array.isArray(values) ? values : [];
    } catch {
      return [];
    }
  }

  function expectIndex(
    indexer: Indexer<Thing>,
    name: string,
    model: Map<string, Entry<Thing>>,
    values: (entry: Entry<Thing>) => string[],
  ) {
    const expected = new Map<string, Set<string>>();
    for (const [of, entry] of model) {
      for (const each of values(entry)) expected.set(each, (expected.get(each) ?? new Set()).add(of));
    }
    expect(indexer.listIndexValues(name).sort()).toEqual([...expected.keys()].sort());
    for (const [each, keys] of expected) {
      expect(indexer.indexKeys(name, each).sort()).toEqual([...keys].sort());
      expect(new Set(indexer.byIndex(name, each))).toEqual(new Set([...keys].map((of) => model.get(of)?.object)));
    }
  }

  test("every write leaves the store and all indexes as a recount would", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { indexer } = create();
        const model = new Map<string, Entry<Thing>>();
        const added = ["namespace"];
        for (const what of steps) {
          if ("put" in what) {
            const entry = entryOf(what.put);
            expect(indexer.put(entry)).toBe(model.get(entry.key));
            model.set(entry.key, entry);
          } else if ("delete" in what) {
            expect(indexer.delete(what.delete)).toBe(model.get(what.delete));
            model.delete(what.delete);
          } else if ("replace" in what) {
            const listed = new Map(what.replace.map(entryOf).map((entry) => [entry.key, entry]));
            const { deleted, changed } = indexer.replace(listed.values(), "9");
            expect(deleted).toEqual([...model.values()].filter((entry) => !listed.has(entry.key)));
            const same = (a: Entry<Thing> | undefined, b: Entry<Thing>) =>
              a?.uid === b.uid &&
              a.resourceVersion === b.resourceVersion &&
              a.object.spec?.value === b.object.spec?.value;
            const changes = [...listed.values()].filter((entry) => !same(model.get(entry.key), entry));
            expect(changed.map(({ entry }) => entry)).toEqual(changes);
            for (const { old, entry } of changed) expect(old).toBe(model.get(entry.key));
            const kept = new Map(model);
            model.clear();
            for (const [of, entry] of listed) model.set(of, same(kept.get(of), entry) ? kept.get(of)! : entry);
          } else if (added.length < 3) {
            indexer.addIndexers({ [`index ${added.length}`]: byValue });
            added.push(`index ${added.length}`);
          }
          expect(new Set(indexer.listKeys())).toEqual(new Set(model.keys()));
          expect(indexer.size).toBe(model.size);
          for (const [of, entry] of model) expect(indexer.getEntry(of)).toBe(entry);
          expectIndex(indexer, "namespace", model, (entry) => [entry.namespace]);
          for (const name of added.slice(1)) expectIndex(indexer, name, model, valuesOf);
        }
      }),
      { numRuns: 200 },
    );
  });
});
