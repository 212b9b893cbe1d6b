/** Objects for tests of the cache, as the bytes that a server would have sent. */
import type { Cached, KubernetesObject } from "../../runtime/api/object-meta.js";
import { Entry } from "../../runtime/cache/entry.js";
import type { ResourceEventHandler } from "../../runtime/cache/event-handler.js";
import { SlabAllocator } from "../../runtime/cache/slab.js";

export interface Thing extends KubernetesObject {
  spec?: { value?: string };
}

export interface ThingOptions {
  /** By default one that belongs to the key. */
  readonly uid?: string;
  readonly value?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const shared = new SlabAllocator();

export function thingJson(key: string, resourceVersion: string, options: ThingOptions = {}): string {
  const { uid = `uid-${key}`, value, labels } = options;
  const [name, namespace] = key.split("/").reverse() as [string, string?];
  const metadata = { name, namespace, uid, resourceVersion, labels };
  return JSON.stringify({
    kind: "Thing",
    apiVersion: "v1",
    metadata,
    spec: value === undefined ? undefined : { value },
  });
}

/** @param key `namespace/name`, or `name` */
export function thing(key: string, resourceVersion: string, options: ThingOptions = {}, slabs = shared): Entry<Thing> {
  const { uid = `uid-${key}` } = options;
  const bytes = Buffer.from(thingJson(key, resourceVersion, options));
  return Entry.fromBytes<Thing>({ key, uid, resourceVersion }, slabs, bytes);
}

/** `t0`, `t1` and so on. */
export const things = (count: number, resourceVersion = "1"): Entry<Thing>[] =>
  Array.from({ length: count }, (_, i) => thing(`t${i}`, resourceVersion));

/**
 * A handler that writes down what it is told, in the notation of the fault matrix: `add a@5 initial`, `update a@5→6`,
 * `delete a@7`, `tombstone a@5`.
 */
export function recorder(): { readonly log: string[]; readonly handler: Required<ResourceEventHandler<Thing>> } {
  const log: string[] = [];
  return {
    log,
    handler: {
      onAdd: (object, isInInitialList) => {
        log.push(`add ${versioned(object)}${isInInitialList ? " initial" : ""}`);
      },
      onUpdate: (oldObject, object) => {
        log.push(`update ${versioned(oldObject)}→${object.metadata.resourceVersion}`);
      },
      onDelete: (object, finalStateUnknown) => {
        log.push(`${finalStateUnknown ? "tombstone" : "delete"} ${versioned(object)}`);
      },
    },
  };
}

function versioned({ metadata: { namespace, name, resourceVersion } }: Cached<Thing>): string {
  return `${namespace === undefined ? "" : `${namespace}/`}${name}@${resourceVersion}`;
}
