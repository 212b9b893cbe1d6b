/** A stop in each phase. */
import {
  awayAfter,
  compact,
  type Draft,
  end,
  fault,
  frame,
  HALF,
  handler,
  page,
  plain,
  remove,
  requests,
  settle,
  start,
  status,
  stop,
  synced,
  unhandle,
  write,
} from "../support/steps.js";

export const STOPS: Readonly<Record<string, Draft>> = {
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
  "a stop in the back-off before the sync": {
    steps: [write("a"), handler(), status("watchList", 429, "TooManyRequests"), start, requests(1), stop],
  },
  "a stop in the back-off after a list": {
    server: plain,
    steps: [write("a"), handler(), status("list", 500, "InternalError"), start, requests(2), stop],
  },
  "a stop in the back-off of a watch": { steps: [...synced, ...awayAfter(1), stop] },
  "a stop while a resumed watch is awaited": {
    steps: [...synced, fault("watch", "silence"), end("reset"), requests(2), stop],
  },
  "a stop while the second page is awaited": {
    server: { ...plain, pageLength: 2 },
    steps: [handler(), page("2.103", ["a", 101], ["b", 102]), fault("list", "silence"), start, requests(3), stop],
  },
  "a stop in the middle of a list": {
    server: plain,
    steps: [handler(), fault("list", { lines: [HALF] }), start, requests(2), stop],
  },
  "a stop while a relist is awaited": {
    steps: [...synced, fault("watchList", "silence"), end("reset"), remove("a"), compact, requests(3), stop],
  },
  "a stop after a handler came late": { steps: [...synced, handler("late"), settle, stop, write("a")] },
  "a stop after every handler was removed": { steps: [...synced, unhandle("h"), stop] },
  "a second stop": { steps: [...synced, stop, stop] },
};
