/** LIST and WATCH of one resource as entries. Counterpart: tools/cache/listwatch.go. */
import { apiVersionOf, collectionPath, type GroupVersionResource } from "../api/group-version-resource.js";
import { InformerError, isInformerError } from "../api/informer-error.js";
import { metaNamespaceKey } from "../api/keys.js";
import { type ListOptions, listOptionsQuery } from "../api/list-options.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { asStatus, statusError } from "../api/status-error.js";
import type { ApiClient, ApiRequest, WatchBody } from "../transport/api-client.js";
import { CLOSE_BRACE, findValue, parseJson, type ScannedObject, scanObject } from "../transport/json-scan.js";
import type { ListEnvelope } from "../transport/list-items.js";
import { Entry, type EntryMeta } from "./entry.js";
import type { SlabAllocator } from "./slab.js";

/** One page of a list. */
export interface ListPage<T extends KubernetesObject> {
  readonly entries: Entry<T>[];
  readonly resourceVersion: string;
  /** The token for the next page; `""` after the last. */
  readonly continue: string;
}

/** One frame of a watch, in the order of the stream. */
export type WatchEvent<T extends KubernetesObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly entry: Entry<T> }
  /** `initialEventsEnd`: all objects that were there when a streaming list began have been sent (KEP-3157). */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  /** The server ends the watch and says why. */
  | { readonly type: "ERROR"; readonly error: InformerError }
  /** A frame of a type that this runtime does not know. It is left out, and says nothing of how far the stream has come. */
  | { readonly type: "UNKNOWN"; readonly error: InformerError };

/** An open watch. */
export interface Watch<T extends KubernetesObject> {
  /**
   * The next frames that came together, at least one; `undefined` once the server has closed the watch.
   * @throws InformerError `connection`, `protocol` or `decode`, after which the watch is over
   */
  next(): Promise<readonly WatchEvent<T>[] | undefined>;
  close(): void;
}

/** What a reflector reads from. Each call is one request; the signal ends it. */
export interface ListerWatcher<T extends KubernetesObject> {
  /** For messages: `pods`, or `deployments.apps in namespace "default"`. */
  readonly name: string;
  /** @param onProgress called whenever bytes arrive */
  list(options: ListOptions, signal: AbortSignal, onProgress: () => void): Promise<ListPage<T>>;
  watch(options: ListOptions, signal: AbortSignal): Promise<Watch<T>>;
  /**
   * Says where to look for what is cached: an object that comes in as it is there already is given out as that very entry,
   * so that a list of a full cache takes no second place in memory.
   */
  reuse?(cached: (key: string) => Entry<T> | undefined): void;
}

export interface ListWatchOptions {
  readonly resource: GroupVersionResource;
  /** Its kind, where it is known: items of a typed list do not say theirs. */
  readonly kind?: string | undefined;
  /** Whether the metadata of objects is asked for in place of the objects. `kind` is that of the whole ones all the same. */
  readonly metadataOnly?: boolean | undefined;
  /** Only objects of this namespace. */
  readonly namespace?: string | undefined;
  /** A last word on the query of every request, as for selectors. */
  readonly tweakListOptions?: ((options: ListOptions) => ListOptions) | undefined;
}

const JSON_TYPE = "application/json";
const PARTIAL = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
/** What a server that can tell metadata apart is asked for. One that cannot may send whole objects. */
const partialType = (kind: string) => `${JSON_TYPE};as=${kind};g=meta.k8s.io;v=v1,${JSON_TYPE}`;
/** Around the metadata of an object that came whole. */
const METADATA_PREFIX = Buffer.from('{"metadata":');
const METADATA_SUFFIX = Buffer.from("}");
const NOT_ACCEPTABLE = 406;
/** Of what a server sent in a word's place. */
const MAX_SHOWN_CHARACTERS = 64;

export class ListWatch<T extends KubernetesObject> implements ListerWatcher<T> {
  readonly name: string;
  readonly #client: ApiClient;
  readonly #slabs: SlabAllocator;
  readonly #options: ListWatchOptions;
  readonly #path: string;
  #cached: ((key: string) => Entry<T> | undefined) | undefined;
  /** `{"kind":"Pod","apiVersion":"v1",`: what opens an object, and is put before an item that does not say what it is. */
  readonly #typeMeta: Buffer | undefined;
  /** Whether metadata alone is asked for: until a server does not know what that is. */
  #asksPartial: boolean;

  /** @param slabs where the bytes of its objects are to lie */
  constructor(client: ApiClient, slabs: SlabAllocator, options: ListWatchOptions) {
    const { resource, kind, namespace, metadataOnly = false } = options;
    this.#client = client;
    this.#slabs = slabs;
    this.#options = options;
    this.#path = collectionPath(resource, namespace);
    const qualified = resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;
    this.name = namespace === undefined ? qualified : `${qualified} in namespace "${namespace}"`;
    this.#asksPartial = metadataOnly;
    if (metadataOnly) this.#typeMeta = typeMeta(PARTIAL.kind, PARTIAL.apiVersion);
    else this.#typeMeta = kind === undefined ? undefined : typeMeta(kind, apiVersionOf(resource));
  }

  reuse(cached: (key: string) => Entry<T> | undefined): void {
    this.#cached = cached;
  }

  async list(options: ListOptions, signal: AbortSignal, onProgress: () => void): Promise<ListPage<T>> {
    const entries: Entry<T>[] = [];
    let saysKind = true;
    /** Items of an unknown kind, which the list itself says at its end. Their entries are put in then. */
    const untyped: { at: number; meta: EntryMeta; bytes: Buffer }[] = [];
    const envelope = await this.#ask("list", options, signal, (request) =>
      this.#client.list(
        request,
        (bytes, start, end) => {
          const scanned = scanObject(bytes, start, end);
          if (scanned.hasKind || this.#typeMeta !== undefined) {
            saysKind &&= scanned.hasKind;
            entries.push(this.#entry(scanned, bytes, start, end));
          } else {
            untyped.push({
              at: entries.length + untyped.length,
              meta: this.#meta(scanned),
              bytes: Buffer.from(bytes.subarray(start, end)),
            });
          }
        },
        onProgress,
      ),
    );
    const resourceVersion = textOf(envelope.metadata?.resourceVersion);
    if (envelope.kind === "Table")
      throw new InformerError("protocol", `list ${this.name}: the server answered with a Table`);
    if (resourceVersion === "")
      throw new InformerError("protocol", `list ${this.name}: the list has no resourceVersion`);
    this.#checkEnvelope(envelope, saysKind);
    const prefix = typeMeta(textOf(envelope.kind).replace(/List$/, ""), textOf(envelope.apiVersion));
    for (const { at, meta, bytes } of untyped) {
      entries.splice(at, 0, Entry.fromBytes<T>(meta, this.#slabs, bytes, 0, bytes.length, prefix));
    }
    return { entries, resourceVersion, continue: envelope.metadata?.continue ?? "" };
  }

  async watch(options: ListOptions, signal: AbortSignal): Promise<Watch<T>> {
    const body = await this.#ask("watch", options, signal, (request) => this.#client.watch(request));
    return new JsonWatch<T>(body, (bytes, start, end) => this.#event(bytes, start, end));
  }

  /** A server that refuses to send metadata alone (406) is asked for whole objects, from then on. */
  async #ask<Answer>(
    verb: "list" | "watch",
    options: ListOptions,
    signal: AbortSignal,
    send: (request: ApiRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const asksPartial = this.#asksPartial;
    const accept = asksPartial ? partialType(verb === "list" ? `${PARTIAL.kind}List` : PARTIAL.kind) : JSON_TYPE;
    const request = { path: this.#pathWith(options, verb === "watch"), what: `${verb} ${this.name}`, accept, signal };
    try {
      return await send(request);
    } catch (error) {
      if (!asksPartial || !isInformerError(error) || error.status !== NOT_ACCEPTABLE)
        throw this.#withMissingRule(error);
      this.#asksPartial = false;
      return await this.#ask(verb, options, signal, send);
    }
  }

  /** A 403 with what a Role, or without a namespace a ClusterRole, has to say. Watching takes both rights. */
  #withMissingRule(error: unknown): unknown {
    if (!isInformerError(error) || error.code !== "forbidden") return error;
    const { group, resource } = this.#options.resource;
    const rule = `apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["list", "watch"]`;
    const role = this.#options.namespace === undefined ? "a ClusterRole" : `a Role in "${this.#options.namespace}"`;
    const { message, status, reason, retryAfterMs, cause } = error;
    return new InformerError("forbidden", `${message} (${role} needs: ${rule})`, {
      status,
      reason,
      retryAfterMs,
      cause,
    });
  }

  #pathWith(options: ListOptions, watch: boolean): string {
    return `${this.#path}?${listOptionsQuery(this.#options.tweakListOptions?.(options) ?? options, watch)}`;
  }

  /** @throws InformerError `decode` or `protocol` when the line is not an event */
  #event(bytes: Buffer, start: number, end: number): WatchEvent<T> {
    const { type, object } = frame(bytes, start, end);
    switch (type) {
      case "ADDED":
      case "MODIFIED":
      case "DELETED": {
        const scanned = scanObject(bytes, object.start, object.end);
        return { type, entry: this.#entry(scanned, bytes, object.start, object.end) };
      }
      case "BOOKMARK": {
        const metadata = (parseJson(bytes, object.start, object.end) as KubernetesObject | null)?.metadata;
        const resourceVersion = textOf(metadata?.resourceVersion);
        if (resourceVersion === "")
          throw new InformerError(
            "protocol",
            `watch ${this.name}: the server sent a bookmark without a resourceVersion`,
          );
        const initialEventsEnd = metadata?.annotations?.["k8s.io/initial-events-end"] === "true";
        return { type, resourceVersion, initialEventsEnd };
      }
      case "ERROR": {
        const status = asStatus(parseJson(bytes, object.start, object.end)) ?? {};
        return { type, error: statusError(status.code ?? 500, status, `watch ${this.name} at ${this.#client.server}`) };
      }
      default: {
        const shown = JSON.stringify(type.slice(0, MAX_SHOWN_CHARACTERS));
        return {
          type: "UNKNOWN",
          error: new InformerError("protocol", `watch ${this.name}: unknown event type ${shown}`),
        };
      }
    }
  }

  /** A list of something else must not pass for this one: the cache would be emptied. A CRD may call its list as it likes. */
  #checkEnvelope({ kind, apiVersion }: ListEnvelope, saysKind: boolean): void {
    const { kind: wanted, resource, metadataOnly = false } = this.#options;
    if (wanted === undefined || (metadataOnly && kind === `${PARTIAL.kind}List`)) return;
    const isForeign = apiVersion !== undefined && apiVersion !== apiVersionOf(resource);
    if (isForeign || (!saysKind && kind !== undefined && kind !== `${wanted}List`))
      throw this.#foreign(kind, apiVersion);
  }

  #foreign(kind: unknown, apiVersion?: unknown): InformerError {
    const shown = [kind, apiVersion].filter((part) => part !== undefined).map((part) => String(part));
    return new InformerError(
      "protocol",
      `${this.name}: the server answered with ${JSON.stringify(shown.join(" of ").slice(0, MAX_SHOWN_CHARACTERS))}`,
    );
  }

  #meta({ namespace, name, uid, resourceVersion }: ScannedObject): EntryMeta {
    if (name === "" || resourceVersion === "") {
      throw new InformerError("protocol", `${this.name}: the server sent an object without a name or resourceVersion`);
    }
    const asked = this.#options.namespace ?? "";
    // A proxy that mixes up answers must not put another request's objects into the cache.
    if (asked !== "" && namespace !== asked) {
      throw new InformerError("protocol", `${this.name}: the server sent an object of namespace "${namespace}"`);
    }
    return { key: metaNamespaceKey(namespace, name), uid, resourceVersion };
  }

  /** Its kind. The usual beginning is recognised by its bytes. */
  #checkedKind(bytes: Buffer, start: number, end: number): unknown {
    const { kind: wanted, metadataOnly = false } = this.#options;
    const usual = metadataOnly ? PARTIAL.kind : wanted;
    if (this.#typeMeta !== undefined && startsWith(bytes, start, this.#typeMeta)) return usual;
    if (usual === undefined) return undefined;
    const value = findValue(bytes, start, end, "kind");
    const kind = value && parseJson(bytes, value.start, value.end);
    if (kind !== usual && wanted !== undefined && kind !== wanted) throw this.#foreign(kind);
    return kind;
  }

  #entry(scanned: ScannedObject, bytes: Buffer, start: number, end: number): Entry<T> {
    const kind = scanned.hasKind ? this.#checkedKind(bytes, start, end) : undefined;
    const meta = this.#meta(scanned);
    if (this.#options.metadataOnly !== true || kind === PARTIAL.kind)
      return this.#stored(scanned, meta, bytes, start, end);
    const { start: from, end: to } = findValue(bytes, start, end, "metadata")!;
    const partial = Buffer.concat([METADATA_PREFIX, bytes.subarray(from, to), METADATA_SUFFIX]);
    return this.#stored({ ...scanned, hasKind: false }, meta, partial, 0, partial.length);
  }

  #stored({ hasKind }: ScannedObject, meta: EntryMeta, bytes: Buffer, start: number, end: number): Entry<T> {
    const prefix = hasKind ? undefined : this.#typeMeta;
    const cached = this.#cached?.(meta.key);
    if (cached?.uid !== meta.uid) return Entry.fromBytes<T>(meta, this.#slabs, bytes, start, end, prefix);
    const { key, uid } = cached;
    const { resourceVersion } = meta;
    if (cached.resourceVersion === resourceVersion && cached.isMadeOf(this.#slabs, bytes, start, end, prefix))
      return cached;
    // Strings that are there already: every look-up from here on finds the very same, which takes no comparison.
    return Entry.fromBytes<T>({ key, uid, resourceVersion }, this.#slabs, bytes, start, end, prefix);
  }
}

class JsonWatch<T extends KubernetesObject> implements Watch<T> {
  readonly #body: WatchBody;
  /** One for all lines of the stream. */
  readonly #onLine: (bytes: Buffer, start: number, end: number) => void;
  #events: WatchEvent<T>[] = [];
  #failure: unknown;

  constructor(body: WatchBody, decode: (bytes: Buffer, start: number, end: number) => WatchEvent<T>) {
    this.#body = body;
    this.#onLine = (bytes, start, end) => this.#events.push(decode(bytes, start, end));
  }

  async next(): Promise<readonly WatchEvent<T>[] | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#events = [];
    while (this.#events.length === 0) {
      let open: boolean;
      try {
        open = await this.#body.read(this.#onLine);
      } catch (error) {
        this.#failure = error;
        // What came whole before the fault is good: it is given out first, the fault with the next call.
        if (this.#events.length === 0) throw error;
        break;
      }
      if (!open && this.#events.length === 0) return undefined;
    }
    return this.#events;
  }

  close(): void {
    this.#body.close();
  }
}

/** How events begin as every Kubernetes server writes them. */
const USUAL_FRAMES = ["MODIFIED", "ADDED", "DELETED", "BOOKMARK"].map((type) => ({
  type,
  beginning: Buffer.from(`{"type":"${type}","object":`),
}));

interface Frame {
  readonly type: string;
  readonly object: { readonly start: number; readonly end: number };
}

/** Type and object of an event. The usual layout is recognised by its first bytes; any other is read as JSON. */
function frame(bytes: Buffer, start: number, end: number): Frame {
  for (const { type, beginning } of USUAL_FRAMES) {
    if (!startsWith(bytes, start, beginning)) continue;
    let objectEnd = end - 1;
    while (objectEnd > start && bytes[objectEnd] !== CLOSE_BRACE) objectEnd--;
    return { type, object: { start: start + beginning.length, end: objectEnd } };
  }
  const type = findValue(bytes, start, end, "type");
  const object = findValue(bytes, start, end, "object");
  if (type === undefined || object === undefined)
    throw new InformerError("protocol", "an event of the watch has no type or no object");
  return { type: String(parseJson(bytes, type.start, type.end)), object };
}

function startsWith(bytes: Buffer, at: number, prefix: Buffer): boolean {
  const end = at + prefix.length;
  return at >= 0 && end <= bytes.length && bytes.compare(prefix, 0, prefix.length, at, end) === 0;
}

/** What is of another type was not sent. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What opens an object whose kind is not said: its brace, and the kind in front of what it has. */
function typeMeta(kind: string, apiVersion: string): Buffer {
  return Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`);
}
