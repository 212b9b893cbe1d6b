/** Handlers that come and go, in each phase, and filters. */

import type { Step } from "../support/script.js";
import { endBookmark } from "../support/server.js";
import {
  awayAfter,
  compact,
  type Draft,
  end,
  fault,
  filtered,
  frame,
  handler,
  remove,
  requests,
  send,
  settle,
  start,
  status,
  synced,
  unhandle,
  write,
} from "../support/steps.js";

/** A start, and a streaming list that has got so far. */
const openAtFirst = (...lines: readonly string[]): readonly Step[] => [
  fault("watchList", { lines }),
  start,
  requests(1),
];

export const HANDLERS: Readonly<Record<string, Draft>> = {
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
    steps: [...filtered, remove("b"), settle],
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
  "a handler that comes before the first object": {
    steps: [handler(), ...openAtFirst(), handler("late"), send(frame("ADDED", "a", 90)), send(endBookmark(95)), settle],
  },
  "a handler that comes within a streaming list": {
    steps: [handler(), ...openAtFirst(frame("ADDED", "a", 90)), handler("late"), send(endBookmark(95)), settle],
  },
  "a handler that comes in the back-off before the sync": {
    steps: [
      write("a"),
      handler(),
      status("watchList", 429, "TooManyRequests"),
      start,
      requests(1),
      handler("late"),
      settle,
    ],
  },
  "a handler that comes in the back-off of a watch": {
    steps: [...synced, ...awayAfter(1), handler("late"), write("a"), settle],
  },
  "a handler that comes between a compaction and its list": {
    steps: [...synced, ...awayAfter(1), remove("a"), compact, handler("late"), settle],
  },
  "a handler that comes after a compaction": {
    steps: [...synced, end("reset"), remove("a"), compact, settle, handler("late"), settle],
  },
  "handlers that come one after another": {
    steps: [...synced, handler("second"), write("a"), settle, handler("third"), remove("b"), settle],
  },
  "a handler with a filter that comes late": {
    steps: [
      write("a", "yes"),
      write("b", "no"),
      handler(),
      start,
      settle,
      handler("late", { filter: "yes" }),
      write("b", "yes"),
      settle,
    ],
  },
  "a handler that is removed before the start": {
    steps: [write("a"), handler(), handler("other"), unhandle("other"), start, settle],
  },
  "a handler that is removed within a streaming list": {
    steps: [
      handler(),
      handler("other"),
      ...openAtFirst(frame("ADDED", "a", 90)),
      unhandle("other"),
      send(endBookmark(95)),
      settle,
    ],
  },
  "a handler that is removed in the back-off before the sync": {
    steps: [
      write("a"),
      handler(),
      handler("other"),
      status("watchList", 429, "TooManyRequests"),
      start,
      requests(1),
      unhandle("other"),
      settle,
    ],
  },
  "a handler that is removed in the back-off of a watch": {
    steps: [...synced, handler("other"), settle, ...awayAfter(1), unhandle("other"), write("a"), settle],
  },
  "a handler that is removed between a compaction and its list": {
    steps: [...synced, handler("other"), settle, ...awayAfter(1), remove("a"), compact, unhandle("other"), settle],
  },
  "a handler that is removed twice": {
    steps: [...synced, handler("other"), settle, unhandle("other"), unhandle("other"), write("a"), settle],
  },
  "the only handler is removed, and another comes": {
    steps: [...synced, unhandle("h"), handler("other"), settle, write("a"), settle],
  },
  "a filter that an object enters and leaves again and again": {
    steps: [
      write("a", "no"),
      handler("h", { filter: "yes" }),
      handler("plain"),
      start,
      settle,
      write("a", "yes"),
      write("a", "yes"),
      write("a", "no"),
      write("a", "yes"),
      settle,
    ],
  },
};
