/** An API server of one resource as bytes on a wire, without a socket: what it answers can be spoilt at any byte. */
import { InformerError } from "../../runtime/api/informer-error.js";
import type {
  ResponseBody,
  Transport,
  TransportRequest,
  TransportResponse,
} from "../../runtime/transport/transport.js";
import { abortError, type Deferred, deferred, onAbort } from "../../runtime/util/abort.js";
import type { Clock } from "../../runtime/util/clock.js";
import { type ThingOptions, thingJson } from "./entries.js";

export interface WireAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
}

/** What happens instead of the server's own answer: an answer, a failure of the connection, or nothing ever. */
export type WireFault = WireAnswer | InformerError | "silence" | undefined;

export const line = (type: string, object: string | object): string =>
  `{"type":"${type}","object":${typeof object === "string" ? object : JSON.stringify(object)}}\n`;

export const statusOf = (code: number, reason?: string, more: object = {}): object => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  ...more,
});

/** A body that is open until the test, or the client, ends it. */
export class WireStream implements ResponseBody {
  readonly #chunks: Buffer[] = [];
  #reader: Deferred<Buffer | undefined> | undefined;
  #end: { readonly error: unknown } | undefined;
  isClosed = false;

  send(...chunks: (string | Buffer)[]): this {
    for (const chunk of chunks) this.#chunks.push(Buffer.from(chunk));
    this.#wake();
    return this;
  }

  end(error?: unknown): this {
    this.#end ??= { error };
    this.#wake();
    return this;
  }

  break(): this {
    return this.end(new InformerError("connection", "the connection broke: read ECONNRESET"));
  }

  read(): Promise<Buffer | undefined> {
    this.#reader = deferred();
    const { promise } = this.#reader;
    this.#wake();
    return promise;
  }

  take(): Buffer | undefined {
    return this.#chunks.shift();
  }

  close(): void {
    this.isClosed = true;
  }

  #wake(): void {
    if (this.#reader === undefined || (this.#chunks.length === 0 && this.#end === undefined)) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined && this.#end?.error !== undefined) this.#reader.reject(this.#end.error);
    else this.#reader.resolve(chunk);
    this.#reader = undefined;
  }
}

export interface WireRequest {
  readonly verb: "list" | "watch" | "watchList";
  readonly query: URLSearchParams;
  readonly atMs: number;
}

export class WireServer implements Transport {
  readonly server = "https://server:6443";
  readonly requests: WireRequest[] = [];
  /** JSON by key. */
  readonly objects = new Map<string, string>();
  /** Asked before each answer. */
  fault: (request: WireRequest) => WireFault = () => undefined;
  /** Whether it does streaming lists. */
  streaming = true;
  version = 100;
  /** Before this, it remembers nothing. */
  floor = 0;
  readonly #clock: Clock;
  #history: { readonly version: number; readonly text: string }[] = [];
  #streams: WireStream[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Open watches. */
  get streams(): readonly WireStream[] {
    this.#streams = this.#streams.filter(({ isClosed }) => !isClosed);
    return this.#streams;
  }

  /** Requests in short: `watchList`, `list 0`, `watch 104`. */
  get log(): string[] {
    return this.requests.map(({ verb, query }) => `${verb} ${query.get("resourceVersion") ?? ""}`.trim());
  }

  write(key: string, options: ThingOptions = {}): void {
    const isNew = !this.objects.has(key);
    const json = thingJson(key, String(++this.version), options);
    this.objects.set(key, json);
    this.#tell(line(isNew ? "ADDED" : "MODIFIED", json));
  }

  delete(key: string): void {
    const json = this.objects.get(key)!.replace(/"resourceVersion":"\d+"/, `"resourceVersion":"${++this.version}"`);
    this.objects.delete(key);
    this.#tell(line("DELETED", json));
  }

  /** Sends the same to all watches, whatever it is. */
  send(...chunks: (string | Buffer)[]): void {
    for (const stream of this.streams) stream.send(...chunks);
  }

  bookmark(version = this.version): void {
    this.send(line("BOOKMARK", { kind: "Thing", metadata: { resourceVersion: String(version) } }));
  }

  endWatches(how: "end" | "break" = "end"): void {
    for (const stream of this.streams) stream[how]();
    this.#streams = [];
  }

  /** Forgets the past, as etcd's compaction and the watch cache's window do. */
  compact(): void {
    this.floor = this.version;
    this.#history = [];
  }

  async get({ path, kind, signal }: TransportRequest): Promise<TransportResponse> {
    const query = new URL(path, this.server).searchParams;
    const verb = kind === "list" ? "list" : query.has("sendInitialEvents") ? "watchList" : "watch";
    const request: WireRequest = { verb, query, atMs: this.#clock.now() };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault instanceof InformerError) throw fault;
    if (fault === "silence") return new Promise((_, reject) => onAbort(signal, () => reject(abortError(signal))));
    const { status = 200, headers = {}, body } = fault ?? this.#answer(request);
    const stream = new WireStream();
    onAbort(signal, () => stream.end(abortError(signal)));
    if (body !== undefined) stream.send(typeof body === "string" ? body : JSON.stringify(body)).end();
    else this.#streams.push(stream);
    if (fault === undefined && status === 200) stream.send(...this.#opening(request));
    return { status, headers: { "content-type": "application/json", ...headers }, body: stream };
  }

  close(): void {}

  #answer({ verb }: WireRequest): WireAnswer {
    if (verb === "watchList" && !this.streaming) return { status: 422, body: statusOf(422, "Invalid") };
    return verb === "list" ? { body: this.list() } : {};
  }

  list(): string {
    const metadata = JSON.stringify({ resourceVersion: String(this.version) });
    return `{"kind":"ThingList","apiVersion":"v1","metadata":${metadata},"items":[${[...this.objects.values()].join(",")}]}`;
  }

  /** What a watch begins with. */
  #opening({ verb, query }: WireRequest): string[] {
    const from = Number(query.get("resourceVersion") ?? 0);
    if (verb === "watchList") {
      const annotations = { "k8s.io/initial-events-end": "true" };
      const end = { kind: "Thing", metadata: { resourceVersion: String(this.version), annotations } };
      return [...Array.from(this.objects.values(), (json) => line("ADDED", json)), line("BOOKMARK", end)];
    }
    if (verb === "watch" && from < this.floor) return [line("ERROR", statusOf(410, "Expired"))];
    return verb === "watch" ? this.#history.filter(({ version }) => version > from).map(({ text }) => text) : [];
  }

  #tell(text: string): void {
    this.#history.push({ version: this.version, text });
    this.send(text);
  }
}
