/** Waiting until caches are filled, or saying why they are not. Counterpart: `WaitForCacheSync` and `SyncResult`. */
import { InformerError, type InformerErrorCode } from "../api/informer-error.js";
import type { KubernetesObject } from "../api/object-meta.js";
import type { StreamHealth } from "../cache/health.js";
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
/** Nor is it before this: three attempts may be over within a second, and a role takes seconds to spread. */
const MIN_REFUSED_MS = 5_000;

/** What waits, by the factory's knowledge of it. */
export interface WaitedFor {
  readonly informer: SharedInformer<KubernetesObject>;
  readonly isStarted: boolean;
  /** False once the last of its users has let it go: then nobody waits for it. */
  readonly isNeeded: () => boolean;
  /** What the server has instead of a resource that it does not serve. */
  readonly servedInstead: () => Promise<string>;
}

/** @throws InformerError `not-synced`; the informers go on trying all the same */
export async function waitForCacheSync(
  waitedFor: readonly WaitedFor[],
  clock: Clock,
  signals: readonly (AbortSignal | undefined)[],
): Promise<CacheSyncResults> {
  const idle = waitedFor.filter(({ isStarted }) => !isStarted).map(({ informer }) => informer.resource);
  if (idle.length > 0) {
    throw new InformerError(
      "not-synced",
      `caches not synced, these were not started: ${idle.join(", ")}; call start() first`,
    );
  }
  const given = deferred<string>();
  const releases = signals.map((signal) => signal && onAbort(signal, () => given.resolve("the wait was called off")));
  let timer: Timer | undefined;
  const look = () => {
    if (waitedFor.some(({ informer }) => isRefused(informer, clock))) given.resolve("the server refuses");
    else timer = clock.after(LOOK_MS, look);
  };
  look();
  try {
    const reason = await Promise.race([
      Promise.all(waitedFor.map(syncedOrNotNeeded)).then(
        () => undefined,
        () => "an informer was stopped",
      ),
      given.promise,
    ]);
    const needed = waitedFor.filter(({ isNeeded }) => isNeeded());
    const results = new Map(needed.map(({ informer }) => [informer.resource, resultOf(informer)]));
    if (reason !== undefined && [...results.values()].some(({ synced }) => !synced))
      throw await notSynced(reason, results, needed);
    return results;
  } finally {
    timer?.cancel();
    for (const release of releases) release?.();
  }
}

async function syncedOrNotNeeded({ informer, isNeeded }: WaitedFor): Promise<void> {
  try {
    await informer.synced();
  } catch (error) {
    if (isNeeded()) throw error;
  }
}

/** Each list and watch of an informer, by what to call it. */
function streamsOf(informer: SharedInformer<KubernetesObject>): readonly (readonly [name: string, StreamHealth])[] {
  const health = informer.health();
  if (health.namespaces.length === 0) return [[informer.resource, health]];
  return health.namespaces.map((own) => [`${informer.resource} in namespace "${own.namespace}"`, own]);
}

function isRefused(informer: SharedInformer<KubernetesObject>, clock: Clock): boolean {
  return streamsOf(informer).some(
    ([, { synced, lastError, consecutiveFailures, failingSinceMs = clock.wallNow() }]) => {
      if (synced || lastError === undefined || !REFUSALS.has(lastError.code)) return false;
      return consecutiveFailures >= FINAL_REFUSAL && clock.wallNow() - failingSinceMs >= MIN_REFUSED_MS;
    },
  );
}

function missingOf(informer: SharedInformer<KubernetesObject>): readonly (readonly [name: string, StreamHealth])[] {
  return streamsOf(informer).filter(([, { synced }]) => !synced);
}

function resultOf(informer: SharedInformer<KubernetesObject>): CacheSyncResult {
  const missing = missingOf(informer);
  const error = missing.map(([, { lastError }]) => lastError).find((known) => known !== undefined);
  return { synced: missing.length === 0, error };
}

async function notSynced(
  reason: string,
  results: CacheSyncResults,
  waitedFor: readonly WaitedFor[],
): Promise<InformerError> {
  const missing = waitedFor.filter(({ informer }) => results.get(informer.resource)?.synced === false);
  const causes = missing.flatMap(({ informer, servedInstead }) =>
    missingOf(informer).map(async ([name, { lastError }]) => {
      const instead = lastError?.code === "not-served" ? await servedInstead() : "";
      return `\n  ${name}: ${lastError?.message ?? "no answer yet"}${instead === "" ? "" : `; ${instead}`}`;
    }),
  );
  const cause = missing
    .map(({ informer }) => results.get(informer.resource)?.error)
    .find((error) => error !== undefined);
  const text = (await Promise.all(causes)).join("");
  return new InformerError("not-synced", `caches not synced, ${reason}:${text}`, { cause });
}
