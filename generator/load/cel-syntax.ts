/**
 * The syntax of CEL, the language of `x-kubernetes-validations`, as a server's parser has it (cel-go `parser/gen/CEL.g4`), with
 * optional fields and with names between back-ticks. Syntax alone: whether a name is declared and a type fits, a server says.
 */

interface Token {
  readonly kind: "text" | "number" | "name" | "escaped" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

const escaped = String.raw`\\(?:[abfnrtv"'?\\${"`"}]|[xX][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|[0-3][0-7]{2})`;

/** Three quotes always begin a text that three quotes end. */
const texts = (quote: string) =>
  `${quote}{3}(?:${escaped}|[^\\\\])*?${quote}{3}|${quote}(?!${quote}{2})(?:${escaped}|[^\\\\${quote}\\n\\r])*${quote}`;
const rawTexts = (quote: string) => `${quote}{3}[^]*?${quote}{3}|${quote}(?!${quote}{2})[^${quote}\\n\\r]*${quote}`;

const forms: readonly (readonly [kind: Token["kind"] | "blank", form: RegExp])[] = [
  ["blank", /[\t\n\f\r ]+|\/\/[^\n]*/y],
  ["text", new RegExp(`[bB]?(?:${texts('"')}|${texts("'")}|[rR](?:${rawTexts('"')}|${rawTexts("'")}))`, "y")],
  ["number", /\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|(?:0x[\dA-Fa-f]+|\d+)[uU]?/y],
  ["name", /[A-Za-z_]\w*/y],
  ["escaped", /`[\w.\-/ ]+`/y],
  ["sign", /[=!<>]=|&&|\|\||[[\]{}().,\-!?:+*/%<>]/y],
];

const constants = ["true", "false", "null"];

/** What is larger is left to the server. */
const maxLength = 100_000;
const maxDepth = 200;

class SyntaxProblem extends Error {
  readonly at: number;

  constructor(at: number) {
    super();
    this.at = at;
  }
}

/** What is wrong with the syntax of an expression, or undefined. */
export function celProblem(expression: string): string | undefined {
  try {
    const tokens = expression.length > maxLength ? undefined : tokensOf(expression);
    if (tokens !== undefined && depthOf(tokens) <= maxDepth) new Parser(tokens).parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const rest = expression.slice(error.at);
    return rest === "" ? "ends too early" : `cannot be read from ${JSON.stringify(rest.slice(0, 40))} on`;
  }
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const next = () => {
    for (const [kind, form] of forms) {
      form.lastIndex = at;
      const text = form.exec(expression)?.[0];
      if (text !== undefined) return { kind, text };
    }
    throw new SyntaxProblem(at);
  };
  while (at < expression.length) {
    const { kind, text } = next();
    if (kind !== "blank") tokens.push({ kind, text, at });
    at += text.length;
  }
  return [...tokens, { kind: "end", text: "", at }];
}

function depthOf(tokens: readonly Token[]): number {
  let [depth, deepest] = [0, 0];
  for (const { kind, text } of tokens) {
    if (kind !== "sign") continue;
    if ("([{".includes(text)) depth += 1;
    else if (")]}".includes(text)) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** A method for each rule of the grammar, which takes what it reads, or throws. */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): void {
    this.#expression();
    if (this.#token.kind !== "end") this.#fail();
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #fail(): never {
    throw new SyntaxProblem(this.#token.at);
  }

  /** Takes the next token, if it is one of these signs or words. */
  #take(...texts: readonly string[]): boolean {
    const { kind, text } = this.#token;
    if ((kind !== "sign" && kind !== "name") || !texts.includes(text)) return false;
    this.#next += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail();
  }

  #takeName(): boolean {
    const { kind, text } = this.#token;
    if (kind !== "name" || text === "in" || constants.includes(text)) return false;
    this.#next += 1;
    return true;
  }

  #field(): void {
    if (this.#takeName()) return;
    if (this.#token.kind !== "escaped") this.#fail();
    this.#next += 1;
  }

  #expression(): void {
    for (;;) {
      this.#operation();
      if (!this.#take("?")) return;
      this.#operation();
      this.#expect(":");
    }
  }

  /** Which operator binds how closely changes nothing about what can be read. */
  #operation(): void {
    do this.#unary();
    while (this.#take("||", "&&", "<", "<=", ">", ">=", "==", "!=", "in", "+", "-", "*", "/", "%"));
  }

  #unary(): void {
    const sign = this.#token.text;
    if (sign === "!" || sign === "-") while (this.#take(sign));
    // A number has a minus of its own, also after these.
    if (this.#token.text === "-" && this.#tokens[this.#next + 1]?.kind === "number") this.#next += 1;
    this.#member();
  }

  #member(): void {
    // The name of a type, which fields in braces may follow: `a.b{c: 1}`.
    let isName = this.#primary();
    for (;;) {
      if (this.#take(".")) {
        isName = this.#select() && isName;
      } else if (this.#take("[")) {
        this.#optional();
        this.#expect("]");
        isName = false;
      } else if (isName && this.#take("{")) {
        this.#list("}", () => this.#entry(() => this.#field()));
        isName = false;
      } else return;
    }
  }

  /** @returns whether it is a name alone */
  #select(): boolean {
    const isOptional = this.#take("?");
    const { kind } = this.#token;
    this.#field();
    if (isOptional || kind === "escaped") return false;
    return !this.#call();
  }

  /** @returns whether it is a name alone */
  #primary(): boolean {
    const { kind, text } = this.#token;
    if (kind === "text" || kind === "number" || (kind === "name" && constants.includes(text))) {
      this.#next += 1;
      return false;
    }
    if (this.#take("(")) {
      this.#expression();
      this.#expect(")");
      return false;
    }
    if (this.#take("[")) {
      this.#list("]", () => this.#optional());
      return false;
    }
    if (this.#take("{")) {
      this.#list("}", () => this.#entry(() => this.#expression()));
      return false;
    }
    this.#take(".");
    if (!this.#takeName()) this.#fail();
    return !this.#call();
  }

  #call(): boolean {
    if (!this.#take("(")) return false;
    if (this.#take(")")) return true;
    do this.#expression();
    while (this.#take(","));
    this.#expect(")");
    return true;
  }

  #optional(): void {
    this.#take("?");
    this.#expression();
  }

  #entry(key: () => void): void {
    this.#take("?");
    key();
    this.#expect(":");
    this.#expression();
  }

  /** What stands between brackets; a comma may end it. */
  #list(end: string, item: () => void): void {
    if (this.#take(end)) return;
    if (!this.#take(",")) {
      do item();
      while (this.#take(",") && this.#token.text !== end);
    }
    this.#expect(end);
  }
}
