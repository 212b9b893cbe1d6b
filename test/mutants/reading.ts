/** Bugs on the way from the server into the queue. */
import { type Mutant, mutantsOf } from "./mutant.js";

export const READING: readonly Mutant[] = [
  ...mutantsOf("cache/reflector-state", [
    {
      bug: "back-off begins anew after a watch of one second",
      text: "STABLE_MS = 30_000",
      becomes: "STABLE_MS = 1_000",
    },
    {
      bug: "an expired resourceVersion is watched again",
      text: 'if (error?.code === "expired") return hurried(state, relist(state), error, moment);',
      becomes: "",
    },
    {
      bug: "a relist goes back in time",
      text: 'unavailable ? "" : lastSyncResourceVersion || "0";',
      becomes: 'unavailable ? "" : "0";',
    },
    {
      bug: "an expired resourceVersion is listed again",
      text: "  const unavailable = { ...state, unavailable: true };\n  return hurried(unavailable, relist",
      becomes: "  const unavailable = { ...state };\n  return hurried(unavailable, relist",
    },
    {
      bug: "the newest is asked for, for ever, once a resourceVersion was too large",
      text: "return { ...advanced(state, resourceVersion), unavailable: false, unfinishedStreams: 0 };",
      becomes: "return { ...advanced(state, resourceVersion), unfinishedStreams: 0 };",
    },
    {
      bug: "Retry-After is not kept",
      text: "Math.max(spacing - livedMs, error?.retryAfterMs ?? 0, 0)",
      becomes: "Math.max(spacing - livedMs, 0)",
    },
    {
      bug: "a watch that had an event is opened again at once",
      text: "if (!fruitless) return paced({ ...state, stuck: 0 }, resume, error, moment);",
      becomes: "if (!fruitless) return atOnce({ ...state, stuck: 0 }, resume, moment);",
    },
    {
      bug: "a streaming list that was refused is asked for in each round",
      text: 'state.streaming && !NOT_SUPPORTED.has(error.status ?? 0) && error.code !== "timeout"',
      becomes: "state.streaming",
    },
    {
      bug: "streaming lists that end without their bookmark are asked for for ever",
      text: "if (unfinishedStreams >= 2) {",
      becomes: "if (unfinishedStreams >= Number.POSITIVE_INFINITY) {",
    },
    {
      bug: "a resourceVersion that only ever fails is kept",
      text: "if (stuck.stuck < MAX_STUCK)",
      becomes: "if (stuck.stuck < Number.POSITIVE_INFINITY)",
    },
    {
      bug: "every refused kind of request is tried at once, without end",
      text: "if (state.hurried >= MAX_HURRIED)",
      becomes: "if (state.hurried >= Number.POSITIVE_INFINITY)",
    },
    {
      bug: "what is forbidden for good is asked for as often as anything",
      text: "REFUSALS.has(error.code) && failures >= CLEAR_REFUSAL",
      becomes: "REFUSALS.has(error.code) && failures < 0",
    },
    {
      bug: "a server without a watch cache is listed in one piece",
      text: 'const limit = paginated || resourceVersion === "" || resourceVersion === "0" ? policy.pageSize : 0;',
      becomes: 'const limit = resourceVersion === "" || resourceVersion === "0" ? policy.pageSize : 0;',
    },
    {
      bug: "spacing counts from the end of a request",
      text: "Math.max(spacing - livedMs,",
      becomes: "Math.max(spacing,",
    },
  ]),
  ...mutantsOf("util/backoff", [
    { bug: "back-off has no jitter", text: "capMs) * (1 + random)", becomes: "capMs)" },
    {
      bug: "back-off grows without end",
      text: "Math.min(baseMs * 2 ** (failures - 1), capMs)",
      becomes: "(baseMs * 2 ** (failures - 1))",
    },
  ]),
  ...mutantsOf("cache/reflector", [
    {
      bug: "a streaming list holds the loop",
      text: "if (turn.exhausted(atOnce)) await",
      becomes: "if (turn.exhausted(atOnce) && signal.aborted) await",
      killedBy: ["faults/resources"],
    },
    {
      bug: "handlers hear of nothing until all of one read of the socket is taken in",
      text: "else if (taken < events.length) await undefined;",
      becomes: "",
      killedBy: ["cache/shared-informer"],
    },
    {
      bug: "of one read of the socket the first events are all that is taken in",
      text: "for (let taken = 0; taken < events.length; )",
      becomes: "for (let taken = 0; taken < MAX_EVENTS_AT_ONCE; )",
      killedBy: ["faults/resources"],
    },
    {
      bug: "the resourceVersion of events is forgotten",
      text: 'if (seen !== "") this.#state = advanced(this.#state, seen);',
      becomes: "",
    },
    {
      bug: "an ERROR event is passed over",
      text: 'if (event.type === "ERROR") {\n        failure = event.error;\n        break;\n      }',
      becomes: 'if (event.type === "ERROR") continue;',
    },
    {
      bug: "what follows an ERROR event is taken in",
      text: "failure = event.error;\n        break;",
      becomes: "failure = event.error;\n        continue;",
    },
    {
      bug: "a bookmark that goes back is taken",
      text: "if (!isAhead(event.resourceVersion, seen || this.lastSyncResourceVersion)) continue;",
      becomes: "",
    },
    {
      bug: "a bookmark does not reach the cache",
      text: "queue.bookmark(seen);\n        observer.onProgress",
      becomes: "observer.onProgress",
      killedBy: ["cache/freshness", "cache/shared-informer"],
    },
    {
      bug: "any bookmark ends a streaming list",
      text: 'if (!event.initialEventsEnd || event.resourceVersion === "") break;',
      becomes: 'if (event.resourceVersion === "") break;',
      killedBy: ["cache/reflector-watch-list"],
    },
    {
      bug: "a streaming list never gets its end bookmark, and nobody notices",
      text: 'if (events.some(({ type }) => type === "ADDED")) silence.set(bookmarkDeadlineMs);',
      becomes: "silence.set(bookmarkDeadlineMs);",
      killedBy: ["cache/reflector-watch-list"],
    },
    {
      bug: "an object that went within a streaming list stays",
      text: "initial.delete(event.entry.key);",
      becomes: "",
      killedBy: ["cache/reflector-watch-list"],
    },
    {
      bug: "what comes in one chunk with the end bookmark is lost",
      text: "return this.#onEvents(events.slice(i + 1));",
      becomes: "return undefined;",
      killedBy: ["cache/reflector-watch-list"],
    },
    {
      bug: "a watch has no deadline",
      text: "silence.set(firstDeadlineMs ?? this.#watchDeadlineMs);",
      becomes: "",
    },
    {
      bug: "a streaming list that has become a watch ends by the deadline of its bookmark",
      text: "silence.set(this.#watchDeadlineMs);\n            this.#hasBookmarks",
      becomes: "this.#hasBookmarks",
      killedBy: ["cache/reflector-watch-list"],
    },
    {
      bug: "all watches end together",
      text: "Math.floor(least + (most - least) * random())",
      becomes: "Math.floor(least)",
    },
    {
      bug: "a half-open connection is not asked after",
      text: "probeAfterMs = PROBE_AFTER_MS } = this.#options;",
      becomes: "probeAfterMs = 0 } = this.#options;",
      killedBy: ["faults/network"],
    },
    {
      bug: "a change that the transform refuses keeps a deleted object",
      text: 'else if (event.type === "DELETED") queue.enqueue({ type: "Deleted", entry: event.entry });',
      becomes: "",
    },
    {
      bug: "a full queue is filled further",
      text: "if (queue.room === undefined) continue;",
      becomes: "if (queue.room === undefined || count > 0) continue;",
      killedBy: ["cache/reflector"],
    },
    {
      bug: "the silence that a full queue makes is the server's fault",
      text: "silence.pause();\n        await unlessAborted",
      becomes: "await unlessAborted",
    },
    { bug: "a stop leaves a stream open", text: "watch?.close();", becomes: "" },
    {
      bug: "a stop leaves a timer",
      text: "this.#open = undefined;\n      silence.release();",
      becomes: "this.#open = undefined;",
    },
    { bug: "a stop leaves the timer of a doubt", text: "doubts?.release();", becomes: "", killedBy: ["cache/truth"] },
    {
      bug: "a list may be silent for ever",
      text: "try {\n      onProgress();\n      const list =",
      becomes: "try {\n      const list =",
    },
  ]),
  ...mutantsOf("cache/verifier", [
    {
      bug: "a comparison is made before the watch has come to where the list was",
      text: "while (!isAhead(this.#stream.seen(), resourceVersion) && clock.now() < untilMs) {",
      becomes: "while (clock.now() < 0) {",
      killedBy: ["faults/state"],
    },
    {
      bug: "what changed during a comparison counts as different",
      text: "this.#changed?.add(key);",
      becomes: "",
      killedBy: ["faults/state"],
    },
  ]),
  ...mutantsOf("cache/deadline", [
    {
      bug: "a connection is doubted although it is heard",
      text: "heard(): void {\n    this.#heardMs = this.#clock.now();",
      becomes: "heard(): void {",
      killedBy: ["cache/truth"],
    },
    {
      bug: "a deadline is not called off by the next",
      text: "if (this.#clock.now() < this.#dueMs) this.#look();\n      else this.fail",
      becomes: "this.fail",
      killedBy: ["cache/deadline"],
    },
    {
      bug: "a deadline is never earlier than the one before",
      text: "if (this.#timerMs > this.#dueMs) this.#look();",
      becomes: "if (this.#timerMs === Number.POSITIVE_INFINITY) this.#look();",
      killedBy: ["cache/deadline"],
    },
  ]),
  ...mutantsOf("cache/truth", [
    {
      bug: "a server that was put back is not noticed",
      text: "if (order < 0) return regression(listerWatcher.name, resourceVersion, seen);",
      becomes: "",
    },
    {
      bug: "a server without bookmarks is said to hold back",
      text: "if (order === 0 || !hasBookmarks) return undefined;",
      becomes: "if (order === 0) return undefined;",
      killedBy: ["faults/network"],
    },
    {
      bug: "what is there alone is no difference",
      text: "for (const key of left.keys()) wrong.push(key);",
      becomes: "",
    },
  ]),
  ...mutantsOf("cache/pager", [
    {
      bug: "a part of a list is taken for all of it",
      text: 'if (whole.continue !== "") throw error;',
      becomes: "",
    },
    {
      bug: "a token that has expired ends the list",
      text: 'if (!isInformerError(error) || error.code !== "expired") throw error;',
      becomes:
        'if (!isInformerError(error) || error.code !== "expired") throw error;\n    if (entries.length > 0) return { entries, resourceVersion, paginated: true };',
    },
    { bug: "the token of the third page is forgotten", text: "token = page.continue;", becomes: 'token = "";' },
    {
      bug: "later pages name a resourceVersion",
      text: '{ ...options, resourceVersion: "", continue: token }',
      becomes: "{ ...options, continue: token }",
    },
    {
      bug: "a token that repeats is followed",
      text: "tokens.add(token);",
      becomes: "tokens.add(`${token} ${tokens.size}`);",
    },
    {
      bug: "pages of two snapshots are mixed",
      text: "return { ...whole, paginated: true };",
      becomes: "return { ...whole, entries: [...entries, ...whole.entries], paginated: true };",
    },
  ]),
  ...mutantsOf("cache/list-watch", [
    {
      bug: "a bookmark that says it is not the end ends a streaming list",
      text: '["k8s.io/initial-events-end"] === "true"',
      becomes: '["k8s.io/initial-events-end"] !== undefined',
    },
    {
      bug: "events that came whole before a fault are lost",
      text: "if (this.#events.length === 0) throw error;\n        break;",
      becomes: "throw error;",
    },
    {
      bug: "the fault behind the last events is swallowed",
      text: "if (this.#failure !== undefined) throw this.#failure;",
      becomes: "if (this.#failure !== undefined) return undefined;",
    },
    {
      bug: "objects of other namespaces are taken in",
      text: 'if (asked !== "" && namespace !== asked) {',
      becomes: 'if (asked !== "" && namespace === "") {',
      killedBy: ["cache/list-watch", "faults/protocol"],
    },
    {
      bug: "a list of something else empties the cache",
      text: "if (isForeign || (!saysKind",
      becomes: "if (isForeign && (!saysKind",
      killedBy: ["cache/list-watch", "faults/protocol"],
    },
    {
      bug: "other content under the same resourceVersion is not seen",
      text: "resourceVersion && cached.isMadeOf(this.#slabs, bytes, start, end, prefix))",
      becomes: "resourceVersion)",
      killedBy: ["faults/state"],
    },
    {
      bug: "an object without a resourceVersion is taken in",
      text: 'if (name === "" || resourceVersion === "") {',
      becomes: 'if (name === "") {',
      killedBy: ["cache/list-watch", "faults/protocol"],
    },
    {
      bug: "bookmarks without a resourceVersion are taken in",
      text: 'if (resourceVersion === "")\n          throw',
      becomes: 'if (resourceVersion === "none")\n          throw',
    },
    {
      bug: "metadata is asked for again of a server that does not know it",
      text: "this.#asksPartial = false;",
      becomes: "",
      killedBy: ["cache/list-watch-metadata", "informers/metadata-only"],
    },
  ]),
];
