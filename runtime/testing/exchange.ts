/** One HTTP request and its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Http2Stream, constants as http2 } from "node:http2";
import { Transform, type Writable } from "node:stream";
import { promisify } from "node:util";
import { constants, createGzip, gzip } from "node:zlib";
import { isJsonObject, type JsonObject, parseJson, stringifyJson } from "./json.js";
import { resetSocket } from "./reset-socket.js";
import { type ApiError, badRequest, entityTooLarge, unsupportedMediaType } from "./status.js";

const gzipBuffer = promisify(gzip);

/** Most bytes of a request's body. Counterpart: `MaxRequestBodyBytes`. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** Answers of more bytes are compressed for clients that accept it; a watch never is. */
const GZIP_FROM_BYTES = 128 * 1024;
/** Pieces of a long answer are gathered up to so many characters. */
const WRITE_CHARACTERS = 64 * 1024;
const FAST = { level: constants.Z_BEST_SPEED };

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Without the query, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborted when the client has gone, or its answer is complete. */
  readonly signal: AbortSignal;
  /** Set by a test that wants to change the lines of a watch. */
  rewrite: ((line: string) => string | undefined) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.method = request.method ?? "GET";
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark === -1 ? "" : url.slice(mark + 1));
    const gone = new AbortController();
    this.signal = gone.signal;
    response.once("close", () => gone.abort());
    // A connection that breaks is the client's affair.
    request.on("error", () => {});
    response.on("error", () => {});
  }

  /** A `Warning` header, as kubectl shows it. RFC 7234 5.5. */
  warn(text: string): void {
    this.response.appendHeader("Warning", `299 - ${JSON.stringify(text)}`);
  }

  async json(status: number, body: object | string, contentType = "application/json"): Promise<void> {
    const text = typeof body === "string" ? body : stringifyJson(body);
    await this.#send(status, contentType, Buffer.from(text));
  }

  async text(status: number, body: string): Promise<void> {
    await this.#send(status, "text/plain; charset=utf-8", Buffer.from(body));
  }

  async redirect(location: string): Promise<void> {
    this.response.setHeader("Location", location);
    await this.json(301, "");
  }

  async error(error: ApiError): Promise<void> {
    const retryAfter = error.status.details?.retryAfterSeconds;
    if (retryAfter !== undefined) this.response.setHeader("Retry-After", String(retryAfter));
    await this.json(error.code, error.status);
  }

  /** A long JSON text in pieces; it is written as fast as the client reads. */
  async pieces(status: number, pieces: Iterable<string>): Promise<void> {
    const iterator = gathered(pieces);
    const { value: first = "" } = iterator.next();
    if (first.length < WRITE_CHARACTERS) return this.json(status, first);
    this.#head(status, "application/json");
    const { response, signal } = this;
    const compress = this.#acceptsGzip() ? createGzip(FAST) : undefined;
    if (compress !== undefined) {
      response.setHeader("Content-Encoding", "gzip");
      compress.pipe(response);
    }
    const out = compress ?? response;
    for (let piece: string | undefined = first; piece !== undefined && !signal.aborted; ) {
      if (!out.write(piece)) await drained(out, signal);
      const { value, done } = iterator.next();
      piece = done === true ? undefined : value;
    }
    out.end();
  }

  /** The start of a watch: headers go out at once. */
  stream(): Writable {
    this.#head(200, "application/json");
    this.response.flushHeaders();
    const { rewrite } = this;
    if (rewrite === undefined) return this.response;
    // A watch writes line by line, so that a chunk is a line.
    const rewriting = new Transform({
      transform: (line: Buffer, _encoding, done) => done(null, rewrite(line.toString("utf8"))),
    });
    rewriting.pipe(this.response);
    return rewriting;
  }

  /** Tears the connection down; over HTTP/2 the stream alone, as others share the connection. */
  reset(): void {
    const { stream } = this.response as { readonly stream?: Http2Stream };
    const { socket } = this.response;
    if (stream === undefined && socket !== null) resetSocket(socket);
    else stream?.close(http2.NGHTTP2_INTERNAL_ERROR);
  }

  /** Closes the connection in the middle of an answer, without an error. */
  cut(): void {
    const { stream } = this.response as { readonly stream?: Http2Stream };
    if (stream === undefined) this.response.socket?.destroy();
    else stream.session?.destroy();
  }

  /** @throws ApiError 400 when the body is not a JSON object, 413 when it is too long, 415 when it is of another type */
  async object(accepted: readonly string[]): Promise<JsonObject> {
    const value = await this.body(accepted);
    if (!isJsonObject(value)) throw badRequest("the object provided is unrecognized: it is not a JSON object");
    return value;
  }

  /** The parsed body; undefined when there is none. */
  async body(accepted: readonly string[]): Promise<unknown> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw entityTooLarge(MAX_BODY_BYTES);
      chunks.push(chunk);
    }
    const type = this.contentType();
    if (type !== undefined && !accepted.includes(type)) throw unsupportedMediaType(accepted);
    if (length === 0) return undefined;
    try {
      return parseJson(Buffer.concat(chunks).toString("utf8"));
    } catch {
      throw badRequest("the object provided is unrecognized: json parse error");
    }
  }

  /** Without parameters; undefined when the client did not say. */
  contentType(): string | undefined {
    return this.request.headers["content-type"]?.split(";")[0]?.trim();
  }

  #head(status: number, contentType: string): void {
    this.response.statusCode = status;
    this.response.setHeader("Content-Type", contentType);
    if (!this.response.hasHeader("Cache-Control")) this.response.setHeader("Cache-Control", "no-cache, private");
  }

  #acceptsGzip(): boolean {
    return String(this.request.headers["accept-encoding"] ?? "").includes("gzip");
  }

  async #send(status: number, contentType: string, body: Buffer): Promise<void> {
    // What was not read of a refused request would otherwise hold its connection.
    if (!this.request.complete) this.request.resume();
    const compressed = body.length > GZIP_FROM_BYTES && this.#acceptsGzip();
    const sent = compressed ? await gzipBuffer(body, FAST) : body;
    this.#head(status, contentType);
    if (compressed) this.response.setHeader("Content-Encoding", "gzip");
    this.response.setHeader("Content-Length", sent.length);
    this.response.end(sent);
  }
}

function* gathered(pieces: Iterable<string>): Generator<string> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length < WRITE_CHARACTERS) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

function drained(out: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      out.removeListener("drain", settle);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    out.once("drain", settle);
    signal.addEventListener("abort", settle);
    if (signal.aborted) settle();
  });
}
