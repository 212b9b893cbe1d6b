/** The model of an API server: a map of objects, their history, and the faults that a connection to it can have. */
import type { InformerError } from "../../runtime/api/informer-error.js";
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

interface Change {
  readonly version: number;
  readonly key: string;
  /** As in {@link ModelServer.objects}; `undefined` once it is deleted. */
  readonly state: string | undefined;
  readonly event: ReturnType<typeof added>;
}

type Sees = (key: string) => boolean;

export class ModelServer {
  readonly objects = new Map<string, Entry<Thing>>();
  #version = 10;
  /** Changes before this one are compacted away. */
  #floor = 0;
  readonly #history: Change[] = [];
  #watches: { readonly watch: ScriptedWatch; readonly namespace: string | undefined; readonly sees: Sees }[] = [];
  /** So many requests are refused before the next is answered. */
  refusals = 0;
  /** So many watches are given a change and ended at once before the next stays. */
  flaps = 0;
  /** Namespaces whose requests are refused: see {@link forbid}. */
  readonly forbidden = new Set<string>();
  /** Every state that an object ever had, as `ns/a@12`, and every version that there ever was. */
  readonly states = new Set<string>();
  readonly versions = new Set<string>(["10"]);
  /** Requests that were refused, watches that were told that their version has expired, and watches that were ended. */
  refused = 0;
  expired = 0;
  closed = 0;
  /** Watches that begin where one before was told that its version has expired. */
  readonly rewatched: string[] = [];
  /** What a list at version 0 is answered with, of a server that lags behind. */
  #lagging: { readonly version: number; readonly objects: readonly Entry<Thing>[] } | undefined;
  /** Versions of the lists that were answered. */
  readonly #listed: number[] = [];
  readonly #slabs: SlabAllocator;

  readonly #streaming: boolean;

  /** @param streaming whether it does streaming lists */
  constructor(streaming: boolean, slabs: SlabAllocator) {
    this.#streaming = streaming;
    this.#slabs = slabs;
  }

  /** Answers what is asked for of a namespace, or of all. */
  serve(server: ScriptedListerWatcher, namespace?: string): void {
    const sees = (key: string) => namespace === undefined || key.startsWith(`${namespace}/`);
    const served = () => [...this.objects.values()].filter(({ key }) => sees(key));
    const expiredAt = new Set<string>();
    server.onEveryList(() => {
      const refused = this.#refusal(namespace);
      if (refused !== undefined) return refused;
      const lagging = server.requests.at(-1)!.options.resourceVersion === "0" ? this.#lagging : undefined;
      const { version, objects } = lagging ?? { version: this.#version, objects: served() };
      this.#listed.push(version);
      return page(String(version), [...objects]);
    });
    server.onEveryWatch(() => {
      const { sendInitialEvents = false, resourceVersion = "" } = server.requests.at(-1)!.options;
      const refused = this.#refusal(namespace);
      if (refused !== undefined) return refused;
      if (sendInitialEvents && !this.#streaming) return refusal(422);
      const from = Number(resourceVersion);
      const watch = new ScriptedWatch();
      if (sendInitialEvents) {
        this.#listed.push(this.#version);
        watch.send(...served().map(added), endBookmark(String(this.#version)));
      } else if (from < this.#floor) {
        this.expired++;
        if (expiredAt.has(resourceVersion)) this.rewatched.push(resourceVersion);
        expiredAt.add(resourceVersion);
        return watch.send(errorEvent(expired())).end();
      } else {
        const isFlapping = this.flaps > 0;
        if (isFlapping) {
          this.flaps--;
          this.closed++;
          this.write(namespace === undefined ? "ns/a" : `${namespace}/a`);
        }
        const missed = this.#history.filter(({ version, key }) => version > from && sees(key));
        if (missed.length > 0) watch.send(...missed.map(({ event }) => event));
        if (isFlapping) return watch.end();
      }
      this.#watches.push({ watch, namespace, sees });
      return watch;
    });
  }

  /** Of every object that there ever was. */
  get keys(): ReadonlySet<string> {
    return new Set(this.#history.map((change) => change.key));
  }

  /** Whether the object was in this state at that version, or later. @param state `undefined` for none */
  wasSince(key: string, state: string | undefined, version: number): boolean {
    const changes = this.#history.filter((change) => change.key === key);
    const before = changes.findLast((change) => change.version <= version);
    return before?.state === state || changes.some((change) => change.version > version && change.state === state);
  }

  /**
   * The version of a state between two others of an object that whoever was told of these two cannot have missed, as no list
   * passed over it.
   */
  leftOut(key: string, before: string, now: string): string | undefined {
    const changes = this.#history.filter((change) => change.key === key);
    const between = changes.filter(({ version }) => version > Number(before) && version < Number(now));
    const left = between.find(({ version }) => {
      const next = changes.find((change) => change.version > version)!;
      return !this.#listed.some((listed) => listed >= next.version);
    });
    return left && String(left.version);
  }

  /** The version of the newest change. */
  get version(): string {
    return String(this.#version);
  }

  /** From now on lists at version 0 show what is there now, and never anything newer. */
  lag(): void {
    this.#lagging = { version: this.#version, objects: [...this.objects.values()] };
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
    this.#tell(key, old === undefined ? added(entry) : modified(entry), String(version));
  }

  delete(key: string): void {
    const old = this.objects.get(key);
    if (old === undefined) return;
    this.objects.delete(key);
    this.#tell(key, deleted(thing(key, String(++this.#version), { uid: old.uid }, this.#slabs)), undefined);
  }

  /** Of a version at which something else has changed. */
  bookmark(): void {
    this.versions.add(String(++this.#version));
    for (const { watch } of this.#watches) watch.send(bookmark(String(this.#version)));
  }

  /** @param namespace of which alone */
  endWatches(how: "end" | "break", namespace?: string): void {
    const ended = this.#watches.filter((each) => namespace === undefined || each.namespace === namespace);
    this.closed += ended.length;
    for (const { watch } of ended) watch[how]();
    this.#watches = this.#watches.filter((each) => !ended.includes(each));
  }

  /** As when a role goes: what runs is ended, what is asked is refused. */
  forbid(namespace: string): void {
    this.forbidden.add(namespace);
    this.endWatches("end", namespace);
  }

  compact(): void {
    this.#floor = this.#version;
  }

  #refusal(namespace: string | undefined): InformerError | undefined {
    const isForbidden = namespace !== undefined && this.forbidden.has(namespace);
    if (!isForbidden && this.refusals === 0) return undefined;
    if (!isForbidden) this.refusals--;
    this.refused++;
    return refusal(isForbidden ? 403 : 500);
  }

  #tell(key: string, event: Change["event"], state: Change["state"]): void {
    this.versions.add(String(this.#version));
    this.#history.push({ version: this.#version, key, state, event });
    for (const { watch, sees } of this.#watches) if (sees(key)) watch.send(event);
  }
}
