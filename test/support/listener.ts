/** One handler with its queue, in virtual time. */
import type { InformerError } from "../../runtime/api/informer-error.js";
import {
  Notification,
  type ResourceEventHandler,
  type ResourceEventHandlerFunc,
} from "../../runtime/cache/event-handler.js";
import { type ListenerOptions, ProcessorListener } from "../../runtime/cache/processor.js";
import { VirtualClock } from "../../runtime/testing/virtual-clock.js";
import { type Deferred, deferred } from "../../runtime/util/abort.js";
import { Turn } from "../../runtime/util/turn.js";
import { type Thing, thing } from "./entries.js";
import { settle } from "./settle.js";

export class ListenerBench {
  readonly clock = new VirtualClock();
  readonly errors: InformerError[] = [];
  readonly #listeners: ProcessorListener<Thing>[] = [];

  listen(
    handler: ResourceEventHandler<Thing> | ResourceEventHandlerFunc<Thing>,
    options: Partial<ListenerOptions<Thing>> = {},
  ): ProcessorListener<Thing> {
    const { clock, errors } = this;
    const environment = { clock, turn: new Turn(clock), onHandlerError: (error: InformerError) => errors.push(error) };
    const defaults = { name: "test", resyncPeriodMs: 0, maxPending: 10_000, onOverflow: "coalesce" } as const;
    const listener = new ProcessorListener(handler, { ...defaults, ...options }, environment);
    this.#listeners.push(listener);
    return listener;
  }

  /** What was added is handed out, as far as the handlers take it. */
  async delivered(): Promise<void> {
    for (const listener of this.#listeners) listener.deliver();
    await settle();
  }

  add(key: string, version = "1"): Notification<Thing> {
    return Notification.add(thing(key, version), false, this.clock.now());
  }

  initial(key: string, version = "1"): Notification<Thing> {
    return Notification.add(thing(key, version), true, this.clock.now());
  }
}

/** A handler that begins a call and does not return from it until the test says so. */
export function slowHandler() {
  const began: string[] = [];
  const calls: Deferred<void>[] = [];
  const handle: ResourceEventHandlerFunc<Thing> = ({ key }) => {
    began.push(key);
    const call = deferred();
    calls.push(call);
    return call.promise;
  };
  return { began, calls, handle };
}
