/** Resyncs. */
import { type Draft, end, events, fault, handler, pass, remove, settle, start, stop, write } from "../support/steps.js";

export const RESYNCS: Readonly<Record<string, Draft>> = {
  "a resync tells of every object": {
    informer: { resyncMs: 3000 },
    steps: [write("a"), handler("h"), start, events("h", 2), stop],
  },
  "a resync leaves out who asked for none": {
    informer: { resyncMs: 3000 },
    steps: [write("a"), handler("h"), handler("never", { resyncMs: 0 }), start, events("h", 2), stop],
  },
  "a resync of several periods": {
    informer: { resyncMs: 2000 },
    steps: [
      write("a"),
      handler("h"),
      handler("slow", { resyncMs: 4000 }),
      start,
      events("slow", 2),
      events("h", 3),
      stop,
    ],
  },
  "a resync tells nothing of what is gone": {
    informer: { resyncMs: 3000 },
    steps: [write("a"), write("b"), handler("h"), start, settle, remove("b"), settle, events("h", 4), stop],
  },
  "a resync goes on while the watch is away": {
    informer: { resyncMs: 3000 },
    steps: [
      write("a"),
      handler("h"),
      start,
      settle,
      settle,
      fault("watch", "silence"),
      end("reset"),
      events("h", 3),
      stop,
    ],
  },
  "a resync behind a filter": {
    informer: { resyncMs: 3000 },
    steps: [write("a", "yes"), write("b", "no"), handler("h", { filter: "yes" }), start, events("h", 3), stop],
  },
  "a resync for a handler that comes late": {
    informer: { resyncMs: 3000 },
    steps: [write("a"), handler("h", { resyncMs: 0 }), start, settle, handler("late"), events("late", 2), stop],
  },
  "a resync that a late handler alone asks for": {
    steps: [write("a"), handler("h"), start, settle, handler("late", { resyncMs: 1000 }), pass(2500), stop],
  },
};
