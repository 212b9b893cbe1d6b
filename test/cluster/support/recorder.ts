/** Writes down what a handler is told, and holds it against the promises that every handler is given. */
import type { KubernetesObject, SharedInformer } from "../../../runtime/codegen.js";

export interface RecordedEvent {
  readonly type: "add" | "update" | "delete";
  readonly key: string;
  readonly resourceVersion: string;
  /** Of an update: what the object was before. */
  readonly oldResourceVersion?: string;
  /** Of an add. */
  readonly isInInitialList?: boolean;
  /** Of a delete. */
  readonly finalStateUnknown?: boolean;
}

interface Named {
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly resourceVersion: string };
}

export class Recorder {
  readonly events: RecordedEvent[] = [];

  static on<T extends KubernetesObject>(informer: SharedInformer<T>): Recorder {
    const recorder = new Recorder();
    const versionOf = (object: Named) => object.metadata.resourceVersion;
    const record = (type: RecordedEvent["type"], object: Named, more: Partial<RecordedEvent>) => {
      recorder.events.push({ type, key: keyOf(object), resourceVersion: versionOf(object), ...more });
    };
    informer.addEventHandler({
      onAdd: (object, isInInitialList) => record("add", object, { isInInitialList }),
      onUpdate: (oldObject, object) => record("update", object, { oldResourceVersion: versionOf(oldObject) }),
      onDelete: (object, finalStateUnknown) => record("delete", object, { finalStateUnknown }),
    });
    return recorder;
  }

  of(key: string): RecordedEvent[] {
    return this.events.filter((event) => event.key === key);
  }

  /** What a reader of these events alone would believe the objects to be: key → resourceVersion. */
  folded(): Map<string, string> {
    const objects = new Map<string, string>();
    for (const { type, key, resourceVersion } of this.events) {
      if (type === "delete") objects.delete(key);
      else objects.set(key, resourceVersion);
    }
    return sorted(objects);
  }

  /** Each breach of what a handler may rely on; none is the only good answer. @param mayGoBack where etcd was put back */
  breaches(mayGoBack = false): string[] {
    const breaches: string[] = [];
    const known = new Map<string, string>();
    const newest = new Map<string, bigint>();
    for (const event of this.events) {
      const { type, key, resourceVersion, oldResourceVersion } = event;
      const what = JSON.stringify(event);
      const before = known.get(key);
      if (type === "add" && before !== undefined) breaches.push(`an add of what was there: ${what}`);
      if (type !== "add" && before === undefined) breaches.push(`of what was never added: ${what}`);
      if (type === "update" && oldResourceVersion !== before)
        breaches.push(`the old object is not the last one: ${what}`);
      if (!mayGoBack && BigInt(resourceVersion) < (newest.get(key) ?? 0n))
        breaches.push(`older than what was told before: ${what}`);
      newest.set(key, BigInt(resourceVersion));
      if (type === "delete") known.delete(key);
      else known.set(key, resourceVersion);
    }
    return breaches;
  }
}

export function keyOf({ metadata: { namespace, name } }: { metadata: { namespace?: string; name: string } }): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** key → resourceVersion, in the order of the keys: two of these are equal when the objects are. */
export function versions(
  objects: Iterable<{ readonly metadata: { namespace?: string; name: string; resourceVersion?: string } }>,
): Map<string, string> {
  return sorted(new Map(Array.from(objects, (object) => [keyOf(object), object.metadata.resourceVersion ?? ""])));
}

function sorted(map: Map<string, string>): Map<string, string> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
