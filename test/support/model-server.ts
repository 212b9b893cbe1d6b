/** The model of an API server: a map of objects, their history, and the faults that a connection to it can have. */
import type { Entry } from "../../runtime/cache/entry.js";
import type { SlabAllocator } from "../../runtime/cache/slab.js";
import { type Thing, thing } from "./entries.js";
import {
  added,
  bookmark,
  deleted,
  endBookmark,
  errorEvent,
  expired,
  modified,
  page,
  refusal,
  type ScriptedListerWatcher,
  ScriptedWatch,
} from "./scripted-lister-watcher.js";

type Change = { readonly version: number; readonly event: ReturnType<typeof added> };

export class ModelServer {
  readonly objects = new Map<string, Entry<Thing>>();
  #version = 10;
  /** Changes before this one are compacted away. */
  #floor = 0;
  #history: Change[] = [];
  #watches: ScriptedWatch[] = [];
  /** So many requests are refused before the next is answered. */
  refusals = 0;
  /** Every state that an object ever had, as `ns/a@12`, and every version that there ever was. */
  readonly states = new Set<string>();
  readonly versions = new Set<string>(["10"]);
  /** Requests that were refused, watches that were told that their version has expired, and watches that were ended. */
  refused = 0;
  expired = 0;
  closed = 0;
  readonly #slabs: SlabAllocator;

  constructor(server: ScriptedListerWatcher, streaming: boolean, slabs: SlabAllocator) {
    this.#slabs = slabs;
    server.onEveryList(() =>
      this.#refuses() ? refusal(500) : page(String(this.#version), [...this.objects.values()]),
    );
    server.onEveryWatch(() => {
      const { sendInitialEvents = false, resourceVersion = "" } = server.requests.at(-1)!.options;
      if (this.#refuses()) return refusal(500);
      if (sendInitialEvents && !streaming) return refusal(422);
      const watch = new ScriptedWatch();
      if (sendInitialEvents) {
        watch.send(...[...this.objects.values()].map(added), endBookmark(String(this.#version)));
      } else if (Number(resourceVersion) < this.#floor) {
        this.expired++;
        return watch.send(errorEvent(expired())).end();
      }
      const missed = sendInitialEvents ? [] : this.#history.filter(({ version }) => version > Number(resourceVersion));
      if (missed.length > 0) watch.send(...missed.map(({ event }) => event));
      this.#watches.push(watch);
      return watch;
    });
  }

  /** Creates or updates. */
  write(key: string): void {
    const old = this.objects.get(key);
    const version = ++this.#version;
    const entry = thing(
      key,
      String(version),
      { uid: old?.uid ?? `uid-${version}`, value: `v${version % 3}` },
      this.#slabs,
    );
    this.objects.set(key, entry);
    this.states.add(`${key}@${version}`);
    this.#tell(old === undefined ? added(entry) : modified(entry));
  }

  delete(key: string): void {
    const old = this.objects.get(key);
    if (old === undefined) return;
    this.objects.delete(key);
    this.#tell(deleted(thing(key, String(++this.#version), { uid: old.uid }, this.#slabs)));
  }

  bookmark(): void {
    for (const watch of this.#watches) watch.send(bookmark(String(this.#version)));
  }

  endWatches(how: "end" | "break"): void {
    this.closed += this.#watches.length;
    for (const watch of this.#watches) watch[how]();
    this.#watches = [];
  }

  compact(): void {
    this.#floor = this.#version;
    this.#history = [];
  }

  #refuses(): boolean {
    if (this.refusals === 0) return false;
    this.refusals--;
    this.refused++;
    return true;
  }

  #tell(event: Change["event"]): void {
    this.versions.add(String(this.#version));
    this.#history.push({ version: this.#version, event });
    for (const watch of this.#watches) watch.send(event);
  }
}
