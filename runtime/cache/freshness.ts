/** Those who wait until a cache has reached a resourceVersion: to read what they wrote. KEP-5504 says when one can tell. */
import { InformerError } from "../api/informer-error.js";
import { compareResourceVersions } from "../api/resource-version.js";
import { type Deferred, deferred, onAbort } from "../util/abort.js";

interface Waiter {
  readonly resourceVersion: string;
  readonly reached: Deferred<void>;
}

export class Freshness {
  /** For messages: `pods.v1`. */
  readonly #resource: string;
  readonly #waiters = new Set<Waiter>();
  #resourceVersion = "";
  #stopped = false;

  constructor(resource: string) {
    this.#resource = resource;
  }

  /** The cache is as new as this. */
  advance(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    for (const waiter of this.#waiters) if (this.#has(waiter.resourceVersion)) waiter.reached.resolve();
  }

  /** @throws InformerError `usage`, `not-synced` when the signal aborts first, or `stopped` */
  async wait(resourceVersion: string, signal: AbortSignal | undefined): Promise<void> {
    if (compareResourceVersions(resourceVersion, "0") === undefined) {
      const shown = JSON.stringify(resourceVersion);
      throw new InformerError("usage", `waitFor: ${shown} is no decimal number, so nothing can be said of its order`);
    }
    if (this.#has(resourceVersion)) return;
    if (this.#stopped) throw this.#stopError(resourceVersion);
    const waiter: Waiter = { resourceVersion, reached: deferred() };
    this.#waiters.add(waiter);
    const release = signal && onAbort(signal, () => waiter.reached.reject(this.#tooLate(resourceVersion)));
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

  #has(resourceVersion: string): boolean {
    return (compareResourceVersions(this.#resourceVersion, resourceVersion) ?? -1) >= 0;
  }

  #tooLate(resourceVersion: string): InformerError {
    const at = this.#resourceVersion === "" ? "has not synced" : `is at ${this.#resourceVersion}`;
    return new InformerError(
      "not-synced",
      `${this.#resource} ${at}, not yet at ${resourceVersion}: the wait was called off`,
    );
  }

  #stopError(resourceVersion: string): InformerError {
    return new InformerError("stopped", `${this.#resource} was stopped before it reached ${resourceVersion}`);
  }
}
