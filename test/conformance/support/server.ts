/** The API server of the scripts: objects with a history, answers that a script spoils. In process, or on a port. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isInformerError } from "../../../runtime/api/informer-error.js";
import type { Transport, TransportRequest, TransportResponse } from "../../../runtime/transport/transport.js";
import { abortError, onAbort } from "../../../runtime/util/abort.js";
import { line, statusOf, WireStream } from "../../support/wire-server.js";
import type { Fault, ServerSetup, Verb } from "./script.js";

/** Written at each point where all is to be known; not part of an outcome. */
export const SETTLED = "settled";
const SETTLED_APP = "yes";

interface Stored {
  readonly key: string;
  readonly version: number;
  readonly uid: string;
  readonly app: string | undefined;
  readonly note: string | undefined;
}

interface Change {
  readonly version: number;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

interface OpenWatch {
  readonly stream: WireStream;
  readonly query: Query;
}

interface Query {
  readonly parameters: URLSearchParams;
  readonly namespace: string | undefined;
  readonly metadata: boolean;
}

export class ScriptServer implements Transport {
  readonly server = "http://script";
  /** As they are recorded. */
  readonly requests: string[] = [];
  /** Called at each request. */
  onRequest: () => void = () => {};
  readonly #setup: ServerSetup;
  readonly #objects = new Map<string, Stored>();
  readonly #faults: Record<Verb, Fault[]> = { list: [], watch: [], watchList: [] };
  #history: Change[] = [];
  #floor = 0;
  #version = 100;
  #uids = 0;
  #watches: OpenWatch[] = [];
  #http: Server | undefined;

  constructor(setup: ServerSetup = {}) {
    this.#setup = setup;
  }

  get version(): number {
    return this.#version;
  }

  get watches(): readonly OpenWatch[] {
    this.#watches = this.#watches.filter(({ stream }) => !stream.isClosed);
    return this.#watches;
  }

  get unmetFaults(): number {
    return Object.values(this.#faults).flat().length;
  }

  write(key: string, app?: string, note?: string): void {
    const before = this.#objects.get(key);
    const uid = before?.uid ?? `uid-${key}-${++this.#uids}`;
    this.#change(before, { key, version: ++this.#version, uid, app, note });
  }

  /** Writes the object by which the end of a phase is told. */
  settle(namespace: string | undefined): number {
    this.write(namespace === undefined ? SETTLED : `${namespace}/${SETTLED}`, SETTLED_APP);
    return this.#version;
  }

  remove(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) throw new Error(`the script removes ${key}, which is not there`);
    this.#version++;
    this.#change(before, undefined);
  }

  bookmark(): void {
    const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion: String(this.#version) } };
    this.send(line("BOOKMARK", object));
  }

  compact(): void {
    this.#floor = this.#version;
    this.#history = [];
  }

  fault(verb: Verb, fault: Fault): void {
    this.#faults[verb].push(fault);
  }

  send(text: string): void {
    for (const { stream } of this.watches) stream.send(text);
  }

  end(how: "clean" | "reset" | "truncated" | { status: number; reason?: string }): void {
    for (const { stream } of this.watches) {
      if (how === "reset") stream.break();
      else if (how === "clean") stream.end();
      else if (how === "truncated") stream.send('{"type":"MODIFIED","object":{"kind":"Conf').end();
      else stream.send(line("ERROR", statusOf(how.status, how.reason))).end();
    }
    this.#watches = [];
  }

  async get({ path, accept, kind, signal }: TransportRequest): Promise<TransportResponse> {
    const url = new URL(path, this.server);
    const parameters = url.searchParams;
    const verb: Verb = kind === "list" ? "list" : parameters.has("sendInitialEvents") ? "watchList" : "watch";
    const namespace = /\/namespaces\/([^/]+)\//.exec(url.pathname)?.[1];
    const metadata = accept.includes("PartialObjectMetadata");
    this.#note(verb, parameters, namespace, metadata);
    const stream = new WireStream();
    onAbort(signal, () => stream.end(abortError(signal)));
    const answer = (status: number, body?: object): TransportResponse => {
      if (body !== undefined) stream.send(JSON.stringify(body)).end();
      return { status, headers: { "content-type": "application/json" }, body: stream };
    };
    const query = { parameters, namespace, metadata };
    const fault = this.#faults[verb].shift();
    try {
      if (fault === "silence") this.onRequest();
      if (fault === "silence") await new Promise((_, reject) => onAbort(signal, () => reject(abortError(signal))));
      if (fault === "reset") {
        stream.break();
        return answer(200);
      }
      if (typeof fault === "object" && "status" in fault) {
        const details = fault.cause === undefined ? {} : { details: { causes: [{ reason: fault.cause }] } };
        return answer(fault.status, statusOf(fault.status, fault.reason, details));
      }
      if (typeof fault === "object" && "lines" in fault) {
        stream.send(...fault.lines);
        if (fault.end === "clean") stream.end();
        else if (fault.end === "reset") stream.break();
        else this.#watches.push({ stream, query });
        return answer(200);
      }
      if (verb === "list") return answer(200, this.#page(query));
      if (verb === "watchList" && this.#setup.streaming === false) return answer(422, statusOf(422, "Invalid"));
      const isFlapping = this.#setup.flapping === true && verb === "watch";
      if (isFlapping) this.write("flapping");
      stream.send(...(verb === "watchList" ? this.#initial(query) : this.#missed(query)));
      if (isFlapping) stream.end();
      this.#watches.push({ stream, query });
      return answer(200);
    } finally {
      this.onRequest();
    }
  }

  /** Serves on a port of this machine. Resolves with its address. */
  listen(): Promise<string> {
    const http = createServer((request, response) => {
      const path = request.url ?? "/";
      const accept = request.headers.accept ?? "";
      const abort = new AbortController();
      let asked: TransportResponse | undefined;
      response.on("close", () => {
        asked?.body.close();
        abort.abort();
      });
      const kind = path.includes("watch=true") ? "watch" : "list";
      const serve = async () => {
        asked = await this.get({ path, accept, kind, signal: abort.signal });
        response.writeHead(asked.status, { "content-type": "application/json" }).flushHeaders();
        for (let bytes = await asked.body.read(); bytes !== undefined; bytes = await asked.body.read())
          response.write(bytes);
        asked.body.close();
        response.end();
      };
      serve().catch((error) => {
        if (!abort.signal.aborted && !isInformerError(error)) throw error;
        request.socket.resetAndDestroy();
      });
    });
    this.#http = http;
    return new Promise((resolve) => {
      http.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(http.address() as AddressInfo).port}`));
    });
  }

  close(): void {
    this.#http?.closeAllConnections();
    this.#http?.close();
  }

  #note(verb: Verb, parameters: URLSearchParams, namespace: string | undefined, metadata: boolean): void {
    const shown = [...parameters]
      .filter(([name]) => !["watch", "timeoutSeconds", "sendInitialEvents", "timeout"].includes(name))
      .map(([name, value]) => `${name}=${value}`)
      .sort();
    const place = namespace === undefined ? [] : [`in ${namespace}`];
    this.requests.push([verb, ...place, ...(metadata ? ["metadata"] : []), ...shown].join(" "));
  }

  #change(before: Stored | undefined, after: Stored | undefined): void {
    const change = { version: this.#version, before, after };
    if (after === undefined) this.#objects.delete(before!.key);
    else this.#objects.set(after.key, after);
    this.#history.push(change);
    for (const { stream, query } of this.watches) stream.send(...frames(change, query));
  }

  #page(query: Query): object {
    const { pageLength } = this.#setup;
    const all = [...this.#objects.values()].filter((stored) => selects(query, stored));
    const [from = 0, version = this.#version] = (query.parameters.get("continue") ?? "")
      .split(".")
      .filter(Boolean)
      .map(Number);
    const limited = pageLength !== undefined && query.parameters.has("limit");
    const items = limited ? all.slice(from, from + pageLength) : all;
    const isLast = from + items.length >= all.length;
    const metadata = {
      resourceVersion: String(version),
      ...(isLast ? {} : { continue: `${from + items.length}.${version}` }),
    };
    const kind = query.metadata ? "PartialObjectMetadataList" : "ConfigMapList";
    const apiVersion = query.metadata ? "meta.k8s.io/v1" : "v1";
    return { kind, apiVersion, metadata, items: items.map((stored) => objectOf(stored, query)) };
  }

  #initial(query: Query): string[] {
    const all = [...this.#objects.values()].filter((stored) => selects(query, stored));
    return [
      ...all.map((stored) => line("ADDED", objectOf(stored, query))),
      endBookmark(this.#version, "true", query.metadata),
    ];
  }

  #missed(query: Query): string[] {
    const from = Number(query.parameters.get("resourceVersion") ?? 0);
    if (from < this.#floor) return [line("ERROR", statusOf(410, "Expired"))];
    return this.#history.filter(({ version }) => version > from).flatMap((change) => frames(change, query));
  }
}

/** With which a streaming list ends. @param value of its annotation */
export function endBookmark(version: number, value = "true", onlyMetadata = false): string {
  const metadata = { resourceVersion: String(version), annotations: { "k8s.io/initial-events-end": value } };
  return line("BOOKMARK", { ...(onlyMetadata ? PARTIAL : WHOLE), metadata });
}

const WHOLE = { kind: "ConfigMap", apiVersion: "v1" };
const PARTIAL = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };

function selects({ parameters, namespace }: Query, { key, app }: Stored): boolean {
  const label = parameters.get("labelSelector");
  const field = parameters.get("fieldSelector");
  if (namespace !== undefined && !key.startsWith(`${namespace}/`)) return false;
  if (label && label !== `app=${app}`) return false;
  return !field || field !== `metadata.name!=${key.split("/").at(-1)}`;
}

/** To a watch with a selector an object that begins to match is new, and one that ends to is gone. */
function frames({ version, before, after }: Change, query: Query): string[] {
  const was = before !== undefined && selects(query, before);
  const is = after !== undefined && selects(query, after);
  if (is) return [line(was ? "MODIFIED" : "ADDED", objectOf(after, query))];
  return was ? [line("DELETED", objectOf({ ...before, version }, query))] : [];
}

function objectOf({ key, version, uid, app, note }: Stored, { metadata: onlyMetadata }: Query): object {
  const [name, namespace] = key.split("/").reverse();
  const metadata = {
    name,
    namespace,
    uid,
    resourceVersion: String(version),
    labels: app === undefined ? undefined : { app },
  };
  return onlyMetadata
    ? { ...PARTIAL, metadata }
    : { ...WHOLE, metadata, data: note === undefined ? undefined : { note } };
}
