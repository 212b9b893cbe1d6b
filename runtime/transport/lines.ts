/** Cuts a byte stream at newlines: the frames of a watch. */
import { InformerError } from "../api/informer-error.js";

const NEWLINE = 10;
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
        const line = Buffer.concat(this.#parts);
        this.#parts = [];
        this.#partBytes = 0;
        onLine(line, 0, line.length);
      } else if (newline > start) {
        onLine(chunk, start, newline);
      }
      start = newline + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The bytes after the last newline, to be asked for when the stream has ended. */
  rest(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (this.#partBytes > MAX_LINE_BYTES) {
      throw new InformerError("protocol", `a line of the watch is longer than ${MAX_LINE_BYTES} bytes`);
    }
  }
}
