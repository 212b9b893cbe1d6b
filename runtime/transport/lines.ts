/** Cuts a byte stream at newlines: the frames of a watch. */
import { InformerError } from "../api/informer-error.js";

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
/** Longest line that is taken in, in bytes. etcd's own limit for an object is 1.5 MB. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Collects the parts of a line that comes in several chunks.
 * Lines are given out as views of the chunk they came in: whoever keeps one copies it.
 */
export class LineSplitter {
  #parts: Buffer[] = [];
  #partBytes = 0;

  /** Calls back for each line that ends in this chunk, in order. Blank lines are left out. */
  push(chunk: Buffer, onLine: (bytes: Buffer, start: number, end: number) => void): void {
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, start)) {
      if (this.#partBytes > 0) {
        this.#parts.push(chunk.subarray(start, newline));
        const line = this.takeRest();
        if (!isBlank(line, 0, line.length)) onLine(line, 0, line.length);
      } else if (!isBlank(chunk, start, newline)) {
        onLine(chunk, start, newline);
      }
      start = newline + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The bytes after the last newline, to be taken once, when the stream has ended. */
  takeRest(): Buffer {
    const rest = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    return rest;
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (this.#partBytes > MAX_LINE_BYTES) {
      throw new InformerError("protocol", `a line of the watch is longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
}

/** Nothing but the carriage return of a server that ends its lines in CRLF. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  return start === end || (end - start === 1 && bytes[start] === CARRIAGE_RETURN);
}
