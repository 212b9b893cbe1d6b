/** What a soak runs against, and what can be done to it. */

import type { Relay } from "../support/relay.js";
import type { ResourceName, SoakResource } from "./protocol.js";

export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly server: URL;
  readonly ca: string | undefined;
  readonly token: string | undefined;
  readonly faults: readonly Fault[];
  create(type: SoakResource, object: object): Promise<void>;
  /** A merge patch with all that an object of {@link soakObject} has. */
  update(type: SoakResource, key: string, object: object): Promise<void>;
  delete(type: SoakResource, key: string): Promise<void>;
  /** Fresh, not by way of the relay. */
  list(type: SoakResource): Promise<readonly object[]>;
}

/** What a fault may touch beside the server. */
export interface FaultContext {
  readonly relay: Relay;
  readonly random: () => number;
  pause(ms: number): Promise<void>;
  /** Writers leave a resource alone while its definition is away; its objects are gone. */
  withdraw(resource: ResourceName): Promise<void>;
  resume(resource: ResourceName): void;
  /** Nobody writes until the fault is over, or {@link mark} is taken. */
  hold(): Promise<void>;
  /** Takes note of the present. The result goes back to it, and holds the writers until the fault is over. */
  mark(): Promise<() => Promise<void>>;
  /** What the client sends from now on. */
  rotateToken(token: string): void;
}

export interface Fault {
  readonly name: string;
  /** Begins and ends it. */
  run(context: FaultContext): Promise<void>;
}

/** What the way to a server can do. */
export const NETWORK_FAULTS: readonly Fault[] = [
  { name: "reset", run: async ({ relay }) => relay.reset() },
  { name: "half-open", run: async ({ relay }) => relay.blackhole() },
  {
    name: "refused",
    run: async ({ relay, pause }) => {
      relay.set("refuse");
      relay.reset();
      await pause(2_500);
      relay.set("pass");
    },
  },
  {
    name: "stall",
    run: async ({ relay, pause }) => {
      relay.set("stall");
      await pause(4_000);
      relay.set("pass");
    },
  },
  {
    name: "throttle",
    run: async ({ relay, pause }) => {
      relay.set("throttle");
      await pause(4_000);
      relay.set("pass");
    },
  },
];
