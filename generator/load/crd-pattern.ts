/** The patterns of a schema: whether a server compiles them, and whether a text matches. */
import { type Assertion, type CharTest, type Expression, PatternError, parsePattern } from "./re2-syntax.js";

/** What is wrong with a pattern, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  try {
    parsePattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** Steps of a pattern, and these times the characters of a text, beyond which nobody is asked whether it matches. */
const maxSteps = 20_000;
const maxWork = 5_000_000;

type Step =
  | { readonly test: CharTest; readonly next: number }
  | { readonly assertion: Assertion; readonly next: number }
  | { readonly branches: number[] };

/**
 * Whether a text has a match, anywhere, in time that grows with the length of both alone. True also of what is too large to try.
 *
 * @param pattern without a problem
 */
export function matches(pattern: string, text: string): boolean {
  const steps = compile(parsePattern(pattern));
  if (steps === undefined || steps.length * text.length > maxWork) return true;
  const codes = [...text].map((character) => character.codePointAt(0)!);
  let current = new Set<number>();
  for (let at = 0; at <= codes.length; at++) {
    // A match may begin anywhere; the step after the last is the end of one.
    const reached = follow(steps, [0, ...current], codes, at);
    if (reached.has(steps.length)) return true;
    current = new Set();
    for (const index of reached) {
      const step = steps[index]!;
      if ("test" in step && at < codes.length && step.test(codes[at]!)) current.add(step.next);
    }
  }
  return false;
}

/** Every step that is reached without reading on. */
function follow(steps: readonly Step[], from: readonly number[], codes: readonly number[], at: number): Set<number> {
  const reached = new Set<number>();
  const open = [...from];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (reached.has(index)) continue;
    reached.add(index);
    const step = steps[index];
    if (step === undefined || "test" in step) continue;
    if ("branches" in step) open.push(...step.branches);
    else if (holds(step.assertion, codes, at)) open.push(step.next);
  }
  return reached;
}

function holds(assertion: Assertion, codes: readonly number[], at: number): boolean {
  const isWord = (code: number | undefined) => code !== undefined && /\w/.test(String.fromCodePoint(code));
  switch (assertion) {
    case "text begin":
      return at === 0;
    case "text end":
      return at === codes.length;
    case "line begin":
      return at === 0 || codes[at - 1] === 0x0a;
    case "line end":
      return at === codes.length || codes[at] === 0x0a;
    case "word boundary":
      return isWord(codes[at - 1]) !== isWord(codes[at]);
    case "no word boundary":
      return isWord(codes[at - 1]) === isWord(codes[at]);
  }
}

function compile(root: Expression): Step[] | undefined {
  const steps: Step[] = [];
  const add = (node: Expression): void => {
    if (steps.length > maxSteps) return;
    if (node.kind === "char") steps.push({ test: node.test, next: steps.length + 1 });
    else if (node.kind === "assertion") steps.push({ assertion: node.assertion, next: steps.length + 1 });
    else if (node.kind === "sequence") node.nodes.forEach(add);
    else if (node.kind === "choice") choose(node.nodes);
    else repeat(node.node, node.least, node.most);
  };
  const choose = (nodes: readonly Expression[]): void => {
    const fork: number[] = [];
    steps.push({ branches: fork });
    const ends: number[][] = [];
    for (const node of nodes) {
      fork.push(steps.length);
      add(node);
      const end: number[] = [];
      ends.push(end);
      steps.push({ branches: end });
    }
    for (const end of ends) end.push(steps.length);
  };
  const repeat = (node: Expression, least: number, most: number): void => {
    for (let count = 0; count < least && steps.length <= maxSteps; count++) add(node);
    if (most === Number.POSITIVE_INFINITY) {
      const begin = steps.length;
      const fork = [begin + 1];
      steps.push({ branches: fork });
      add(node);
      steps.push({ branches: [begin] });
      fork.push(steps.length);
      return;
    }
    const forks: number[][] = [];
    for (let count = least; count < most && steps.length <= maxSteps; count++) {
      const fork = [steps.length + 1];
      forks.push(fork);
      steps.push({ branches: fork });
      add(node);
    }
    for (const fork of forks) fork.push(steps.length);
  };
  add(root);
  return steps.length > maxSteps ? undefined : steps;
}
