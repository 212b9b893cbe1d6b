/** Cuts a byte stream at newlines: the frames of a watch. */
import { InformerError } from "../api/informer-error.js";

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
/** Longest line that is taken in, in bytes. etcd's own limit for an object is 1.5 MB. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** What the buffer for unfinished lines begins with, and goes back to after a line that was larger than a common one. */
const CARRY_BYTES = 16 * 1024;
const LARGE_CARRY_BYTES = 1024 * 1024;

/**
 * Collects the parts of a line that comes in several chunks, in a buffer that is used again for the next.
 * Lines are given out as views that are good during the call alone: whoever keeps one copies it.
 */
export class LineSplitter {
  #carry = Buffer.allocUnsafeSlow(CARRY_BYTES);
  #carried = 0;

  /** Calls back for each line that ends in this chunk, in order. Blank lines are left out. */
  push(chunk: Buffer, onLine: (bytes: Buffer, start: number, end: number) => void): void {
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, start)) {
      if (this.#carried > 0) {
        this.#keep(chunk, start, newline);
        const line = this.takeRest();
        if (!isBlank(line, 0, line.length)) onLine(line, 0, line.length);
      } else if (!isBlank(chunk, start, newline)) {
        onLine(chunk, start, newline);
      }
      start = newline + 1;
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length);
  }

  /** The bytes after the last newline, to be taken once, when the stream has ended. Good until the next {@link push}. */
  takeRest(): Buffer {
    const rest = this.#carry.subarray(0, this.#carried);
    if (this.#carry.length > LARGE_CARRY_BYTES) this.#carry = Buffer.allocUnsafeSlow(CARRY_BYTES);
    this.#carried = 0;
    return rest;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const needed = this.#carried + end - start;
    if (needed > MAX_LINE_BYTES) {
      throw new InformerError("limit", `a line of the watch is longer than ${MAX_LINE_BYTES} bytes`);
    }
    if (needed > this.#carry.length) {
      const grown = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)));
      this.#carry.copy(grown, 0, 0, this.#carried);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carried, start, end);
    this.#carried = needed;
  }
}

/** Nothing but the carriage return of a server that ends its lines in CRLF. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  return start === end || (end - start === 1 && bytes[start] === CARRIAGE_RETURN);
}
