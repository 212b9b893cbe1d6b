/** How objects are written: whole, as metadata alone, or as rows of a table. Counterpart: apiserver `endpoints/handlers/response.go`. */
import { stringifyJson } from "./json.js";
import type { ObjectList } from "./object-list.js";
import type { StoredObject, StoreEvent } from "./object-store.js";
import type { ServedResource } from "./resource-registry.js";
import { type ApiError, notAcceptable } from "./status.js";
import { type IncludeObject, tableOf } from "./table.js";

export type Representation = "object" | "metadata" | "table";

const META_KINDS: ReadonlyMap<string, { readonly representation: Representation; readonly list: boolean | undefined }> =
  new Map([
    ["Table", { representation: "table" as const, list: undefined }],
    ["PartialObjectMetadata", { representation: "metadata" as const, list: false }],
    ["PartialObjectMetadataList", { representation: "metadata" as const, list: true }],
  ]);

/**
 * The first representation of an `Accept` header that this server can give.
 * @throws ApiError 406 when there is none, or when it is of a list and no list is asked for
 */
export function negotiate(accept: string | undefined, isList: boolean): Representation {
  if (accept === undefined || accept.trim() === "") return "object";
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (!["application/json", "application/*", "*/*"].includes(type)) continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice("as=".length);
    if (as === undefined) return "object";
    const meta = META_KINDS.get(as);
    if (meta === undefined) continue;
    if (meta.list !== undefined && meta.list !== isList) {
      throw notAcceptable(`you requested ${as}, but the requested object is ${isList ? "a list" : "not a list"}`);
    }
    return meta.representation;
  }
  throw notAcceptable(
    "406: Not Acceptable\n\nAvailable representations: application/json, application/json;stream=watch",
  );
}

/** `"kind"` and `"apiVersion"`, in the order in which the server writes them, up to the comma before `"metadata"`. */
function head({ apiVersion, kind, custom }: ServedResource): string {
  const parts = [`"kind":${JSON.stringify(kind)}`, `"apiVersion":${JSON.stringify(apiVersion)}`];
  return `{${(custom === undefined ? parts : parts.reverse()).join(",")},`;
}

const PARTIAL_HEAD = '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",';

/** How rows are written. */
export interface TableOptions {
  readonly include: IncludeObject;
  readonly wallNowMs: number;
}

export function objectJson(
  resource: ServedResource,
  stored: StoredObject,
  as: Representation,
  table: TableOptions,
): string {
  switch (as) {
    case "object":
      return head(resource) + stored.tail;
    case "metadata":
      return partialJson(stored);
    case "table": {
      const { resourceVersion } = stored.object.metadata;
      return stringifyJson(tableOf(resource, [stored], { resourceVersion }, table.include, table.wallNowMs));
    }
  }
}

function partialJson({ object }: StoredObject): string {
  return `${PARTIAL_HEAD}"metadata":${JSON.stringify(object.metadata)}}`;
}

/** A list in pieces, so that no string grows with it. */
export function* listJson(
  resource: ServedResource,
  list: ObjectList,
  as: Representation,
  table: TableOptions,
): Generator<string> {
  // A list of custom resources says it when there is no more.
  const saysNoMore = resource.custom !== undefined && as === "object";
  const metadata = {
    ...(resource.verbs.includes("watch") ? { resourceVersion: list.resourceVersion } : {}),
    ...(list.continueToken === undefined && !saysNoMore ? {} : { continue: list.continueToken ?? "" }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
  if (as === "table") {
    yield stringifyJson(tableOf(resource, list.items, metadata, table.include, table.wallNowMs));
    return;
  }
  const isWhole = as === "object";
  const kind = isWhole ? resource.listKind : "PartialObjectMetadataList";
  const apiVersion = isWhole ? resource.apiVersion : "meta.k8s.io/v1";
  yield `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`;
  // The items of a built-in list say their kind no more: the list has said it.
  const itemHead = resource.custom === undefined ? "{" : head(resource);
  let separator = "";
  for (const stored of list.items) {
    yield separator + (isWhole ? itemHead + stored.tail : partialJson(stored));
    separator = ",";
  }
  yield "]}";
}

const INITIAL_EVENTS_END = '"annotations":{"k8s.io/initial-events-end":"true"}';

/** A bookmark carries nothing but its revision, in the shape that the watch has. KEP-956, KEP-3157. */
export function bookmarkFrame(resource: ServedResource, as: Representation, revision: number, isEnd: boolean): Buffer {
  const metadata = `"metadata":{"resourceVersion":"${revision}"${isEnd ? `,${INITIAL_EVENTS_END}` : ""}}}`;
  if (as !== "table") return frame("BOOKMARK", (as === "metadata" ? PARTIAL_HEAD : head(resource)) + metadata);
  const row = `{"cells":[],"object":${PARTIAL_HEAD}${metadata}}`;
  const object = `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"${revision}"},"columnDefinitions":[],"rows":[${row}]}`;
  return frame("BOOKMARK", object);
}

export function errorFrame(error: ApiError): Buffer {
  return frame("ERROR", JSON.stringify(error.status));
}

export function frame(type: string, objectJson: string): Buffer {
  return Buffer.from(`{"type":"${type}","object":${objectJson}}\n`);
}

/** Frames of the event that is being handed out, encoded once for all watches that are sent it. */
export class FrameCache {
  #event: StoreEvent | undefined;
  readonly #frames = new Map<string, Buffer>();

  /** @param type what the event is for this watch: one that an object leaves a selector with is a DELETED */
  frame(
    event: StoreEvent,
    type: StoreEvent["type"],
    resource: ServedResource,
    as: Representation,
    table: TableOptions,
  ): Buffer {
    if (event !== this.#event) {
      this.#event = event;
      this.#frames.clear();
    }
    const key = `${type} ${as} ${resource.apiVersion} ${table.include}`;
    let encoded = this.#frames.get(key);
    if (encoded === undefined) {
      const gone = type === "DELETED" && event.type !== "DELETED" ? event.previous?.at(event.revision) : undefined;
      encoded = frame(type, objectJson(resource, gone ?? event.stored, as, table));
      this.#frames.set(key, encoded);
    }
    return encoded;
  }
}
