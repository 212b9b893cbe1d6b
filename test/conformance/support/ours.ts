/** Our informer as the subject of a script: in process, in virtual time. */
import type { Cached, KubernetesObject } from "../../../runtime/api/object-meta.js";
import { filteringResourceEventHandler } from "../../../runtime/cache/filtering-handler.js";
import type { QueueKind, ResourceEventHandlerRegistration } from "../../../runtime/cache/informer-options.js";
import { ListWatch } from "../../../runtime/cache/list-watch.js";
import { SharedInformer } from "../../../runtime/cache/shared-informer.js";
import { SlabAllocator } from "../../../runtime/cache/slab.js";
import type { Store } from "../../../runtime/cache/store.js";
import { VirtualClock } from "../../../runtime/testing/virtual-clock.js";
import { ApiClient } from "../../../runtime/transport/api-client.js";
import { Turn } from "../../../runtime/util/turn.js";
import { recorder } from "../../support/entries.js";
import type { ClientState, ClientStep, Subject } from "./run.js";
import type { InformerSetup } from "./script.js";
import type { ScriptServer } from "./server.js";

interface ConfigMap extends KubernetesObject {
  data?: { note?: string };
}

/** Of virtual time: longer than any back-off and deadline that a script meets. */
const PATIENCE_MS = 300_000;
const STEP_MS = 100;

export async function ours(server: ScriptServer, setup: InformerSetup, queue: QueueKind): Promise<Subject> {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const slabs = new SlabAllocator();
  const { namespace, labelSelector, fieldSelector, resyncMs = 0, transform = false, metadata = false } = setup;
  const listerWatcher = new ListWatch<ConfigMap>(new ApiClient(server, clock), slabs, {
    resource: { group: "", version: "v1", resource: "configmaps" },
    kind: "ConfigMap",
    metadataOnly: metadata,
    namespace,
    tweakListOptions: (options) => ({
      ...options,
      ...(labelSelector !== undefined && { labelSelector }),
      ...(fieldSelector !== undefined && { fieldSelector }),
    }),
  });
  const informer = new SharedInformer<ConfigMap>({
    listerWatcher: () => listerWatcher,
    slabs,
    queue,
    resource: "configmaps.v1",
    resyncPeriodMs: resyncMs,
    transform: transform ? ({ data: _, ...rest }) => rest : undefined,
    clock,
    turn: new Turn(clock),
    random: () => 0,
    onError: () => {},
  });
  const logs = new Map<string, string[]>();
  const registrations = new Map<string, ResourceEventHandlerRegistration>();
  let isIndexed = false;
  let running: Promise<void> | undefined;
  const until = async (what: string, condition: () => boolean) => {
    await clock.advance(0);
    for (let passed = 0; !condition(); passed += STEP_MS) {
      if (passed > PATIENCE_MS) throw new Error(`never so: ${what}; ${JSON.stringify(server.requests.slice(-5))}`);
      await clock.advance(STEP_MS);
    }
  };
  const perform = async (step: ClientStep): Promise<void> => {
    switch (step.do) {
      case "start":
        running = informer.run(abort.signal);
        break;
      case "stop":
        abort.abort();
        await running;
        break;
      case "index":
        isIndexed = true;
        informer.addIndexers({ app: ({ metadata }) => (metadata.labels?.["app"] ? [metadata.labels["app"]] : []) });
        break;
      case "unhandle":
        await registrations.get(step.name)?.remove();
        break;
      case "handler": {
        const { name, resyncMs: ownResyncMs, filter } = step;
        const { log, handler } = recorder();
        logs.set(name, log);
        const filtered = filteringResourceEventHandler<ConfigMap>(
          ({ object }) => object.metadata.labels?.["app"] === filter,
          handler,
        );
        const options = { name, ...(ownResyncMs !== undefined && { resyncPeriodMs: ownResyncMs }) };
        registrations.set(name, informer.addEventHandler(filter === undefined ? handler : filtered, options));
        break;
      }
    }
  };
  const state = async (): Promise<ClientState> => ({
    synced: informer.hasSynced(),
    handlersSynced: Object.fromEntries(Array.from(registrations, ([name, handler]) => [name, handler.hasSynced()])),
    store: informer.lister.list().map(described),
    ...(isIndexed && { index: indexOf(informer.indexer) }),
  });
  const close = async () => {
    abort.abort();
    await running;
  };
  return { logs, do: perform, until, pass: (ms) => clock.advance(ms), state, close };
}

function described({ metadata, data }: Cached<ConfigMap>): string {
  const key = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
  const app = metadata.labels?.["app"];
  const more = [
    ...(app === undefined ? [] : [`app=${app}`]),
    ...(data?.note === undefined ? [] : [`note=${data.note}`]),
  ];
  return [`${key}@${metadata.resourceVersion}`, metadata.uid, ...more].join(" ");
}

function indexOf(store: Store<ConfigMap>): Record<string, string[]> {
  return Object.fromEntries(store.listIndexValues("app").map((value) => [value, store.indexKeys("app", value).sort()]));
}
