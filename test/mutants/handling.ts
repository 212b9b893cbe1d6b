/** Bugs between the cache and the handlers, and of the life of informers. */
import { type Mutant, mutantsOf } from "./mutant.js";

export const HANDLING: readonly Mutant[] = [
  ...mutantsOf("cache/processor", [
    {
      bug: "a handler that throws once hears nothing more",
      text: "this.#failed(error, nameOf(this, next));\n    }\n    this.#returned();",
      becomes:
        "this.#failed(error, nameOf(this, next));\n      return deferred().promise;\n    }\n    this.#returned();",
    },
    {
      bug: "a rejection is swallowed",
      text: "await result;",
      becomes: "await Promise.resolve(result).catch(() => {});",
    },
    { bug: "the promise of a handler is not awaited", text: "await result;", becomes: "" },
    { bug: "a handler that was removed is told", text: "if (!this.#removed) this.#queue", becomes: "this.#queue" },
    {
      bug: "a handler that was removed is told of what waited",
      text: "this.#removed = true;\n      this.#queue.clear();",
      becomes: "this.#removed = true;",
    },
    {
      bug: "a handler has synced before it has returned",
      text: "if (this.#isInitialCall || this.#queue.initial > 0) return;",
      becomes: "if (this.#queue.initial > 0) return;",
    },
    {
      bug: "a handler has synced before it was told of what waits",
      text: "if (this.#isInitialCall || this.#queue.initial > 0) return;",
      becomes: "if (this.#isInitialCall) return;",
    },
    {
      bug: "a handler has synced before it was told of all",
      text: "this.#removed || !this.#initialListAdded) return;",
      becomes: "this.#removed) return;",
    },
    {
      bug: "a handler that removes itself waits for itself",
      text: "if (this.#isCalling) this.#left = Promise.resolve();",
      becomes: "",
    },
    {
      bug: "a resync is due again at once",
      text: "this.#nextResyncMs = nowMs + this.#options.resyncPeriodMs;",
      becomes: "this.#nextResyncMs = nowMs;",
    },
    {
      bug: "a removal leaves a timer",
      text: "void running.then(() => {\n        timer.cancel();",
      becomes: "void running.then(() => {",
    },
    {
      bug: "a stop does not wait for a handler that was removed",
      text: "await Promise.all([...this.#leaving, ...this.#listeners.map((listener) => listener.remove())]);",
      becomes: "await Promise.all(this.#listeners.map((listener) => listener.remove()));",
    },
    {
      bug: "a stop waits for a call that never returns",
      text: 'onHandlerError(new InformerError("handler", message));\n        resolve();',
      becomes: 'onHandlerError(new InformerError("handler", message));',
    },
    {
      bug: "who waits for a handler that was removed waits on",
      text: "if (!this.#hasSynced) {",
      becomes: "if (this.#hasSynced) {",
    },
    {
      bug: "the failures of a handler are not counted",
      text: "this.#failures++;",
      becomes: "",
    },
  ]),
  ...mutantsOf("cache/handler-queue", [
    {
      bug: "the deletion of an object is lost when another takes its name in a full queue",
      text: "if (waiting !== undefined) this.#ring.push(waiting);",
      becomes: "",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "in a full queue two objects of one name are one",
      text: "if (waiting === undefined || !waiting.isOfSameObject(notification)) {",
      becomes: "if (waiting === undefined) {",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a full queue keeps the first of two changes",
      text: "else overflow.set(key, merged);",
      becomes: "",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a full queue drops the initial list",
      text: "if (isFull && (!isInInitialList || this.#overflow?.has(key) === true))",
      becomes: "if (isFull)",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "the initial list overtakes a deletion that waits in a full queue",
      text: "|| this.#overflow?.has(key) === true",
      becomes: "",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "what was merged of the initial list is waited for still",
      text: "this.#initial += count(merged) - count(waiting) - count(notification);",
      becomes: "",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a full queue overtakes what waits beyond it",
      text: "const isFull = this.#overflow !== undefined || this.#ring.length",
      becomes: "const isFull = this.#ring.length",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a queue that blocks never has room again",
      text: "if (this.#room !== undefined && this.#ring.length * 2 <= this.#maxPending) this.#giveRoom();",
      becomes: "",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a queue has no bound",
      text: "this.#ring.length >= this.#maxPending;",
      becomes: "this.#ring.length < 0;",
      killedBy: ["cache/processor-queue"],
    },
  ]),
  ...mutantsOf("cache/event-handler", [
    {
      bug: "a full queue loses a deletion",
      text: 'return old && new Notification("delete", old, next.#entry, false, finalStateUnknown, this.sinceMs);',
      becomes: "return undefined;",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a full queue tells of a deletion that nobody knows the object of",
      text: 'return old && new Notification("delete", old, next',
      becomes: 'return new Notification("delete", old ?? this.#entry, next',
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a merged change comes from a state that was never told",
      text: "return Notification.update(old, next.#entry, this.sinceMs);",
      becomes: "return Notification.update(this.#entry, next.#entry, this.sinceMs);",
      killedBy: ["cache/processor-queue"],
    },
    {
      bug: "a tombstone is not marked as one",
      text: "last === undefined, sinceMs);",
      becomes: "false, sinceMs);",
      killedBy: ["cache/controller"],
    },
  ]),
  ...mutantsOf("cache/filtering-handler", [
    {
      bug: "an object that leaves a filter is an update",
      text: "deliver(passes ? event : leaving(event), handler)",
      becomes: "deliver(event, handler)",
    },
    {
      bug: "an object that enters a filter is an update",
      text: "deliver(entering(event), handler)",
      becomes: "deliver(event, handler)",
    },
    {
      bug: "a filter looks at how an object was deleted",
      text: "return filter(before(event)) ? deliver(event, handler) : undefined;",
      becomes: "return filter(event) ? deliver(event, handler) : undefined;",
    },
  ]),
  ...mutantsOf("cache/event-stream", [
    { bug: "a loop that is left goes on listening", text: "await registration?.remove();", becomes: "" },
    { bug: "a loop is given the next event before it asks", text: "return taken.promise;", becomes: "return;" },
    {
      bug: "a loop leaves its listener with the signal",
      text: "for (const release of releases) release?.();",
      becomes: "",
    },
  ]),
  ...mutantsOf("cache/health", [
    {
      bug: "a failure is reported each time",
      text: "|| this.#told.has(error.code)) return;",
      becomes: ") return;",
      killedBy: ["cache/shared-informer-faults"],
    },
    {
      bug: "a failure is reported once in a life",
      text: "this.#told.clear();",
      becomes: "",
      killedBy: ["cache/shared-informer-faults"],
    },
    {
      bug: "things are never well again",
      text: "this.consecutiveFailures = 0;\n    this.failingSinceMs = undefined;",
      becomes: "",
      killedBy: ["cache/shared-informer-faults"],
    },
    {
      bug: "a server that fails every watch at once counts as well",
      text: "this.#settling = this.#clock.after(STABLE_MS, () => this.#recovered());",
      becomes: "this.#recovered();",
      killedBy: ["cache/shared-informer-faults", "faults/status"],
    },
    {
      bug: "a stop leaves the timer of a recovery",
      text: "stop(): void {\n    this.#settling?.cancel();",
      becomes: "stop(): void {",
      killedBy: ["cache/health"],
    },
    {
      bug: "of several namespaces the best is told",
      text: "rank(b) < rank(a) ? b : a",
      becomes: "rank(b) > rank(a) ? b : a",
      killedBy: ["cache/health"],
    },
  ]),
  ...mutantsOf("cache/shared-informer", [
    {
      bug: "a handler that comes late is not given what is cached",
      text: "for (const entry of this.#indexer.entries()) listener.add(Notification.add(entry, true, nowMs));",
      becomes: "",
    },
    {
      bug: "a handler that comes late is told before its registration is there",
      text: "listener.deliverLater();",
      becomes: "listener.deliver();",
    },
    {
      bug: "what a late handler is given is not its initial list",
      text: "listener.add(Notification.add(entry, true, nowMs))",
      becomes: "listener.add(Notification.add(entry, false, nowMs))",
    },
    {
      bug: "a handler that comes late never has synced",
      text: "if (this.#hasSynced) {\n      listener.initialListAdded();",
      becomes: "if (this.#hasSynced) {",
    },
    {
      bug: "a handler that comes late is not resynced",
      text: "listener.initialListAdded();\n      this.#scheduleResync();",
      becomes: "listener.initialListAdded();",
      killedBy: ["cache/shared-informer", "cache/shared-informer-faults"],
    },
    {
      bug: "what a transform refuses is cached as it came",
      text: "`transform of ${this.resource} ${entry.key}`));\n      return undefined;",
      becomes: "`transform of ${this.resource} ${entry.key}`));\n      return entry;",
      killedBy: ["cache/shared-informer-faults"],
    },
    {
      bug: "a transform is applied to what it gave",
      text: "if (this.#indexer.getEntry(entry.key) === entry) return entry;",
      becomes: "",
      killedBy: ["cache/shared-informer-faults", "cache/shared-informer"],
    },
    {
      bug: "a stop leaves the timer of the resync",
      text: "this.#resyncTimer?.cancel();\n    if (this.#dropping",
      becomes: "if (this.#dropping",
      killedBy: ["cache/shared-informer", "cache/shared-informer-faults"],
    },
    {
      bug: "one namespace of several is a sync",
      text: "if (this.#hasSynced || !this.#followed.every(({ hasSynced }) => hasSynced)) return;",
      becomes: "if (this.#hasSynced || !this.#followed.some(({ hasSynced }) => hasSynced)) return;",
      killedBy: ["informers/namespaces"],
    },
    {
      bug: "a namespace that was removed holds up those who wait",
      text: "this.#indexer.forget(namespace);",
      becomes: "",
      killedBy: ["informers/namespaces"],
    },
    {
      bug: "a namespace that was never listed holds up nobody",
      text: 'if (namespace !== undefined) this.#indexer.advance("", namespace);',
      becomes: "",
      killedBy: ["informers/namespaces"],
    },
    {
      bug: "a stop drops what was to be drained",
      text: "if (drain || this.#dropping.signal.aborted) return;",
      becomes: "if (this.#dropping.signal.aborted) return;",
      killedBy: ["faults/lifecycle-handlers", "faults/lifecycle"],
    },
    {
      bug: "who waits for a sync that will not come waits on",
      text: "this.#synced.reject(new InformerError(",
      becomes: "void (new InformerError(",
      killedBy: ["cache/shared-informer", "faults/lifecycle"],
    },
    {
      bug: "a stopped informer takes new handlers",
      text: 'this.#refuseIfStopped("addEventHandler");',
      becomes: "",
      killedBy: ["cache/shared-informer", "faults/lifecycle"],
    },
  ]),
  ...mutantsOf("cache/stream", [
    {
      bug: "a namespace goes without tombstones",
      text: 'if (!signal.aborted) this.queue.replace([], "");',
      becomes: "",
      killedBy: ["informers/namespaces"],
    },
    {
      bug: "a resync that is due is forgotten",
      text: "for (const listener of listeners) this.#resyncing.add(listener);",
      becomes: "for (const listener of listeners.slice(1)) this.#resyncing.add(listener);",
      killedBy: ["cache/shared-informer-faults"],
    },
  ]),
  ...mutantsOf("informers/cache-sync", [
    { bug: "the first refusal is final", text: "consecutiveFailures >= FINAL_REFUSAL && ", becomes: "" },
    {
      bug: "three refusals within a second are final",
      text: "failingSinceMs >= MIN_REFUSED_MS",
      becomes: "failingSinceMs >= 0",
    },
    {
      bug: "caches that never were started are waited for",
      text: "if (idle.length > 0) {",
      becomes: "if (idle.length > waitedFor.length) {",
      killedBy: ["informers/cache-sync", "informers/shared-informer-factory"],
    },
    {
      bug: "a wait that is over leaves its timer",
      text: "timer?.cancel();",
      becomes: "",
    },
  ]),
  ...mutantsOf("informers/shared-informer-factory", [
    { bug: "a shutdown leaves connections", text: "transport.close();", becomes: "" },
    {
      bug: "other options of the same resource are passed over",
      text: "refuseConflict(name, found.options as unknown as ResourceOptions<T>, options);",
      becomes: "",
      killedBy: ["informers/resource-options"],
    },
    {
      bug: "the first of two users ends an informer",
      text: "if (--registered.users > 0) return",
      becomes: "if (--registered.users < 0) return",
      killedBy: ["informers/acquire"],
    },
    {
      bug: "a factory that was shut down starts informers",
      text: "if (isShutDown) throw",
      becomes: "if (isShutDown && informers.size < 0) throw",
      killedBy: ["informers/shared-informer-factory", "faults/lifecycle-factories"],
    },
    {
      bug: "a selector does not reach the server",
      text: "const selecting = { ...listOptions, labelSelector, fieldSelector",
      becomes: "const selecting = { ...listOptions, fieldSelector",
      killedBy: ["informers/shared-informer-factory", "informers/resource-options"],
    },
  ]),
  ...mutantsOf("util/turn", [
    {
      bug: "long work holds the loop",
      text: "this.#used = this.#clock.now() - this.#sliceStart >= SLICE_MS;",
      becomes: "this.#used = false;",
    },
  ]),
  ...mutantsOf("util/ring-queue", [
    {
      bug: "a burst holds its memory",
      text: "this.#ring.length > 1024) this.clear();",
      becomes: "this.#ring.length < 0) this.clear();",
    },
    {
      bug: "a queue that grows forgets where it begins",
      text: "old[(this.#head + i) & (old.length - 1)]",
      becomes: "old[i]",
    },
  ]),
  ...mutantsOf("util/abort", [
    {
      bug: "a wait that is over leaves its listener",
      text: "promise.then(resolve, reject).finally(release);",
      becomes: "promise.then(resolve, reject), void release;",
    },
  ]),
  ...mutantsOf("util/sleep", [
    { bug: "a sleep that is called off leaves its timer", text: "timer.cancel();", becomes: "" },
    { bug: "a sleep that is over leaves its listener", text: "release();\n      resolve();", becomes: "resolve();" },
  ]),
];
