/** What a user gives to hear of changes. Counterpart: `ResourceEventHandler` of tools/cache/controller.go. */
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import type { Entry } from "./entry.js";

/**
 * Called in order, one call at a time; a promise is awaited before the next call, and all else that is returned is left alone. The
 * informer's cache is as new as the call or newer. Objects are shared: `mutableCopy` gives one to change.
 */
export interface ResourceEventHandler<T extends KubernetesObject> {
  /** @param isInInitialList whether the object was there when the informer, or this handler, began */
  onAdd?(object: Cached<T>, isInInitialList: boolean): unknown;
  /** Also called with the same object twice, at each resync that the handler asked for. */
  onUpdate?(oldObject: Cached<T>, object: Cached<T>): unknown;
  /**
   * @param finalStateUnknown a tombstone: the object went while nobody looked, and `object` is the last state that was seen
   *   (client-go's `DeletedFinalStateUnknown`)
   */
  onDelete?(object: Cached<T>, finalStateUnknown: boolean): unknown;
}

/** The same as one function. Objects decode when they are read: a handler that looks at `key` alone decodes nothing. */
export type ResourceEventHandlerFunc<T extends KubernetesObject> = (event: ResourceEvent<T>) => unknown;

/** `oldObject` is the state that the handler was told of before, `object` the newest. */
export type ResourceEvent<T extends KubernetesObject> =
  | {
      readonly type: "add";
      /** `namespace/name`, or `name` for a cluster-scoped object. */
      readonly key: string;
      readonly object: Cached<T>;
      readonly isInInitialList: boolean;
    }
  | { readonly type: "update"; readonly key: string; readonly oldObject: Cached<T>; readonly object: Cached<T> }
  | {
      readonly type: "delete";
      readonly key: string;
      readonly oldObject: Cached<T>;
      readonly object: Cached<T>;
      readonly finalStateUnknown: boolean;
    };

/** What a function handler is given; one for all handlers. Every member of the union's cases is there, read on demand. */
export class Notification<T extends KubernetesObject> {
  readonly type: ResourceEvent<T>["type"];
  readonly isInInitialList: boolean;
  readonly finalStateUnknown: boolean;
  /** Since when it waits, on the monotonic clock. */
  readonly sinceMs: number;
  readonly #entry: Entry<T>;
  readonly #oldEntry: Entry<T> | undefined;

  private constructor(
    type: ResourceEvent<T>["type"],
    oldEntry: Entry<T> | undefined,
    entry: Entry<T>,
    isInInitialList: boolean,
    finalStateUnknown: boolean,
    sinceMs: number,
  ) {
    this.type = type;
    this.#oldEntry = oldEntry;
    this.#entry = entry;
    this.isInInitialList = isInInitialList;
    this.finalStateUnknown = finalStateUnknown;
    this.sinceMs = sinceMs;
  }

  static add<T extends KubernetesObject>(entry: Entry<T>, isInInitialList: boolean, sinceMs: number): Notification<T> {
    return new Notification("add", undefined, entry, isInInitialList, false, sinceMs);
  }

  static update<T extends KubernetesObject>(old: Entry<T>, entry: Entry<T>, sinceMs: number): Notification<T> {
    return new Notification("update", old, entry, false, false, sinceMs);
  }

  /** @param old what was cached; @param last the final state, absent where nobody saw it */
  static delete<T extends KubernetesObject>(
    old: Entry<T>,
    last: Entry<T> | undefined,
    sinceMs: number,
  ): Notification<T> {
    return new Notification("delete", old, last ?? old, false, last === undefined, sinceMs);
  }

  get key(): string {
    return this.#entry.key;
  }

  get object(): Cached<T> {
    return this.#entry.object;
  }

  get oldObject(): Cached<T> | undefined {
    return this.#oldEntry?.object;
  }

  isOfSameObject(other: Notification<T>): boolean {
    return this.#entry.uid === other.#entry.uid;
  }

  /**
   * This and the next change of the same object told as one, as from the state before to the state after both; nothing, where
   * the object was neither there before nor is after, or is back as it was.
   */
  followedBy(next: Notification<T>): Notification<T> | undefined {
    const old = this.#oldEntry;
    const { type, finalStateUnknown } = next;
    if (type === "delete") {
      return old && new Notification("delete", old, next.#entry, false, finalStateUnknown, this.sinceMs);
    }
    if (old === undefined) return Notification.add(next.#entry, this.isInInitialList, this.sinceMs);
    if (this.type === "delete" && old.resourceVersion === next.#entry.resourceVersion) return undefined;
    return Notification.update(old, next.#entry, this.sinceMs);
  }
}

/** Hands an event to a handler of either form. What it gives back is to be awaited. */
export function deliver<T extends KubernetesObject>(
  event: ResourceEvent<T>,
  handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>,
): PromiseLike<unknown> | undefined {
  const result = call(event, handler);
  return typeof (result as Partial<PromiseLike<unknown>> | undefined)?.then === "function"
    ? (result as PromiseLike<unknown>)
    : undefined;
}

function call<T extends KubernetesObject>(
  event: ResourceEvent<T>,
  handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>,
): unknown {
  if (typeof handler === "function") return handler(event);
  switch (event.type) {
    case "add":
      return handler.onAdd?.(event.object, event.isInInitialList);
    case "update":
      return handler.onUpdate?.(event.oldObject, event.object);
    case "delete":
      return handler.onDelete?.(event.object, event.finalStateUnknown);
  }
}
