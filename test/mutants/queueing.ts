/** Bugs between the queue and the cache. */
import { type Mutant, mutantsOf } from "./mutant.js";

const QUEUES = ["cache/delta-fifo", "cache/real-fifo"];

export const QUEUEING: readonly Mutant[] = [
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
      bug: "a change is told of before the cache says how new it is",
      text: "if (isDone) this.#advance();\n    deliverTo(processor.listeners);",
      becomes: "deliverTo(processor.listeners);\n    if (isDone) this.#advance();",
    },
    {
      bug: "what is told in slices waits for the next change",
      text: "    }\n    deliverTo(processor.listeners);\n  }\n\n  /** Waits until",
      becomes: "    }\n  }\n\n  /** Waits until",
    },
    {
      bug: "a list waits for a handler that blocks and has not been asked",
      text: "deliverTo(processor.listeners);\n    for (let",
      becomes: "for (let",
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
      text: "if (slabs?.wantsCompaction === true) this.#compaction ??= slabs.compacting(() => indexer.entries());",
      becomes: "",
      killedBy: ["cache/controller"],
    },
    {
      bug: "a compaction that gave the loop its turn is not ended",
      text: "if (turn.exhausted()) return turn.next();\n      this.#compaction = undefined;",
      becomes: "if (turn.exhausted()) break;\n      this.#compaction = undefined;",
      killedBy: ["cache/controller"],
    },
    {
      bug: "what waits is applied after a stop",
      text: "    while (!queue.closed) {\n      // Another",
      becomes: "    for (;;) {\n      // Another",
    },
  ]),
];
