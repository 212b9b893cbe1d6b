/** Waiting that ends early when the work is called off. */
import { onAbort } from "./abort.js";
import type { Clock } from "./clock.js";

/** Resolves after `delayMs`, or as soon as the signal aborts; never rejects. The caller looks at the signal. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(delayMs, () => {
      release();
      resolve();
    });
    const release = onAbort(signal, () => {
      timer.cancel();
      resolve();
    });
  });
}
