/** The conformance scripts. Each begins with an empty server at resourceVersion 100. */

import { DIFFERENCES } from "./differences.js";
import type { Script, Step, Verb } from "./support/script.js";
import { endBookmark } from "./support/server.js";

const write = (key: string, app?: string, note?: string): Step => ({
  do: "write",
  key,
  ...(app !== undefined && { app }),
  ...(note !== undefined && { note }),
});
const remove = (key: string): Step => ({ do: "remove", key });
const recreate = (key: string): Step => ({ do: "recreate", key });
const handler = (name = "h", options: { resyncMs?: number; filter?: string } = {}): Step => ({
  do: "handler",
  name,
  ...options,
});
const unhandle = (name: string): Step => ({ do: "unhandle", name });
const start: Step = { do: "start" };
const stop: Step = { do: "stop" };
const settle: Step = { do: "settle" };
const bookmark: Step = { do: "bookmark" };
const compact: Step = { do: "compact" };
const index: Step = { do: "index" };
const pass = (ms: number): Step => ({ do: "pass", ms });
const requests = (count: number): Step => ({ do: "requests", count });
const events = (name: string, count: number): Step => ({ do: "events", name, count });
const end = (how: Extract<Step, { do: "end" }>["how"]): Step => ({ do: "end", how });
const send = (line: string): Step => ({ do: "send", line });
const fault = (on: Verb, fault: Extract<Step, { do: "fault" }>["fault"]): Step => ({ do: "fault", on, fault });
const status = (on: Verb, code: number, reason?: string, cause?: string): Step =>
  fault(on, { status: code, ...(reason && { reason }), ...(cause && { cause }) });
const error = (on: Verb, code: number, reason: string): Step =>
  fault(on, {
    lines: [
      `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":${code},"reason":"${reason}"}}\n`,
    ],
    end: "clean",
  });
const object = (key: string, version: number): string =>
  `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"${key}","uid":"uid-${key}","resourceVersion":"${version}"}}`;
const frame = (type: string, key: string, version: number): string =>
  `{"type":"${type}","object":${object(key, version)}}\n`;

/** An informer with one handler that knows a, b and c. */
const synced: readonly Step[] = [write("a"), write("b"), write("c"), handler(), start, settle, settle];
const plain = { streaming: false } as const;

type Draft = Omit<Script, "name" | "differs">;
const drafts: Record<string, Draft> = {
  "an empty server is a sync": { steps: [handler(), start, settle] },
  "one object is an add of the initial list": { steps: [write("a"), handler(), start, settle] },
  "many objects are adds of the initial list": { steps: [...synced, settle] },
  "an empty list is a sync": { server: plain, steps: [handler(), start, settle] },
  "one object of a list is an add of the initial list": {
    server: plain,
    steps: [write("a"), handler(), start, settle],
  },
  "many objects of a list are adds of the initial list": { server: plain, steps: [...synced] },
  "a list in pages is one list": { server: { ...plain, pageLength: 2 }, steps: [...synced] },
  "a list of exactly one page": { server: { ...plain, pageLength: 3 }, steps: [...synced] },
  "a continue token that expires on the second page": {
    server: { ...plain, pageLength: 2 },
    steps: [
      write("a"),
      write("b"),
      write("c"),
      handler(),
      fault("list", {
        lines: [
          `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"103","continue":"2.103"},"items":[${object("a", 101)},${object("b", 102)}]}`,
        ],
        end: "clean",
      }),
      status("list", 410, "Expired"),
      start,
      settle,
    ],
  },
  "changes after the sync are told as they come": { steps: [...synced, write("d"), write("a"), remove("b"), settle] },
  "many changes of one object come in order": {
    steps: [...synced, write("a"), write("a"), write("a"), write("a"), settle],
  },
  "an object that comes and goes": { steps: [...synced, write("d"), remove("d"), settle] },
  "an object that is deleted and made again while watched": { steps: [...synced, recreate("a"), settle] },
  "an object that is deleted twice over": {
    steps: [...synced, remove("a"), settle, write("a"), settle, remove("a"), settle],
  },
  "a streaming list that contains a modification": {
    steps: [
      handler(),
      fault("watchList", { lines: [frame("ADDED", "a", 90), frame("MODIFIED", "a", 91), endBookmark(100)] }),
      start,
      requests(1),
      events("h", 1),
    ],
  },
  "a streaming list that contains a deletion": {
    steps: [
      handler(),
      fault("watchList", {
        lines: [frame("ADDED", "a", 90), frame("ADDED", "b", 91), frame("DELETED", "a", 92), endBookmark(100)],
      }),
      start,
      requests(1),
      events("h", 1),
    ],
  },
  "a bookmark whose annotation is false does not end a streaming list": {
    steps: [
      handler(),
      fault("watchList", {
        lines: [frame("ADDED", "a", 90), endBookmark(95, "false"), frame("ADDED", "b", 96), endBookmark(100)],
      }),
      start,
      requests(1),
      events("h", 2),
    ],
  },
  "a streaming list that is refused as a bad request": {
    steps: [write("a"), status("watchList", 400, "BadRequest"), handler(), start, settle],
  },
  "a streaming list that is refused as forbidden": {
    steps: [write("a"), status("watchList", 403, "Forbidden"), handler(), start, settle],
  },
  "a streaming list that meets an internal error": {
    steps: [write("a"), status("watchList", 500, "InternalError"), handler(), start, settle],
  },
  "a streaming list whose resourceVersion has expired": {
    steps: [write("a"), status("watchList", 410, "Expired"), handler(), start, settle],
  },
  "a streaming list that ends with an error in the stream": {
    steps: [write("a"), error("watchList", 500, "InternalError"), handler(), start, settle],
  },
  "a streaming list that expires in the stream": {
    steps: [write("a"), error("watchList", 410, "Expired"), handler(), start, settle],
  },
  "a streaming list that ends without its bookmark": {
    steps: [
      write("a"),
      fault("watchList", { lines: [frame("ADDED", "a", 90)], end: "clean" }),
      handler(),
      start,
      settle,
    ],
  },
  "a list that meets an internal error": {
    server: plain,
    steps: [write("a"), status("list", 500, "InternalError"), handler(), start, settle],
  },
  "a list that times out at a gateway": {
    server: plain,
    steps: [write("a"), status("list", 504, "Timeout"), handler(), start, settle],
  },
  "a list that is forbidden at first": {
    server: plain,
    steps: [write("a"), status("list", 403, "Forbidden"), handler(), start, settle],
  },
  "a list that is not found at first": {
    server: plain,
    steps: [write("a"), status("list", 404, "NotFound"), handler(), start, settle],
  },
  "a list whose resourceVersion has expired": {
    server: plain,
    steps: [write("a"), status("list", 410, "Expired"), handler(), start, settle],
  },
  "a list whose resourceVersion is too large": {
    server: plain,
    steps: [write("a"), status("list", 504, "Timeout", "ResourceVersionTooLarge"), handler(), start, settle],
  },
  "a list that is not JSON": {
    server: plain,
    steps: [write("a"), fault("list", { lines: ["<html>"], end: "clean" }), handler(), start, settle],
  },
  "a watch that ends clean at once, without an event": {
    steps: [write("a"), handler(), start, settle, end("clean"), settle],
  },
  "a watch with an event that ends clean": { steps: [...synced, write("a"), settle, end("clean"), settle] },
  "a watch that ends clean, and what was missed": {
    steps: [...synced, end("clean"), write("a"), remove("b"), write("d"), settle],
  },
  "a watch that is reset, and what was missed": {
    steps: [...synced, end("reset"), write("a"), remove("b"), write("d"), settle],
  },
  "a watch that ends within a line": { steps: [...synced, end("truncated"), write("a"), remove("b"), settle] },
  "a watch that expires in the stream": { steps: [...synced, end({ status: 410, reason: "Expired" }), settle] },
  "a watch that is gone in the stream": {
    steps: [...synced, end({ status: 410, reason: "Gone" }), write("d"), settle],
  },
  "a watch that is throttled in the stream": {
    steps: [...synced, end({ status: 429, reason: "TooManyRequests" }), write("d"), settle],
  },
  "a watch that meets an internal error in the stream": {
    steps: [...synced, end({ status: 500, reason: "InternalError" }), write("d"), settle],
  },
  "a watch that times out in the stream": {
    steps: [...synced, end({ status: 504, reason: "Timeout" }), write("d"), settle],
  },
  "a compaction while away: objects that went are tombstones": {
    steps: [...synced, end("reset"), remove("a"), remove("b"), write("d"), compact, settle],
  },
  "a compaction while away: a change is an update": { steps: [...synced, end("reset"), write("a"), compact, settle] },
  "a compaction while away: everything went": {
    steps: [...synced, end("reset"), remove("a"), remove("b"), remove("c"), compact, settle],
  },
  "an object that was deleted and made again while away": {
    steps: [...synced, end("reset"), recreate("a"), compact, settle],
  },
  "an object that was deleted and made again within the history": {
    steps: [...synced, end("reset"), recreate("a"), settle],
  },
  "a compaction on a server without streaming lists": {
    server: plain,
    steps: [...synced, end("reset"), remove("a"), write("d"), compact, settle],
  },
  "a watch that is refused as expired": { steps: [...synced, end("reset"), status("watch", 410, "Expired"), settle] },
  "a watch that is refused with an internal error": {
    steps: [...synced, end("reset"), status("watch", 500, "InternalError"), settle],
  },
  "a watch that is refused as forbidden": {
    steps: [...synced, end("reset"), status("watch", 403, "Forbidden"), settle],
  },
  "a bookmark is where the next watch begins": {
    steps: [...synced, bookmark, write("a"), settle, end("clean"), settle],
  },
  "an event of an unknown type is passed over": {
    steps: [...synced, send(frame("SPOILT", "a", 110)), write("a"), settle],
  },
  "a deletion of what was never known": { steps: [...synced, send(frame("DELETED", "z", 104)), settle] },
  "an added event of a known object is an update": {
    steps: [...synced, send(frame("ADDED", "a", 105).replace("uid-a", "uid-a-1")), settle],
  },
  "a modified event of an unknown object is an add": { steps: [...synced, send(frame("MODIFIED", "z", 105)), settle] },
  "a line that is not JSON": { steps: [...synced, send("<html>\n"), settle] },
  "two handlers are told the same": {
    steps: [write("a"), handler("h"), handler("other"), start, settle, write("a"), remove("a"), settle],
  },
  "a handler that comes late is given what is cached": {
    steps: [...synced, handler("late"), settle, write("a"), settle],
  },
  "a handler that comes late to an empty cache": { steps: [handler(), start, settle, handler("late"), settle] },
  "a handler that is removed hears of nothing more": {
    steps: [write("a"), handler("h"), handler("other"), start, settle, unhandle("other"), write("b"), settle],
  },
  "a handler that was removed and comes again": {
    steps: [...synced, handler("other"), settle, unhandle("other"), write("a"), settle, handler("again"), settle],
  },
  "a filter makes adds and deletes of updates": {
    steps: [
      write("a", "yes"),
      write("b", "no"),
      handler("h", { filter: "yes" }),
      start,
      settle,
      write("a", "no"),
      write("b", "yes"),
      settle,
      remove("b"),
      settle,
    ],
  },
  "a filter and a plain handler side by side": {
    steps: [
      write("a", "no"),
      handler("h"),
      handler("some", { filter: "yes" }),
      start,
      settle,
      write("a", "yes"),
      remove("a"),
      settle,
    ],
  },
  "a label selector": {
    informer: { labelSelector: "app=yes" },
    steps: [write("a", "yes"), write("b", "no"), handler(), start, settle, write("c", "yes"), write("d", "no"), settle],
  },
  "an object that leaves and enters a label selector": {
    informer: { labelSelector: "app=yes" },
    steps: [write("a", "yes"), handler(), start, settle, write("a", "no"), settle, write("a", "yes"), settle],
  },
  "a field selector": {
    informer: { fieldSelector: "metadata.name!=hidden" },
    steps: [write("a"), write("hidden"), handler(), start, settle, write("hidden"), write("a"), settle],
  },
  "one namespace": {
    informer: { namespace: "x" },
    steps: [write("x/a"), write("y/a"), handler(), start, settle, write("x/b"), remove("y/a"), settle],
  },
  "one namespace of a server without streaming lists": {
    informer: { namespace: "x" },
    server: plain,
    steps: [write("x/a"), write("y/a"), handler(), start, settle, remove("x/a"), settle],
  },
  "objects of one name in two namespaces": {
    steps: [write("x/a"), write("y/a"), handler(), start, settle, remove("x/a"), settle],
  },
  "an index from before the start": {
    steps: [
      index,
      write("a", "one"),
      write("b", "two"),
      handler(),
      start,
      settle,
      write("a", "two"),
      remove("b"),
      settle,
    ],
  },
  "an index that is added late": {
    steps: [write("a", "one"), write("b", "two"), handler(), start, settle, index, write("c", "one"), settle],
  },
  "an index over a relist": {
    steps: [
      index,
      write("a", "one"),
      write("b", "two"),
      handler(),
      start,
      settle,
      settle,
      end("reset"),
      remove("a"),
      write("b", "three"),
      compact,
      settle,
    ],
  },
  "a transform is what is cached": {
    informer: { transform: true },
    steps: [write("a", "one", "long"), handler(), start, settle, write("a", "one", "longer"), settle],
  },
  "a transform on a server without streaming lists": {
    informer: { transform: true },
    server: plain,
    steps: [write("a", "one", "long"), handler(), start, settle],
  },
  "without a transform all is cached": { steps: [write("a", "one", "long"), handler(), start, settle] },
  "a resync tells of every object": {
    informer: { resyncMs: 3000 },
    steps: [write("a"), handler("h"), start, events("h", 2), stop],
  },
  "a resync leaves out who asked for none": {
    informer: { resyncMs: 3000 },
    steps: [write("a"), handler("h"), handler("never", { resyncMs: 0 }), start, events("h", 2), stop],
  },
  "a watch that ends clean after a quiet while is resumed": {
    steps: [write("a"), handler(), start, settle, pass(1500), end("clean"), settle],
  },
  "metadata of objects": {
    informer: { metadata: true },
    steps: [write("a", "one", "long"), handler(), start, settle, write("a", "two"), settle],
  },
  "metadata from a server without streaming lists": {
    informer: { metadata: true },
    server: plain,
    steps: [write("a", "one", "long"), write("b"), handler(), start, settle, remove("b"), settle],
  },
  "metadata over a compaction while away": {
    informer: { metadata: true },
    steps: [...synced, end("reset"), remove("a"), write("d"), compact, settle],
  },
  "metadata of one namespace": {
    informer: { metadata: true, namespace: "x" },
    steps: [write("x/a"), write("y/a"), handler(), start, settle, write("x/b"), settle],
  },
  "metadata in pages": {
    informer: { metadata: true },
    server: { streaming: false, pageLength: 2 },
    steps: [...synced],
  },
  "metadata by a label selector": {
    informer: { metadata: true, labelSelector: "app=yes" },
    steps: [write("a", "yes"), write("b", "no"), handler(), start, settle, write("a", "no"), settle],
  },
  "a stop before the first answer": {
    steps: [write("a"), handler(), fault("watchList", "silence"), start, requests(1), stop],
  },
  "a stop while the list is awaited": {
    server: plain,
    steps: [write("a"), handler(), fault("list", "silence"), start, requests(2), stop],
  },
  "a stop within a streaming list": {
    steps: [handler(), fault("watchList", { lines: [frame("ADDED", "a", 90)] }), start, requests(1), stop],
  },
  "a stop while watching": { steps: [...synced, stop, write("a")] },
};

export const SCRIPTS: readonly Script[] = Object.entries(drafts).map(([name, draft]) => ({
  name,
  ...draft,
  differs: DIFFERENCES[name] ?? [],
}));
