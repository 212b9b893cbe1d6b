/** What happens while nobody looks: tombstones, compactions, objects that are made again. */
import {
  compact,
  type Draft,
  end,
  fault,
  frame,
  handler,
  plain,
  recreate,
  remove,
  settle,
  start,
  status,
  synced,
  write,
} from "../support/steps.js";

export const ABSENCES: Readonly<Record<string, Draft>> = {
  "an object that is deleted and made again while watched": { steps: [...synced, recreate("a"), settle] },
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
  "an object that is deleted twice over": {
    steps: [...synced, remove("a"), settle, write("a"), settle, remove("a"), settle],
  },
  "an object that is deleted and made again twice while watched": {
    steps: [...synced, recreate("a"), recreate("a"), settle],
  },
  "a deletion while away, within the history": { steps: [...synced, end("reset"), remove("a"), settle] },
  "a compaction while away, and nothing changed in the namespace": {
    informer: { namespace: "x" },
    steps: [write("x/a"), handler(), start, settle, settle, end("reset"), write("y/a"), compact, settle],
  },
  "a compaction while away: what came and went is not told of": {
    steps: [...synced, end("reset"), write("d"), remove("d"), compact, settle],
  },
  "two compactions, one after the other: tombstones of both": {
    steps: [...synced, end("reset"), remove("a"), compact, settle, settle, end("reset"), remove("b"), compact, settle],
  },
  "a compaction while away: tombstones reach every handler": {
    steps: [
      write("a"),
      handler("h"),
      handler("other"),
      start,
      settle,
      settle,
      end("reset"),
      remove("a"),
      compact,
      settle,
    ],
  },
  "a compaction while away: tombstones and a filter": {
    steps: [
      write("a", "yes"),
      write("b", "no"),
      handler("h", { filter: "yes" }),
      start,
      settle,
      settle,
      end("reset"),
      remove("a"),
      remove("b"),
      compact,
      settle,
    ],
  },
  "a compaction, and a list whose resourceVersion has expired as well: tombstones": {
    server: plain,
    steps: [...synced, status("list", 410, "Expired"), end("reset"), remove("a"), compact, settle],
  },
  "a compaction on a server that lists in pages: tombstones": {
    server: { ...plain, pageLength: 2 },
    steps: [...synced, end("reset"), remove("a"), write("d"), compact, settle],
  },
  "a compaction, and a streaming list that is reset before its bookmark: tombstones": {
    steps: [
      ...synced,
      fault("watchList", { lines: [frame("ADDED", "b", 102)], end: "reset" }),
      end("reset"),
      remove("a"),
      compact,
      settle,
    ],
  },
  "a tombstone, and the object made again later": {
    steps: [...synced, end("reset"), remove("a"), compact, settle, write("a"), settle],
  },
};
