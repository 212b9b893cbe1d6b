/**
 * The syntax of a schema's patterns: Go's regular expressions (RE2, `regexp/syntax`), which are not JavaScript's. They are read
 * here and never given to JavaScript's engine, whose time an unlucky pattern can use up.
 */

/** One character, by its code point. */
export type CharTest = (code: number) => boolean;

export type Assertion = "text begin" | "text end" | "line begin" | "line end" | "word boundary" | "no word boundary";

export type Expression =
  | { readonly kind: "char"; readonly test: CharTest }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly nodes: readonly Expression[] }
  | { readonly kind: "choice"; readonly nodes: readonly Expression[] }
  | { readonly kind: "repeat"; readonly node: Expression; readonly least: number; readonly most: number };

/** A pattern that Go does not compile. */
export class PatternError extends Error {}

export function parsePattern(pattern: string): Expression {
  return new Parser(pattern).parse();
}

interface Flags {
  /** `i`: letters match in both cases. */
  readonly fold: boolean;
  /** `m`: lines begin and end, and not only the text. */
  readonly lines: boolean;
  /** `s`: a dot matches the end of a line. */
  readonly dotAll: boolean;
}

const maxRepeat = 1000;
const maxDepth = 1000;

const range = (...bounds: string[]): CharTest => {
  const ranges = bounds.map((pair) => [pair.codePointAt(0)!, pair.codePointAt(pair.length - 1)!] as const);
  return (code) => ranges.some(([low, high]) => code >= low && code <= high);
};

const perlClasses = new Map([
  ["d", range("09")],
  ["w", range("09", "AZ", "az", "__")],
  ["s", range("\t\n", "\f\r", "  ")],
]);

const posixClasses = new Map([
  ["alnum", range("09", "AZ", "az")],
  ["alpha", range("AZ", "az")],
  ["ascii", range("\0\x7f")],
  ["blank", range("\t\t", "  ")],
  ["cntrl", range("\0\x1f", "\x7f\x7f")],
  ["digit", range("09")],
  ["graph", range("!~")],
  ["lower", range("az")],
  ["print", range(" ~")],
  ["punct", range("!/", ":@", "[`", "{~")],
  ["space", range("\t\r", "  ")],
  ["upper", range("AZ")],
  ["word", range("09", "AZ", "az", "__")],
  ["xdigit", range("09", "AF", "af")],
]);

class Parser {
  #rest: string;
  #depth = 0;
  #flags: Flags = { fold: false, lines: false, dotAll: false };

  constructor(pattern: string) {
    this.#rest = pattern;
  }

  parse(): Expression {
    const node = this.#choice();
    if (this.#rest !== "") throw new PatternError("pattern closes a group that is not open");
    return node;
  }

  /** Takes what stands next, if it is that. */
  #take(text: string): boolean {
    if (!this.#rest.startsWith(text)) return false;
    this.#rest = this.#rest.slice(text.length);
    return true;
  }

  /** The same of what an expression finds at the beginning. */
  #match(expression: RegExp): RegExpExecArray | undefined {
    const found = expression.exec(this.#rest);
    if (found === null) return undefined;
    this.#rest = this.#rest.slice(found[0].length);
    return found;
  }

  #next(): number {
    const code = this.#rest.codePointAt(0)!;
    this.#rest = this.#rest.slice(code > 0xffff ? 2 : 1);
    return code;
  }

  #choice(): Expression {
    const nodes: Expression[] = [];
    do nodes.push(this.#sequence());
    while (this.#take("|"));
    return nodes.length === 1 ? nodes[0]! : { kind: "choice", nodes };
  }

  #sequence(): Expression {
    const nodes: Expression[] = [];
    let afterRepeat = false;
    while (this.#rest !== "" && !/^[|)]/.test(this.#rest)) {
      const bounds = this.#repeat();
      if (bounds === undefined) for (const node of this.#piece()) nodes.push(node);
      else {
        if (afterRepeat) throw new PatternError("pattern repeats a repetition");
        const node = nodes.pop();
        if (node === undefined) throw new PatternError("pattern repeats nothing");
        const repeated: Expression = { kind: "repeat", node, ...bounds };
        if (Math.max(bounds.least, bounds.most) >= 2 && bounds.most !== 1 && !isRepeatable(repeated, maxRepeat)) {
          throw new PatternError(`pattern repeats more than ${maxRepeat} times`);
        }
        nodes.push(repeated);
      }
      afterRepeat = bounds !== undefined;
    }
    return nodes.length === 1 ? nodes[0]! : { kind: "sequence", nodes };
  }

  #repeat(): { least: number; most: number } | undefined {
    const [, operator, low, comma, high] = this.#match(/^(?:([*+?])|\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\})\??/) ?? [];
    if (operator !== undefined) {
      return { least: operator === "+" ? 1 : 0, most: operator === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    if (low === undefined) return undefined;
    const least = Number(low);
    const most = comma === undefined ? least : high === undefined ? Number.POSITIVE_INFINITY : Number(high);
    if (least > maxRepeat || (most > maxRepeat && high !== undefined)) {
      throw new PatternError(`pattern repeats more than ${maxRepeat} times`);
    }
    if (least > most) throw new PatternError("pattern repeats at least more often than at most");
    return { least, most };
  }

  #piece(): Expression[] {
    if (this.#take("(")) return this.#group();
    if (this.#take("[")) return [{ kind: "char", test: this.#class() }];
    if (this.#take("^")) return [assertion(this.#flags.lines ? "line begin" : "text begin")];
    if (this.#take("$")) return [assertion(this.#flags.lines ? "line end" : "text end")];
    if (this.#take(".")) {
      const { dotAll } = this.#flags;
      return [{ kind: "char", test: (code) => dotAll || code !== 0x0a }];
    }
    if (!this.#rest.startsWith("\\")) return [this.#literal(this.#next())];
    const quoted = this.#match(/^\\Q(.*?)(?:\\E|$)/s)?.[1];
    if (quoted !== undefined) return [...quoted].map((character) => this.#literal(character.codePointAt(0)!));
    if (this.#take("\\A")) return [assertion("text begin")];
    if (this.#take("\\z")) return [assertion("text end")];
    if (this.#take("\\b")) return [assertion("word boundary")];
    if (this.#take("\\B")) return [assertion("no word boundary")];
    const named = this.#namedClass();
    return [named === undefined ? this.#literal(this.#escape()) : { kind: "char", test: named }];
  }

  #literal(code: number): Expression {
    return { kind: "char", test: this.#folded((other) => other === code) };
  }

  #folded(test: CharTest): CharTest {
    if (!this.#flags.fold) return test;
    return (code) => {
      const character = String.fromCodePoint(code);
      const cases = [character, character.toLowerCase(), character.toUpperCase()];
      return cases.some((other) => test(other.codePointAt(0)!));
    };
  }

  #group(): Expression[] {
    const outer = this.#flags;
    if (this.#rest.startsWith("?") && !this.#match(/^\?P?<\w+>/)) {
      const [, on = "", off, end] = this.#match(/^\?([imsU]*)(?:-([imsU]+))?([:)])/) ?? [];
      if (end === undefined) {
        const looks = /^\?<?[=!]/.test(this.#rest);
        throw new PatternError(looks ? "pattern looks ahead or behind" : "pattern has a group of an unknown kind");
      }
      const flag = (name: string, was: boolean) => (was || on.includes(name)) && off?.includes(name) !== true;
      const flags = { fold: flag("i", outer.fold), lines: flag("m", outer.lines), dotAll: flag("s", outer.dotAll) };
      this.#flags = flags;
      if (end === ")") return [];
    }
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new PatternError("pattern nests too deeply");
    const node = this.#choice();
    if (!this.#take(")")) throw new PatternError("pattern leaves a group open");
    this.#depth -= 1;
    this.#flags = outer;
    return [node];
  }

  /** What follows an opening bracket. */
  #class(): CharTest {
    const negated = this.#take("^");
    const tests: CharTest[] = [];
    // A bracket that comes first is one of the class.
    while (tests.length === 0 || !this.#rest.startsWith("]")) {
      if (this.#rest === "") throw new PatternError("pattern leaves a class open");
      tests.push(this.#posixClass() ?? this.#namedClass() ?? this.#span());
    }
    this.#take("]");
    return (code) => tests.some((test) => test(code)) !== negated;
  }

  #span(): CharTest {
    const low = this.#classChar();
    const high = this.#match(/^-(?=[^\]])/) ? this.#classChar() : low;
    if (high < low) throw new PatternError("pattern has a range whose end comes before its beginning");
    return this.#folded((code) => code >= low && code <= high);
  }

  #classChar(): number {
    if (this.#rest === "") throw new PatternError("pattern leaves a class open");
    return this.#rest.startsWith("\\") ? this.#escape() : this.#next();
  }

  #posixClass(): CharTest | undefined {
    const [, not, name = ""] = this.#match(/^\[:(\^?)(.*?):\]/s) ?? [];
    if (not === undefined) return undefined;
    const test = posixClasses.get(name);
    if (test === undefined) throw new PatternError(`pattern has the class ${name}, which is not known`);
    const folded = this.#folded(test);
    return not === "" ? folded : (code) => !folded(code);
  }

  /** `\d`, `\pL`, `\p{Greek}` and what they negate. */
  #namedClass(): CharTest | undefined {
    const perl = this.#match(/^\\([dswDSW])/)?.[1];
    if (perl !== undefined) {
      const test = this.#folded(perlClasses.get(perl.toLowerCase())!);
      return perl === perl.toLowerCase() ? test : (code) => !test(code);
    }
    const [shown, sign, braced, single] = this.#match(/^\\([pP])(?:\{([^}]*)\}|([^{]))/u) ?? [];
    if (shown === undefined) return undefined;
    const [, not = "", name = ""] = /^(\^?)(.*)$/s.exec(braced ?? single ?? "")!;
    const test = unicodeClass(name);
    if (test === undefined) throw new PatternError(`pattern has ${shown}, which is no class of Unicode`);
    const folded = this.#folded(test);
    return (sign === "p") === (not === "") ? folded : (code) => !folded(code);
  }

  #escape(): number {
    const octal = this.#match(/^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/)?.[1];
    if (octal !== undefined) return Number.parseInt(octal, 8);
    const [, braced, two] = this.#match(/^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/) ?? [];
    const code = Number.parseInt(braced ?? two ?? "", 16);
    if (code <= 0x10ffff) return code;
    const control = this.#match(/^\\([afnrtv])/)?.[1];
    if (control !== undefined) return "\x07\f\n\r\t\v".charCodeAt("afnrtv".indexOf(control));
    const itself = this.#match(/^\\([!-/:-@[-`{-~\0-\x20\x7f])/)?.[1];
    if (itself !== undefined) return itself.charCodeAt(0);
    if (this.#rest === "\\") throw new PatternError("pattern ends with a backslash");
    if (/^\\[1-9]/.test(this.#rest)) throw new PatternError("pattern has a back-reference");
    throw new PatternError(
      `pattern has \\${String.fromCodePoint(this.#rest.codePointAt(1)!)}, which is no escape of RE2`,
    );
  }
}

function assertion(kind: Assertion): Expression {
  return { kind: "assertion", assertion: kind };
}

/** Repetitions within repetitions multiply. */
function isRepeatable(node: Expression, budget: number): boolean {
  if (node.kind === "sequence" || node.kind === "choice")
    return node.nodes.every((inner) => isRepeatable(inner, budget));
  if (node.kind !== "repeat") return true;
  const { least, most } = node;
  // A star, a plus and a question mark are no numbers.
  const times = most === Number.POSITIVE_INFINITY ? least : most;
  if (times > budget) return false;
  return isRepeatable(node.node, times > 1 ? Math.floor(budget / times) : budget);
}

/** Categories and scripts; Go takes their names in any case. */
function unicodeClass(name: string): CharTest | undefined {
  if (!/^[A-Za-z_]+$/.test(name)) return undefined;
  const words = name.split("_").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase());
  const proper = words.join("_");
  const special = { Any: "Any", Ascii: "ASCII", Assigned: "Assigned", Lc: "Lc" }[proper];
  for (const property of special === undefined
    ? [`General_Category=${proper}`, `Script=${proper}`]
    : [special === "Lc" ? "General_Category=LC" : special]) {
    try {
      const expression = new RegExp(`^\\p{${property}}$`, "u");
      return (code) => expression.test(String.fromCodePoint(code));
    } catch {
      // Not one of these; perhaps one of the others.
    }
  }
  return undefined;
}
