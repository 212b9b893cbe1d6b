/**
 * How one resource is read and kept. Counterpart: what client-go spreads over `NewFiltered…Informer`, `WithCustomResyncConfig`,
 * `SetTransform` and `SetWatchErrorHandler`; controller-runtime's `cache.ByObject`.
 */
import { isDeepStrictEqual } from "node:util";
import type { GroupVersionResource } from "../api/group-version-resource.js";
import { InformerError } from "../api/informer-error.js";
import type { ListOptions } from "../api/list-options.js";
import { NamespaceSet, type Namespaces } from "../api/namespaces.js";
import type { KubernetesObject } from "../api/object-meta.js";
import { parseLabelSelector } from "../api/selectors.js";
import type { HandlerDefaults, QueueKind, TransformFunc } from "../cache/informer-options.js";
import type { ReflectorTunables } from "../cache/reflector.js";
import type { RetentionOptions } from "../cache/slab.js";

/**
 * In a factory's options they hold for every resource. For one resource they are given when it is first asked for, and each
 * takes the place of the factory's; of {@link reflector} each part does.
 */
export interface ResourceOptions<T extends KubernetesObject = KubernetesObject>
  extends RetentionOptions,
    HandlerDefaults<T> {
  /**
   * Namespaces to follow, each by a list and watch of its own, for which a Role is enough; or those to leave out. A
   * `NamespaceSet` to follow may change at any time; what is left out is fixed. Cluster-scoped resources are not affected.
   */
  readonly namespaces?: Namespaces;
  /** Only objects with such labels, by the server: `app=web,tier!=cache`. */
  readonly labelSelector?: string;
  /** Only objects with such fields, by the server: `spec.nodeName=worker-1`. It knows `metadata.name` and a few more of each kind. */
  readonly fieldSelector?: string;
  /** A last word on the query of every LIST and WATCH. Counterpart: `WithTweakListOptions`. */
  readonly tweakListOptions?: (options: ListOptions, resource: GroupVersionResource) => ListOptions;
  /** Changes every object before it is cached. Must be idempotent and keep the metadata. Counterpart: `WithTransform`. */
  readonly transform?: TransformFunc<T>;
  /**
   * Whether cached objects are frozen all the way down, so that a handler which writes to one gets a TypeError there and then,
   * in place of a cache that lies to everyone else. By default unless `NODE_ENV` is `production`: it makes decoding half as
   * expensive again. Types say the same at compile time. `mutableCopy` gives an object to change.
   */
  readonly freeze?: boolean;
  /** How lists and watches are asked for: pages, deadlines, back-off. */
  readonly reflector?: ReflectorTunables;
  /**
   * `DeltaFIFO`, the default, collects the changes of an object that wait, and keeps the order of each object; `RealFIFO` keeps
   * the order of all, as client-go does since 1.36.
   */
  readonly queue?: QueueKind;
  /**
   * Told of every failure that an informer gets over by itself, once for each kind in a row: a lost connection, a missing
   * right, a handler that threw. Without it they become process warnings of type `InformerWarning`.
   */
  readonly onError?: (error: InformerError) => void;
}

/** The least of each number. A NaN, of an environment variable that is not set, would ask without a pause. */
const LEAST = {
  bookmarkDeadlineMs: 1,
  listSilenceMs: 1,
  pageSize: 1,
  watchTimeoutSeconds: 1,
  backoff: 1,
  probeAfterMs: 0,
  verifyEveryMs: 0,
} as const satisfies { readonly [Name in keyof ReflectorTunables]: number };

/** What each word may be. JavaScript does not tell of one that is misspelt, and it would pass for the default. */
const WORDS = {
  retention: ["object", "bytes"],
  managedFields: ["keep", "drop"],
  queue: ["DeltaFIFO", "RealFIFO"],
} as const satisfies { readonly [Name in keyof ResourceOptions]: readonly ResourceOptions[Name][] };

/** @throws InformerError `usage` when a selector is none, a number is not one or too small, or a word is not known */
export function resourceOptions<T extends KubernetesObject>(
  ofFactory: ResourceOptions,
  own: ResourceOptions<T> = {},
): ResourceOptions<T> {
  // A function of the factory's is for every kind of object, so it is for this one as well.
  const options = { ...(ofFactory as unknown as ResourceOptions<T>), ...own };
  parseLabelSelector(options.labelSelector ?? "");
  const reflector = { ...ofFactory.reflector, ...own.reflector };
  refuseBadNumbers(reflector);
  refuseUnknownWords(options);
  return { ...options, reflector };
}

function refuseBadNumbers(reflector: ReflectorTunables): void {
  for (const name of Object.keys(LEAST) as (keyof typeof LEAST)[]) {
    const value = reflector[name];
    if (value === undefined) continue;
    const numbers = typeof value === "number" ? [value] : "length" in value ? value : [value.baseMs, value.capMs];
    let least: number = LEAST[name];
    for (const number of numbers) {
      if (!(number >= least && number < Number.POSITIVE_INFINITY))
        throw new InformerError("usage", `reflector.${name}: ${number} is no number of ${least} or more`);
      least = number;
    }
  }
}

function refuseUnknownWords(options: Pick<ResourceOptions, keyof typeof WORDS>): void {
  for (const [name, words] of Object.entries(WORDS) as [keyof typeof WORDS, readonly unknown[]][]) {
    const value = options[name];
    if (value !== undefined && !words.includes(value))
      throw new InformerError("usage", `${name}: ${JSON.stringify(value)} is none of ${words.join(", ")}`);
  }
}

/** What to follow and what to leave out. @throws InformerError `usage` for what is no name of a namespace */
export function namespaceSelection(namespaces: Namespaces | undefined): {
  readonly namespaces?: NamespaceSet;
  readonly fieldSelectors?: readonly string[];
} {
  if (namespaces === undefined) return {};
  if (typeof namespaces === "object" && "except" in namespaces) {
    const except = listOfNames("except", namespaces.except);
    if ("subscribe" in except) {
      const way = "give a list of names; to leave out others, release the informer and acquire it anew";
      throw new InformerError("usage", `except is part of each request, and no set that may change: ${way}`);
    }
    return { fieldSelectors: Array.from(new NamespaceSet(except), (name) => `metadata.namespace!=${name}`) };
  }
  const followed = listOfNames("namespaces", namespaces);
  // Not by instanceof: it may be another copy's.
  return { namespaces: "subscribe" in followed ? (followed as NamespaceSet) : new NamespaceSet(followed) };
}

/** A name alone is an iterable of strings as well. */
function listOfNames(option: string, names: Iterable<string>): Iterable<string> {
  if (typeof names === "string")
    throw new InformerError("usage", `${option} is a list of names: ["${names}"], not "${names}"`);
  return names;
}

/** @throws InformerError `conflict`, naming what differs, unless both are the same */
export function refuseConflict<T extends KubernetesObject>(
  resource: string,
  followed: ResourceOptions<T>,
  asked: ResourceOptions<T>,
): void {
  const names = Object.keys({ ...followed, ...asked }) as (keyof ResourceOptions<T>)[];
  const differing = names.filter((name) => !isDeepStrictEqual(followed[name], asked[name]));
  if (differing.length === 0) return;
  const [name] = differing as [keyof ResourceOptions<T>];
  const values = [followed[name], asked[name]].map(shown).join(", not ");
  throw new InformerError(
    "conflict",
    `${resource} is informed of already with another ${differing.join(" and ")}: ${name} is ${values}. ` +
      "Ask without options for the informer that there is, release it first, or ask another factory",
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "the default";
  return typeof value === "function" ? "a function" : JSON.stringify(value);
}
