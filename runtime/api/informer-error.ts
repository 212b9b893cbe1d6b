/** The one error type of the runtime. Protocol outcomes that the runtime handles itself (410, a closed watch) are data, not errors. */
import { redact } from "./redact.js";

/**
 * What went wrong, for programs.
 * - `connection` no TCP connection, or it broke; `tls` the handshake failed; `timeout` a deadline passed in silence
 * - `credential` the kubeconfig's credentials could not be had; `unauthorized` 401; `forbidden` 403
 * - `not-served` 404: the group, version or resource is not (or no longer) served; `throttled` 429
 * - `expired` 410: the resourceVersion is too old; `too-large-resource-version` 504: it is ahead of the server
 * - `regressed` the server has gone back to before what it had sent, as when etcd is restored from a backup; `diverged` the
 *   cache is not what the server has. Both are mended by a new list
 * - `delayed` the watch is silent though the server has moved on, as behind a proxy that buffers; nothing is lost
 * - `server` any other 5xx; `status` any other refusal
 * - `protocol` an answer that is not Kubernetes' API; `decode` bytes that are not the JSON of an object; `limit` larger or
 *   deeper than anything that Kubernetes stores
 * - `handler`, `transform`, `index` a function that the user gave threw
 * - `not-synced` caches were not filled in time; `stopped` used after it was stopped; `usage` called wrongly; `conflict` a
 *   resource was asked for with other options than those that it is informed of with
 */
export type InformerErrorCode =
  | "connection"
  | "tls"
  | "timeout"
  | "credential"
  | "unauthorized"
  | "forbidden"
  | "not-served"
  | "throttled"
  | "expired"
  | "too-large-resource-version"
  | "regressed"
  | "diverged"
  | "delayed"
  | "server"
  | "status"
  | "protocol"
  | "decode"
  | "limit"
  | "handler"
  | "transform"
  | "index"
  | "not-synced"
  | "stopped"
  | "usage"
  | "conflict";

export interface InformerErrorOptions {
  readonly cause?: unknown;
  /** HTTP status, where the server answered with one. */
  readonly status?: number | undefined;
  /** `reason` of the server's Status object. */
  readonly reason?: string | undefined;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Recognise it with {@link isInformerError}, which also works across two copies of the package. Its message never holds what
 * looks like a secret, and no control characters: it can be logged as it is.
 */
export class InformerError extends Error {
  readonly code: InformerErrorCode;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: InformerErrorCode, message: string, options: InformerErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "InformerError";
    this.code = code;
    this.status = options.status;
    this.reason = options.reason === undefined ? undefined : redact(options.reason);
    this.retryAfterMs = options.retryAfterMs;
  }
}

export function isInformerError(value: unknown): value is InformerError {
  return value instanceof Error && value.name === "InformerError" && "code" in value;
}

/** Whatever was thrown, as an {@link InformerError}: one that already is stays itself. */
export function toInformerError(thrown: unknown, code: InformerErrorCode, context: string): InformerError {
  if (isInformerError(thrown)) return thrown;
  // A parser's error quotes what it read, which may be the data of a Secret.
  const cause = thrown instanceof SyntaxError && code === "decode" ? undefined : thrown;
  return new InformerError(code, `${context}: ${messageOf(thrown)}`, { cause });
}

/** The same error, whose message begins with what was being done; anything that is no {@link InformerError} stays as it is. */
export function inContext(thrown: unknown, context: string): unknown {
  if (!isInformerError(thrown)) return thrown;
  const { code, message, status, reason, retryAfterMs, cause } = thrown;
  return new InformerError(code, `${context}: ${message}`, { cause: cause ?? thrown, status, reason, retryAfterMs });
}

export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // Node's AggregateError of a failed connect has an empty message and says it all in its parts.
  if (thrown.message === "" && thrown instanceof AggregateError) return thrown.errors.map(messageOf).join("; ");
  return thrown.message;
}
