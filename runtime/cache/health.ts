/** What an informer says of itself. Nothing in client-go corresponds: its `HasSynced` never becomes false again. */
import type { InformerError } from "../api/informer-error.js";
import type { ReflectorAction } from "./reflector-state.js";

/**
 * - `idle` not started; `listing` asks for the whole content; `watching` follows changes; `waiting` between a request that
 *   failed and the next; `stopped` for good
 */
export type InformerPhase = "idle" | "listing" | "watching" | "waiting" | "stopped";

/** A snapshot. Times are milliseconds since the Unix epoch. */
export interface InformerHealth {
  /** `pods.v1`, `deployments.v1.apps` */
  readonly resource: string;
  readonly phase: InformerPhase;
  /** When the phase began. */
  readonly sinceMs: number;
  /** Whether the cache has held a whole list; stays true when the connection is lost. */
  readonly synced: boolean;
  readonly objects: number;
  /** Up to where the cache follows the server. */
  readonly resourceVersion: string;
  readonly lastEventMs: number | undefined;
  readonly lastBookmarkMs: number | undefined;
  /** The last failure; stays when things are well again. */
  readonly lastError: InformerError | undefined;
  readonly lastErrorMs: number | undefined;
  /** Requests that failed since the last one that brought data. */
  readonly consecutiveFailures: number;
  readonly handlers: readonly { readonly name: string; readonly pending: number; readonly synced: boolean }[];
}

export function phaseOf({ type }: ReflectorAction): InformerPhase {
  return type === "watch" ? "watching" : "listing";
}
