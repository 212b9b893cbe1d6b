/** The query of a LIST or WATCH. Counterpart: apimachinery `meta/internalversion` and its validation. */
import { badRequest, type FieldError, internal, invalid } from "./status.js";

export interface ListQuery {
  readonly watch: boolean;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly match: "" | "Exact" | "NotOlderThan";
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

/** @throws ApiError 400 for a number that is none, 422 for parameters that contradict each other */
export function parseListQuery(query: URLSearchParams, watch: boolean): ListQuery {
  const text = (name: string) => query.get(name) ?? "";
  const sendInitialEvents = query.has("sendInitialEvents") ? isTrue(text("sendInitialEvents")) : undefined;
  const parsed = {
    watch,
    labelSelector: text("labelSelector"),
    fieldSelector: text("fieldSelector"),
    limit: integer(text("limit")) ?? 0,
    continueToken: text("continue"),
    resourceVersion: text("resourceVersion"),
    allowWatchBookmarks: isTrue(text("allowWatchBookmarks")),
    sendInitialEvents,
    timeoutSeconds: integer(text("timeoutSeconds")),
  };
  const match = text("resourceVersionMatch");
  const errors = watch ? watchErrors(parsed, match) : listErrors(parsed, match);
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  return { ...parsed, match: match as ListQuery["match"] };
}

/** As the server reads a boolean: whatever is not plainly false is true. */
export function isTrue(text: string): boolean {
  return text !== "" && text !== "0" && text.toLowerCase() !== "false";
}

function integer(text: string): number | undefined {
  if (text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Math.max(Number(text), 0);
}

type Unmatched = Omit<ListQuery, "match">;

function watchErrors({ sendInitialEvents, continueToken }: Unmatched, match: string): FieldError[] {
  if (continueToken !== "")
    return [forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")];
  if (sendInitialEvents === undefined) {
    const why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
    return match === "" ? [] : [forbidden("resourceVersionMatch", why)];
  }
  if (match === "NotOlderThan") return [];
  const errors = [
    forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
  ];
  return match === "" ? errors : [...errors, unsupported(match, '"NotOlderThan"')];
}

function listErrors({ sendInitialEvents, continueToken, resourceVersion }: Unmatched, match: string): FieldError[] {
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined)
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  if (match === "") return errors;
  if (continueToken !== "")
    errors.push(forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"));
  if (resourceVersion === "") {
    errors.push(
      forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    );
  }
  if (match === "Exact" && resourceVersion === "0") {
    errors.push(forbidden("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (match !== "Exact" && match !== "NotOlderThan") errors.push(unsupported(match, '"Exact", "NotOlderThan", ""'));
  return errors;
}

function forbidden(field: string, why: string): FieldError {
  return { type: "Forbidden", field, message: `Forbidden: ${why}` };
}

function unsupported(match: string, supported: string): FieldError {
  const message = `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported}`;
  return { type: "NotSupported", field: "resourceVersionMatch", message };
}

/**
 * The number of a resourceVersion; 0 for `""`.
 * @throws ApiError of another class for each verb, as recorded from the real server: 400 for LIST, 500 for WATCH and GET
 */
export function parseRevision(text: string, verb: "list" | "watch" | "get"): number {
  if (text === "") return 0;
  if (/^\d+$/.test(text)) return Number(text);
  const message = `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw verb === "list" ? badRequest(`invalid resource version: ${message}`) : internal(message);
}
