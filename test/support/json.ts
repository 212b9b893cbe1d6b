import fc from "fast-check";

/** Text with what a careless scanner trips over: quotes, backslashes, brackets, key-like text, anything of Unicode. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme" }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "",
      '"',
      "\\",
      '\\"',
      '","metadata":{"name":"inner"}',
      '{"items":[{"a":1}]}',
      "]}",
      "[{",
      "items",
      "metadata",
      "name",
      "__proto__",
      "constructor",
      "\u0000\u001f\n\r",
      "\u202e\u2028",
      "日本語",
      "🜁",
      "\ud800",
    ),
  },
);

/** Any JSON value, to be printed by {@link printJson}. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyText,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(anyText, tie("value")), { maxLength: 3 }).map(fromPairs),
  ),
})).value;

/** An object out of pairs; `__proto__` becomes a property like any other. */
export function fromPairs(pairs: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of pairs) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** How JSON is laid out: white space around every token, and which characters are written as escapes. */
export interface JsonLayout {
  readonly space: string;
  readonly escapeAll: boolean;
}

export const anyLayout: fc.Arbitrary<JsonLayout> = fc.record({
  space: fc.constantFrom("", "", " ", "\n\t", "\r\n"),
  escapeAll: fc.boolean(),
});

/** The same value as `JSON.stringify` prints, in another layout. Keys are never escaped more than they must be. */
export function printJson(value: unknown, { space, escapeAll }: JsonLayout): string {
  const print = (part: unknown): string => {
    if (typeof part === "string") return escapeAll ? escaped(part) : JSON.stringify(part);
    if (Array.isArray(part)) return `[${part.map((item) => space + print(item) + space).join(",")}${space}]`;
    if (typeof part !== "object" || part === null) return JSON.stringify(part);
    const pairs = Object.entries(part).map(
      ([key, item]) => `${space}${JSON.stringify(key)}${space}:${space}${print(item)}${space}`,
    );
    return `{${pairs.join(",")}${space}}`;
  };
  return space + print(value) + space;
}

function escaped(text: string): string {
  let printed = "";
  for (let i = 0; i < text.length; i++) printed += `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`;
  return `"${printed}"`;
}
