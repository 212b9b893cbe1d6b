/** From an API server's refusal to an {@link InformerError}. Counterpart: apimachinery `api/errors` and `isTooLargeResourceVersionError`. */
import { InformerError, type InformerErrorCode } from "./informer-error.js";

/** The parts of `meta/v1 Status` that are read here. */
export interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

/**
 * A Status out of what a server, or somebody in its place, sent as one: parts that are of another type are left out.
 * `undefined` when it is no object at all.
 */
export function asStatus(value: unknown): Status | undefined {
  if (!isRecord(value)) return undefined;
  const details = isRecord(value["details"]) ? value["details"] : {};
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isRecord) : [];
  return {
    ...ofType(value, "kind", "string"),
    ...ofType(value, "code", "number"),
    ...ofType(value, "reason", "string"),
    ...ofType(value, "message", "string"),
    details: {
      causes: causes.map((cause) => ({ ...ofType(cause, "reason", "string"), ...ofType(cause, "message", "string") })),
      ...ofType(details, "retryAfterSeconds", "number"),
    },
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

interface Types {
  string: string;
  number: number;
}

/** `{ [name]: value }` when the value is there and of this type. */
function ofType<Name extends string, Type extends keyof Types>(
  record: Readonly<Record<string, unknown>>,
  name: Name,
  type: Type,
): { [Key in Name]?: Types[Type] } {
  const value = record[name];
  return (typeof value === type ? { [name]: value } : {}) as { [Key in Name]?: Types[Type] };
}

/** Longest text of a server's that an error repeats, in characters. */
const MAX_MESSAGE_CHARACTERS = 4096;
/** The reasons of Kubernetes are single words. */
const MAX_REASON_CHARACTERS = 128;
/** A server may not send a client away for longer than this. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * @param status HTTP status, or `code` of a Status that came within a watch
 * @param body the Status, or what text came instead of one (a proxy's, or `404 page not found`)
 * @param context what was asked of whom, as in `watch pods at https://10.0.0.1`
 */
export function statusError(
  status: number,
  body: Status | string,
  context: string,
  retryAfterMs?: number,
): InformerError {
  const known = typeof body === "string" ? undefined : body;
  const said = typeof body === "string" ? body : (body.message ?? body.reason ?? "");
  // On one line: what a server says must not look like lines of a log.
  const text = said
    .slice(0, MAX_MESSAGE_CHARACTERS)
    .trim()
    .replace(/\s*[\r\n]\s*/g, " ");
  const code = classify(status, known);
  const seconds = known?.details?.retryAfterSeconds;
  return new InformerError(code, `${context}: ${status} ${text}${hint(code)}`, {
    status,
    reason: known?.reason?.slice(0, MAX_REASON_CHARACTERS),
    retryAfterMs: retryAfterMs ?? (seconds === undefined ? undefined : clampRetryAfter(seconds * 1000)),
  });
}

function classify(status: number, body: Status | undefined): InformerErrorCode {
  if (isTooLargeResourceVersion(body)) return "too-large-resource-version";
  if (body?.reason === "Expired" || body?.reason === "Gone") return "expired";
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not-served";
    case 410:
      return "expired";
    case 429:
      return "throttled";
    default:
      return status >= 500 ? "server" : "status";
  }
}

/** Three dialects: a cause by reason, a cause by message, and a bare message from servers before 1.17. */
function isTooLargeResourceVersion(body: Status | undefined): boolean {
  if (body === undefined) return false;
  const says = (text: string | undefined) => text?.includes("Too large resource version") ?? false;
  const byCause = body.details?.causes?.some(
    ({ reason, message }) => reason === "ResourceVersionTooLarge" || says(message),
  );
  return byCause === true || (body.reason === "Timeout" && says(body.message));
}

function hint(code: InformerErrorCode): string {
  switch (code) {
    case "not-served":
      return " (is the CustomResourceDefinition installed, and this version of it served?)";
    case "unauthorized":
      return " (were the credentials of the kubeconfig's user revoked, or did they expire?)";
    default:
      return "";
  }
}

/** `Retry-After` in seconds or as an HTTP date; anything else counts as not given. RFC 9110 10.2.3. */
export function parseRetryAfter(header: string | undefined, wallNowMs: number): number | undefined {
  if (header === undefined || header === "") return undefined;
  if (/^-?\d+$/.test(header)) return clampRetryAfter(Number(header) * 1000);
  // `Date.parse` would find a date in almost anything; all forms of an HTTP date begin with the day of the week.
  return /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(header) ? clampRetryAfter(Date.parse(header) - wallNowMs) : undefined;
}

function clampRetryAfter(delayMs: number): number | undefined {
  return Number.isNaN(delayMs) ? undefined : Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS);
}
