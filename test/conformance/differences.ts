/** Where ours does otherwise on purpose, more than once. */
import type { Difference, Outcome } from "./support/script.js";

function toldOtherwise(theirs: Outcome, told: (log: readonly string[]) => string[]): Outcome {
  const handlers = Object.entries(theirs.handlers).map(([name, log]) => [name, told(log)]);
  return { ...theirs, handlers: Object.fromEntries(handlers) };
}

/** What a relist finds unchanged. */
const unchangedIsNotTold: Difference = {
  rule: "C5",
  why: "an update from a resourceVersion to itself says nothing",
  ours: (theirs) => toldOtherwise(theirs, (log) => log.filter((event) => !/@(\d+)→\1$/.test(event))),
};

/** Server refused streaming lists before: client-go asks again in each round. */
const streamingIsAskedForOnce: Difference = {
  rule: "L3",
  why: "a server that does not do streaming lists will not do them in the next minute",
  ours: (theirs) => ({
    ...theirs,
    requests: theirs.requests.filter((request, at) => at === 0 || !request.startsWith("watchList")),
  }),
};

/** A fault of the stream, or its end without an event, is no reason to list anew. */
const resumesWithoutList: Difference = {
  rule: "L7",
  why: "what was missed comes with a watch from the last resourceVersion; a list of everything is more work for both",
  ours: (theirs) => ({
    ...theirs,
    requests: theirs.requests.map((request, at) => {
      const [, from] = /^watchList .*resourceVersion=(\d+)/.exec(request) ?? [];
      return at > 0 && from !== undefined ? `watch allowWatchBookmarks=true resourceVersion=${from}` : request;
    }),
  }),
};

const spoiltFrameIsPassedOver: Difference = {
  rule: "L19",
  why: "a frame of an unknown type is no reason to give the stream up",
  ours: (theirs) => ({ ...theirs, requests: theirs.requests.slice(0, 1) }),
};

const unknownIsNotUntold: Difference = {
  rule: "C2",
  why: "a handler that was never told of an object has nothing to take back",
  ours: (theirs) => toldOtherwise(theirs, (log) => log.filter((event) => event !== "delete z@104")),
};

const anotherObjectIsAnAdd: Difference = {
  rule: "C6",
  why: "what is under the name now is another object, by its uid",
  ours: (theirs) =>
    toldOtherwise(theirs, (log) =>
      log.flatMap((event) => (event === "update a@101→107" ? ["tombstone a@101", "add a@107"] : [event])),
    ),
};

/** From where it was, by the kind of request that failed; the list and watch of client-go are one streaming list then. */
const streamsAgain: Difference = {
  rule: "L20",
  why: "a connection that breaks, or a 401, says nothing of streaming lists",
  ours: (theirs) => ({
    ...theirs,
    requests: theirs.requests.flatMap((request, at) => {
      if (request.startsWith("list ")) return theirs.requests.slice(0, at).filter(isStreaming).slice(-1);
      return request.startsWith("watch ") && theirs.requests[at - 1]?.startsWith("list ") ? [] : [request];
    }),
  }),
};
const isStreaming = (request: string): boolean => request.startsWith("watchList ");

const listedAfterSilence: Difference = {
  rule: "L3",
  why: "a bookmark that does not come within a minute will not come",
  ours: (theirs) => ({
    ...theirs,
    requests: [
      ...theirs.requests,
      "list limit=500 resourceVersion=0",
      "watch allowWatchBookmarks=true resourceVersion=101",
    ],
    handlers: { h: ["add a@101 initial"] },
    synced: true,
    handlersSynced: { h: true },
    store: ["a@101 uid-a-1"],
  }),
};

const listedAfterTwo: Difference = {
  rule: "L3",
  why: "a server that closes two streaming lists without their bookmark does not know them",
  ours: (theirs) => ({
    ...theirs,
    requests: [
      ...theirs.requests.slice(0, 2),
      "list limit=500 resourceVersion=0",
      "watch allowWatchBookmarks=true resourceVersion=102",
    ],
  }),
};

/** A relist that follows a resourceVersion which the server has just said that it does not have. */
const newestAtOnce: Difference = {
  rule: "L5",
  why: "a resourceVersion that is too large for the watch is too large for the list",
  ours: (theirs) => ({
    ...theirs,
    requests: theirs.requests.map((request, at) =>
      at > 0 && isStreaming(request) ? request.replace(/ resourceVersion=\d+/, "") : request,
    ),
  }),
};

const bookmarkIsPassedOver: Difference = {
  rule: "L11",
  why: "a bookmark is there to move on; what it would bring again is known",
  ours: (theirs) => ({
    ...theirs,
    requests: theirs.requests.map((request) =>
      request.startsWith("watch ") ? "watch allowWatchBookmarks=true resourceVersion=105" : request,
    ),
  }),
};

const newestInPages: Difference = {
  rule: "L5",
  why: "a list of the newest comes from etcd, which is to be asked for a page at a time",
  ours: (theirs) => ({
    ...theirs,
    requests: theirs.requests.map((request) => (request === "list" ? "list limit=500" : request)),
  }),
};

const lastCounts: Difference = {
  rule: "C12",
  why: "what was never cached is not told of",
  ours: (theirs) => toldOtherwise(theirs, (log) => log.filter((event) => event !== "add a@101 initial")),
};

const listedAnew: Difference = {
  rule: "L21",
  why: "a watch from no resourceVersion may miss what changes between the two",
  ours: (theirs) => ({
    ...toldOtherwise(theirs, (log) => log.map((event) => `${event} initial`)),
    requests: [
      ...theirs.requests.slice(0, 2),
      "list limit=500 resourceVersion=0",
      "watch allowWatchBookmarks=true resourceVersion=102",
    ],
  }),
};

const lateIsResynced: Difference = {
  rule: "H6",
  why: "a handler that asks for a resync is given it, whoever else does",
  ours: (theirs) => ({
    ...theirs,
    handlers: {
      ...theirs.handlers,
      late: [...(theirs.handlers["late"] ?? []), "update a@101→101", "update a@101→101"],
    },
  }),
};

const RELIST = [unchangedIsNotTold];
const RESUME = [unchangedIsNotTold, resumesWithoutList];
const ONCE = [streamingIsAskedForOnce];
const RELIST_ONCE = [...RELIST, ...ONCE];

const each = (names: readonly string[], differences: readonly Difference[]) =>
  Object.fromEntries(names.map((name) => [name, differences]));

/** By the name of the script. */
export const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  ...each(
    [
      "a list that meets an internal error",
      "a list that times out at a gateway",
      "a list that is forbidden at first",
      "a list that is not found at first",
      "a list that is not JSON",
      "a list that is throttled before the sync",
      "a list that is throttled three times before the sync",
      "a list that is unauthorized at first",
      "a list that is a bad request at first",
      "a list that is not available at first",
      "a list that is reset before its body",
      "a list that is reset in the middle",
      "a list that ends in the middle",
      "a list that is reset in the middle of its second page",
      "a list that meets an internal error on its second page",
      "a list that is throttled on its second page",
      "a continue token that expires, and a whole list that meets an internal error",
      "metadata from a list that meets an internal error",
    ],
    ONCE,
  ),
  ...each(
    [
      "a watch that ends clean at once, without an event",
      "a watch that meets an internal error in the stream",
      "a watch that times out in the stream",
      "a watch that is refused with an internal error",
      "a watch that is refused as forbidden",
      "a line that is not JSON",
      "a watch that is unauthorized in the stream",
      "a watch that is forbidden in the stream",
      "a watch that is not found in the stream",
      "a watch that is a bad request in the stream",
      "a watch that is reset at its opening",
      "a watch that is refused as unauthorized",
      "a watch that is refused as not found",
      "a watch that is refused as a bad request",
      "a watch that is refused as not available",
      "a watch that is refused by a gateway's time",
      "a watch that is answered with a page",
      "a resumed watch that ends clean at once",
    ],
    RESUME,
  ),
  ...each(
    [
      "a watch that expires in the stream",
      "a watch that is gone in the stream",
      "a compaction while away: objects that went are tombstones",
      "a compaction while away: a change is an update",
      "metadata over a compaction while away",
      "a watch that is refused as expired",
      "a watch that is gone in the stream without a reason",
      "a compaction while away, and nothing changed in the namespace",
      "a compaction while away: what came and went is not told of",
      "two compactions, one after the other: tombstones of both",
      "a tombstone, and the object made again later",
      "a handler that comes between a compaction and its list",
      "a handler that comes after a compaction",
      "a handler that is removed between a compaction and its list",
      "a label selector over a compaction: what no longer matches is a tombstone",
      "a transform over a relist",
      "metadata over a watch that expires in the stream",
    ],
    RELIST,
  ),
  ...each(
    [
      "a compaction on a server without streaming lists",
      "a later list in which everything is older",
      "a compaction on a server that lists in pages: tombstones",
      "metadata over a compaction on a server without streaming lists",
    ],
    RELIST_ONCE,
  ),
  ...each(
    [
      "a streaming list that is unauthorized at first",
      "a streaming list that is reset at once",
      "a streaming list that is reset before its bookmark",
    ],
    [streamsAgain],
  ),
  ...each(
    [
      "a streaming list that stays open without its bookmark",
      "a streaming list that stays open with a bookmark that is not its end",
    ],
    [listedAfterSilence],
  ),
  "a streaming list that ends twice without its bookmark": [listedAfterTwo],
  "a list with an object twice": [lastCounts],
  "a bookmark whose resourceVersion goes back": [...RELIST, bookmarkIsPassedOver],
  "a bookmark without a resourceVersion": [...RELIST, bookmarkIsPassedOver],
  "a list without a resourceVersion": [listedAnew],
  "a watch whose resourceVersion is too large": [...RELIST, newestAtOnce],
  "an object that was deleted and made again while away": [...RELIST, anotherObjectIsAnAdd],
  "metadata of an object that was deleted and made again while away": [...RELIST, anotherObjectIsAnAdd],
  "a compaction, and a list whose resourceVersion has expired as well: tombstones": [...RELIST_ONCE, newestInPages],
  "a compaction, and a streaming list that is reset before its bookmark: tombstones": [...RELIST, streamsAgain],
  "an event of an unknown type is passed over": [...RELIST, spoiltFrameIsPassedOver],
  "a deletion of what was never known": [unknownIsNotUntold],
  "a resync that a late handler alone asks for": [lateIsResynced],
};
