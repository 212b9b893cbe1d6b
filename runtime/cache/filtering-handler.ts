/** A handler that sees some objects only. Counterpart: `FilteringResourceEventHandler` of tools/cache/controller.go. */
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import {
  deliver,
  type ResourceEvent,
  type ResourceEventHandler,
  type ResourceEventHandlerFunc,
} from "./event-handler.js";

/** What a filter looks at. The object decodes when it is read: a filter by key decodes nothing. */
export interface FilterCandidate<T extends KubernetesObject> {
  /** `namespace/name`, or `name` for a cluster-scoped object. */
  readonly key: string;
  readonly object: Cached<T>;
}

/**
 * To the handler only what passes exists: an object that begins to pass is an add, one that passes no more is a delete with
 * the last state that passed.
 * @param filter must depend on the object alone; it is asked about the state before a change and the state after
 */
export function filteringResourceEventHandler<T extends KubernetesObject>(
  filter: (candidate: FilterCandidate<T>) => boolean,
  handler: ResourceEventHandler<T> | ResourceEventHandlerFunc<T>,
): ResourceEventHandlerFunc<T> {
  return (event) => {
    switch (event.type) {
      case "add":
        return filter(event) ? deliver(event, handler) : undefined;
      // Whether the handler knows it is a question of what it was told, not of how the object looked when it went.
      case "delete":
        return filter(before(event)) ? deliver(event, handler) : undefined;
      case "update": {
        const passed = filter(before(event));
        const passes = filter(event);
        if (passed) return deliver(passes ? event : leaving(event), handler);
        return passes ? deliver(entering(event), handler) : undefined;
      }
    }
  };
}

type Update<T extends KubernetesObject> = Extract<ResourceEvent<T>, { type: "update" }>;

function before<T extends KubernetesObject>(event: { key: string; oldObject: Cached<T> }): FilterCandidate<T> {
  return {
    key: event.key,
    get object() {
      return event.oldObject;
    },
  };
}

function entering<T extends KubernetesObject>(event: Update<T>): ResourceEvent<T> {
  return {
    type: "add",
    key: event.key,
    isInInitialList: false,
    get object() {
      return event.object;
    },
  };
}

function leaving<T extends KubernetesObject>(event: Update<T>): ResourceEvent<T> {
  return {
    type: "delete",
    key: event.key,
    finalStateUnknown: false,
    get oldObject() {
      return event.oldObject;
    },
    get object() {
      return event.oldObject;
    },
  };
}
