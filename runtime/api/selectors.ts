/** Label selectors, in kubectl's text form and in the API's object form. Counterpart: apimachinery `labels`. */
import { InformerError } from "./informer-error.js";

export type Labels = { readonly [key: string]: string };

/** As in `spec.selector` of a Deployment. */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

export interface LabelSelectorRequirement {
  readonly key: string;
  /** `In`, `NotIn`, `Exists` or `DoesNotExist`. */
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Either form. `""` and `{}` select everything. */
export type LabelSelectorInput = string | LabelSelectorObject;

/** A selector that has been read: every requirement must hold. */
export class LabelSelector {
  readonly #requirements: readonly Requirement[];

  constructor(requirements: readonly Requirement[]) {
    this.#requirements = requirements;
  }

  matches(labels: Labels | undefined): boolean {
    return this.#requirements.every((requirement) => holds(requirement, labels));
  }

  get matchesEverything(): boolean {
    return this.#requirements.length === 0;
  }
}

type Operator = "in" | "notin" | "exists" | "!" | ">" | "<";

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** What `>` and `<` compare: no fraction, no exponent, any length. */
const INTEGER = /^-?\d+$/;

/** A label that is absent satisfies `notin` and `!=`, as in apimachinery's `Requirement.Matches`. */
function holds({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "in":
      return value !== undefined && values.includes(value);
    case "notin":
      return value === undefined || !values.includes(value);
    case ">":
      return value !== undefined && INTEGER.test(value) && BigInt(value) > BigInt(values[0]!);
    case "<":
      return value !== undefined && INTEGER.test(value) && BigInt(value) < BigInt(values[0]!);
  }
}

/**
 * Reads either form.
 * @throws InformerError `usage`, naming the place, when it is not a selector
 */
export function parseLabelSelector(selector: LabelSelectorInput): LabelSelector {
  return new LabelSelector(typeof selector === "string" ? parseText(selector) : parseObject(selector));
}

function parseObject({ matchLabels = {}, matchExpressions = [] }: LabelSelectorObject): Requirement[] {
  const equal = Object.entries(matchLabels).map(
    ([key, value]): Requirement => ({ key, operator: "in", values: [value] }),
  );
  return [...equal, ...matchExpressions.map(parseExpression)];
}

function parseExpression({ key, operator, values = [] }: LabelSelectorRequirement): Requirement {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) throw refuse(`${operator} of "${key}" needs values`);
      return { key, operator: operator === "In" ? "in" : "notin", values };
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) throw refuse(`${operator} of "${key}" takes no values`);
      return { key, operator: operator === "Exists" ? "exists" : "!", values };
    default:
      throw refuse(`operator "${operator}" of "${key}" is none of In, NotIn, Exists, DoesNotExist`);
  }
}

const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const SET_BASED = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const COMPARED = /^([^!=<>\s]+)\s*(==|!=|=|>|<)\s*([^!=<>\s]*)$/;

function parseText(text: string): Requirement[] {
  return splitAtCommas(text).map((term) => {
    const setBased = SET_BASED.exec(term);
    if (setBased) {
      const [, key = "", operator, list = ""] = setBased;
      return checked(
        { key, operator: operator as "in" | "notin", values: list.split(",").map((value) => value.trim()) },
        term,
      );
    }
    const compared = COMPARED.exec(term);
    if (compared) {
      const [, key = "", operator = "", value = ""] = compared;
      return checked({ key, operator: OPERATORS[operator] ?? "in", values: [value] }, term);
    }
    if (term.startsWith("!")) return checked({ key: term.slice(1).trim(), operator: "!", values: [] }, term);
    return checked({ key: term, operator: "exists", values: [] }, term);
  });
}

const OPERATORS: Readonly<Record<string, Operator>> = { "=": "in", "==": "in", "!=": "notin", ">": ">", "<": "<" };

function checked(requirement: Requirement, term: string): Requirement {
  const { key, operator, values } = requirement;
  if (!KEY.test(key)) throw refuse(`"${term}": "${key}" is not a label key`);
  for (const value of values) {
    if (!VALUE.test(value)) throw refuse(`"${term}": "${value}" is not a label value`);
    if ((operator === ">" || operator === "<") && !INTEGER.test(value))
      throw refuse(`"${term}": "${value}" is not an integer`);
  }
  return requirement;
}

/** Commas separate requirements, but not inside the parentheses of `in (a, b)`. */
function splitAtCommas(text: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const at = text[i];
    if (at === "(") depth++;
    else if (at === ")") depth--;
    else if (at === undefined || (at === "," && depth === 0)) {
      terms.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  if (terms.length === 1 && terms[0] === "") return [];
  if (terms.includes("")) throw refuse(`"${text}" has an empty requirement`);
  return terms;
}

function refuse(what: string): InformerError {
  return new InformerError("usage", `label selector: ${what}`);
}
