/**
 * Cancellation without leaks. `AbortSignal.any` and `AbortSignal.timeout` over a signal that lives as long as the process
 * keep memory for every use (nodejs/node#54614, #55351); a child controller that unsubscribes does not.
 */
import { setMaxListeners } from "node:events";

/** A controller that aborts with its parent; `release` ends the tie and must be called when the work is over. */
export interface ChildAbort {
  readonly controller: AbortController;
  readonly signal: AbortSignal;
  release(): void;
}

export function childAbort(parent: AbortSignal | undefined): ChildAbort {
  const controller = new AbortController();
  if (parent === undefined) return { controller, signal: controller.signal, release: () => {} };
  const release = onAbort(parent, () => controller.abort(parent.reason));
  return { controller, signal: controller.signal, release };
}

/** Calls back once when the signal aborts, at once if it already has. The result ends the subscription. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => {};
  }
  // A signal that ends a factory has a listener for each of its informers; from eleven on Node would warn of a leak.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/** What to fail with when a signal called the work off. Whoever aborted looks at the signal and never sees it. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("called off");
}

/** What a promise gives, unless the signal aborts first: then it rejects with {@link abortError}, and the promise goes on alone. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => reject(abortError(signal)));
    promise.then(resolve, reject).finally(release);
  });
}

/** A promise with its ends in hand (`Promise.withResolvers` is not in Node 20). */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
