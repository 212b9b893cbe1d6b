/** JSON trees that came from outside: their keys may be `__proto__`, and nothing may be assigned by such a name. */
import { randomUUID } from "node:crypto";

export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The own property of that name; `undefined` for what is no object. */
export function property(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Equal as JSON: the order of keys does not count, `undefined` is absence. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = definedKeys(a);
  if (keys.length !== definedKeys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]));
}

function definedKeys(object: JsonObject): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}

/** A copy without one key. */
export function without(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

/** A copy with one key set, or taken away when the value is undefined. */
export function withProperty(object: JsonObject, name: string, value: unknown): JsonObject {
  const entries = Object.entries(object).filter(([key]) => key !== name);
  if (value !== undefined) entries.push([name, value]);
  return Object.fromEntries(entries);
}

/** Stands before the digits of a number that is too long for JavaScript, while JSON is read or written. */
const MARK = `${randomUUID()}:`;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");

/**
 * `JSON.parse`, but integers beyond 2^53 become BigInts: the server is Go, keeps all of int64, and gives back what it got.
 * @throws SyntaxError when it is not JSON
 */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const marked = text.replace(TOKEN, (token) => (isLongInteger(token) ? JSON.stringify(MARK + token) : token));
  return JSON.parse(marked, (_key, value: unknown) => (isMarked(value) ? BigInt(value.slice(MARK.length)) : value));
}

function isLongInteger(token: string): boolean {
  return /^-?[1-9]\d*$/.test(token) && !Number.isSafeInteger(Number(token));
}

function isMarked(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(MARK);
}

/** `JSON.stringify` of what {@link parseJson} gives. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A BigInt, or else this throws again.
    if (!(error instanceof TypeError)) throw error;
    const marked = JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? MARK + String(one) : one));
    return marked.replace(MARKED, "$1");
  }
}
