/** The change of a text, as `diff -u` would show it. */

const around = 3;
/** Beyond this a change is shown as all the old lines and all the new ones. */
const maxCells = 4_000_000;

type Line = readonly [mark: " " | "-" | "+", text: string];

/** A unified diff; empty when nothing changed. `undefined` is a file that is not there. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return "";
  const lines = compare(linesOf(before), linesOf(after));
  const header = [
    `--- ${before === undefined ? "/dev/null" : `a/${path}`}`,
    `+++ ${after === undefined ? "/dev/null" : `b/${path}`}`,
  ];
  return `${[...header, ...hunks(lines)].join("\n")}\n`;
}

function linesOf(text: string | undefined): string[] {
  return text === undefined || text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function compare(a: readonly string[], b: readonly string[]): Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const same = (text: string): Line => [" ", text];
  const middle = between(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...a.slice(0, start).map(same), ...middle, ...a.slice(a.length - end).map(same)];
}

/** By the longest common subsequence. */
function between(a: readonly string[], b: readonly string[]): Line[] {
  if (a.length * b.length > maxCells)
    return [...a.map((text): Line => ["-", text]), ...b.map((text): Line => ["+", text])];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i++]!]);
      j++;
    } else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!))
      lines.push(["-", a[i++]!]);
    else lines.push(["+", b[j++]!]);
  }
  return lines;
}

function hunks(lines: readonly Line[]): string[] {
  const near = lines.map((_line, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(([mark]) => mark !== " "),
  );
  const output: string[] = [];
  let [oldLine, newLine] = [1, 1];
  for (let index = 0; index < lines.length; ) {
    let end = index;
    while (end < lines.length && near[end] === near[index]) end++;
    const part = lines.slice(index, end);
    const olds = part.filter(([mark]) => mark !== "+").length;
    const news = part.filter(([mark]) => mark !== "-").length;
    if (near[index] === true) {
      const range = (line: number, count: number) => `${count === 0 ? line - 1 : line},${count}`;
      output.push(
        `@@ -${range(oldLine, olds)} +${range(newLine, news)} @@`,
        ...part.map(([mark, text]) => mark + text),
      );
    }
    oldLine += olds;
    newLine += news;
    index = end;
  }
  return output;
}
