/** Streaming lists: on, unsupported, and without their bookmark. */

import type { Step } from "../support/script.js";
import { endBookmark } from "../support/server.js";
import {
  type Draft,
  error,
  events,
  fault,
  frame,
  handler,
  pass,
  requests,
  settle,
  start,
  status,
  write,
} from "../support/steps.js";

/** The first streaming list meets these. */
const firstStream = (...faults: readonly Step[]): Draft => ({
  steps: [write("a"), ...faults, handler(), start, settle],
});

/** The first streaming list is these lines, of which so much is told, and goes on as a watch. */
const streamOf = (told: number, ...lines: readonly string[]): Draft => ({
  steps: [fault("watchList", { lines }), handler(), start, requests(1), events("h", told), settle],
});

/** The first streaming list is these lines, and then silent for longer than anybody should wait. */
const openStream = (...lines: readonly string[]): Draft => ({
  steps: [write("a"), fault("watchList", { lines }), handler(), start, pass(65_000)],
});

export const STREAMS: Readonly<Record<string, Draft>> = {
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
  "a streaming list that stays open without its bookmark": openStream(frame("ADDED", "a", 90)),
  "a streaming list that stays open with a bookmark that is not its end": openStream(
    frame("ADDED", "a", 90),
    endBookmark(95, "false"),
  ),
  "a streaming list that is throttled before the sync": firstStream(status("watchList", 429, "TooManyRequests")),
  "a streaming list that is throttled three times before the sync": firstStream(
    status("watchList", 429, "TooManyRequests"),
    status("watchList", 429, "TooManyRequests"),
    status("watchList", 429, "TooManyRequests"),
  ),
  "a streaming list that is unauthorized at first": firstStream(status("watchList", 401, "Unauthorized")),
  "a streaming list that is not found at first": firstStream(status("watchList", 404, "NotFound")),
  "a streaming list that is refused as a method that is not allowed": firstStream(
    status("watchList", 405, "MethodNotAllowed"),
  ),
  "a streaming list that is not available at first": firstStream(status("watchList", 503, "ServiceUnavailable")),
  "a streaming list that times out at a gateway": firstStream(status("watchList", 504, "Timeout")),
  "a streaming list whose resourceVersion is too large": firstStream(
    status("watchList", 504, "Timeout", "ResourceVersionTooLarge"),
  ),
  "a streaming list that is reset at once": firstStream(fault("watchList", "reset")),
  "a streaming list that is reset before its bookmark": firstStream(
    fault("watchList", { lines: [frame("ADDED", "a", 90)], end: "reset" }),
  ),
  "a streaming list that ends within a line": firstStream(
    fault("watchList", { lines: ['{"type":"ADDED","object":{"kind":"Conf'], end: "clean" }),
  ),
  "a streaming list that ends twice without its bookmark": firstStream(
    fault("watchList", { lines: [frame("ADDED", "a", 90)], end: "clean" }),
    fault("watchList", { lines: [frame("ADDED", "a", 90)], end: "clean" }),
  ),
  "a streaming list that is throttled in the stream": firstStream(error("watchList", 429, "TooManyRequests")),
  "a streaming list that times out in the stream": firstStream(error("watchList", 504, "Timeout")),
  "a streaming list that is forbidden in the stream": firstStream(error("watchList", 403, "Forbidden")),
  "a streaming list with a line that is not JSON": firstStream(
    fault("watchList", { lines: [frame("ADDED", "a", 90), "<html>\n"], end: "clean" }),
  ),
  "a streaming list with an object twice": streamOf(
    1,
    frame("ADDED", "a", 90),
    frame("ADDED", "a", 91),
    endBookmark(95),
  ),
  "a streaming list with an object that is deleted and made again": streamOf(
    1,
    frame("ADDED", "a", 90),
    frame("DELETED", "a", 91),
    frame("ADDED", "a", 92),
    endBookmark(95),
  ),
  "a streaming list with a change behind its bookmark": streamOf(
    2,
    frame("ADDED", "a", 90),
    endBookmark(95),
    frame("MODIFIED", "a", 96),
  ),
  "a streaming list without an object": streamOf(0, endBookmark(95)),
  "a streaming list that has two end bookmarks": streamOf(1, frame("ADDED", "a", 90), endBookmark(95), endBookmark(96)),
};
