import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findValue, parseJson, scanObject, skipValue } from "../../runtime/transport/json-scan.js";
import { anyLayout, anyText, anyValue, fromPairs, printJson } from "../support/json.js";
import { informerErrorOf } from "../support/thrown.js";

const scan = (text: string) => {
  const bytes = Buffer.from(text);
  return scanObject(bytes, 0, bytes.length);
};

/** What the scanner has to find, read the slow way. */
function expected(object: { metadata: Record<string, unknown> }) {
  const { metadata } = object;
  const text = (name: string) => {
    const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    return typeof value === "string" ? value : "";
  };
  return {
    namespace: text("namespace"),
    name: text("name"),
    uid: text("uid"),
    resourceVersion: text("resourceVersion"),
  };
}

/** Some pairs in any order, no key twice. */
function shuffled(...pairs: fc.Arbitrary<readonly [string, unknown]>[]): fc.Arbitrary<object> {
  const others = fc.array(fc.tuple(anyText, anyValue), { maxLength: 4 });
  return fc
    .tuple(fc.tuple(...pairs.map((pair) => fc.option(pair, { nil: undefined }))), others)
    .chain(([own, more]) => {
      const unique = new Map<string, unknown>(more);
      for (const pair of own) if (pair !== undefined) unique.set(...pair);
      return fc.shuffledSubarray([...unique], { minLength: unique.size });
    })
    .map(fromPairs);
}

const pair = (key: string, value: fc.Arbitrary<unknown>) => fc.tuple(fc.constant(key), value);
const metadata = shuffled(
  ...["namespace", "name", "uid", "resourceVersion"].map((key) =>
    pair(key, fc.oneof(anyText, fc.constant(null), fc.nat())),
  ),
  pair("labels", fc.constant({ name: "not the name", uid: '"' })),
  pair("managedFields", fc.constant([{ name: "x", "f:metadata": { "f:name": {} } }])),
);
const withMetadata = fc
  .tuple(
    shuffled(pair("kind", anyText), pair("spec", fc.constant({ metadata: { name: "inner" } }))),
    metadata,
    fc.nat(),
  )
  .map(([rest, value, at]) => {
    const pairs: [string, unknown][] = Object.entries(rest).filter(([key]) => key !== "metadata");
    pairs.splice(at % (pairs.length + 1), 0, ["metadata", value]);
    return fromPairs(pairs) as { metadata: Record<string, unknown> };
  });

describe("scanObject", () => {
  test("finds what JSON.parse finds, in any order, layout and alphabet", () => {
    fc.assert(
      fc.property(withMetadata, anyLayout, fc.boolean(), (object, layout, padded) => {
        const text = Buffer.from(printJson(object, layout));
        const bytes = padded ? Buffer.concat([Buffer.from('}"'), text, Buffer.from('"{}]')]) : text;
        const start = padded ? 2 : 0;
        const { hasKind, ...scanned } = scanObject(bytes, start, start + text.length);
        expect(scanned).toEqual(expected(JSON.parse(text.toString()) as typeof object));
        if (hasKind) expect(Object.hasOwn(object, "kind")).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("reads the layout that servers write as it reads any other, whatever is changed in it", () => {
    const name = fc.oneof({ weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9.-]{1,20}$/) }, anyText);
    const usual = fc
      .record({ kind: fc.option(name), generateName: fc.option(name), names: fc.tuple(name, name, name, name) })
      .map(({ kind, generateName, names: [name, namespace, uid, resourceVersion] }) => {
        const metadata = { name, ...(generateName !== null && { generateName }), namespace, uid, resourceVersion };
        return { ...(kind !== null && { kind, apiVersion: "apps/v1" }), metadata };
      });
    const change = fc.record({
      at: fc.nat(),
      removed: fc.nat(2),
      inserted: fc.oneof(fc.constant(""), fc.constantFrom(...'"\\{}[],: xé0', '","uid":"', '"x":1,')),
    });
    /** A space in front is nothing that servers write. */
    const outcome = (text: string) => {
      try {
        return scan(text);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    fc.assert(
      fc.property(usual, fc.option(change), (object, changed) => {
        const text = JSON.stringify(object);
        if (changed === null) expect(scan(text)).toMatchObject(expected(object));
        const { at, removed, inserted } = changed ?? { at: 0, removed: 0, inserted: "" };
        const position = at % text.length;
        const result = text.slice(0, position) + inserted + text.slice(position + removed);
        expect(outcome(result)).toEqual(outcome(` ${result}`));
      }),
      { numRuns: 2000 },
    );
  });

  test("says whether the object has a kind, when it stands before metadata as servers write it", () => {
    expect(scan('{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}').hasKind).toBe(true);
    expect(scan('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}').hasKind).toBe(true);
    expect(scan('{"metadata":{"name":"a"},"spec":{"kind":"x"}}').hasKind).toBe(false);
    expect(scan('{"spec":{"kind":"x"},"metadata":{"name":"a"}}').hasKind).toBe(false);
  });

  test.each([
    ["a key in a string", '{"a":"\\"metadata\\":{\\"name\\":\\"no\\"}","metadata":{"name":"yes"}}'],
    ["a string that ends in a backslash", '{"a":"\\\\","metadata":{"name":"yes"}}'],
    ["brackets in strings", '{"a":["]}","{["],"metadata":{"name":"yes"}}'],
    ["nested metadata first", '{"spec":{"template":{"metadata":{"name":"no"}}},"metadata":{"name":"yes"}}'],
    ["an owner's name first", '{"metadata":{"ownerReferences":[{"name":"no","uid":"no"}],"name":"yes"}}'],
    [
      "keys that begin alike",
      '{"metadat":{"name":"no"},"metadatas":{"name":"no"},"metadata":{"nam":"no","name":"yes"}}',
    ],
    ["a key __proto__", '{"__proto__":{"metadata":{"name":"no"}},"metadata":{"__proto__":{"name":"no"},"name":"yes"}}'],
    ["numbers, booleans, null", '{"a":-1.5e+3,"b":true,"c":null,"metadata":{"generation":2,"name":"yes"}}'],
    ["an escaped value", '{"metadata":{"name":"\\u0079es"}}'],
  ])("is not misled by %s", (_, text) => {
    expect(scan(text).name).toBe("yes");
  });

  test("looks no further than it has to, also where a key is there twice", () => {
    const named = (rest: string) =>
      scan(`{"metadata":{"name":"a","uid":"u",${rest}"resourceVersion":"1","name":"b"}}`).name;
    expect([named('"namespace":"n",'), named("")]).toEqual(["a", "b"]);
  });

  test("reads names of any alphabet", () => {
    expect(scan('{"metadata":{"name":"日本 \\uD83D\\uDF01🜁","namespace":"constructor"}}')).toMatchObject({
      name: "日本 🜁🜁",
      namespace: "constructor",
    });
  });

  test.each([
    "",
    "   ",
    "null",
    "[]",
    '"text"',
    "{}",
    '{"a":1}',
    '{"metadata":null}',
    '{"metadata":"x"}',
    '{"metadata":[]}',
    '{"metadata"}',
    '{"metadata":{"name"}}',
    '{"metadata":{"name":}}',
    '{"metadata":{"name":"a"',
    '{"metadata":{"name":"a" "uid":"b"}}',
    '{"metadata":{"name":"a',
    '{"metadata":{"name":"\\x"}}',
    '{"metadata":{"name":"\\',
    '{"a',
    '{"a":',
    '{"a":{',
    "<html>",
  ])("%j is refused as decode", async (text) => {
    const error = await informerErrorOf(() => scan(text));
    expect(error.code).toBe("decode");
    expect(error.message.length).toBeLessThan(300);
  });

  test("what is cut off is refused, or was read before the cut: never misread", () => {
    const text =
      '{"kind":"Pod","metadata":{"name":"web-0","namespace":"shop","uid":"u1","resourceVersion":"7"},"a":[]}';
    const whole = scan(text);
    for (let length = 0; length < text.length; length++) {
      try {
        // Bytes after the end are of another object, and look as if they belonged to this.
        const bytes = Buffer.from(`${text.slice(0, length)}"}},"metadata":{"name":"other"}}`);
        expect(scanObject(bytes, 0, length)).toEqual(whole);
      } catch (error) {
        expect(error).toMatchObject({ code: "decode" });
      }
    }
  });

  test("control characters of a server do not reach an error message", async () => {
    const error = await informerErrorOf(() => scan("\u001b[31mred\u0007"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  test("is not stopped by nesting that is deeper than a stack", () => {
    const depth = 200_000;
    expect(scan(`{"a":${"[".repeat(depth)}${"]".repeat(depth)},"metadata":{"name":"yes"}}`).name).toBe("yes");
  });
});

describe("findValue", () => {
  test("finds the value of a top-level key as JSON.parse does", () => {
    const key = fc.constantFrom("metadata", "labels", "__proto__", "constructor", "x");
    const object = fc.array(fc.tuple(fc.oneof(key, anyText), anyValue), { maxLength: 5 }).map(fromPairs);
    fc.assert(
      fc.property(object, key, anyLayout, (value, wanted, layout) => {
        const bytes = Buffer.from(printJson(value, layout));
        const parsed = JSON.parse(bytes.toString()) as Record<string, unknown>;
        const found = findValue(bytes, 0, bytes.length, wanted);
        if (!Object.hasOwn(parsed, wanted)) expect(found).toBeUndefined();
        else expect(parseJson(bytes, found!.start, found!.end)).toEqual(parsed[wanted]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("skipValue", () => {
  test("ends where the value ends, whatever follows", () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(",", "}", "]", " ", "\n"), (value, next) => {
        const text = Buffer.from(JSON.stringify(value));
        expect(skipValue(Buffer.concat([text, Buffer.from(`${next}"x":1`)]), 0, text.length + 6)).toBe(text.length);
      }),
    );
  });
});

describe("parseJson", () => {
  test("is JSON.parse, over the bytes between two positions", () => {
    fc.assert(
      fc.property(anyValue, anyLayout, (value, layout) => {
        const text = printJson(value, layout);
        const bytes = Buffer.from(`xx${text}yy`);
        expect(parseJson(bytes, 2, bytes.length - 2)).toEqual(JSON.parse(Buffer.from(text).toString()));
      }),
    );
  });

  test("makes no prototype out of data", () => {
    const parsed = parseJson(Buffer.from('{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}')) as object;
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(Object.keys(parsed)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("a number keeps what JavaScript can hold of it", () => {
    expect(parseJson(Buffer.from("[9007199254740993,-0,1e400]"))).toEqual([
      9007199254740992,
      -0,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test("what is not JSON is refused as decode, with the beginning of it", async () => {
    const error = await informerErrorOf(() => parseJson(Buffer.from(`<html>${"x".repeat(10_000)}`)));
    expect(error.code).toBe("decode");
    expect(error.message).toContain('"<html>xxx');
    expect(error.message.length).toBeLessThan(300);
  });
});
