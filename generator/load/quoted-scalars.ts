/**
 * YAML 1.2 wants the further lines of a quoted scalar indented more than what holds it; Kubernetes' reader, and so old
 * controller-gen, does not. Line folding drops leading blanks, so indenting such lines changes no value and no line number.
 */

/** A block value that is quoted, or a literal or folded one: what stands before it, its key, and how it begins. */
const value =
  /^(?<lead> *(?:- +)*)(?<key>(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#[{|>][^"'#]*?)[ \t]*:[ \t]+)?(?<begin>["']|[|>][-+\d]*[ \t]*(?:#.*)?\r?$)/;

/** How far into a line its value begins at most: an expression has no business with a line of megabytes. */
const maxColumn = 2_000;

/** @param text that a parser of YAML 1.2 does not take */
export function indentQuotedScalars(text: string): string {
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const { lead = "", key, begin = "" } = value.exec(lines[at]!.slice(0, maxColumn))?.groups ?? {};
    if (begin === "" || (key === undefined && !lead.includes("-"))) continue;
    const column = key === undefined ? lead.lastIndexOf("-") : lead.length;
    const isQuoted = begin === '"' || begin === "'";
    const end = isQuoted ? endOfQuoted(lines, at, `${lead}${key ?? ""}`.length, begin) : endOfBlock(lines, at, column);
    const further = lines.slice(at + 1, end + 1);
    if (isQuoted && further.some((line) => !isBlank(line) && indentOf(line) <= column)) {
      for (const [index, line] of further.entries())
        if (!isBlank(line)) lines[at + 1 + index] = " ".repeat(column + 1) + line;
    }
    at = end;
  }
  return lines.join("\n");
}

/** The line with the closing quote; the first one where there is none. */
function endOfQuoted(lines: readonly string[], first: number, column: number, quote: string): number {
  for (let at = first, from = column + 1; at < lines.length; at++, from = 0) {
    const line = lines[at]!;
    for (let index = from; index < line.length; index++) {
      if (line[index] === "\\" && quote === '"') index++;
      else if (line[index] === quote) {
        if (quote === '"' || line[index + 1] !== quote) return at;
        index++;
      }
    }
  }
  return first;
}

function endOfBlock(lines: readonly string[], first: number, column: number): number {
  let end = first;
  while (end + 1 < lines.length && (isBlank(lines[end + 1]!) || indentOf(lines[end + 1]!) > column)) end++;
  return end;
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
