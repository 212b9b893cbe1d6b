/** Reads from an informer's cache by name, namespace and label. Counterpart: tools/cache/listers.go and the generated listers. */
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import { compareResourceVersions } from "../api/resource-version.js";
import { type LabelSelectorInput, parseLabelSelector } from "../api/selectors.js";
import type { Entry } from "./entry.js";
import type { Indexer } from "./indexer.js";
import { NAMESPACE_INDEX } from "./store.js";

/** Reads cluster-scoped objects, or those of one namespace. Objects are shared and deeply readonly; arrays are the caller's. */
export interface Lister<T extends KubernetesObject> {
  /** @throws InformerError `usage` when the selector is malformed */
  list(selector?: LabelSelectorInput): Cached<T>[];
  /** `undefined` when the cache does not hold it. @throws InformerError `decode` when what the server sent is not JSON */
  get(name: string): Cached<T> | undefined;
  /** Whether what is read here is as new as this resourceVersion of the resource, which a write may have given, or newer. */
  atLeast(resourceVersion: string): boolean;
}

/** Reads namespaced objects. */
export interface NamespacedLister<T extends KubernetesObject> {
  /** Over all namespaces. @throws InformerError `usage` when the selector is malformed */
  list(selector?: LabelSelectorInput): Cached<T>[];
  /** `""` means all namespaces to `list`, as in client-go. */
  namespace(namespace: string): Lister<T>;
  /** Whether what is read here is as new as this resourceVersion of the resource, which a write may have given, or newer. */
  atLeast(resourceVersion: string): boolean;
}

/** For a resource whose scope is known at run time alone. `get` takes a key: `namespace/name`, or `name`. */
export interface GenericLister<T extends KubernetesObject> extends Lister<T>, NamespacedLister<T> {}

export class IndexerLister<T extends KubernetesObject> implements GenericLister<T> {
  readonly #indexer: Indexer<T>;

  constructor(indexer: Indexer<T>) {
    this.#indexer = indexer;
  }

  list(selector?: LabelSelectorInput): Cached<T>[] {
    return selectObjects(this.#indexer, this.#indexer.entries(), selector);
  }

  get(name: string): Cached<T> | undefined {
    return this.#indexer.get(name);
  }

  /** Also false where resourceVersions have no order: where they are no decimal numbers (KEP-5504). */
  atLeast(resourceVersion: string): boolean {
    return (compareResourceVersions(this.#indexer.resourceVersion, resourceVersion) ?? -1) >= 0;
  }

  namespace(namespace: string): Lister<T> {
    return new NamespaceLister(this.#indexer, namespace, this);
  }
}

/** Made anew for each look-up, so it is no more than its fields. */
class NamespaceLister<T extends KubernetesObject> implements Lister<T> {
  readonly #indexer: Indexer<T>;
  readonly #namespace: string;
  readonly #all: IndexerLister<T>;

  constructor(indexer: Indexer<T>, namespace: string, all: IndexerLister<T>) {
    this.#indexer = indexer;
    this.#namespace = namespace;
    this.#all = all;
  }

  list(selector?: LabelSelectorInput): Cached<T>[] {
    if (this.#namespace === "") return this.#all.list(selector);
    return selectObjects(this.#indexer, this.#indexer.entriesByIndex(NAMESPACE_INDEX, this.#namespace), selector);
  }

  get(name: string): Cached<T> | undefined {
    return this.#indexer.getIn(this.#namespace, name);
  }

  atLeast(resourceVersion: string): boolean {
    if (this.#namespace === "") return this.#all.atLeast(resourceVersion);
    return (compareResourceVersions(this.#indexer.resourceVersionOf(this.#namespace), resourceVersion) ?? -1) >= 0;
  }
}

/** Looks at labels first, so that an object which does not match is never decoded. */
function selectObjects<T extends KubernetesObject>(
  indexer: Indexer<T>,
  entries: Iterable<Entry<T>>,
  selector: LabelSelectorInput = "",
): Cached<T>[] {
  const parsed = parseLabelSelector(selector);
  return indexer.objects(entries, parsed.matchesEverything ? undefined : (entry) => parsed.matches(entry.labels));
}
