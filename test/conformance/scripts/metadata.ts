/** Metadata informers: what they do otherwise, and what they do not. */
import {
  compact,
  type Draft,
  end,
  events,
  filtered,
  handler,
  index,
  plain,
  recreate,
  remove,
  settle,
  start,
  status,
  stop,
  synced,
  write,
} from "../support/steps.js";

export const METADATA: Readonly<Record<string, Draft>> = {
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
  "metadata of an object that is deleted and made again while watched": {
    informer: { metadata: true },
    steps: [...synced, recreate("a"), settle],
  },
  "metadata of an object that was deleted and made again while away": {
    informer: { metadata: true },
    steps: [...synced, end("reset"), recreate("a"), compact, settle],
  },
  "metadata over a watch that is reset": {
    informer: { metadata: true },
    steps: [...synced, end("reset"), write("a"), remove("b"), settle],
  },
  "metadata over a watch that expires in the stream": {
    informer: { metadata: true },
    steps: [...synced, end({ status: 410, reason: "Expired" }), settle],
  },
  "metadata over a compaction on a server without streaming lists": {
    informer: { metadata: true },
    server: plain,
    steps: [...synced, end("reset"), remove("a"), compact, settle],
  },
  "metadata from a streaming list that is throttled before the sync": {
    informer: { metadata: true },
    steps: [write("a"), status("watchList", 429, "TooManyRequests"), handler(), start, settle],
  },
  "metadata from a list that meets an internal error": {
    informer: { metadata: true },
    server: plain,
    steps: [write("a"), status("list", 500, "InternalError"), handler(), start, settle],
  },
  "metadata by a field selector": {
    informer: { metadata: true, fieldSelector: "metadata.name!=hidden" },
    steps: [write("a"), write("hidden"), handler(), start, settle, write("hidden"), write("a"), settle],
  },
  "metadata for a handler that comes late": {
    informer: { metadata: true },
    steps: [...synced, handler("late"), settle, write("a"), settle],
  },
  "metadata behind a filter": {
    informer: { metadata: true },
    steps: [...filtered],
  },
  "metadata in an index": {
    informer: { metadata: true },
    steps: [index, write("a", "one"), handler(), start, settle, write("a", "two"), write("b", "two"), settle],
  },
  "metadata told again by a resync": {
    informer: { metadata: true, resyncMs: 3000 },
    steps: [write("a"), handler("h"), start, events("h", 2), stop],
  },
};
