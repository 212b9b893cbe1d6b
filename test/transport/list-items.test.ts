import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ListItemSplitter } from "../../runtime/transport/list-items.js";
import { anyCuts, cutAt, everyCut } from "../support/chunks.js";
import { anyLayout, anyText, anyValue, fromPairs, printJson } from "../support/json.js";
import { informerErrorOf } from "../support/thrown.js";

function split(chunks: readonly Buffer[]): { items: unknown[]; envelope: unknown } {
  const items: unknown[] = [];
  const splitter = new ListItemSplitter((bytes, start, end) =>
    items.push(JSON.parse(bytes.toString("utf8", start, end))),
  );
  for (const chunk of chunks) splitter.push(chunk);
  return { items, envelope: splitter.end() };
}

const LIST =
  '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5","items":[{"no":1}]},' +
  '"items":[{"metadata":{"name":"日本","labels":{"items":"]}"}},"a":[[{}],"\\"}]"]}, {} ,{"items":[{"b":"\\\\"}]}]}\n';

describe("ListItemSplitter", () => {
  test("finds the items however the body is cut in two", () => {
    const { items, ...envelope } = JSON.parse(LIST) as { items: unknown[] };
    for (const chunks of everyCut(Buffer.from(LIST))) {
      expect(split(chunks)).toEqual({ items, envelope: { ...envelope, items: [] } });
    }
  });

  test("finds them byte by byte", () => {
    const bytes = Buffer.from(LIST);
    expect(
      split(
        cutAt(
          bytes,
          Array.from(bytes, (_, at) => at),
        ),
      ).items,
    ).toEqual(JSON.parse(LIST).items);
  });

  test("finds what JSON.parse finds, for any list in any layout and any chunks", () => {
    const item = fc.array(fc.tuple(anyText, anyValue), { maxLength: 3 }).map(fromPairs);
    const others = fc.array(fc.tuple(anyText, anyValue), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 5 }),
        others,
        fc.nat(),
        anyLayout,
        anyCuts,
        (items, more, at, layout, cuts) => {
          const pairs: [string, unknown][] = more.filter(([key]) => key !== "items");
          const text = (itemsOf: unknown) => {
            const all = pairs.slice();
            all.splice(at % (pairs.length + 1), 0, ["items", itemsOf]);
            return Buffer.from(printJson(fromPairs(all), layout));
          };
          const found = split(cutAt(text(items), cuts));
          expect(found.items).toEqual(JSON.parse(text(items).toString()).items);
          expect(found.envelope).toEqual(JSON.parse(text([]).toString()));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("an item is given out as soon as it is whole", () => {
    const names: string[] = [];
    const splitter = new ListItemSplitter((bytes, start, end) =>
      names.push(JSON.parse(bytes.toString("utf8", start, end)).n),
    );
    splitter.push(Buffer.from('{"items":[{"n":"a"},{"n":'));
    expect(names).toEqual(["a"]);
    splitter.push(Buffer.from('"b"}'));
    expect(names).toEqual(["a", "b"]);
  });

  test("keeps nothing of a chunk that its owner overwrites", () => {
    const bytes = Buffer.from(LIST);
    const items: unknown[] = [];
    const splitter = new ListItemSplitter((from, start, end) =>
      items.push(JSON.parse(from.toString("utf8", start, end))),
    );
    const chunk = Buffer.alloc(7);
    for (let at = 0; at < bytes.length; at += chunk.length) {
      const size = bytes.copy(chunk, 0, at);
      splitter.push(chunk.subarray(0, size));
      chunk.fill("!");
    }
    expect(items).toEqual(JSON.parse(LIST).items);
    expect(splitter.end().metadata?.resourceVersion).toBe("5");
  });

  test.each([
    ["null", '{"items":null,"kind":"PodList"}'],
    ["missing", '{"kind":"PodList"}'],
    ["empty", '{"items":[],"kind":"PodList"}'],
    ["empty, with white space", '{"items" : [ \n ] ,"kind":"PodList"}'],
    ["an object", '{"items":{"a":[{"n":1}]},"kind":"PodList"}'],
    ["the value of another key", '{"a":"items","b":[{"n":1}],"kind":"PodList"}'],
    ["within metadata", '{"metadata":{"items":[{"n":1}]},"kind":"PodList"}'],
    ["a longer key", '{"itemsX":[{"n":1}],"kind":"PodList"}'],
    ["a shorter key", '{"item":[{"n":1}],"kind":"PodList"}'],
    ["after an empty key", '{"":"items","b":[{"n":1}],"kind":"PodList"}'],
  ])("items that are %s are none", (_, text) => {
    const { items, envelope } = split([Buffer.from(text)]);
    expect(items).toEqual([]);
    expect(envelope).toMatchObject({ kind: "PodList" });
  });

  test.each([
    ["an item that is null", '{"items":[null]}'],
    ["an item that is a number", '{"items":[{},5]}'],
    ["an item that is a list", '{"items":[[]]}'],
    ["an item that is text", '{"items":["a"]}'],
    ["nothing", ""],
    ["half a list", '{"items":[{"a":1}'],
    ["half an item", '{"items":[{"a":'],
    ["a list without its end", '{"items":[]'],
    ["an open string", '{"items":[{"a":"]}'],
    ["text", '"items"'],
    ["null", "null"],
    ["something after the end", '{"items":[]}{"items":[]}'],
    ["one bracket too many", '{"items":[]}}'],
    ["HTML", "<html></html>"],
  ])("%s is refused as decode", async (_, text) => {
    expect((await informerErrorOf(() => split([Buffer.from(text)]))).code).toBe("decode");
  });

  test("every body that is cut off is refused", () => {
    const bytes = Buffer.from(LIST.trimEnd());
    for (let length = 0; length < bytes.length; length++) {
      const splitter = new ListItemSplitter(() => {});
      splitter.push(bytes.subarray(0, length));
      expect(() => splitter.end(), `${length} bytes`).toThrow("the list ends in the middle");
    }
  });

  test("nesting without end is refused", async () => {
    const splitter = new ListItemSplitter(() => {});
    splitter.push(Buffer.from('{"items":[{"a":'));
    expect((await informerErrorOf(() => splitter.push(Buffer.alloc(20_000, "[")))).code).toBe("limit");
  });
});

test.each([
  ["an item", '{"items":[{"a":"'],
  ["what stands beside the items", '{"rows":["'],
])("%s that never ends is refused before it fills the memory", (_, beginning) => {
  const splitter = new ListItemSplitter(() => {});
  const chunk = Buffer.alloc(4 * 1024 * 1024, "x");
  splitter.push(Buffer.from(beginning));
  const fill = () => {
    for (let i = 0; i < 20; i++) splitter.push(chunk);
  };
  expect(fill).toThrow(/larger than \d+ bytes/);
});
