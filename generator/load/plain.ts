/**
 * The fast way to read: JSON and YAML as values alone, without their places. It gives up on whatever is unusual (a repeated
 * key, a merge key, a limit, any error), and load/yaml.ts then reads the same text slowly, with warnings and messages.
 */
import { plainScalar } from "./scalars.js";
import { importTool } from "./tools.js";

/** @returns the documents, or undefined when the text needs the slow reader */
export async function readFast(text: string, limits: Limits): Promise<unknown[] | undefined> {
  const json = jsonValues(text);
  if (json !== undefined) {
    const values = parseJson(json);
    if (values !== undefined) return contentOf(values, limits) === keysOf(json) ? values : undefined;
  }
  const values = await parseYaml(text);
  if (values === undefined || contentOf(values, limits) === undefined) return undefined;
  // js-yaml's strings are parts of the text and would keep all of it.
  return JSON.parse(JSON.stringify(values)) as unknown[];
}

interface Limits {
  readonly documents: number;
  readonly nodes: number;
  readonly depth: number;
}

interface Part {
  readonly text: string;
  readonly offset: number;
}

const [quote, backslash] = ['"', "\\"].map((character) => character.charCodeAt(0));

/**
 * The texts of a stream of JSON objects, which kubectl takes one after the other, with or without `---` between them; or
 * undefined for anything else. What is found need not be valid.
 */
export function jsonValues(text: string): Part[] | undefined {
  const parts: Part[] = [];
  const between = /\uFEFF?(?:\s|^---(?=\s))*/my;
  for (let at = 0; at < text.length; ) {
    between.lastIndex = at;
    at += between.exec(text)![0].length;
    if (at === text.length) break;
    if (text[at] !== "{") return undefined;
    const end = endOfObject(text, at);
    if (end === undefined) return undefined;
    parts.push({ text: text.slice(at, end), offset: at });
    at = end;
  }
  return parts.length === 0 ? undefined : parts;
}

function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === 0x7b) depth += 1;
    else if (code === 0x7d) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function parseJson(parts: readonly Part[]): unknown[] | undefined {
  try {
    return parts.map(({ text }) => JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** How many keys valid JSON has, repeated ones too: its colons outside of texts. */
function keysOf(parts: readonly Part[]): number {
  let keys = 0;
  for (const { text } of parts) {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) at = endOfString(text, at);
      else if (code === 0x3a) keys += 1;
    }
  }
  return keys;
}

async function parseYaml(text: string): Promise<unknown[] | undefined> {
  const { FAILSAFE_SCHEMA, loadAll, Type } = await importTool("js-yaml", () => import("js-yaml"));
  const plain = new Type("tag:kubernetes.io,2014:plain", {
    kind: "scalar",
    resolve: (source: string) => plainScalar(source) !== source,
    construct: plainScalar,
  });
  try {
    const schema = FAILSAFE_SCHEMA.extend({ implicit: [plain] });
    return loadAll(text, undefined, { schema }).filter((value) => value !== null && value !== undefined);
  } catch {
    return undefined;
  }
}

/** How many keys the documents have; undefined when they exceed a limit, or may mean something else than they seem to. */
function contentOf(documents: readonly unknown[], limits: Limits): number | undefined {
  if (documents.length > limits.documents) return undefined;
  let nodes = 0;
  let keys = 0;
  let level: readonly unknown[] = documents;
  for (let depth = 0; level.length > 0; depth++) {
    nodes += level.length;
    if (depth > limits.depth || nodes > limits.nodes) return undefined;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === "number" && !Number.isFinite(value)) return undefined;
      if (typeof value !== "object" || value === null) continue;
      if (Array.isArray(value)) for (const item of value) next.push(item);
      else {
        for (const [key, item] of Object.entries(value)) {
          if (isDoubtful(key)) return undefined;
          keys += 1;
          next.push(item);
        }
      }
    }
    level = next;
  }
  return keys;
}

/** Keys that js-yaml makes of what is no text, and the one that merges. */
function isDoubtful(key: string): boolean {
  return key === "" || key === "<<" || key === "null" || key.includes(",") || key.startsWith("[object");
}
