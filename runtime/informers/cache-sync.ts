/** Waiting until caches are filled, or saying why they are not. Counterpart: `WaitForCacheSync` and `SyncResult`. */
import { InformerError, type InformerErrorCode } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import type { SharedInformer } from "../cache/shared-informer.js";
import { deferred, onAbort } from "../util/abort.js";
import type { Clock, Timer } from "../util/clock.js";

export interface CacheSyncResult {
  readonly synced: boolean;
  /** Why not, as far as it is known. */
  readonly error: InformerError | undefined;
}

/** By resource: `pods.v1`, `deployments.v1.apps`. */
export type CacheSyncResults = ReadonlyMap<string, CacheSyncResult>;

/** client-go's polling interval; here it only looks for failures, a sync is noticed at once. */
const LOOK_MS = 100;
/** Refusals that waiting alone does not cure. The third in a row is final: the first ones may be a role or CRD on its way. */
const REFUSALS: ReadonlySet<InformerErrorCode> = new Set(["unauthorized", "forbidden", "not-served"]);
const FINAL_REFUSAL = 3;

/** @throws InformerError `not-synced`; the informers go on trying all the same */
export async function waitForCacheSync(
  informers: readonly SharedInformer<KubernetesObject>[],
  clock: Clock,
  signals: readonly (AbortSignal | undefined)[],
): Promise<CacheSyncResults> {
  const given = deferred<string>();
  const releases = signals.map((signal) => signal && onAbort(signal, () => given.resolve("the wait was called off")));
  let timer: Timer | undefined;
  const look = () => {
    if (informers.some(isRefused)) given.resolve("the server refuses");
    else timer = clock.after(LOOK_MS, look);
  };
  look();
  try {
    const reason = await Promise.race([
      Promise.all(informers.map((informer) => informer.synced())).then(
        () => undefined,
        () => "an informer was stopped",
      ),
      given.promise,
    ]);
    const results = new Map(informers.map((informer) => [informer.resource, resultOf(informer)]));
    if (reason !== undefined && informers.some((informer) => !informer.hasSynced())) throw notSynced(reason, results);
    return results;
  } finally {
    timer?.cancel();
    for (const release of releases) release?.();
  }
}

function isRefused(informer: SharedInformer<KubernetesObject>): boolean {
  const { synced, lastError, consecutiveFailures } = informer.health();
  return !synced && lastError !== undefined && REFUSALS.has(lastError.code) && consecutiveFailures >= FINAL_REFUSAL;
}

function resultOf(informer: SharedInformer<KubernetesObject>): CacheSyncResult {
  const { synced, lastError } = informer.health();
  return { synced, error: synced ? undefined : lastError };
}

function notSynced(reason: string, results: CacheSyncResults): InformerError {
  const missing = [...results].filter(([, { synced }]) => !synced);
  const causes = missing.map(([resource, { error }]) => `\n  ${resource}: ${error?.message ?? "no answer yet"}`);
  const cause = missing.find(([, { error }]) => error !== undefined)?.[1].error;
  return new InformerError("not-synced", `caches not synced, ${reason}:${causes.join("")}`, { cause });
}
