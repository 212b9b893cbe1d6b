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

const RELIST = [unchangedIsNotTold];
const RESUME = [unchangedIsNotTold, resumesWithoutList];

/** By the name of the script. */
export const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  "a list that meets an internal error": [streamingIsAskedForOnce],
  "a list that times out at a gateway": [streamingIsAskedForOnce],
  "a list that is forbidden at first": [streamingIsAskedForOnce],
  "a list that is not found at first": [streamingIsAskedForOnce],
  "a list that is not JSON": [streamingIsAskedForOnce],
  "a watch that ends clean at once, without an event": RESUME,
  "a watch that expires in the stream": RELIST,
  "a watch that is gone in the stream": RELIST,
  "a watch that meets an internal error in the stream": RESUME,
  "a watch that times out in the stream": RESUME,
  "a compaction while away: objects that went are tombstones": RELIST,
  "a compaction while away: a change is an update": RELIST,
  "an object that was deleted and made again while away": [unchangedIsNotTold, anotherObjectIsAnAdd],
  "a compaction on a server without streaming lists": [unchangedIsNotTold, streamingIsAskedForOnce],
  "metadata over a compaction while away": RELIST,
  "a watch that is refused as expired": RELIST,
  "a watch that is refused with an internal error": RESUME,
  "a watch that is refused as forbidden": RESUME,
  "an event of an unknown type is passed over": [unchangedIsNotTold, spoiltFrameIsPassedOver],
  "a deletion of what was never known": [unknownIsNotUntold],
  "a line that is not JSON": RESUME,
};
