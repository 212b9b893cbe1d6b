/** What an informer tells its handlers, as an async iterator. Nothing in client-go corresponds. */
import type { KubernetesObject } from "../api/object-meta.js";
import { deferred, onAbort } from "../util/abort.js";
import type { ResourceEvent, ResourceEventHandlerFunc } from "./event-handler.js";

/**
 * Listens from the first `next()` on until it is returned from, or a signal aborts; then it ends, and what waits is dropped.
 * It is a handler whose call lasts until the next event is asked for, so its queue is a handler's.
 */
export function eventStream<T extends KubernetesObject>(
  listen: (handler: ResourceEventHandlerFunc<T>) => { remove(): Promise<void> },
  signals: readonly (AbortSignal | undefined)[],
): AsyncIterableIterator<ResourceEvent<T>, void> {
  const over = new AbortController();
  const end = () => over.abort();

  async function* events(): AsyncGenerator<ResourceEvent<T>, void> {
    const releases = signals.map((signal) => signal && onAbort(signal, end));
    let offered: ResourceEvent<T> | undefined;
    let arrived = deferred();
    let taken = deferred();
    over.signal.addEventListener("abort", () => {
      arrived.resolve();
      taken.resolve();
    });
    let registration: { remove(): Promise<void> } | undefined;
    try {
      if (over.signal.aborted) return;
      registration = listen((event) => {
        if (over.signal.aborted) return;
        offered = event;
        taken = deferred();
        arrived.resolve();
        return taken.promise;
      });
      for (;;) {
        await arrived.promise;
        if (over.signal.aborted) return;
        arrived = deferred();
        yield offered!;
        taken.resolve();
      }
    } finally {
      for (const release of releases) release?.();
      end();
      await registration?.remove();
    }
  }

  const generator = events();
  return {
    next: () => generator.next(),
    // Also while a `next()` waits, which a generator alone would let wait on.
    return: () => {
      end();
      return generator.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
