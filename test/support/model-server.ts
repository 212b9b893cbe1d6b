/** The model of an API server: a map of objects, their history, and the faults that a connection to it can have. */
import type { Entry } from "../../runtime/cache/entry.js";
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

  constructor(server: ScriptedListerWatcher, streaming: boolean) {
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
    const entry = thing(key, String(version), { uid: old?.uid ?? `uid-${version}`, value: `v${version % 3}` });
    this.objects.set(key, entry);
    this.#tell(old === undefined ? added(entry) : modified(entry));
  }

  delete(key: string): void {
    const old = this.objects.get(key);
    if (old === undefined) return;
    this.objects.delete(key);
    this.#tell(deleted(thing(key, String(++this.#version), { uid: old.uid })));
  }

  bookmark(): void {
    for (const watch of this.#watches) watch.send(bookmark(String(this.#version)));
  }

  endWatches(how: "end" | "break"): void {
    for (const watch of this.#watches) watch[how]();
    this.#watches = [];
  }

  compact(): void {
    this.#floor = this.#version;
    this.#history = [];
  }

  #refuses(): boolean {
    return this.refusals > 0 && this.refusals-- > 0;
  }

  #tell(event: Change["event"]): void {
    this.#history.push({ version: this.#version, event });
    for (const watch of this.#watches) watch.send(event);
  }
}
