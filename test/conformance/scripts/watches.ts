/** What a watch tells, and every way in which it ends. */
import {
  asWritten,
  bookmark,
  type Draft,
  end,
  fault,
  frame,
  handler,
  pass,
  plainBookmark,
  remove,
  send,
  settle,
  start,
  status,
  synced,
  write,
} from "../support/steps.js";

/** The watch after the first meets this. */
const refusedWatch = (code: number, reason: string, cause?: string): Draft => ({
  steps: [...synced, end("reset"), status("watch", code, reason, cause), write("d"), settle],
});

export const WATCHES: Readonly<Record<string, Draft>> = {
  "changes after the sync are told as they come": { steps: [...synced, write("d"), write("a"), remove("b"), settle] },
  "many changes of one object come in order": {
    steps: [...synced, write("a"), write("a"), write("a"), write("a"), settle],
  },
  "an object that comes and goes": { steps: [...synced, write("d"), remove("d"), settle] },
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
  "a watch that ends clean after a quiet while is resumed": {
    steps: [write("a"), handler(), start, settle, pass(1500), end("clean"), settle],
  },
  "a watch that is unauthorized in the stream": {
    steps: [...synced, end({ status: 401, reason: "Unauthorized" }), write("d"), settle],
  },
  "a watch that is forbidden in the stream": {
    steps: [...synced, end({ status: 403, reason: "Forbidden" }), write("d"), settle],
  },
  "a watch that is not found in the stream": {
    steps: [...synced, end({ status: 404, reason: "NotFound" }), write("d"), settle],
  },
  "a watch that is a bad request in the stream": {
    steps: [...synced, end({ status: 400, reason: "BadRequest" }), write("d"), settle],
  },
  "a watch that is gone in the stream without a reason": {
    steps: [...synced, end({ status: 410 }), write("d"), settle],
  },
  "a watch that is reset at its opening": {
    steps: [...synced, fault("watch", "reset"), end("reset"), write("d"), settle],
  },
  "a watch that is reset within a line": {
    steps: [...synced, send('{"type":"MODIFIED","object":{"kind":"Conf'), end("reset"), write("a"), settle],
  },
  "a watch that is reset after a change": { steps: [...synced, write("a"), settle, end("reset"), settle] },
  "a watch that is reset again and again": {
    steps: [...synced, end("reset"), write("a"), settle, end("reset"), write("a"), settle, end("reset"), settle],
  },
  "a watch that is refused as unauthorized": refusedWatch(401, "Unauthorized"),
  "a watch that is refused as not found": refusedWatch(404, "NotFound"),
  "a watch that is refused as a bad request": refusedWatch(400, "BadRequest"),
  "a watch that is refused as too many": refusedWatch(429, "TooManyRequests"),
  "a watch that is refused as not available": refusedWatch(503, "ServiceUnavailable"),
  "a watch that is refused by a gateway's time": refusedWatch(504, "Timeout"),
  "a watch whose resourceVersion is too large": refusedWatch(504, "Timeout", "ResourceVersionTooLarge"),
  "a watch that is answered with a page": {
    steps: [...synced, fault("watch", { lines: ["<html>"], end: "clean" }), end("reset"), write("d"), settle],
  },
  "a watch that ends clean with a bookmark alone": {
    steps: [...synced, end("clean"), settle, bookmark, end("clean"), write("d"), settle],
  },
  "a resumed watch that ends clean at once": {
    steps: [...synced, fault("watch", { lines: [], end: "clean" }), end("reset"), write("d"), settle],
  },
  "an event whose resourceVersion goes back": {
    steps: [...synced, send(asWritten(frame("MODIFIED", "a", 50))), settle],
  },
  "an event whose resourceVersion is that of the last change": {
    steps: [...synced, send(asWritten(frame("MODIFIED", "a", 101))), settle],
  },
  "a deletion whose resourceVersion is that of the last change": {
    steps: [...synced, send(asWritten(frame("DELETED", "a", 101))), settle],
  },
  "a bookmark whose resourceVersion goes back": { steps: [...synced, send(plainBookmark("50")), end("clean"), settle] },
  "a bookmark without a resourceVersion": { steps: [...synced, send(plainBookmark("")), end("clean"), settle] },
  "a bookmark that is ahead of every event": {
    informer: { namespace: "x" },
    steps: [write("x/a"), handler(), start, settle, settle, write("y/a"), bookmark, end("clean"), write("x/b"), settle],
  },
  "an added event of an object that was deleted": {
    steps: [...synced, remove("a"), settle, write("a"), settle],
  },
  "blank lines between events": { steps: [...synced, send("\n\n"), write("a"), send("\n"), settle] },
};
