/** Faults on demand: a test says what happens to a request before the server looks at it. */
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../util/clock.js";
import type { Exchange } from "./exchange.js";
import { stringifyJson } from "./json.js";

export interface InterceptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/**
 * - `clean` the answer is complete
 * - `cut` the connection is closed in the middle of it: a FIN without the last chunk
 * - `reset` the connection is torn down: an RST
 * - `open` nothing more comes, and the connection stays
 */
export type InterceptionEnd = "clean" | "cut" | "reset" | "open";

/** What happens instead of the server's answer, or before it. */
export interface Interception {
  /** Waits so long first, by the server's clock. */
  readonly delayMs?: number;
  /** HTTP status to answer with. Without one, and without `end`, the server answers. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, or a value to be sent as JSON, or pieces that are sent one by one, as they come. */
  readonly body?: string | Uint8Array | object | AsyncIterable<string | Uint8Array>;
  /** `clean` when absent. Without a `status` no byte of an answer is sent before it. */
  readonly end?: InterceptionEnd;
  /** When the server answers with a watch: each line of it, to change; undefined leaves it out. */
  readonly rewrite?: (line: string) => string | undefined;
}

/** Undefined lets the request pass. */
export type Interceptor = (request: InterceptedRequest) => Interception | undefined | Promise<Interception | undefined>;

/** Does what an interception says. Resolves to true when the request has been answered, or never will be. */
export async function intercept(exchange: Exchange, interception: Interception, clock: Clock): Promise<boolean> {
  const { delayMs, status, end } = interception;
  if (delayMs !== undefined && !(await delayed(delayMs, clock, exchange.signal))) return true;
  exchange.rewrite = interception.rewrite;
  if (status !== undefined) await answer(exchange, status, interception);
  else if (end === undefined) return false;
  finish(exchange, end ?? "clean");
  return true;
}

/** False when the client did not wait for it. */
function delayed(delayMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(delayMs, () => {
      signal.removeEventListener("abort", gone);
      resolve(true);
    });
    const gone = () => {
      timer.cancel();
      resolve(false);
    };
    if (signal.aborted) gone();
    else signal.addEventListener("abort", gone, { once: true });
  });
}

async function answer(
  { response, signal }: Exchange,
  status: number,
  { headers = {}, body = "" }: Interception,
): Promise<void> {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.flushHeaders();
  if (isAsyncIterable(body)) {
    for await (const piece of body) {
      if (signal.aborted) return;
      await written(response, piece);
    }
  } else {
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : stringifyJson(body);
    if (bytes.length > 0) await written(response, bytes);
  }
}

function isAsyncIterable(body: object | string): body is AsyncIterable<string | Uint8Array> {
  return typeof body === "object" && Symbol.asyncIterator in body;
}

function written(response: Exchange["response"], bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => response.write(bytes, () => resolve()));
}

function finish(exchange: Exchange, end: InterceptionEnd): void {
  switch (end) {
    case "clean":
      exchange.response.end();
      break;
    case "cut":
      exchange.cut();
      break;
    case "reset":
      exchange.reset();
      break;
    case "open":
      break;
  }
}
