/** Selectors, namespaces, indexes and transforms. */
import {
  compact,
  type Draft,
  end,
  handler,
  index,
  indexed,
  plain,
  remove,
  settle,
  start,
  write,
} from "../support/steps.js";

export const SELECTIONS: Readonly<Record<string, Draft>> = {
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
    steps: [...indexed, write("a", "two"), remove("b"), settle],
  },
  "an index that is added late": {
    steps: [write("a", "one"), write("b", "two"), handler(), start, settle, index, write("c", "one"), settle],
  },
  "an index over a relist": {
    steps: [...indexed, settle, end("reset"), remove("a"), write("b", "three"), compact, settle],
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
  "a label selector over a compaction: what no longer matches is a tombstone": {
    informer: { labelSelector: "app=yes" },
    steps: [
      write("a", "yes"),
      write("b", "yes"),
      handler(),
      start,
      settle,
      settle,
      end("reset"),
      write("a", "no"),
      compact,
      settle,
    ],
  },
  "a label selector in pages": {
    informer: { labelSelector: "app=yes" },
    server: { ...plain, pageLength: 1 },
    steps: [write("a", "yes"), write("b", "no"), write("c", "yes"), handler(), start, settle],
  },
  "a field selector on a server without streaming lists": {
    informer: { fieldSelector: "metadata.name!=hidden" },
    server: plain,
    steps: [write("a"), write("hidden"), handler(), start, settle, remove("hidden"), write("a"), settle],
  },
  "a label selector and a field selector": {
    informer: { labelSelector: "app=yes", fieldSelector: "metadata.name!=hidden" },
    steps: [write("a", "yes"), write("hidden", "yes"), write("b", "no"), handler(), start, settle],
  },
  "one namespace over a compaction: a tombstone of its own alone": {
    informer: { namespace: "x" },
    steps: [
      write("x/a"),
      write("y/a"),
      handler(),
      start,
      settle,
      settle,
      end("reset"),
      remove("x/a"),
      remove("y/a"),
      compact,
      settle,
    ],
  },
  "one namespace whose watch is reset": {
    informer: { namespace: "x" },
    steps: [write("x/a"), handler(), start, settle, settle, end("reset"), write("x/b"), write("y/b"), settle],
  },
  "one namespace and a label selector": {
    informer: { namespace: "x", labelSelector: "app=yes" },
    steps: [write("x/a", "yes"), write("x/b", "no"), write("y/a", "yes"), handler(), start, settle],
  },
  "a transform over a relist": {
    informer: { transform: true },
    steps: [
      write("a", "one", "long"),
      write("b", "one", "long"),
      handler(),
      start,
      settle,
      settle,
      end("reset"),
      write("a", "one", "longer"),
      compact,
      settle,
    ],
  },
  "an index over an object that is deleted and made again": {
    steps: [
      index,
      write("a", "one"),
      handler(),
      start,
      settle,
      remove("a"),
      write("a", "two"),
      write("b", "two"),
      settle,
    ],
  },
  "an index that is added before anything is there": {
    steps: [handler(), start, settle, index, write("a", "one"), settle],
  },
};
