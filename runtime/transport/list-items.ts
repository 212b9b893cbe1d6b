/** Cuts the body of a LIST into its items while it arrives: it is never one string and never one tree. */
import { InformerError } from "../api/informer-error.js";
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  endOfNested,
  OPEN_BRACE,
  OPEN_BRACKET,
  parseJson,
  QUOTE,
  SPACE,
} from "./json-scan.js";

/** All of a list but its items. */
export interface ListEnvelope {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

/** Deepest nesting that is taken in: far beyond any schema's, far below the parser's own. */
const MAX_DEPTH = 10_000;

/** Largest item that is taken in, in bytes: as the longest line of a watch. etcd's own limit for an object is 1.5 MB. */
const MAX_ITEM_BYTES = 64 * 1024 * 1024;
const MAX_ENVELOPE_BYTES = 16 * 1024 * 1024;

/** Where in the document the scanner stands. Depth 1 is inside the list object, depth 2 inside `items`. */
type Place = "envelope" | "items";

/**
 * A scanner that is fed chunk by chunk. Bytes outside `items` are collected as the envelope; each item is handed out whole,
 * as a view that is valid during the call alone.
 */
export class ListItemSplitter {
  readonly #onItem: (bytes: Buffer, start: number, end: number) => void;
  /** The envelope's text with an empty `items`; parsed once, at the end. */
  readonly #envelope: Buffer[] = [];
  #envelopeBytes = 0;
  #itemParts: Buffer[] = [];
  #itemBytes = 0;
  #place: Place = "envelope";
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The last string at depth 1 while it may be the key `items`. */
  #key: number[] | undefined;
  #lastKey = "";
  #ended = false;

  constructor(onItem: (bytes: Buffer, start: number, end: number) => void) {
    this.#onItem = onItem;
  }

  push(chunk: Buffer): void {
    let from = 0;
    let at = 0;
    const { length } = chunk;
    while (at < length) {
      if (this.#inString) {
        at = this.#skipString(chunk, at);
        continue;
      }
      const byte = chunk[at]!;
      if (this.#place === "items" && this.#depth === 2) {
        // Between items: white space, commas, an item's first byte, or the end of the array.
        if (byte === CLOSE_BRACKET) {
          this.#place = "envelope";
          this.#depth = 1;
          from = at;
        } else if (byte > SPACE && byte !== COMMA) {
          if (byte !== OPEN_BRACE) throw new InformerError("decode", "an item of the list is not an object");
          // Most items lie whole in their chunk, and are skipped in one go.
          const after = endOfNested(chunk, at, length, MAX_DEPTH - 2);
          if (after !== -1) {
            this.#onItem(chunk, at, after);
            at = after;
            continue;
          }
          this.#depth = 3;
          from = at;
        }
        at++;
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          this.#key = this.#place === "envelope" && this.#depth === 1 ? [] : undefined;
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET:
          if (++this.#depth > MAX_DEPTH) throw new InformerError("limit", `nested deeper than ${MAX_DEPTH}`);
          if (byte === OPEN_BRACKET && this.#place === "envelope" && this.#depth === 2 && this.#lastKey === "items") {
            this.#envelope.push(copy(chunk, from, at + 1));
            this.#place = "items";
            from = at + 1;
          }
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          this.#depth--;
          if (this.#place === "items" && this.#depth === 2) {
            this.#endItem(chunk, from, at + 1);
            from = at + 1;
          } else if (this.#depth === 0) {
            this.#ended = true;
          }
          break;
        case COMMA:
          if (this.#place === "envelope" && this.#depth === 1) this.#lastKey = "";
          break;
      }
      at++;
    }
    if (this.#place === "envelope") {
      this.#envelope.push(copy(chunk, from, length));
      this.#envelopeBytes += length - from;
      limit("what a list says beside its items", this.#envelopeBytes, MAX_ENVELOPE_BYTES);
    } else if (this.#depth > 2) {
      this.#itemParts.push(copy(chunk, from, length));
      this.#itemBytes += length - from;
      limit("an item of the list", this.#itemBytes, MAX_ITEM_BYTES);
    }
  }

  /**
   * To be called when the body has ended.
   * @throws InformerError `decode` when the body is not a whole JSON object
   */
  end(): ListEnvelope {
    if (!this.#ended) throw new InformerError("decode", "the list ends in the middle");
    return parseJson(Buffer.concat(this.#envelope)) as ListEnvelope;
  }

  #skipString(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#escaped) {
        this.#escaped = false;
      } else if (byte === BACKSLASH) {
        this.#escaped = true;
      } else if (byte === QUOTE) {
        this.#inString = false;
        // A value follows its key, so the first string after `{` or `,` is the key and stays it.
        if (this.#key !== undefined && this.#lastKey === "") this.#lastKey = String.fromCharCode(...this.#key);
        this.#key = undefined;
        return at + 1;
      }
      if (this.#key !== undefined && this.#key.length <= "items".length) this.#key.push(byte);
    }
    return chunk.length;
  }

  #endItem(chunk: Buffer, from: number, end: number): void {
    if (this.#itemParts.length === 0) {
      this.#onItem(chunk, from, end);
      return;
    }
    this.#itemParts.push(chunk.subarray(from, end));
    const item = Buffer.concat(this.#itemParts);
    this.#itemParts = [];
    this.#itemBytes = 0;
    this.#onItem(item, 0, item.length);
  }
}

/** @throws InformerError `limit`, before it fills the memory */
function limit(what: string, bytes: number, most: number): void {
  if (bytes > most) throw new InformerError("limit", `${what} is larger than ${most} bytes`);
}

/** Parts that wait for the next chunk are copied: a view would keep its whole chunk alive. */
function copy(chunk: Buffer, start: number, end: number): Buffer {
  return Buffer.from(chunk.subarray(start, end));
}
