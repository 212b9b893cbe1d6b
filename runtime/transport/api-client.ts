/** LIST and WATCH as answers of an API server: which bodies are read as what, and which answers are refusals. */
import { InformerError, inContext } from "../api/informer-error.js";
import { asStatus, parseRetryAfter, type Status, statusError } from "../api/status-error.js";
import type { Clock } from "../util/clock.js";
import { parseJson } from "./json-scan.js";
import { LineSplitter } from "./lines.js";
import { type ListEnvelope, ListItemSplitter } from "./list-items.js";
import type { ResponseBody, Transport, TransportResponse } from "./transport.js";

/** Is given bytes that are good during the call alone: whoever keeps them copies them. */
export type OnBytes = (bytes: Buffer, start: number, end: number) => void;

export interface ApiRequest {
  readonly path: string;
  /** For messages: what was asked, as in `watch pods`. */
  readonly what: string;
  readonly accept: string;
  readonly signal: AbortSignal;
}

/** Most of a refusal's body that is read, in bytes. */
const MAX_STATUS_BYTES = 256 * 1024;

export class ApiClient {
  readonly #transport: Transport;
  readonly #clock: Clock;

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  get server(): string {
    return this.#transport.server;
  }

  /**
   * One page of a list. Items are handed out while the body arrives; the rest of the list object is the result.
   * @param onProgress called for each chunk, so that the caller can tell a slow answer from a dead one
   */
  async list(request: ApiRequest, onItem: OnBytes, onProgress: () => void): Promise<ListEnvelope> {
    const response = await this.#ask(request, "list");
    const splitter = new ListItemSplitter(onItem);
    try {
      for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read()) {
        onProgress();
        splitter.push(chunk);
      }
      return splitter.end();
    } catch (error) {
      throw inContext(error, `${request.what} at ${this.#transport.server}`);
    } finally {
      response.body.close();
    }
  }

  /** Opens a watch; resolves when the server has accepted it. */
  async watch(request: ApiRequest): Promise<WatchBody> {
    const { body } = await this.#ask(request, "watch");
    return new WatchBody(body, `${request.what} at ${this.#transport.server}`);
  }

  /** A small document, such as those of discovery; undefined when it is no JSON object. Of at most 256 KiB. */
  async read(request: ApiRequest): Promise<object | undefined> {
    const text = await readText(await this.#ask(request, "list"));
    try {
      const document: unknown = JSON.parse(text);
      return typeof document === "object" && document !== null ? document : undefined;
    } catch {
      return undefined;
    }
  }

  async #ask(request: ApiRequest, kind: "list" | "watch"): Promise<TransportResponse> {
    const { path, accept, signal } = request;
    const response = await this.#transport.get({ path, accept, kind, signal }).catch((error: unknown) => {
      throw inContext(error, request.what);
    });
    const type = String(response.headers["content-type"] ?? "");
    if (response.status === 200 && type.startsWith("application/json")) return response;
    const context = `${request.what} at ${this.#transport.server}`;
    const text = await readText(response);
    if (response.status === 200) {
      throw new InformerError(
        "protocol",
        `${context}: expected JSON, got ${type || "no content type"}: ${JSON.stringify(text.slice(0, 256))}`,
      );
    }
    const retryAfterMs = parseRetryAfter(String(response.headers["retry-after"] ?? ""), this.#clock.wallNow());
    throw statusError(
      response.status,
      type.startsWith("application/json") ? readStatus(text) : text,
      context,
      retryAfterMs,
    );
  }
}

/** The frames of an open watch. */
export class WatchBody {
  readonly #body: ResponseBody;
  /** For messages: `watch pods at https://10.0.0.1:6443`. */
  readonly #context: string;
  readonly #lines = new LineSplitter();

  constructor(body: ResponseBody, context: string) {
    this.#body = body;
    this.#context = context;
  }

  /**
   * Waits for the next chunks and hands out the lines that end in them; false when the server has closed the watch.
   * @throws InformerError `connection` when it broke, `protocol` when it ended within a line
   */
  async read(onLine: OnBytes): Promise<boolean> {
    try {
      let chunk = await this.#body.read();
      if (chunk !== undefined) {
        for (; chunk !== undefined; chunk = this.#body.take()) this.#lines.push(chunk, onLine);
        return true;
      }
      // A proxy may drop the last newline: a rest that is whole is taken, half an event is not.
      const rest = this.#lines.takeRest();
      if (rest.length > 0) {
        if (!isWhole(rest)) {
          throw new InformerError("protocol", `the watch ended within an event, after ${rest.length} bytes of it`);
        }
        onLine(rest, 0, rest.length);
      }
      return false;
    } catch (error) {
      throw inContext(error, this.#context);
    }
  }

  /** Closes the connection. */
  close(): void {
    this.#body.close();
  }
}

function isWhole(line: Buffer): boolean {
  try {
    parseJson(line);
    return true;
  } catch {
    return false;
  }
}

async function readText(response: TransportResponse): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read()) {
    parts.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MAX_STATUS_BYTES) break;
  }
  response.body.close();
  return Buffer.concat(parts).toString("utf8", 0, MAX_STATUS_BYTES);
}

function readStatus(text: string): Status | string {
  try {
    return asStatus(JSON.parse(text)) ?? text;
  } catch {
    return text;
  }
}
