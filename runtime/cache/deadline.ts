/** How long a request may be silent, and what is done about it. */
import { InformerError, toInformerError } from "../api/informer-error.js";
import { childAbort } from "../util/abort.js";
import type { Clock, Timer } from "../util/clock.js";

/** Calls back each time that nothing was heard for so long, one call at a time. Hearing costs nothing. */
export class Doubts {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #ask: () => Promise<void>;
  #heardMs: number;
  #timer: Timer;
  #released = false;

  constructor(clock: Clock, afterMs: number, ask: () => Promise<void>) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#ask = ask;
    this.#heardMs = clock.now();
    this.#timer = clock.after(afterMs, () => void this.#look());
  }

  heard(): void {
    this.#heardMs = this.#clock.now();
  }

  release(): void {
    this.#released = true;
    this.#timer.cancel();
  }

  async #look(): Promise<void> {
    const leftMs = this.#heardMs + this.#afterMs - this.#clock.now();
    if (leftMs <= 0) {
      await this.#ask();
      this.heard();
    }
    if (!this.#released) this.#timer = this.#clock.after(leftMs > 0 ? leftMs : this.#afterMs, () => void this.#look());
  }
}

/** Ends a request when it is silent for too long. `set` begins the time anew, and costs next to nothing. */
export class Deadline {
  readonly #clock: Clock;
  readonly #abort: ReturnType<typeof childAbort>;
  readonly #message: (ms: number) => string;
  #delayMs = 0;
  #dueMs = 0;
  /** Looks whether the time has passed; not later than that. */
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #passed: InformerError | undefined;

  constructor(clock: Clock, parent: AbortSignal, message: (ms: number) => string) {
    this.#clock = clock;
    this.#abort = childAbort(parent);
    this.#message = message;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  set(delayMs: number): void {
    this.#delayMs = delayMs;
    this.#dueMs = this.#clock.now() + delayMs;
    if (this.#timerMs > this.#dueMs) this.#look();
  }

  /** No time passes until the next `set`. */
  pause(): void {
    this.#timer?.cancel();
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  #look(): void {
    this.#timer?.cancel();
    this.#timerMs = this.#dueMs;
    this.#timer = this.#clock.after(this.#dueMs - this.#clock.now(), () => {
      if (this.#clock.now() < this.#dueMs) this.#look();
      else this.fail(new InformerError("timeout", this.#message(this.#delayMs)));
    });
  }

  /** Ends it now, for another reason. */
  fail(error: InformerError): void {
    this.#passed ??= error;
    this.#abort.controller.abort(error);
  }

  /** What to report of a request that threw: the deadline's own error when that is why. */
  failure(thrown: unknown, context: string): InformerError {
    return this.#passed ?? toInformerError(thrown, "protocol", context);
  }

  /** The signal aborts when all is over, which closes a connection that is still open. */
  release(): void {
    this.#timer?.cancel();
    this.#abort.release();
    this.#abort.controller.abort();
  }
}

const LIST_SILENCE_MS = 60_000;

/** A list may be slow, but not silent for long: `onProgress` says that it is not. */
export function listSilence(
  {
    listerWatcher: { name },
    clock,
    listSilenceMs = LIST_SILENCE_MS,
  }: {
    readonly listerWatcher: { readonly name: string };
    readonly clock: Clock;
    readonly listSilenceMs?: number | undefined;
  },
  signal: AbortSignal,
): { readonly silence: Deadline; readonly onProgress: () => void } {
  const silence = new Deadline(clock, signal, (ms) => `list ${name}: no data for ${ms} ms`);
  return { silence, onProgress: () => silence.set(listSilenceMs) };
}
