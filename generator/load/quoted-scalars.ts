/**
 * YAML 1.2 wants the further lines of a quoted scalar indented more than what holds it; Kubernetes' reader, and so old
 * controller-gen, does not. Line folding drops leading blanks, so indenting such lines changes no value and no line number.
 */
import type { Document } from "yaml";

const rounds = 20;

/** Parses; where quoted scalars break off at a line that stands too far left, indents their lines and parses again. */
export function indentQuotedScalars(text: string, parse: (text: string) => Document.Parsed[]): Document.Parsed[] {
  let source = text;
  let documents = parse(source);
  for (let round = 0; round < rounds; round++) {
    const ends = documents
      .flatMap(({ errors }) => errors)
      .filter(({ code, message }) => code === "MISSING_CHAR" && message.startsWith("Missing closing "))
      .map(({ pos, message }) => ({ offset: pos[0], quote: message.includes('"quote') ? '"' : "'" }));
    const indented = indent(source, ends);
    if (indented === source) break;
    source = indented;
    documents = parse(source);
  }
  return documents;
}

function indent(text: string, ends: readonly { readonly offset: number; readonly quote: string }[]): string {
  let result = "";
  let done = 0;
  for (const { offset, quote } of ends) {
    const open = openingQuote(text, offset, quote);
    if (open < done) continue;
    const close = closingQuote(text, open, quote);
    if (close === undefined) continue;
    const column = open - (text.lastIndexOf("\n", open) + 1);
    const scalar = text.slice(open, close).replace(/\n(?=[^\n])/g, `\n${" ".repeat(column + 1)}`);
    result += text.slice(done, open) + scalar;
    done = close;
  }
  return result + text.slice(done);
}

/** The quote that opened the scalar which breaks off at `offset`: the last one that nothing escapes. */
function openingQuote(text: string, offset: number, quote: string): number {
  let at = text.lastIndexOf(quote, offset - 1);
  while (at > 0) {
    if (quote === '"') {
      if (text[at - 1] !== "\\") return at;
      at = text.lastIndexOf(quote, at - 1);
    } else {
      let first = at;
      while (text[first - 1] === quote) first--;
      if ((at - first) % 2 === 0) return first;
      at = text.lastIndexOf(quote, first - 1);
    }
  }
  return at;
}

function closingQuote(text: string, open: number, quote: string): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === "\\" && quote === '"') at++;
    else if (text[at] === quote && quote === "'" && text[at + 1] === quote) at++;
    else if (text[at] === quote) return at;
  }
  return undefined;
}
