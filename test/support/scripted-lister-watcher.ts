/** A server that answers what a test wrote down, request by request, and keeps the record of what it was asked and when. */
import { InformerError } from "../../runtime/api/informer-error.js";
import type { ListOptions } from "../../runtime/api/list-options.js";
import { type Status, statusError } from "../../runtime/api/status-error.js";
import type { Entry } from "../../runtime/cache/entry.js";
import type { ListerWatcher, ListPage, Watch, WatchEvent } from "../../runtime/cache/list-watch.js";
import { abortError, type Deferred, deferred, onAbort } from "../../runtime/util/abort.js";
import type { Clock } from "../../runtime/util/clock.js";
import type { Thing } from "./entries.js";

type Event = WatchEvent<Thing>;

export const added = (entry: Entry<Thing>): Event => ({ type: "ADDED", entry });
export const modified = (entry: Entry<Thing>): Event => ({ type: "MODIFIED", entry });
export const deleted = (entry: Entry<Thing>): Event => ({ type: "DELETED", entry });
export const bookmark = (resourceVersion: string): Event => ({
  type: "BOOKMARK",
  resourceVersion,
  initialEventsEnd: false,
});
export const endBookmark = (resourceVersion: string): Event => ({
  type: "BOOKMARK",
  resourceVersion,
  initialEventsEnd: true,
});
export const errorEvent = (error: InformerError): Event => ({ type: "ERROR", error });

/** A refusal as the API server words it. */
export function refusal(status: number, body: Status | string = {}, retryAfterMs?: number): InformerError {
  return statusError(status, body, "things at scripted", retryAfterMs);
}
export const expired = (): InformerError => refusal(410, { reason: "Expired", message: "too old resource version" });
export const tooLarge = (): InformerError =>
  refusal(504, { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } });
export const throttled = (retryAfterMs?: number): InformerError => refusal(429, {}, retryAfterMs);
export const connectionLost = (): InformerError => new InformerError("connection", "read ECONNRESET");

/** An answer to a LIST. */
export type ListAnswer = ListPage<Thing> | InformerError | "silence";
/** An answer to a WATCH. */
export type WatchAnswer = ScriptedWatch | InformerError | "silence";

export function page(resourceVersion: string, entries: Entry<Thing>[] = [], token = ""): ListPage<Thing> {
  return { entries, resourceVersion, continue: token };
}

/** A watch whose frames the test sends, each call one chunk. It stays open until the test ends it. */
export class ScriptedWatch implements Watch<Thing> {
  readonly #chunks: (readonly Event[])[] = [];
  #waiting: Deferred<readonly Event[] | undefined> | undefined;
  #ended = false;
  #failure: unknown;
  /** Whether the client has closed it. */
  isClosed = false;

  constructor(...chunk: Event[]) {
    if (chunk.length > 0) this.send(...chunk);
  }

  send(...chunk: Event[]): this {
    this.#chunks.push(chunk);
    this.#wake();
    return this;
  }

  /** The server closes the stream. */
  end(): this {
    this.#ended = true;
    this.#wake();
    return this;
  }

  /** The connection breaks. */
  break(failure: unknown = connectionLost()): this {
    this.#failure = failure;
    return this.end();
  }

  next(): Promise<readonly Event[] | undefined> {
    this.#waiting = deferred();
    const { promise } = this.#waiting;
    this.#wake();
    return promise;
  }

  close(): void {
    this.isClosed = true;
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || (this.#chunks.length === 0 && !this.#ended)) return;
    this.#waiting = undefined;
    const chunk = this.#chunks.shift();
    if (chunk === undefined && this.#failure !== undefined) waiting.reject(this.#failure);
    else waiting.resolve(chunk);
  }
}

/** A streaming list of these, at 100, which goes on as the watch. */
export const synced = (...entries: Entry<Thing>[]): ScriptedWatch =>
  new ScriptedWatch(...entries.map(added), endBookmark("100"));

export interface ScriptedRequest {
  readonly verb: "list" | "watch";
  readonly options: ListOptions;
  readonly atMs: number;
  readonly signal: AbortSignal;
}

/** LISTs and WATCHes have a script each. Once it is used up, every further request is met with silence. */
export class ScriptedListerWatcher implements ListerWatcher<Thing> {
  readonly name = "things";
  readonly requests: ScriptedRequest[] = [];
  readonly #clock: Clock;
  readonly #lists: (() => ListAnswer)[] = [];
  readonly #watches: (() => WatchAnswer)[] = [];
  #everyList: (() => ListAnswer) | undefined;
  #everyWatch: (() => WatchAnswer) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onList(...answers: ListAnswer[]): this {
    for (const answer of answers) this.#lists.push(() => answer);
    return this;
  }

  onWatch(...answers: WatchAnswer[]): this {
    for (const answer of answers) this.#watches.push(() => answer);
    return this;
  }

  /** What to answer once the script is used up. */
  onEveryList(answer: () => ListAnswer): this {
    this.#everyList = answer;
    return this;
  }

  onEveryWatch(answer: () => WatchAnswer): this {
    this.#everyWatch = answer;
    return this;
  }

  /** The requests in short: `list rv=0 limit=500`, `watchList rv=`, `watch rv=7`. */
  get log(): string[] {
    return this.requests.map(({ verb, options }) => {
      const { resourceVersion = "", limit = 0, continue: token = "", sendInitialEvents = false } = options;
      const name = sendInitialEvents ? "watchList" : verb;
      return `${name} rv=${resourceVersion}${limit > 0 ? ` limit=${limit}` : ""}${token === "" ? "" : ` continue=${token}`}`;
    });
  }

  /** When each request began, in virtual milliseconds. */
  get times(): number[] {
    return this.requests.map(({ atMs }) => atMs);
  }

  async list(options: ListOptions, signal: AbortSignal, onProgress: () => void): Promise<ListPage<Thing>> {
    this.requests.push({ verb: "list", options, atMs: this.#clock.now(), signal });
    const answer = (this.#lists.shift() ?? this.#everyList)?.() ?? "silence";
    if (answer === "silence") return aborted(signal);
    if (answer instanceof InformerError) throw answer;
    onProgress();
    return answer;
  }

  async watch(options: ListOptions, signal: AbortSignal): Promise<Watch<Thing>> {
    this.requests.push({ verb: "watch", options, atMs: this.#clock.now(), signal });
    const answer = (this.#watches.shift() ?? this.#everyWatch)?.() ?? "silence";
    if (answer === "silence") return aborted(signal);
    if (answer instanceof InformerError) throw answer;
    onAbort(signal, () => answer.break(abortError(signal)));
    return answer;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => onAbort(signal, () => reject(abortError(signal))));
}
