/**
 * Reads what the runtime needs from the bytes of a JSON object, without building a tree: enough to key, order and route it.
 * The rest is skipped at the speed of a byte loop and decoded only if somebody reads the object.
 */
import { isAscii } from "node:buffer";
import { InformerError } from "../api/informer-error.js";

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
export const COMMA = 0x2c;
export const SPACE = 0x20;
const CASE_BIT = 0x20;
/** `Z`: what opens and closes objects and lists comes after it. */
const LAST_BELOW_BRACKETS = 0x5a;

/** What is read of an object's metadata. `""` where the object does not have it. */
export interface ScannedObject {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  /** Whether the object says its own `kind`: items of a typed LIST do not. */
  hasKind: boolean;
}

/**
 * Reads `metadata` of the object that begins at `start`. Stops as early as it can: Kubernetes writes metadata before spec
 * and status, and the four fields before managedFields. What is there twice, as Kubernetes never sends it, may be taken from the
 * first place, where `JSON.parse` takes the last.
 * @throws InformerError `decode` when the bytes are not an object with metadata
 */
export function scanObject(bytes: Buffer, start: number, end: number): ScannedObject {
  return scanUsual(bytes, start, end) ?? scanAny(bytes, start, end);
}

/** As Kubernetes writes objects of its own kinds: names without escapes, in this order. */
const USUAL_HEAD =
  /^\{("kind":"\w+","apiVersion":"[\w./-]+",)?"metadata":\{"name":"([\w.-]+)",(?:"generateName":"[\w.-]+",)?"namespace":"([\w.-]+)","uid":"([\w.-]+)","resourceVersion":"([\w.-]+)"/;
const BEFORE_NAME = '{"metadata":{"name":"'.length;
const AFTER_NAMESPACE = '","uid":"'.length;
const AFTER_UID = '","resourceVersion":"'.length;
/** Longer than names of the greatest length that there is make it. */
const MAX_HEAD_BYTES = 1024;

/** What {@link scanAny} would find, in native code and a tenth faster; `undefined` where only it can tell. */
function scanUsual(bytes: Buffer, start: number, end: number): ScannedObject | undefined {
  const found = USUAL_HEAD.exec(bytes.toString("latin1", start, Math.min(end, start + MAX_HEAD_BYTES)));
  if (found === null) return undefined;
  const [head, kind, name, namespace, uid, version] = found as unknown as [string, ...string[]];
  // A part of a string keeps the whole of it, also in what it is put together to: each is made anew.
  const anew = (part: string, at: number) => bytes.toString("latin1", at, at + part.length);
  const versionStart = start + head.length - 1 - version!.length;
  const uidStart = versionStart - AFTER_UID - uid!.length;
  return {
    namespace: anew(namespace!, uidStart - AFTER_NAMESPACE - namespace!.length),
    name: anew(name!, start + BEFORE_NAME + (kind?.length ?? 0)),
    uid: anew(uid!, uidStart),
    resourceVersion: anew(version!, versionStart),
    hasKind: kind !== undefined,
  };
}

function scanAny(bytes: Buffer, start: number, end: number): ScannedObject {
  const scanned: ScannedObject = { namespace: "", name: "", uid: "", resourceVersion: "", hasKind: false };
  let at = expect(bytes, skipSpace(bytes, start, end), end, OPEN_BRACE);
  for (;;) {
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== QUOTE) throw malformed(bytes, start, end, "an object without metadata");
    const keyStart = at + 1;
    const keyEnd = skipString(bytes, at, end) - 1;
    at = skipSpace(bytes, expect(bytes, skipSpace(bytes, keyEnd + 1, end), end, COLON), end);
    if (isKey(bytes, keyStart, keyEnd, "metadata")) {
      scanMetadata(bytes, at, end, scanned);
      return scanned;
    }
    if (isKey(bytes, keyStart, keyEnd, "kind")) scanned.hasKind = true;
    at = skipSpace(bytes, skipValue(bytes, at, end), end);
    if (bytes[at] === COMMA) at++;
  }
}

function scanMetadata(bytes: Buffer, start: number, end: number, scanned: ScannedObject): void {
  let at = expect(bytes, start, end, OPEN_BRACE);
  for (;;) {
    at = skipSpace(bytes, at, end);
    if (bytes[at] === CLOSE_BRACE) return;
    const keyStart = at + 1;
    const keyEnd = skipString(bytes, at, end) - 1;
    at = skipSpace(bytes, expect(bytes, skipSpace(bytes, keyEnd + 1, end), end, COLON), end);
    const valueEnd = skipValue(bytes, at, end);
    switch (keyEnd - keyStart) {
      case 3:
        if (isKey(bytes, keyStart, keyEnd, "uid")) scanned.uid = stringAt(bytes, at, valueEnd);
        break;
      case 4:
        if (isKey(bytes, keyStart, keyEnd, "name")) scanned.name = stringAt(bytes, at, valueEnd);
        break;
      case 9:
        if (isKey(bytes, keyStart, keyEnd, "namespace")) scanned.namespace = stringAt(bytes, at, valueEnd);
        break;
      case 15:
        if (isKey(bytes, keyStart, keyEnd, "resourceVersion")) scanned.resourceVersion = stringAt(bytes, at, valueEnd);
        break;
    }
    if (scanned.namespace !== "" && scanned.name !== "" && scanned.uid !== "" && scanned.resourceVersion !== "") return;
    at = skipSpace(bytes, valueEnd, end);
    if (bytes[at] === COMMA) at++;
    else if (bytes[at] !== CLOSE_BRACE) throw malformed(bytes, start, end, "metadata that does not end");
  }
}

/** Where the value of a top-level key lies in the object that begins at `start`; `undefined` when it has no such key. */
export function findValue(
  bytes: Buffer,
  start: number,
  end: number,
  key: string,
): { start: number; end: number } | undefined {
  const found = startOfMember(bytes, start, end, key);
  return found === -1 ? undefined : { start: found, end: skipValue(bytes, found, end) };
}

/** A member of an object: its value, and all that must go for the member to go, one comma included. */
export interface FoundMember {
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Whether no member follows it. */
  readonly isLast: boolean;
}

/**
 * Where `metadata.managedFields` lie in the object that begins at `start`; `undefined` when it has none, or is no object. Of
 * keys that are there twice, which Kubernetes never sends, it is the first.
 */
export function findManagedFields(bytes: Buffer, start: number, end: number): FoundMember | undefined {
  try {
    return managedFieldsOf(bytes, start, end);
  } catch {
    // Not JSON: whoever decodes it says so, and says it better.
    return undefined;
  }
}

function managedFieldsOf(bytes: Buffer, start: number, end: number): FoundMember | undefined {
  const metadata = startOfMember(bytes, start, end, "metadata");
  if (metadata === -1 || bytes[metadata] !== OPEN_BRACE) return undefined;
  const first = metadata + 1;
  /** The end of the member before. */
  let before = first;
  let at = first;
  for (;;) {
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== QUOTE) return undefined;
    const keyStart = at + 1;
    const keyEnd = skipString(bytes, at, end) - 1;
    const valueStart = skipSpace(bytes, expect(bytes, skipSpace(bytes, keyEnd + 1, end), end, COLON), end);
    const valueEnd = skipValue(bytes, valueStart, end);
    at = skipSpace(bytes, valueEnd, end);
    const isLast = bytes[at] !== COMMA;
    if (!isLast) at++;
    if (isKey(bytes, keyStart, keyEnd, "managedFields")) {
      return { start: before, end: before === first && !isLast ? at : valueEnd, valueStart, valueEnd, isLast };
    }
    before = valueEnd;
  }
}

/** Where the value of a top-level key begins; -1 when there is none. */
function startOfMember(bytes: Buffer, start: number, end: number, key: string): number {
  let at = expect(bytes, skipSpace(bytes, start, end), end, OPEN_BRACE);
  for (;;) {
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== QUOTE) return -1;
    const keyStart = at + 1;
    const keyEnd = skipString(bytes, at, end) - 1;
    at = skipSpace(bytes, expect(bytes, skipSpace(bytes, keyEnd + 1, end), end, COLON), end);
    if (isKey(bytes, keyStart, keyEnd, key)) return at;
    at = skipSpace(bytes, skipValue(bytes, at, end), end);
    if (bytes[at] === COMMA) at++;
  }
}

/** The position after the value that begins at `at`. */
export function skipValue(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at, end);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipLiteral(bytes, at, end);
  const after = endOfNested(bytes, at, end, Number.POSITIVE_INFINITY);
  if (after === -1) throw malformed(bytes, at, end, "a value that does not end");
  return after;
}

/** The position after the object or list that begins at `at`; -1 when it does not end before `end` or is nested too deep. */
export function endOfNested(bytes: Buffer, at: number, end: number, maxDepth: number): number {
  let depth = 0;
  let i = at;
  while (i < end) {
    const byte = bytes[i++]!;
    if (byte === QUOTE) {
      // As skipString, in place: most bytes of an object are in strings.
      for (let inner = bytes[i]; inner !== QUOTE && i < end; inner = bytes[i]) i += inner === BACKSLASH ? 2 : 1;
      i++;
    } else if (byte > LAST_BELOW_BRACKETS) {
      // `[` and `{` differ in one bit, as do `]` and `}`.
      if ((byte | CASE_BIT) === OPEN_BRACE) {
        if (++depth > maxDepth) return -1;
      } else if ((byte | CASE_BIT) === CLOSE_BRACE && --depth === 0) return i;
    }
  }
  return -1;
}

/** The position after the closing quote of the string that opens at `at`. */
function skipString(bytes: Buffer, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i++;
  }
  throw malformed(bytes, at, end, "a string that does not end");
}

/** A number, `true`, `false` or `null`. */
function skipLiteral(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== COMMA && bytes[i] !== CLOSE_BRACE && bytes[i] !== CLOSE_BRACKET && bytes[i]! > SPACE)
    i++;
  if (i === at) throw malformed(bytes, at, end, "no value where one belongs");
  return i;
}

export function skipSpace(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i]! <= SPACE) i++;
  return i;
}

function expect(bytes: Buffer, at: number, end: number, wanted: number): number {
  if (at < end && bytes[at] === wanted) return at + 1;
  throw malformed(bytes, at, end, `something else than "${String.fromCharCode(wanted)}"`);
}

function isKey(bytes: Buffer, start: number, end: number, key: string): boolean {
  if (end - start !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** The string between the quotes at `start` and before `end`; `""` for `null`. */
function stringAt(bytes: Buffer, start: number, end: number): string {
  if (bytes[start] !== QUOTE) return "";
  for (let i = start + 1; i < end - 1; i++) {
    const byte = bytes[i]!;
    // Escapes and characters beyond ASCII are rare in names: the library reads them.
    if (byte === BACKSLASH || byte >= 0x80) return parseJson(bytes, start, end) as string;
  }
  return bytes.toString("latin1", start + 1, end - 1);
}

/** The text between two positions. */
export function jsonText(bytes: Buffer, start: number, end: number): string {
  const slice = bytes.subarray(start, end);
  // ASCII as Latin-1 gives V8 a one-byte string, which it makes and parses fastest.
  return slice.toString(isAscii(slice) ? "latin1" : "utf8");
}

/** Decodes the JSON between two positions. */
export function parseJson(bytes: Buffer, start = 0, end = bytes.length): unknown {
  return parseText(jsonText(bytes, start, end), bytes, start, end);
}

/** The same with other JSON in place of one member's value. */
export function parseJsonWith(bytes: Buffer, start: number, end: number, member: FoundMember, value: string): unknown {
  const text = jsonText(bytes, start, member.valueStart) + value + jsonText(bytes, member.valueEnd, end);
  return parseText(text, bytes, start, end);
}

function parseText(text: string, bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Without its cause, which quotes what it read.
    throw new InformerError("decode", `not JSON: ${(error as Error).message}; it begins ${excerpt(bytes, start, end)}`);
  }
}

function malformed(bytes: Buffer, start: number, end: number, found: string): InformerError {
  return new InformerError(
    "decode",
    `not the JSON of an object: found ${found} at byte ${start}: ${excerpt(bytes, start, end)}`,
  );
}

/** The beginning of what was sent in place of an object, as a page; of an object nothing: it may be a Secret. */
function excerpt(bytes: Buffer, start: number, end: number): string {
  const first = bytes[start];
  if (first === OPEN_BRACE || first === OPEN_BRACKET || first === QUOTE) return `with ${String.fromCharCode(first)}`;
  return JSON.stringify(bytes.toString("utf8", start, Math.min(end, start + 60)));
}
