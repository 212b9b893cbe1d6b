import { describe, expect, test } from "vitest";
import type { Cached } from "../../runtime/api/object-meta.js";
import { Entry } from "../../runtime/cache/entry.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";
import { type Thing, thing, thingJson } from "../support/entries.js";
import { spyOnJsonParse } from "../support/json-parse.js";
import { informerErrorOf } from "../support/thrown.js";

const entryOf = (json: string, key = "default/web") =>
  Entry.fromBytes<Thing>({ key, uid: "u", resourceVersion: "1" }, new SlabAllocator(), Buffer.from(json));

describe("an entry", () => {
  test("is decoded when its object is first read, once, for everyone", () => {
    const parsed = spyOnJsonParse();
    const entry = thing("default/web", "5", { value: "x" });
    expect([entry.key, entry.namespace, entry.name, entry.uid, entry.resourceVersion]).toEqual([
      "default/web",
      "default",
      "web",
      "uid-default/web",
      "5",
    ]);
    expect(entry.isDecoded).toBe(false);
    expect(parsed).toHaveLength(0);
    const { object } = entry;
    expect(object.spec?.value).toBe("x");
    expect(entry.object).toBe(object);
    expect(entry.isDecoded).toBe(true);
    expect(parsed).toHaveLength(1);
  });

  test("of a cluster-scoped object has no namespace", () => {
    expect(thing("node-1", "1")).toMatchObject({ namespace: "", name: "node-1" });
  });

  test("of an object that is there already needs no decoding", () => {
    const parsed = spyOnJsonParse();
    const object: Cached<Thing> = { metadata: { name: "a", uid: "u", resourceVersion: "1", labels: { app: "web" } } };
    const entry = Entry.fromObject({ key: "a", uid: "u", resourceVersion: "1" }, object);
    expect(entry.object).toBe(object);
    expect(entry.isDecoded).toBe(true);
    expect(entry.labels).toEqual({ app: "web" });
    expect(parsed).toHaveLength(0);
  });

  test("owns its bytes: those that it was made from may change", () => {
    const bytes = Buffer.from(`xx${thingJson("a", "1", { value: "own" })}yy`);
    const meta = { key: "a", uid: "u", resourceVersion: "1" };
    const entry = Entry.fromBytes<Thing>(meta, new SlabAllocator(), bytes, 2, bytes.length - 2);
    bytes.fill("!");
    expect(entry.object.spec?.value).toBe("own");
  });

  test("gets a prefix in place of its opening brace", () => {
    const bytes = Buffer.from('  {"metadata":{"name":"a"}}');
    const meta = { key: "a", uid: "u", resourceVersion: "1" };
    const prefix = Buffer.from('{"kind":"Pod",');
    const entry = Entry.fromBytes<Thing>(meta, new SlabAllocator(), bytes, 0, bytes.length, prefix);
    expect(entry.object).toEqual({ kind: "Pod", metadata: { name: "a" } });
  });

  test("keeps its object apart from those beside it, read in any order, while others come", () => {
    const slabs = new SlabAllocator();
    const make = (name: string, size: number) => {
      const json = JSON.stringify({ metadata: { name, labels: { name } }, pad: "日".repeat(size) });
      return Entry.fromBytes<Thing>({ key: name, uid: name, resourceVersion: "1" }, slabs, Buffer.from(json));
    };
    const entries: Entry<Thing>[] = [];
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 20; i++) entries.push(make(`${round}-${i}`, (i * 997) % 5000));
      for (const [i, entry] of entries.entries())
        if ((i * 31) % 7 === round % 7) expect(entry.object.metadata?.name).toBe(entry.key);
    }
    for (const entry of entries) {
      expect(entry.labels).toEqual({ name: entry.key });
      expect(entry.object.metadata?.name).toBe(entry.key);
    }
  });

  test("whose bytes are not JSON after all fails each time it is read, and says whose it is", async () => {
    const entry = entryOf('{"metadata":{"name":"web"},');
    for (let i = 0; i < 2; i++) {
      const error = await informerErrorOf(() => entry.object);
      expect(error.code).toBe("decode");
      expect(error.message).toContain("default/web");
    }
    expect(entry.isDecoded).toBe(false);
  });
});

describe("labels", () => {
  test("are read without the rest of the object", () => {
    const parsed = spyOnJsonParse();
    const entry = entryOf(
      '{"spec":{"metadata":{"labels":{"no":""}}},"metadata":{"name":"web","labels":{"app":"web"}}}',
    );
    expect(entry.labels).toEqual({ app: "web" });
    expect(parsed).toEqual(['{"app":"web"}']);
    expect(entry.isDecoded).toBe(false);
  });

  test.each([
    ['{"metadata":{"name":"a"}}', undefined],
    ['{"metadata":{"labels":null}}', undefined],
    ['{"metadata":{"labels":{}}}', {}],
    ['{"labels":{"no":""},"metadata":{"annotations":{"labels":"no"}}}', undefined],
    ['{"metadata":{"labels":{"a":"\\u00e9日"}}}', { a: "é日" }],
  ])("of %s are the same before and after decoding", (json, labels) => {
    const entry = entryOf(json);
    expect(entry.labels).toEqual(labels);
    expect(entry.object).toEqual(JSON.parse(json));
    expect(entry.labels).toEqual(labels);
  });
});

test("hostile keys are data and nothing more, also through a promise", async () => {
  const json =
    '{"metadata":{"name":"a","labels":{"constructor":"x"}},"__proto__":{"polluted":1},"then":"x","toJSON":1}';
  const object = await Promise.resolve(entryOf(json).object);
  expect(Object.keys(object)).toEqual(["metadata", "__proto__", "then", "toJSON"]);
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

describe("an entry knows the bytes that it was made of", () => {
  const PREFIX = Buffer.from('{"kind":"Thing",');
  const LATE = `{"metadata":{"name":"a","managedFields":[1]},"spec":{}}`;
  const META = { key: "a", uid: "u", resourceVersion: "1" };
  const isMadeOf = (entry: Entry, slabs: SlabAllocator, text: string, prefix?: Buffer) =>
    entry.isMadeOf(slabs, Buffer.from(`[${text}]`), 1, 1 + Buffer.byteLength(text), prefix);

  test.each([
    ["as they are", {}, undefined],
    ["with its kind put before", {}, PREFIX],
    ["without managedFields", { managedFields: "drop" }, undefined],
    ["with its kind put before, without managedFields", { managedFields: "drop" }, PREFIX],
    ["which stay", { retention: "bytes" }, PREFIX],
  ] as const)("%s: before it is decoded and after", (_, retention, prefix) => {
    const slabs = new SlabAllocator(retention);
    const entry = Entry.fromBytes(META, slabs, Buffer.from(LATE), 0, LATE.length, prefix);
    for (const when of ["before", "after"]) {
      expect(isMadeOf(entry, slabs, LATE, prefix), when).toBe(true);
      for (const other of [LATE.replace('"a"', '"b"'), LATE.replace("{}}", "{} }"), LATE.replace("spec", "spac")])
        expect(isMadeOf(entry, slabs, other, prefix), `${when}: ${other}`).toBe(false);
      const otherLate = isMadeOf(entry, slabs, LATE.replace("[1]", "[2]"), prefix);
      expect(otherLate, when).toBe("managedFields" in retention);
      void entry.object;
    }
  });
});
