/**
 * The only way in which a foreign string reaches the output: as a string literal, as a property key, or as the text of a
 * comment. Whatever a schema contains, the result is one token of TypeScript that ends where this file says.
 */

/** Characters that a reader cannot see, or that reorder what he sees: controls, bidi marks, zero-width, line separators. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A string literal, quoted as the formatter would. */
export function stringLiteral(text: string): string {
  const json = JSON.stringify(text).replace(invisible, escapeCharacter);
  const doubles = text.split('"').length - 1;
  const singles = text.split("'").length - 1;
  if (doubles <= singles) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

export function literal(value: string | number | boolean | null): string {
  if (typeof value === "string") return stringLiteral(value);
  if (typeof value === "number" && !Number.isFinite(value)) return "number";
  return String(value).replace("e+", "e");
}

/** A key of an object type: bare when it is an identifier. */
export function propertyKey(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) && !/[^\0-\uffff]/u.test(name)
    ? name
    : stringLiteral(name);
}

const maxLines = 200;
const maxColumns = 110;

/**
 * The text of a JSDoc comment, by lines. It cannot end the comment, and no line of it can be read as a directive or a tag
 * of its own: the comment's ` * ` comes first on every line, `@` at the start of a line is escaped.
 */
export function commentLines(text: string): string[] {
  const lines = text
    .replace(/\r\n?/g, "\n")
    .split("\n")
    .flatMap((line) => wrap(visible(line.replaceAll("\t", "  ")).replaceAll("*/", "*\\/").trimEnd()))
    .map((line) => line.replace(/^(\s*)@/, "$1\\@"));
  while (lines.length > 0 && lines[0] === "") lines.shift();
  while (lines.length > 0 && lines.at(-1) === "") lines.pop();
  return lines.length > maxLines ? [...lines.slice(0, maxLines), "…"] : lines;
}

/** Breaks a long line between words, each part as far in as the line. */
function wrap(line: string): string[] {
  if (line.length <= maxColumns) return [line];
  const indent = /^ */.exec(line)![0].slice(0, maxColumns / 2);
  const lines: string[] = [];
  let current = "";
  for (const word of line.trimStart().split(" ")) {
    if (current !== "" && indent.length + current.length + 1 + word.length > maxColumns) {
      lines.push(indent + current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, indent + current].map((part) => part.trimEnd());
}

/** Foreign text for a terminal, on one line: nothing in it moves the cursor, hides, or runs backwards. */
export function visible(text: string): string {
  return text.replace(invisible, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
