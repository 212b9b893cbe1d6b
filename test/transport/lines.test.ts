import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter } from "../../runtime/transport/lines.js";
import { anyCuts, cutAt, everyCut } from "../support/chunks.js";
import { informerErrorOf } from "../support/thrown.js";

function split(chunks: readonly Buffer[]): { lines: string[]; rest: string } {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk, (bytes, start, end) => lines.push(bytes.toString("utf8", start, end)));
  }
  return { lines, rest: splitter.takeRest().toString() };
}

describe("LineSplitter", () => {
  test.each([
    ["one line", "a\n", ["a"], ""],
    ["several in one chunk", "a\nbb\nccc\n", ["a", "bb", "ccc"], ""],
    ["blank lines", "\n\na\n\n\nb\n\n", ["a", "b"], ""],
    ["blank lines that end in CRLF", "\r\na\r\n\r\nb\r\n", ["a\r", "b\r"], ""],
    ["no newline at the end", 'a\n{"b":1}', ["a"], '{"b":1}'],
    ["characters of several bytes", "日本\n🜁\u2028\u0085x\n", ["日本", "🜁\u2028\u0085x"], ""],
    ["nothing", "", [], ""],
  ])("%s, cut anywhere", (_, text, lines, rest) => {
    for (const chunks of everyCut(Buffer.from(text))) expect(split(chunks)).toEqual({ lines, rest });
  });

  test("gives the same lines for any chunks", () => {
    const line = fc.string({ unit: "grapheme" }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(line), line, anyCuts, (lines, rest, cuts) => {
        const bytes = Buffer.from([...lines, rest].join("\n"));
        expect(split(cutAt(bytes, cuts))).toEqual({ lines: lines.filter((text) => text !== ""), rest });
      }),
    );
  });

  test("a line of many chunks that outgrows the buffer comes whole, and so do those after it", () => {
    const long = Array.from({ length: 300 }, (_, at) => `part ${at} of it `.repeat(40)).join("");
    const bytes = Buffer.from(`before\n${long}\nafter\n${long}`);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, at) =>
      bytes.subarray(at * 1000, (at + 1) * 1000),
    );
    expect(split(chunks)).toEqual({ lines: ["before", long, "after"], rest: long });
  });

  test("the rest is taken once", () => {
    const splitter = new LineSplitter();
    splitter.push(Buffer.from("half"), () => {});
    expect(splitter.takeRest().toString()).toBe("half");
    expect(splitter.takeRest()).toHaveLength(0);
  });

  test("a line without end is refused at 64 MiB", async () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < 64; i++) splitter.push(chunk, () => {});
    const error = await informerErrorOf(() => splitter.push(chunk, () => {}));
    expect(error.code).toBe("limit");
  });
});
