/** Holds the cache of a run of the model against what the server had, at each moment. */
import type { NamespaceSet } from "../../runtime/api/namespaces.js";
import type { SharedInformer } from "../../runtime/cache/shared-informer.js";
import type { Thing } from "./entries.js";
import type { Violation } from "./follower.js";
import type { ModelServer } from "./model-server.js";

/** What must hold of the cache at each moment. */
export class CacheWatch {
  readonly #informer: SharedInformer<Thing>;
  readonly #model: ModelServer;
  readonly #namespaces: NamespaceSet | undefined;
  readonly #violated: Violation;
  readonly #last = new Map<string, number>();
  /** By namespace, or one under `""`. */
  readonly #at = new Map<string, number>();
  #synced = false;
  /** Namespaces that were let go or followed: each may begin anew once. */
  readonly restarted = new Set<string>();

  constructor(
    informer: SharedInformer<Thing>,
    model: ModelServer,
    namespaces: NamespaceSet | undefined,
    violated: Violation,
  ) {
    this.#informer = informer;
    this.#model = model;
    this.#namespaces = namespaces;
    this.#violated = violated;
  }

  look(): void {
    const { indexer } = this.#informer;
    if (this.#synced && !this.#informer.hasSynced()) this.#violated("I8", "synced no more");
    this.#synced = this.#informer.hasSynced();
    const filed = indexer.listIndexValues("value").flatMap((value) => indexer.indexKeys("value", value));
    const keys = indexer.listKeys();
    if (filed.sort().join() !== keys.sort().join()) this.#violated("I9", `${filed} are filed, ${keys} are there`);
    const held = new Map(keys.map((name) => [name, indexer.get(name)?.metadata.resourceVersion]));
    for (const [name, version] of held) {
      if (!this.#model.states.has(`${name}@${version}`)) this.#violated("I2", `${name}@${version}`);
      if (Number(version) < (this.#last.get(name) ?? 0)) this.#violated("I3", `${name} went back to ${version}`);
      this.#last.set(name, Number(version));
    }
    const { resourceVersion, namespaces } = this.#informer.health();
    const parts = this.#namespaces === undefined ? [{ namespace: "", resourceVersion }] : namespaces;
    for (const part of parts) this.#lookAt(part.namespace, part.resourceVersion, held);
  }

  #lookAt(namespace: string, resourceVersion: string, held: ReadonlyMap<string, string | undefined>): void {
    const at = Number(resourceVersion);
    const before = this.#at.get(namespace) ?? 0;
    if (at < before && !(at === 0 && this.restarted.delete(namespace)))
      this.#violated("I3", `the cache went from ${before} to ${at}`);
    this.#at.set(namespace, at);
    if (this.#synced && at === 0 && this.#namespaces === undefined) this.#violated("I8", "synced without a list");
    if (at === 0) return;
    for (const name of this.#model.keys) {
      if (namespace !== "" && !name.startsWith(`${namespace}/`)) continue;
      if (!this.#model.wasSince(name, held.get(name), at))
        this.#violated("I11", `the cache is at ${at}, and has ${name}@${held.get(name)}`);
    }
  }
}
