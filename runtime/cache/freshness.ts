/** Those who wait until a cache has reached a resourceVersion: to read what they wrote. KEP-5504 says when one can tell. */
import { InformerError } from "../api/informer-error.js";
import { compareResourceVersions } from "../api/resource-version.js";
import { type Deferred, deferred, onAbort } from "../util/abort.js";

interface Waiter {
  readonly resourceVersion: string;
  readonly namespace: string | undefined;
  readonly reached: Deferred<void>;
}

export class Freshness {
  /** For messages: `pods.v1`. */
  readonly #resource: string;
  readonly #waiters = new Set<Waiter>();
  readonly #resourceVersionOf: (namespace: string | undefined) => string;
  #stopped = false;

  /** @param resourceVersionOf how new the cache is, of one namespace or of all */
  constructor(resource: string, resourceVersionOf: (namespace: string | undefined) => string) {
    this.#resource = resource;
    this.#resourceVersionOf = resourceVersionOf;
  }

  /** The cache is newer than before. */
  advance(): void {
    for (const waiter of this.#waiters) if (this.#has(waiter)) waiter.reached.resolve();
  }

  /** @throws InformerError `usage`, `not-synced` when the signal aborts first, or `stopped` */
  async wait(resourceVersion: string, signal?: AbortSignal, namespace?: string): Promise<void> {
    if (compareResourceVersions(resourceVersion, "0") === undefined) {
      const shown = JSON.stringify(resourceVersion);
      throw new InformerError("usage", `waitFor: ${shown} is no decimal number, so nothing can be said of its order`);
    }
    const waiter: Waiter = { resourceVersion, namespace, reached: deferred() };
    if (this.#has(waiter)) return;
    if (this.#stopped) throw this.#stopError(resourceVersion);
    this.#waiters.add(waiter);
    const release = signal && onAbort(signal, () => waiter.reached.reject(this.#tooLate(waiter)));
    try {
      await waiter.reached.promise;
    } finally {
      release?.();
      this.#waiters.delete(waiter);
    }
  }

  /** Nobody waits for what will not come. */
  stop(): void {
    this.#stopped = true;
    for (const { resourceVersion, reached } of this.#waiters) reached.reject(this.#stopError(resourceVersion));
  }

  #has({ resourceVersion, namespace }: Waiter): boolean {
    return (compareResourceVersions(this.#resourceVersionOf(namespace), resourceVersion) ?? -1) >= 0;
  }

  #tooLate({ resourceVersion, namespace }: Waiter): InformerError {
    const own = this.#resourceVersionOf(namespace);
    const at = own === "" ? "has not synced" : `is at ${own}`;
    return new InformerError(
      "not-synced",
      `${this.#resource} ${at}, not yet at ${resourceVersion}: the wait was called off`,
    );
  }

  #stopError(resourceVersion: string): InformerError {
    return new InformerError("stopped", `${this.#resource} was stopped before it reached ${resourceVersion}`);
  }
}
