/** Lists, whole and in pages, and what goes wrong with them. */
import type { Step } from "../support/script.js";
import {
  type Draft,
  end,
  fault,
  HALF,
  handler,
  page,
  plain,
  settle,
  start,
  status,
  synced,
  write,
} from "../support/steps.js";

/** The first list meets these; the server does no streaming lists. */
const firstList = (...faults: readonly Step[]): Draft => ({
  server: plain,
  steps: [write("a"), ...faults, handler(), start, settle],
});

/** The first list comes in pages, and meets these. */
const firstPages = (...faults: readonly Step[]): Draft => ({
  server: { ...plain, pageLength: 2 },
  steps: [write("a"), write("b"), write("c"), handler(), ...faults, start, settle],
});

export const LISTS: Readonly<Record<string, Draft>> = {
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
  "a continue token that expires on the second page": firstPages(
    page("2.103", ["a", 101], ["b", 102]),
    status("list", 410, "Expired"),
  ),
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
  "a list that is throttled before the sync": firstList(status("list", 429, "TooManyRequests")),
  "a list that is throttled three times before the sync": firstList(
    status("list", 429, "TooManyRequests"),
    status("list", 429, "TooManyRequests"),
    status("list", 429, "TooManyRequests"),
  ),
  "a list that is unauthorized at first": firstList(status("list", 401, "Unauthorized")),
  "a list that is a bad request at first": firstList(status("list", 400, "BadRequest")),
  "a list that is not available at first": firstList(status("list", 503, "ServiceUnavailable")),
  "a list that is reset before its body": firstList(fault("list", "reset")),
  "a list that is reset in the middle": firstList(fault("list", { lines: [HALF], end: "reset" })),
  "a list that ends in the middle": firstList(fault("list", { lines: [HALF], end: "clean" })),
  "a list that is reset in the middle of its second page": firstPages(
    page("2.103", ["a", 101], ["b", 102]),
    fault("list", { lines: [HALF], end: "reset" }),
  ),
  "a list that meets an internal error on its second page": firstPages(
    page("2.103", ["a", 101], ["b", 102]),
    status("list", 500, "InternalError"),
  ),
  "a list that is throttled on its second page": firstPages(
    page("2.103", ["a", 101], ["b", 102]),
    status("list", 429, "TooManyRequests"),
  ),
  "a continue token that expires on the third page": firstPages(
    page("1.103", ["a", 101]),
    page("2.103", ["b", 102]),
    status("list", 410, "Expired"),
  ),
  "a continue token that expires, and a whole list that meets an internal error": firstPages(
    page("2.103", ["a", 101], ["b", 102]),
    status("list", 410, "Expired"),
    status("list", 500, "InternalError"),
  ),
  "a list with an object twice": {
    server: plain,
    steps: [write("a"), write("b"), write("a"), page("", ["a", 101], ["b", 102], ["a", 103]), handler(), start, settle],
  },
  "a list without a resourceVersion": firstList(
    fault("list", { lines: ['{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[]}'], end: "clean" }),
  ),
  "a later list in which everything is older": {
    server: plain,
    steps: [
      ...synced,
      write("a"),
      settle,
      end({ status: 410, reason: "Expired" }),
      page("", ["a", 101], ["b", 102]),
      settle,
    ],
  },
};
