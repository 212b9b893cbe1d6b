/** Reads the body of an answer: pulled by the reader, pushed by the socket, never more than a little in between. */
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { InformerError, isInformerError, messageOf } from "../api/informer-error.js";
import { abortError, type Deferred, deferred, onAbort } from "../util/abort.js";
import type { ResponseBody } from "./transport.js";

/** Bytes that may wait for the reader before the socket is told to stop: those of four reads. One read may be many chunks. */
const MAX_WAITING_BYTES = 256 * 1024;

/**
 * What is asked for is never zipped: a proxy does it, or a bomb. Objects have names and uids of their own, so that a list of them
 * never shrinks to a two hundredth; a bomb shrinks to a thousandth. Small bodies are not looked at.
 */
const MAX_UNZIPPED_RATIO = 200;
const SMALL_UNZIPPED_BYTES = 64 * 1024 * 1024;

export class HttpBody implements ResponseBody {
  readonly #cancel: () => void;
  /** What is read: the response, or what it is unzipped to. */
  readonly #stream: Readable;
  #release: () => void = () => {};
  #chunks: Buffer[] = [];
  /** What was given out last. */
  #lent: Buffer | undefined;
  #waitingBytes = 0;
  #isPaused = false;
  #reader: Deferred<Buffer | undefined> | undefined;
  #end: { readonly error: InformerError | undefined } | undefined;

  /**
   * @param brokenBy asked at the end of the response: why it is not whole, if it is not
   * @param cancel destroys the response, and with it the connection or the stream within it
   */
  constructor(
    response: Readable,
    contentEncoding: string | string[] | undefined,
    signal: AbortSignal,
    brokenBy: () => Error | undefined = () => undefined,
    cancel: () => void = () => response.destroy(),
  ) {
    this.#cancel = cancel;
    const zipped = contentEncoding === "gzip";
    this.#stream = zipped ? response.pipe(createGunzip()) : response;
    if (zipped) {
      let zippedBytes = 0;
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        zippedBytes += chunk.length;
      });
      this.#stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= SMALL_UNZIPPED_BYTES || bytes <= zippedBytes * MAX_UNZIPPED_RATIO) return;
        this.#stream.destroy(
          new InformerError("limit", `${zippedBytes} bytes unzip to more than ${bytes}: this is no list of objects`),
        );
        cancel();
      });
      response.on("error", (error) => this.#stream.destroy(error));
      response.on("aborted", () => this.#stream.destroy(new Error("aborted")));
    }
    this.#stream.on("data", (chunk: Buffer) => this.#onData(asJavaScriptBuffer(chunk)));
    this.#stream.on("end", () => this.#finish(brokenBy()));
    this.#stream.on("error", (error) => this.#finish(error));
    // A connection that closes in the middle says neither end nor error in every version of Node.
    this.#stream.on("close", () => this.#finish(new Error("closed before the end")));
    const release = onAbort(signal, () => {
      this.#finish(abortError(signal));
      cancel();
    });
    if (this.#end === undefined) this.#release = release;
  }

  read(): Promise<Buffer | undefined> {
    const chunk = this.take();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#end !== undefined)
      return this.#end.error === undefined ? Promise.resolve(undefined) : Promise.reject(this.#end.error);
    this.#reader = deferred();
    return this.#reader.promise;
  }

  take(): Buffer | undefined {
    if (this.#lent !== undefined) free(this.#lent);
    const chunk = this.#chunks.shift();
    this.#lent = chunk;
    if (chunk === undefined) return undefined;
    this.#waitingBytes -= chunk.length;
    if (this.#isPaused && this.#waitingBytes === 0) {
      this.#isPaused = false;
      this.#stream.resume();
    }
    return chunk;
  }

  close(): void {
    this.#finish(undefined);
    this.#chunks = [];
    this.#cancel();
    this.#stream.destroy();
  }

  #onData(chunk: Buffer): void {
    // A stream that was destroyed may still give out what it had.
    if (this.#end !== undefined) return;
    if (this.#reader !== undefined) {
      this.#lent = chunk;
      this.#reader.resolve(chunk);
      this.#reader = undefined;
      return;
    }
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#isPaused || this.#waitingBytes < MAX_WAITING_BYTES) return;
    this.#isPaused = true;
    this.#stream.pause();
  }

  #finish(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#release();
    this.#end = { error: error === undefined || isInformerError(error) ? error : failure(error) };
    if (this.#end.error === undefined) this.#reader?.resolve(undefined);
    else this.#reader?.reject(this.#end.error);
    this.#reader = undefined;
  }
}

/**
 * The same bytes in a Buffer as JavaScript makes it. Those that the HTTP parser makes have a hidden class of their own, which
 * the collector drops while no such buffer is there, as on a quiet watch, and with it all code that V8 has compiled for it.
 */
function asJavaScriptBuffer({ buffer, byteOffset, length }: Buffer): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** From Node 22 on. */
interface Transferable {
  transfer?(length: number): ArrayBuffer;
}

/**
 * Gives memory back at once: the collector looks through the whole heap to find it, each time some 40 MB have come together.
 * What is cut out of a larger buffer may have neighbours, and is left to the collector.
 */
function free({ buffer, length }: Buffer): void {
  if (length === buffer.byteLength) (buffer as ArrayBufferLike & Transferable).transfer?.(0);
}

function failure(error: Error): InformerError {
  const zlib = "code" in error && String(error.code).startsWith("Z_");
  return zlib
    ? new InformerError("decode", `the body cannot be unzipped: ${messageOf(error)}`, { cause: error })
    : new InformerError("connection", `the connection broke: ${messageOf(error)}`, { cause: error });
}
