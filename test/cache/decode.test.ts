import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutableCopy } from "../../runtime/api/object-meta.js";
import { decodeObject } from "../../runtime/cache/decode.js";
import { findManagedFields } from "../../runtime/transport/json-scan.js";
import { anyLayout, anyText, anyValue, fromPairs, printJson } from "../support/json.js";
import { spyOnJsonParse } from "../support/json-parse.js";
import { informerErrorOf } from "../support/thrown.js";

interface Managed {
  metadata: { name: string; managedFields?: unknown };
  spec?: unknown;
}

const decode = (text: string) => {
  const bytes = Buffer.from(`xx${text}yy`);
  return decodeObject(bytes, 2, bytes.length - 2) as Managed;
};

const FIELDS = '[{"manager":"kubelet","fieldsV1":{"f:k{\\"a\\"}":{}}}]';
const POD = `{"metadata":{"name":"web","managedFields":${FIELDS}},"spec":{"a":1}}`;

/** Objects whose managedFields stand anywhere, are anything, and are there twice, in a template too, or not at all. */
const anyManaged = fc
  .tuple(
    fc.array(fc.tuple(anyText, anyValue), { maxLength: 3 }),
    fc.array(fc.oneof(fc.constant(JSON.parse(FIELDS) as unknown), anyValue), { maxLength: 2 }),
    fc.nat(),
    fc.array(fc.tuple(fc.constantFrom("kind", "spec", "metadata"), anyValue), { maxLength: 2 }),
    fc.boolean(),
  )
  .map(([members, values, at, rest, templated]) => {
    const metadata: [string, unknown][] = [...members];
    for (const value of values) metadata.splice(at % (metadata.length + 1), 0, ["managedFields", value]);
    const more: [string, unknown][] = templated ? [["spec", { template: { metadata: { managedFields: [1] } } }]] : [];
    return { metadata, rest: [...rest, ...more], at };
  });

describe("decodeObject", () => {
  test("leaves managedFields as text until they are read, and decodes them once", () => {
    const parsed = spyOnJsonParse();
    const { metadata } = decode(POD);
    expect(parsed.join()).not.toContain("kubelet");
    const { managedFields } = metadata;
    expect(managedFields).toEqual([{ manager: "kubelet", fieldsV1: { 'f:k{"a"}': {} } }]);
    expect(metadata.managedFields).toBe(managedFields);
    expect(parsed).toHaveLength(2);
  });

  test("gives an object that is copied, compared, frozen and printed like any other", () => {
    const plain = JSON.parse(POD) as Managed;
    expect(JSON.stringify(decode(POD))).toBe(POD);
    expect(mutableCopy(decode(POD))).toEqual(plain);
    expect({ ...decode(POD).metadata }).toEqual(plain.metadata);
    expect(isDeepStrictEqual(decode(POD), plain)).toBe(true);
    expect(Object.keys(decode(POD).metadata)).toEqual(["name", "managedFields"]);
    expect(Object.freeze(decode(POD).metadata).managedFields).toEqual(plain.metadata.managedFields);
  });

  test("gives managedFields that can be set and deleted, as a transform does", () => {
    const set = decode(POD);
    set.metadata.managedFields = undefined;
    expect(set).toEqual({ metadata: { name: "web", managedFields: undefined }, spec: { a: 1 } });
    const deleted = decode(POD);
    delete deleted.metadata.managedFields;
    expect(Object.keys(deleted.metadata)).toEqual(["name"]);
  });

  test("reports managedFields that are not JSON when they are read", async () => {
    const { metadata } = decode('{"metadata":{"name":"web","managedFields":[nope]}}');
    expect((await informerErrorOf(() => metadata.managedFields)).code).toBe("decode");
  });

  test.each(["", "[]", "{", '{"metadata":', '{"metadata":{"managedFields":[1]', "null", "7"])(
    "says what JSON.parse says of %j",
    async (text) => {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        expect((await informerErrorOf(() => decode(text))).code).toBe("decode");
        return;
      }
      expect(decode(text)).toEqual(value);
    },
  );

  test("agrees with JSON.parse, in the order of keys as well", () => {
    fc.assert(
      fc.property(anyManaged, anyLayout, ({ metadata, rest, at }, layout) => {
        const members = [...rest];
        members.splice(at % (members.length + 1), 0, ["metadata", fromPairs(metadata)]);
        const text = printPairs(members, layout);
        expect(JSON.stringify(decode(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
    // Keys that are there twice.
    fc.assert(
      fc.property(anyManaged, anyLayout, ({ metadata }, layout) => {
        const inner = printPairs(metadata, layout);
        for (const text of [`{"metadata":${inner}}`, `{"metadata":${inner},"metadata":{"name":"b"}}`]) {
          expect(JSON.stringify(decode(text))).toBe(JSON.stringify(JSON.parse(text)));
        }
      }),
    );
  });

  test("findManagedFields finds what must go for them to go", () => {
    fc.assert(
      fc.property(anyManaged, anyLayout, ({ metadata }, layout) => {
        const unique = Object.fromEntries(metadata) as Record<string, unknown>;
        const text = `{"metadata":${printJson(fromPairs(Object.entries(unique)), layout)},"spec":1}`;
        const bytes = Buffer.from(text);
        const found = findManagedFields(bytes, 0, bytes.length);
        if (layout.escapeAll) return;
        expect(found !== undefined).toBe(Object.hasOwn(unique, "managedFields"));
        if (found === undefined) return;
        const without = Buffer.concat([bytes.subarray(0, found.start), bytes.subarray(found.end)]).toString();
        const { managedFields: _, ...left } = JSON.parse(text).metadata;
        expect(JSON.parse(without)).toEqual({ metadata: left, spec: 1 });
      }),
    );
  });
});

/** An object with its members as they are, also where a key is there twice. */
function printPairs(pairs: readonly (readonly [string, unknown])[], layout: Parameters<typeof printJson>[1]): string {
  const members = pairs.map(([key, value]) => `${printJson(key, layout)}:${printJson(value, layout)}`);
  return `${layout.space}{${layout.space}${members.join(`${layout.space},${layout.space}`)}}`;
}
