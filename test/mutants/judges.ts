/** Bugs that the suites over whole informers are to notice, and not the tests of a part alone: whether these judge at all. */
import { CACHING } from "./caching.js";
import { HANDLING } from "./handling.js";
import type { Mutant } from "./mutant.js";
import { QUEUEING } from "./queueing.js";
import { READING } from "./reading.js";

function noticedBy(suite: string, name: string, bugs: readonly string[]): Mutant[] {
  return bugs.map((bug) => {
    const mutant = [...READING, ...QUEUEING, ...CACHING, ...HANDLING].find((known) => known.bug === bug);
    if (mutant === undefined) throw new Error(`no seeded bug is called "${bug}"`);
    return { ...mutant, bug: `${bug}, by ${name}`, killedBy: [suite] };
  });
}

export const JUDGED: readonly Mutant[] = [
  ...noticedBy("conformance/conformance", "conformance", [
    "an expired resourceVersion is watched again",
    "an expired resourceVersion is listed again",
    "streaming lists that end without their bookmark are asked for for ever",
    "the resourceVersion of events is forgotten",
    "an ERROR event is passed over",
    "a bookmark that goes back is taken",
    "any bookmark ends a streaming list",
    "an object that went within a streaming list stays",
    "the token of the third page is forgotten",
    "later pages name a resourceVersion",
    "tombstones of a relist are not told",
    "a deletion is not told",
    "a deletion is told of what was never known",
    "a tombstone is not marked as one",
    "another object under a name is an update",
    "no add is of the initial list",
    "every add is of the initial list",
    "what a relist finds unchanged is told",
    "a relist is not swapped in",
    "an index keeps what was deleted",
    "an object that leaves a filter is an update",
    "a handler that comes late is not given what is cached",
    "a handler that comes late is not resynced",
    "a resync that is due is forgotten",
  ]),
  ...noticedBy("cache/shared-informer-model", "the model", [
    "the resourceVersion of events is forgotten",
    "changes of an object come newest first",
    "tombstones of a relist are not told",
    "a deletion is not told",
    "another object under a name is an update",
    "a relist is not swapped in",
    "an index keeps what was deleted",
    "the indexes of a relist are not swapped in",
    "a handler that throws once hears nothing more",
    "a handler that was removed is told",
    "the promise of a handler is not awaited",
    "a handler that comes late is not given what is cached",
    "a full queue loses a deletion",
    "a merged change comes from a state that was never told",
    "a stop leaves a timer",
    "an expired resourceVersion is watched again",
    "a bookmark does not reach the cache",
    "a bookmark that was queued is not taken",
    "a relist goes back in time",
    "of two changes of an object the last alone is kept",
    "of several changes of an object those that wait for room are lost",
    "a change joins what was queued before a replace",
    "synced before the handlers were told of the list",
    "a handler has synced before it was told of what waits",
    "a queue has no bound",
    "a handler that blocks does not hold up the changes of one object",
    "a watch that had an event is opened again at once",
  ]),
];
