/** Bugs of the cache and of what it holds, and of those who read it. */
import { type Mutant, mutantsOf } from "./mutant.js";

export const CACHING: readonly Mutant[] = [
  ...mutantsOf("cache/indexer", [
    {
      bug: "an index keeps what was deleted",
      text: "for (const index of this.#indexes.values()) unfile(index, old);",
      becomes: "",
    },
    { bug: "what was deleted is still there", text: "this.#entries.delete(key);", becomes: "" },
    {
      bug: "an index is not told of changes",
      text: "for (const index of this.#indexes.values()) file(index, old, entry);\n    return old;",
      becomes:
        "if (old === undefined) for (const index of this.#indexes.values()) file(index, old, entry);\n    return old;",
    },
    {
      bug: "of several values of an index one goes stale",
      text: "for (const value of before) if",
      becomes: "for (const value of before.slice(0, 1)) if",
    },
    {
      bug: "values that nobody has stay in an index",
      text: "if (filed?.size === 0) index.entries.delete(value);",
      becomes: "",
    },
    { bug: "a relist does not see what is gone", text: "if (!after.has(old.key)) deleted.push(old);", becomes: "" },
    { bug: "a relist is not swapped in", text: "this.#entries = after;", becomes: "" },
    { bug: "the indexes of a relist are not swapped in", text: "index.entries = refilled.entries;", becomes: "" },
    {
      bug: "the notes of an index are not swapped in with it",
      text: "index.filed = refilled.filed;",
      becomes: "",
    },
    {
      bug: "the resourceVersion of a list is forgotten by the cache",
      text: "this.advance(resourceVersion, namespace);",
      becomes: "",
    },
    {
      bug: "an index that is added during a replace keeps what is gone",
      text: "for (const old of deleted) unfile(index, old);",
      becomes: "",
    },
    {
      bug: "an index that is added during a replace misses what is new",
      text: "for (const { old, entry } of changed) file(index, old, entry);",
      becomes: "",
    },
    {
      bug: "what a relist finds unchanged is told",
      text: "if (old !== entry) changed.push({ old, entry });",
      becomes: "changed.push({ old, entry });",
    },
    {
      bug: "another object of the same resourceVersion is the same",
      text: "old.resourceVersion !== entry.resourceVersion || old.uid !== entry.uid",
      becomes: "old.resourceVersion !== entry.resourceVersion",
    },
    {
      bug: "other content of the same resourceVersion is the same",
      text: "return before === after || before === undefined || after === undefined;",
      becomes: "return before === after || before !== undefined || after !== undefined;",
      killedBy: ["faults/state", "cache/indexer"],
    },
    {
      bug: "all namespaces are as new as the newest",
      text: "if (order < 0) oldest = version;",
      becomes: "if (order > 0) oldest = version;",
      killedBy: ["informers/namespaces", "cache/indexer"],
    },
    {
      bug: "an index function that throws takes the write along",
      text: 'this.#onError(toInformerError(error, "index", `index "${name}" of ${entry.key}`));',
      becomes: "throw error;",
    },
    {
      bug: "the list of one namespace replaces all",
      text: "if (entry.namespace !== namespace) after.set(entry.key, entry);",
      becomes: "",
      killedBy: ["informers/namespaces", "cache/indexer"],
    },
    {
      bug: "one object that is not JSON takes the list along",
      text: "if (this.#undecodable.has(entry)) continue;",
      becomes: "throw error;",
    },
    {
      bug: "an object that is in a list twice is not reported",
      text: "if (++count - after.size === 1) twice ??= entry.key;",
      becomes: "++count;",
      killedBy: ["faults/protocol"],
    },
    {
      bug: "the namespace index holds all names as one",
      text: "values: (entry) => [entry.namespace],",
      becomes: 'values: () => [""],',
    },
  ]),
  ...mutantsOf("cache/lister", [
    {
      bug: "the lister of a namespace gives all",
      text: "this.#indexer.entriesByIndex(NAMESPACE_INDEX, this.#namespace), selector",
      becomes: "this.#indexer.entries(), selector",
    },
    {
      bug: "a lister passes over the selector",
      text: "(entry) => parsed.matches(entry.labels)",
      becomes: "() => parsed.matchesEverything || true",
    },
    {
      bug: "a lister claims to be newer than the cache",
      text: "return (compareResourceVersions(this.#indexer.resourceVersion, resourceVersion) ?? -1) >= 0;",
      becomes: "return (compareResourceVersions(this.#indexer.resourceVersion, resourceVersion) ?? 0) >= -1;",
      killedBy: ["cache/freshness"],
    },
  ]),
  ...mutantsOf("cache/freshness", [
    {
      bug: "waitFor resolves one too early",
      text: "resourceVersion) ?? -1) >= 0;",
      becomes: "resourceVersion) ?? -1) >= -1;",
    },
    {
      bug: "waitFor is not told of progress",
      text: "if (this.#has(waiter)) waiter.reached.resolve();",
      becomes: "void waiter;",
    },
    {
      bug: "a wait that is called off goes on",
      text: "onAbort(signal, () => waiter.reached.reject(this.#tooLate(waiter)));",
      becomes: "onAbort(signal, () => {});",
    },
    {
      bug: "a stop leaves those who wait",
      text: "for (const { resourceVersion, reached } of this.#waiters) reached.reject(this.#stopError(resourceVersion));",
      becomes: "",
    },
  ]),
  ...mutantsOf("cache/slab", [
    {
      bug: "a slab is used again while it is read",
      text: "if (--slab.readers > 0) return;",
      becomes: "slab.readers--;",
    },
    {
      bug: "a slab that is used again is taken twice",
      text: "this.#spare = undefined;\n      return;",
      becomes: "return;",
    },
    {
      bug: "compaction moves nothing",
      text: "slab.live * 2 < slab.buffer.length) reader.move();",
      becomes: "slab.live < 0) reader.move();",
    },
    { bug: "objects are not counted that lie in bytes", text: "slab.live += length;", becomes: "" },
  ]),
  ...mutantsOf("cache/entry", [
    { bug: "an entry reads from where another begins", text: "slab.used += this.length;", becomes: "" },
    {
      bug: "an entry reads on in its old slab",
      text: "this.#read(slab);\n    old.owner.release(old);",
      becomes: "old.owner.release(old);",
      killedBy: ["cache/slab", "cache/entry"],
    },
    {
      bug: "bytes that are to stay are let go of",
      text: "if (slab.owner.keepsBytes) return this.#hold(slab);",
      becomes: "",
      killedBy: ["cache/slab"],
    },
    {
      bug: "an object that was read is not told from other content",
      text: "this.#checksum = this.checksum;",
      becomes: "",
    },
    {
      bug: "managedFields that were to be dropped stay",
      text: "if (cut !== undefined) bytes.copy(buffer, used + prefixLength + cut.start - from, cut.end, end);",
      becomes: "",
    },
    {
      bug: "cached objects are not frozen",
      text: "return this.#slabs?.freeze === true ? deepFreeze(object) : object;",
      becomes: "return object;",
      killedBy: ["cache/mutation-detector", "cache/entry", "faults/handlers"],
    },
  ]),
  ...mutantsOf("cache/decode", [
    {
      bug: "of two managedFields the first counts",
      text: "if (object.metadata?.managedFields !== STAND_IN) return parseJson(bytes, start, end);",
      becomes: "",
    },
  ]),
];
