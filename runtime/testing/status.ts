/** Refusals as an API server words them. Counterpart: apimachinery `api/errors`. */
import type { GroupVersionResource } from "../api/group-version-resource.js";

/** `meta/v1 Status`. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** A plural (`pods`) or a kind (`Pod`): servers use both. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** What the embedded server throws at a caller in the same process, and answers to one behind a socket. */
export class ApiError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason ?? "failure");
    this.name = "ApiError";
    this.status = status;
  }

  /** HTTP status. */
  get code(): number {
    return this.status.code ?? 500;
  }
}

/** Recognises an {@link ApiError}, also one of another copy of this package. */
export function isApiError(value: unknown): value is ApiError {
  return value instanceof Error && value.name === "ApiError" && "status" in value;
}

interface Failure {
  readonly details?: StatusDetails;
  readonly continue?: string;
}

function failure(
  code: number,
  reason: string | undefined,
  message: string,
  { details, ...rest }: Failure = {},
): ApiError {
  return new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: rest.continue === undefined ? {} : { continue: rest.continue },
    status: "Failure",
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });
}

type GroupResource = Pick<GroupVersionResource, "group" | "resource">;

function qualified(name: string, group: string): string {
  return group === "" ? name : `${name}.${group}`;
}

function detailsOf({ group, resource }: GroupResource, name: string): StatusDetails {
  return { name, ...(group === "" ? {} : { group }), kind: resource };
}

export function notFound(resource: GroupResource, name: string): ApiError {
  const message = `${qualified(resource.resource, resource.group)} "${name}" not found`;
  return failure(404, "NotFound", message, { details: detailsOf(resource, name) });
}

/** A path below a group that is served, at which nothing is. */
export function noSuchResource(): ApiError {
  return failure(404, "NotFound", "the server could not find the requested resource", { details: {} });
}

export function alreadyExists(resource: GroupResource, name: string, isBeingDeleted: boolean): ApiError {
  const prefix = isBeingDeleted ? "object is being deleted: " : "";
  const message = `${prefix}${qualified(resource.resource, resource.group)} "${name}" already exists`;
  return failure(409, "AlreadyExists", message, { details: detailsOf(resource, name) });
}

/** The resourceVersion sent along is not the object's. */
export function modified(resource: GroupResource, name: string): ApiError {
  const why = "the object has been modified; please apply your changes to the latest version and try again";
  return conflict(resource, name, why);
}

export function conflict(resource: GroupResource, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource.resource, resource.group)} "${name}": ${why}`;
  return failure(409, "Conflict", message, { details: detailsOf(resource, name) });
}

export function badRequest(message: string): ApiError {
  return failure(400, "BadRequest", message);
}

/** One finding about a field. The message is prefixed as apimachinery's `field.Error` does. */
export interface FieldError {
  readonly type:
    | "Required"
    | "Invalid"
    | "TypeInvalid"
    | "NotSupported"
    | "Forbidden"
    | "TooLong"
    | "TooMany"
    | "Duplicate";
  readonly field: string;
  readonly message: string;
}

export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const lines = errors.map(({ field, message }) => `${field}: ${message}`);
  const list = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const causes = errors.map(({ type, field, message }) => ({ reason: `FieldValue${type}`, message, field }));
  const details = {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    ...(kind.kind === "" ? {} : { kind: kind.kind }),
    causes,
  };
  return failure(422, "Invalid", `${qualified(kind.kind, kind.group)} "${name}" is invalid: ${list}`, { details });
}

/** The patch could not be carried out: a JSON patch's `test` failed, or a path leads nowhere. */
export function unprocessable(): ApiError {
  return failure(422, "Invalid", "the server rejected our request due to an error in our request", { details: {} });
}

export function forbidden(
  resource: GroupResource,
  name: string,
  why: string,
  causes: readonly StatusCause[],
): ApiError {
  const message = `${qualified(resource.resource, resource.group)} "${name}" is forbidden: ${why}`;
  return failure(403, "Forbidden", message, { details: { ...detailsOf(resource, name), causes } });
}

export function unauthorized(): ApiError {
  return failure(401, "Unauthorized", "Unauthorized");
}

export function methodNotAllowed(): ApiError {
  const message = "the server does not allow this method on the requested resource";
  return failure(405, "MethodNotAllowed", message, { details: {} });
}

export function notWatchable(resource: string): ApiError {
  const message = `watch is not supported on resources of kind "${resource}"`;
  return failure(405, "MethodNotAllowed", message, { details: { kind: resource } });
}

export function notAcceptable(message: string): ApiError {
  return failure(406, "NotAcceptable", message);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  return failure(415, "UnsupportedMediaType", message);
}

export function entityTooLarge(limitBytes: number): ApiError {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}

/** In a watch: the window of kept events starts later. */
export function tooOldResourceVersion(asked: number, oldest: number): ApiError {
  return failure(410, "Expired", `too old resource version: ${asked} (${oldest})`);
}

/** To a LIST at exactly one resourceVersion. */
export function listExpired(): ApiError {
  return failure(410, "Expired", "The resourceVersion for the provided list is too old.");
}

/** To a LIST that goes on from a token; `continueToken` gives the rest, of another moment. */
export function continueExpired(continueToken: string): ApiError {
  const message =
    "The provided continue parameter is too old; the token in this answer gives the rest of an inconsistent list.";
  return failure(410, "Expired", message, { continue: continueToken });
}

/** Seconds that the server asks a client to stay away when it is behind the resourceVersion asked for. */
export const TOO_LARGE_RETRY_AFTER_SECONDS = 1;

export function tooLargeResourceVersion(asked: number, current: number): ApiError {
  const details = {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: TOO_LARGE_RETRY_AFTER_SECONDS,
  };
  return failure(504, "Timeout", `Timeout: Too large resource version: ${asked}, current: ${current}`, { details });
}

/** An error that the server did not class: it carries no reason, as for a resourceVersion that is no number. */
export function internal(message: string): ApiError {
  return failure(500, undefined, message);
}

export function success(details: StatusDetails): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}
