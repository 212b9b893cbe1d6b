/**
 * What a reflector does next, as a pure function: no request, no timer and no clock in here. Counterpart: the loop of
 * tools/cache/reflector.go (`ListAndWatch`), whose rules are kept but for the marked ones.
 *
 *            ┌──────────── failed, paced ───────────┐
 *            ▼                                      │
 *   watchList ── end bookmark ──▶ (watching) ── closed or broken: resume, paced ──▶ watch ──▶ (watching) …
 *       │ refused, or no bookmark                      expired, or stuck
 *       ▼                                                    │
 *     list ── done ──▶ watch                                 └──▶ watchList or list, from the last resourceVersion
 */
import type { InformerError, InformerErrorCode } from "../api/informer-error.js";
import { type Backoff, backoffMs, DEFAULT_BACKOFF } from "../util/backoff.js";

/** A request to make. `resourceVersion` as it is sent. */
export type ReflectorAction =
  /** A watch that first sends what is there (KEP-3157), and then goes on as the watch. */
  | { readonly type: "watchList"; readonly resourceVersion: string }
  | { readonly type: "list"; readonly resourceVersion: string; readonly limit: number }
  | { readonly type: "watch"; readonly resourceVersion: string };

/** How a request ended. `error` is absent when the server closed the stream without a word. */
export type ReflectorEvent =
  | { readonly type: "listed"; readonly resourceVersion: string; readonly paginated: boolean }
  | { readonly type: "listFailed"; readonly error: InformerError }
  /** A streaming list that ended before its end bookmark. */
  | { readonly type: "watchListFailed"; readonly error: InformerError | undefined }
  /** A watch that ended, or a streaming list after its end bookmark. */
  | { readonly type: "watchEnded"; readonly error: InformerError | undefined; readonly events: number };

/** What may be set of the decisions. */
export interface ReflectorPolicy {
  /** Objects in a page of a list. */
  readonly pageSize: number;
  /** Between the starts of requests that fail. */
  readonly backoff: Backoff;
}

export const DEFAULT_POLICY: ReflectorPolicy = { pageSize: 500, backoff: DEFAULT_BACKOFF };

export interface ReflectorState {
  readonly policy: ReflectorPolicy;
  readonly action: ReflectorAction;
  /** When the action's request began, on the monotonic clock. */
  readonly startedMs: number;
  /** Up to where everything is in the queue; `""` before the first list. */
  readonly lastSyncResourceVersion: string;
  /** The server does not know {@link lastSyncResourceVersion} any more, or not yet: the next list asks for the newest. */
  readonly unavailable: boolean;
  /** A list from the watch cache came in pages, so this server has no watch cache and later lists must be paged too. */
  readonly paginated: boolean;
  /** Whether to try streaming lists; false once this server was seen not to do them. client-go asks again each round. */
  readonly streaming: boolean;
  /** Requests in a row that did not last; reset by a watch that stayed up for {@link STABLE_MS}. */
  readonly failures: number;
  /** Streaming lists in a row that the server closed before the end bookmark. */
  readonly unfinishedStreams: number;
  /** Watches in a row from one resourceVersion that brought nothing but a fault or an instant close. */
  readonly stuck: number;
  /** Requests after a failure that began without waiting, since the last stable watch: see {@link MAX_HURRIED}. */
  readonly hurried: number;
}

export interface ReflectorStep {
  readonly state: ReflectorState;
  /** How long to wait before `state.action` begins. */
  readonly delayMs: number;
}

/** When a request ended, after how long, and a draw in [0, 1) for jitter. */
interface Moment {
  readonly nowMs: number;
  readonly livedMs: number;
  readonly random: number;
}

/** A watch that lasted this long counts as progress. client-go resets on a timer instead, which makes its delays a saw-tooth. */
export const STABLE_MS = 30_000;
/**
 * A watch that lasted this long is resumed at once, whatever went wrong before it: a server that ends each so soon, one of
 * them after a list, is asked six times a minute.
 */
const RESUMABLE_MS = 12_000;
/** A watch that the server closes sooner than this, without an event, is a `VeryShortWatchError` to client-go. */
const VERY_SHORT_WATCH_MS = 1_000;
/** After this many fruitless watches from one resourceVersion, it is the resourceVersion that is wrong. */
const MAX_STUCK = 3;
/** Another kind of request is worth a try at once, but a server that answers each in its own bad way must not be driven round. */
const MAX_HURRIED = 2;
/** Statuses by which a server or proxy says that it does not do streaming lists. */
const NOT_SUPPORTED = new Set([400, 405, 406, 415, 422, 501]);
/** Faults of the way to the server or of the right to ask: another kind of request would fare no better. */
const RETRY_AS_IT_IS: ReadonlySet<InformerErrorCode> = new Set([
  "connection",
  "tls",
  "credential",
  "unauthorized",
  "throttled",
]);
/** Refusals that take somebody to mend: a role that is missing, a resource that is not served. */
const REFUSALS: ReadonlySet<InformerErrorCode> = new Set(["forbidden", "not-served"]);
/** After so many failures a refusal is one for good, and asked after as seldom as anything is. The first may be a role on its way. */
const CLEAR_REFUSAL = 5;
/** What gateways say while nobody is behind them: nothing about the resourceVersion that was asked for. */
const GATEWAY = new Set([502, 503, 504]);

/** @param streaming whether to begin with a streaming list, client-go's default since 1.35 */
export function initialReflectorState(
  streaming: boolean,
  nowMs: number,
  policy: ReflectorPolicy = DEFAULT_POLICY,
): ReflectorState {
  const blank: Omit<ReflectorState, "action"> = {
    policy,
    startedMs: nowMs,
    lastSyncResourceVersion: "",
    unavailable: false,
    paginated: false,
    streaming,
    failures: 0,
    unfinishedStreams: 0,
    stuck: 0,
    hurried: 0,
  };
  return { ...blank, action: relist(blank) };
}

/** Takes note of a resourceVersion up to which everything is queued: of an event or a bookmark. */
export function advanced(state: ReflectorState, resourceVersion: string): ReflectorState {
  return { ...state, lastSyncResourceVersion: resourceVersion, stuck: 0 };
}

/** The end bookmark of a streaming list has come: its stream goes on as the watch. */
export function streamSynced(state: ReflectorState, resourceVersion: string): ReflectorState {
  return { ...advanced(state, resourceVersion), unavailable: false, unfinishedStreams: 0 };
}

/** @param random in [0, 1), for jitter */
export function step(state: ReflectorState, event: ReflectorEvent, nowMs: number, random: number): ReflectorStep {
  const moment: Moment = { nowMs, livedMs: nowMs - state.startedMs, random };
  switch (event.type) {
    case "listed": {
      const paginated = state.paginated || (event.paginated && state.action.resourceVersion === "0");
      const listed = { ...advanced(state, event.resourceVersion), unavailable: false, paginated };
      return atOnce(listed, { type: "watch", resourceVersion: event.resourceVersion }, moment);
    }
    case "listFailed":
      return isUnavailable(event.error) && !state.unavailable
        ? relistFromNewest(state, event.error, moment)
        : paced(state, relist(state), event.error, moment);
    case "watchListFailed":
      return afterWatchList(state, event.error, moment);
    case "watchEnded":
      return afterWatch(moment.livedMs >= STABLE_MS ? stable(state) : state, event, moment);
  }
}

function afterWatchList(state: ReflectorState, error: InformerError | undefined, moment: Moment): ReflectorStep {
  if (error !== undefined) {
    if (isUnavailable(error) && !state.unavailable) return relistFromNewest(state, error, moment);
    if (RETRY_AS_IT_IS.has(error.code)) return paced(state, relist(state), error, moment);
    // client-go's rule: whatever else it is, a LIST in the same round may still succeed.
    const streaming = state.streaming && !NOT_SUPPORTED.has(error.status ?? 0) && error.code !== "timeout";
    return hurried({ ...state, streaming }, list(state), error, moment);
  }
  // The server closed the stream before the end bookmark. client-go tries again for ever; here the second time is the last.
  const unfinishedStreams = state.unfinishedStreams + 1;
  if (unfinishedStreams >= 2) {
    return hurried({ ...state, unfinishedStreams, streaming: false }, list(state), undefined, moment);
  }
  return paced({ ...state, unfinishedStreams }, relist(state), undefined, moment);
}

function afterWatch(
  state: ReflectorState,
  { error, events }: { readonly error: InformerError | undefined; readonly events: number },
  moment: Moment,
): ReflectorStep {
  if (error?.code === "expired") return hurried(state, relist(state), error, moment);
  if (error?.code === "regressed") return relistFromNewest(state, error, moment);
  if (error?.code === "diverged") {
    // By a plain list, as the one that showed it: a stream has its content from the watch cache, which may be what is wrong.
    const unavailable = { ...state, unavailable: true };
    return hurried(unavailable, list(unavailable), error, moment);
  }
  if (error?.code === "too-large-resource-version") {
    const unavailable = { ...state, unavailable: true };
    return paced(unavailable, relist(unavailable), error, moment);
  }
  const resume: ReflectorAction = { type: "watch", resourceVersion: state.lastSyncResourceVersion };
  if (error !== undefined && (RETRY_AS_IT_IS.has(error.code) || GATEWAY.has(error.status ?? 0))) {
    return paced(state, resume, error, moment);
  }
  const fruitless = error === undefined ? events === 0 && moment.livedMs < VERY_SHORT_WATCH_MS : events === 0;
  if (!fruitless) return paced({ ...state, stuck: 0 }, resume, error, moment);
  const stuck = { ...state, stuck: state.stuck + 1 };
  if (stuck.stuck < MAX_STUCK) return paced(stuck, resume, error, moment);
  const forgotten = { ...stuck, stuck: 0, unavailable: true };
  return paced(forgotten, relist(forgotten), error, moment);
}

function isUnavailable({ code }: InformerError): boolean {
  return code === "expired" || code === "too-large-resource-version";
}

function stable(state: ReflectorState): ReflectorState {
  return { ...state, failures: 0, hurried: 0 };
}

type ListState = Pick<ReflectorState, "policy" | "streaming" | "unavailable" | "lastSyncResourceVersion" | "paginated">;

function relist(state: ListState): ReflectorAction {
  if (!state.streaming) return list(state);
  return { type: "watchList", resourceVersion: state.unavailable ? "" : state.lastSyncResourceVersion };
}

/** Never back in time: "not older than" the last one seen, and anything the watch cache has for the first. */
function list({ policy, unavailable, lastSyncResourceVersion, paginated }: ListState): ReflectorAction {
  const resourceVersion = unavailable ? "" : lastSyncResourceVersion || "0";
  // A watch cache ignores `limit` at "0" and serves an exact resourceVersion only unpaged.
  const limit = paginated || resourceVersion === "" || resourceVersion === "0" ? policy.pageSize : 0;
  return { type: "list", resourceVersion, limit };
}

function relistFromNewest(state: ReflectorState, error: InformerError, moment: Moment): ReflectorStep {
  const unavailable = { ...state, unavailable: true };
  return hurried(unavailable, relist(unavailable), error, moment);
}

/** At once while there is still haste to spend. It counts as a failure all the same, so that what follows is spaced the more. */
function hurried(
  state: ReflectorState,
  action: ReflectorAction,
  error: InformerError | undefined,
  moment: Moment,
): ReflectorStep {
  if (state.hurried >= MAX_HURRIED) return paced(state, action, error, moment);
  return atOnce({ ...state, failures: state.failures + 1, hurried: state.hurried + 1 }, action, moment);
}

function atOnce(state: ReflectorState, action: ReflectorAction, { nowMs }: Moment): ReflectorStep {
  return { state: { ...state, action, startedMs: nowMs }, delayMs: 0 };
}

/**
 * Spaces the starts of requests, not their ends: after a watch that lasted longer than the back-off the next one begins at
 * once, and one that ends at once, events or none, is never reopened in a tight loop (kubernetes/kubernetes#137089 and others).
 */
function paced(
  state: ReflectorState,
  action: ReflectorAction,
  error: InformerError | undefined,
  { nowMs, livedMs, random }: Moment,
): ReflectorStep {
  const failures = state.failures + 1;
  const { backoff } = state.policy;
  let spacing = resumes(state, action) && livedMs >= RESUMABLE_MS ? 0 : backoffMs(failures, random, backoff);
  if (error !== undefined && REFUSALS.has(error.code) && failures >= CLEAR_REFUSAL) {
    spacing = backoff.capMs * (1 + random);
  }
  const delayMs = Math.max(spacing - livedMs, error?.retryAfterMs ?? 0, 0);
  return { state: { ...state, action, failures, startedMs: nowMs + delayMs }, delayMs };
}

/** Whether a watch, or a streaming list that became one, goes on as a watch. */
function resumes({ action }: ReflectorState, next: ReflectorAction): boolean {
  return action.type !== "list" && next.type === "watch";
}
