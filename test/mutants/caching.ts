/** Bugs between the queue and the cache, and of those who read the cache. */
import { type Mutant, mutantsOf } from "./mutant.js";

const QUEUES = ["cache/delta-fifo", "cache/real-fifo"];

export const CACHING: readonly Mutant[] = [
  ...mutantsOf("cache/delta-fifo", [
    {
      bug: "of two changes of an object the last alone is kept",
      text: "open.deltas.push(delta);",
      becomes: "open.deltas.splice(0, open.deltas.length, delta);",
    },
    {
      bug: "changes of an object come newest first",
      text: "open.deltas.push(delta);",
      becomes: "open.deltas.unshift(delta);",
    },
    {
      bug: "deletions of an object are one, whatever is between them",
      text: 'open.deltas.at(-1)?.type !== "Deleted"',
      becomes: 'open.deltas.every(({ type }) => type !== "Deleted")',
    },
    {
      bug: "two deletions in a row are told twice",
      text: 'else if (delta.type !== "Deleted" || open.deltas.at(-1)?.type !== "Deleted") {',
      becomes: "else {",
    },
    {
      bug: "a change joins what was queued before a replace",
      text: "this.#open.clear();\n    super.replace",
      becomes: "super.replace",
    },
    {
      bug: "a change joins what was queued before a bookmark",
      text: "this.#open.clear();\n    super.bookmark",
      becomes: "super.bookmark",
    },
    {
      bug: "a change joins what was queued before a comparison",
      text: "this.#open.clear();\n    super.compare",
      becomes: "super.compare",
    },
    {
      bug: "a change joins what was popped already",
      text: 'if (item?.type === "Deltas" && this.#open.get(item.key) === item) this.#open.delete(item.key);',
      becomes: "",
    },
  ]),
  ...mutantsOf("cache/queue", [
    { bug: "a resync is queued twice", text: "if (this.#syncQueued) return;", becomes: "", killedBy: QUEUES },
    {
      bug: "there is one resync in a life",
      text: 'if (item?.type === "SyncAll") this.#syncQueued = false;',
      becomes: "",
      killedBy: QUEUES,
    },
    {
      bug: "the queue claims what still waits",
      text: "return this.#before.peek() ?? this.#newest;",
      becomes: "return this.#newest;",
      killedBy: QUEUES,
    },
    {
      bug: "the queue takes in any number of changes",
      text: "if (++this.#changes >= MAX_CHANGES)",
      becomes: "if (++this.#changes < 0)",
      killedBy: QUEUES,
    },
    {
      bug: "a full queue has room after the first item",
      text: "if (this.#items.length === 0) this.#giveRoom();",
      becomes: "this.#giveRoom();",
      killedBy: QUEUES,
    },
    {
      bug: "who waits for the queue waits on when it is closed",
      text: "this.#closed = true;\n    this.#giveRoom();\n    this.#wake();",
      becomes: "this.#closed = true;\n    this.#giveRoom();",
      killedBy: QUEUES,
    },
    {
      bug: "who fills the queue waits on when it is closed",
      text: "this.#closed = true;\n    this.#giveRoom();",
      becomes: "this.#closed = true;",
      killedBy: QUEUES,
    },
    {
      bug: "the resourceVersion of a list is forgotten by the queue",
      text: "entries, resourceVersion });\n    this.#newest = resourceVersion;",
      becomes: "entries, resourceVersion });",
      killedBy: QUEUES,
    },
  ]),
  ...mutantsOf("cache/controller", [
    {
      bug: "tombstones of a relist are not told",
      text: "await this.#inSlices(deleted, (old) => distribute(listeners, Notification.delete(old, undefined, this.#nowMs)));",
      becomes: "",
    },
    {
      bug: "a deletion is not told",
      text: "if (old !== undefined) distribute(processor.listeners, Notification.delete(old, entry, this.#nowMs));",
      becomes: "",
    },
    {
      bug: "a deletion is told of what was never known",
      text: "if (old !== undefined) distribute(processor.listeners, Notification.delete(old, entry, this.#nowMs));",
      becomes: "distribute(processor.listeners, Notification.delete(old ?? entry, entry, this.#nowMs));",
    },
    {
      bug: "a tombstone passes for a deletion that was seen",
      text: "await this.#inSlices(deleted, (old) => distribute(listeners, Notification.delete(old, undefined, this.#nowMs)));",
      becomes:
        "await this.#inSlices(deleted, (old) => distribute(listeners, Notification.delete(old, old, this.#nowMs)));",
    },
    {
      bug: "a handler hears before the cache is written",
      text: "const old = indexer.put(entry);",
      becomes: "const old = indexer.getEntry(entry.key);\n      setImmediate(() => indexer.put(entry));",
    },
    {
      bug: "another object under a name is an update",
      text: "if (old !== undefined && old.uid === entry.uid) {",
      becomes: "if (old !== undefined) {",
    },
    {
      bug: "every add is of the initial list",
      text: "Notification.add(entry, !this.#synced, this.#nowMs)",
      becomes: "Notification.add(entry, true, this.#nowMs)",
    },
    {
      bug: "no add is of the initial list",
      text: "Notification.add(entry, !this.#synced, this.#nowMs)",
      becomes: "Notification.add(entry, false, this.#nowMs)",
    },
    {
      bug: "synced before the handlers were told of the list",
      text: "onAdvanced();\n    if (listeners.length > 0) {",
      becomes: "onAdvanced();\n    if (!this.#synced) onSynced();\n    if (listeners.length > 0) {",
    },
    {
      bug: "a stop in the middle of the first list is a sync",
      text: "if (this.#synced || queue.closed) return;",
      becomes: "if (this.#synced) return;",
    },
    {
      bug: "a bookmark that was queued is not taken",
      text: 'case "Bookmark":\n        this.#advance();',
      becomes: 'case "Bookmark":',
    },
    {
      bug: "the cache says that it is as old as it was after each change",
      text: "if (isDone) this.#advance();",
      becomes: "",
    },
    {
      bug: "of several changes of an object those that wait for room are lost",
      text: "const isDone = applied === deltas.length;",
      becomes: "const isDone = applied > 0;",
    },
    {
      bug: "a resync leaves out an object",
      text: "[...indexer.entriesIn(namespace)]",
      becomes: "[...indexer.entriesIn(namespace)].slice(1)",
    },
    {
      bug: "a resync is told to handlers that asked for none",
      text: "if (!pendingKeys.has(entry.key)) listener.add(notification);",
      becomes:
        "if (!pendingKeys.has(entry.key)) distribute(this.#options.processor.listeners, notification), void listener;",
    },
    {
      bug: "a resync tells of what waits anyway",
      text: "if (!pendingKeys.has(entry.key)) listener.add",
      becomes: "if (pendingKeys !== undefined) listener.add",
    },
    {
      bug: "two namespaces are replaced at a time",
      text: "if (indexer.replaced !== undefined) return indexer.replaced;",
      becomes: "",
    },
    {
      bug: "a comparison does not see what is cached alone",
      text: "if (!listed.has(key) && !changed.has(key)) wrong.push(key);",
      becomes: "",
      killedBy: ["faults/state"],
    },
    {
      bug: "a comparison counts what has changed meanwhile",
      text: "&& !changed.has(entry.key)) wrong.push(entry.key);",
      becomes: ") wrong.push(entry.key);",
      killedBy: ["faults/state"],
    },
    {
      bug: "a handler that blocks holds up nothing",
      text: "if (processor.room !== undefined) return processor.room;",
      becomes: "",
    },
    {
      bug: "a handler that blocks does not hold up a list",
      text: "if (processor.room !== undefined) await this.#room();\n      if (turn.exhausted())",
      becomes: "if (turn.exhausted())",
    },
    {
      bug: "a handler that blocks does not hold up the changes of one object",
      text: "&& processor.room === undefined);",
      becomes: ");",
    },
    {
      bug: "slabs are never compacted",
      text: "if (slabs?.wantsCompaction === true) slabs.compact(() => indexer.entries());",
      becomes: "",
      killedBy: ["cache/controller"],
    },
    {
      bug: "what waits is applied after a stop",
      text: "    while (!queue.closed) {\n      // Another",
      becomes: "    for (;;) {\n      // Another",
    },
  ]),
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
  ...mutantsOf("api/resource-version", [
    {
      bug: "resourceVersions are compared as text",
      text: "if (a.length !== b.length) return a.length - b.length;",
      becomes: "",
    },
    {
      bug: "resourceVersions without order are ordered",
      text: "if (!isDecimal(a) || !isDecimal(b)) return undefined;",
      becomes: "",
    },
  ]),
  ...mutantsOf("api/keys", [
    {
      bug: "two namespaces share the key of a name",
      text: "? name : `${namespace}/${name}`",
      becomes: "? name : name",
    },
  ]),
  ...mutantsOf("api/group-version-resource", [
    { bug: "a name leaves its place in a path", text: "return encodeURIComponent(name);", becomes: "return name;" },
  ]),
  ...mutantsOf("api/selectors", [
    {
      bug: "a label that is absent is not unequal",
      text: "return value === undefined || !values.includes(value);",
      becomes: "return value !== undefined && !values.includes(value);",
    },
    {
      bug: "labels that every object inherits are there",
      text: "labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined",
      becomes: "labels?.[key]",
    },
    {
      bug: "numbers of labels are compared as text",
      text: "BigInt(value) > BigInt(values[0]!)",
      becomes: "value > values[0]!",
    },
    {
      bug: "one of several requirements is enough",
      text: "this.#requirements.every(",
      becomes: "this.#requirements.some(",
    },
  ]),
  ...mutantsOf("api/field-selector", [
    { bug: "a value of a field selector ends it", text: 'value.replace(/[\\\\,=]/g, "\\\\$&")', becomes: "value" },
  ]),
];
