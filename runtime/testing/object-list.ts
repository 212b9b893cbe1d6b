/** LIST: which moment is shown, in which pages. Counterpart: apiserver `storage/etcd3` GetList, and the cacher in front of it. */

import type { Clock } from "../util/clock.js";
import { isJsonObject } from "./json.js";
import { type ListQuery, parseRevision } from "./list-query.js";
import type { ObjectStore, Page, Revision, StoredObject } from "./object-store.js";
import type { ServedResource } from "./resource-registry.js";
import { type Selection, selectionPredicate } from "./selectors.js";
import { badRequest, continueExpired, listExpired, tooLargeResourceVersion } from "./status.js";

/** How long the server waits for a resourceVersion that it has not seen yet. Recorded: 3.0 s. */
export const FRESHNESS_WAIT_MS = 3_000;

export interface ObjectList {
  readonly items: readonly StoredObject[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
  readonly remainingItemCount: number | undefined;
}

export interface ListContext {
  readonly revision: Revision;
  readonly clock: Clock;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * @throws ApiError 400 for a bad selector, token or resourceVersion; 410 when the moment asked for is forgotten; 504 when it
 * has not come after {@link FRESHNESS_WAIT_MS}
 */
export async function listObjects(
  resource: ServedResource,
  namespace: string,
  query: ListQuery,
  context: ListContext,
): Promise<ObjectList> {
  const selection: Selection = { namespace, labelSelector: query.labelSelector, fieldSelector: query.fieldSelector };
  const matches = selectionPredicate(resource, selection);
  const prefix = namespace === "" ? "" : `${namespace}/`;
  const { store } = resource;
  const { revision } = context;
  const pageAt = (at: number, start: string, limit: number) =>
    store.page({ revision: at, prefix, start, limit, matches });
  const counted = query.labelSelector === "" && query.fieldSelector === "";

  if (query.continueToken !== "") {
    if (query.resourceVersion !== "")
      throw badRequest("specifying resource version is not allowed when using continue");
    const token = decodeToken(query.continueToken);
    const at = token.rv === INCONSISTENT ? revision.current : token.rv;
    const page = pageAt(at, token.start, query.limit);
    if (page === undefined) throw continueExpired(encodeToken(INCONSISTENT, token.start));
    return listOf(page, at, counted);
  }
  const asked = parseRevision(query.resourceVersion, "list");
  if (asked > 0 && !(await revision.reached(asked, FRESHNESS_WAIT_MS, context.clock, context.signal))) {
    throw tooLargeResourceVersion(asked, revision.current);
  }
  // A limit with a resourceVersion and no match has always meant exactly that one.
  const isExact = asked > 0 && (query.match === "Exact" || (query.match === "" && query.limit > 0));
  const at = isExact ? asked : revision.current;
  const limit = query.resourceVersion === "0" ? 0 : query.limit;
  const page = pageAt(at, "", limit);
  if (page === undefined) throw listExpired();
  return listOf(page, at, counted);
}

function listOf({ items, next, remaining }: Page, revision: number, counted: boolean): ObjectList {
  return {
    items,
    resourceVersion: String(revision),
    continueToken: next === undefined ? undefined : encodeToken(revision, next),
    remainingItemCount: next === undefined || !counted ? undefined : remaining,
  };
}

/** In a token: "as it is now", for a client that would rather have an inconsistent list than none. */
const INCONSISTENT = -1;

interface ContinueToken {
  readonly rv: number;
  readonly start: string;
}

/** Opaque to clients; shaped like the real one, for people who look inside. */
function encodeToken(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv, start })).toString("base64url");
}

function decodeToken(token: string): ContinueToken {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch {
    decoded = undefined;
  }
  if (isJsonObject(decoded)) {
    const { rv, start } = decoded;
    if (typeof rv === "number" && typeof start === "string") return { rv, start };
  }
  throw badRequest("invalid continue token: continue key is not valid");
}

/** For a DELETE of a collection, and for callers in the same process. */
export function selectObjects(resource: ServedResource, selection: Selection): StoredObject[] {
  const matches = selectionPredicate(resource, selection);
  const store: ObjectStore = resource.store;
  return store.objects(selection.namespace === "" ? "" : `${selection.namespace}/`).filter(matches);
}
