/**
 * Bytes into objects. `metadata.managedFields` is a third of a Pod's bytes and half of what they become in memory, and hardly
 * anybody reads it: it stays text until it is read, as the whole object stays bytes.
 */
import { findManagedFields, jsonText, OPEN_BRACKET, parseJson, parseJsonWith } from "../transport/json-scan.js";
import { deepFreeze } from "./mutation-detector.js";

/** A number that nobody sends. */
const STAND_IN = Number.MIN_VALUE;
const STAND_IN_TEXT = String(STAND_IN);

/**
 * The object, equal in every respect to what `JSON.parse` makes of it, the order of its keys included; but its managedFields
 * are a property that decodes when it is read. It is enumerable, can be set and deleted, and is copied as what it stands for.
 * @param late keeps their text off the heap; without it they are a string
 * @throws InformerError `decode` when the bytes are not JSON
 */
export function decodeObject(bytes: Buffer, start: number, end: number, late?: LateText): unknown {
  const found = findManagedFields(bytes, start, end);
  // Kubernetes writes them as a list, and last, so that the order of keys stays as it is.
  if (found?.isLast !== true || bytes[found.valueStart] !== OPEN_BRACKET) return parseJson(bytes, start, end);
  const object = parseJsonWith(bytes, start, end, found, STAND_IN_TEXT) as { metadata: { managedFields?: unknown } };
  // It is not there when a key is there twice: the last counts, and what was found is the first.
  if (object.metadata?.managedFields !== STAND_IN) return parseJson(bytes, start, end);
  // Taking away the key that was added last costs nothing and leaves the object as fast as it was.
  delete object.metadata.managedFields;
  late?.keep(bytes, found.valueStart, found.valueEnd);
  new LateManagedFields(object.metadata, late ?? jsonText(bytes, found.valueStart, found.valueEnd));
  Object.defineProperty(object.metadata, "managedFields", PROPERTY);
  return object;
}

/** Keeps text until it is wanted. */
export interface LateText {
  keep(bytes: Buffer, start: number, end: number): void;
  /** To be called once. */
  take(): string;
}

/** A constructor that gives back what it is given lets a subclass add a private field to any object. */
class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is the point
    return object;
  }
}

/** Puts the text behind a metadata object where no key, copy or comparison sees it. */
class LateManagedFields extends Given {
  /** Where their text is, until they are read. */
  #text: LateText | string | undefined;
  #managedFields: unknown;

  constructor(metadata: object, text: LateText | string) {
    super(metadata);
    this.#text = text;
    this.#managedFields = undefined;
  }

  static read(metadata: object): unknown {
    if (!(#text in metadata)) return undefined;
    const text = metadata.#text;
    if (text !== undefined) {
      // A string from now on, which can be read again if it is not JSON.
      metadata.#text = typeof text === "string" ? text : text.take();
      const managedFields: unknown = parseJson(Buffer.from(metadata.#text));
      metadata.#managedFields = Object.isFrozen(metadata) ? deepFreeze(managedFields) : managedFields;
      metadata.#text = undefined;
    }
    return metadata.#managedFields;
  }
}

/** One for all objects, so that V8 gives them one hidden class. */
const PROPERTY: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: object) {
    return LateManagedFields.read(this);
  },
  set(this: object, value: unknown) {
    Object.defineProperty(this, "managedFields", { value, configurable: true, enumerable: true, writable: true });
  },
};
