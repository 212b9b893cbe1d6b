/** What a user gives to hear of changes. Counterpart: `ResourceEventHandler` of tools/cache/controller.go. */
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import type { Entry } from "./entry.js";

/**
 * Called in order, one call at a time; a promise is awaited before the next call. The informer's cache is as new as the call
 * or newer. Objects are shared: `mutableCopy` gives one to change.
 */
export interface ResourceEventHandler<T extends KubernetesObject> {
  /** @param isInInitialList whether the object was there when the informer, or this handler, began */
  onAdd?(object: Cached<T>, isInInitialList: boolean): void | Promise<void>;
  /** Also called with the same object twice, at each resync that the handler asked for. */
  onUpdate?(oldObject: Cached<T>, object: Cached<T>): void | Promise<void>;
  /**
   * @param finalStateUnknown a tombstone: the object went while nobody looked, and `object` is the last state that was seen
   *   (client-go's `DeletedFinalStateUnknown`)
   */
  onDelete?(object: Cached<T>, finalStateUnknown: boolean): void | Promise<void>;
}

/** The same as one function. Objects decode when they are read: a handler that looks at `key` alone decodes nothing. */
export type ResourceEventHandlerFunc<T extends KubernetesObject> = (event: ResourceEvent<T>) => void | Promise<void>;

export type ResourceEvent<T extends KubernetesObject> =
  | {
      readonly type: "add";
      /** `namespace/name`, or `name` for a cluster-scoped object. */
      readonly key: string;
      readonly object: Cached<T>;
      readonly isInInitialList: boolean;
    }
  | { readonly type: "update"; readonly key: string; readonly oldObject: Cached<T>; readonly object: Cached<T> }
  | { readonly type: "delete"; readonly key: string; readonly object: Cached<T>; readonly finalStateUnknown: boolean };

/** What a function handler is given; one for all handlers. Every member of the union's cases is there, read on demand. */
export class Notification<T extends KubernetesObject> {
  readonly type: ResourceEvent<T>["type"];
  readonly isInInitialList: boolean;
  readonly finalStateUnknown: boolean;
  readonly #entry: Entry<T>;
  readonly #oldEntry: Entry<T> | undefined;

  private constructor(
    type: ResourceEvent<T>["type"],
    entry: Entry<T>,
    oldEntry: Entry<T> | undefined,
    isInInitialList: boolean,
    finalStateUnknown: boolean,
  ) {
    this.type = type;
    this.#entry = entry;
    this.#oldEntry = oldEntry;
    this.isInInitialList = isInInitialList;
    this.finalStateUnknown = finalStateUnknown;
  }

  static add<T extends KubernetesObject>(entry: Entry<T>, isInInitialList: boolean): Notification<T> {
    return new Notification("add", entry, undefined, isInInitialList, false);
  }

  static update<T extends KubernetesObject>(old: Entry<T>, entry: Entry<T>): Notification<T> {
    return new Notification("update", entry, old, false, false);
  }

  static delete<T extends KubernetesObject>(entry: Entry<T>, finalStateUnknown: boolean): Notification<T> {
    return new Notification("delete", entry, undefined, false, finalStateUnknown);
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

  /** Hands this to a handler of either form. */
  deliver(handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>): void | Promise<void> {
    if (typeof handler === "function") return handler(this as unknown as ResourceEvent<T>);
    switch (this.type) {
      case "add":
        return handler.onAdd?.(this.object, this.isInInitialList);
      case "update":
        return handler.onUpdate?.(this.#oldEntry!.object, this.object);
      case "delete":
        return handler.onDelete?.(this.object, this.finalStateUnknown);
    }
  }
}
