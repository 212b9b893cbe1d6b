/** Reads from an informer's cache by name, namespace and label. Counterpart: tools/cache/listers.go and the generated listers. */
import { metaNamespaceKey } from "../api/keys.js";
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import { type LabelSelectorInput, parseLabelSelector } from "../api/selectors.js";
import type { Entry } from "./entry.js";
import type { Indexer } from "./indexer.js";
import { NAMESPACE_INDEX } from "./store.js";

/** Reads cluster-scoped objects, or those of one namespace. Objects are shared and deeply readonly; arrays are the caller's. */
export interface Lister<T extends KubernetesObject> {
  /** @throws InformerError `usage` when the selector is malformed */
  list(selector?: LabelSelectorInput): Cached<T>[];
  /** `undefined` when the cache does not hold it. */
  get(name: string): Cached<T> | undefined;
}

/** Reads namespaced objects. */
export interface NamespacedLister<T extends KubernetesObject> {
  /** Over all namespaces. @throws InformerError `usage` when the selector is malformed */
  list(selector?: LabelSelectorInput): Cached<T>[];
  /** `""` means all namespaces to `list`, as in client-go. */
  namespace(namespace: string): Lister<T>;
}

/** For a resource whose scope is known at run time alone. `get` takes a key: `namespace/name`, or `name`. */
export interface GenericLister<T extends KubernetesObject> extends Lister<T>, NamespacedLister<T> {}

export class IndexerLister<T extends KubernetesObject> implements GenericLister<T> {
  readonly #indexer: Indexer<T>;

  constructor(indexer: Indexer<T>) {
    this.#indexer = indexer;
  }

  list(selector?: LabelSelectorInput): Cached<T>[] {
    return selectObjects(this.#indexer.entries(), selector);
  }

  get(name: string): Cached<T> | undefined {
    return this.#indexer.get(name);
  }

  namespace(namespace: string): Lister<T> {
    const indexer = this.#indexer;
    return {
      list: (selector) =>
        namespace === ""
          ? this.list(selector)
          : selectObjects(indexer.entriesByIndex(NAMESPACE_INDEX, namespace), selector),
      get: (name) => indexer.get(metaNamespaceKey(namespace, name)),
    };
  }
}

/** Looks at labels first, so that an object which does not match is never decoded. */
function selectObjects<T extends KubernetesObject>(
  entries: Iterable<Entry<T>>,
  selector: LabelSelectorInput = "",
): Cached<T>[] {
  const parsed = parseLabelSelector(selector);
  const objects: Cached<T>[] = [];
  for (const entry of entries) if (parsed.matchesEverything || parsed.matches(entry.labels)) objects.push(entry.object);
  return objects;
}
