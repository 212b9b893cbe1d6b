// Several resources from one factory: a custom resync for one of them, and a selector put into every request.
// Run: npm run example several-resources [-- --context NAME]
import { type GroupVersionResource, SharedInformerFactory } from "kube-informers";
import { configMaps } from "kube-informers/core/v1";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new SharedInformerFactory(session.kubeConfig, {
  customResync: [[configMaps, 2_000]],
  tweakListOptions: (options, { resource }: GroupVersionResource) =>
    resource === "pods" ? { ...options, labelSelector: "app=web" } : options,
});
const core = factory.core().v1();
core
  .pods()
  .informer()
  .addEventHandler((event) => console.log(`pod ${event.type} ${event.key}`)); // app=web alone
core
  .services()
  .informer()
  .addEventHandler((event) => console.log(`service ${event.type} ${event.key}`)); // never resynced
core
  .configMaps()
  .informer()
  .addEventHandler({
    onUpdate: (old, configMap) => {
      const why = old === configMap ? "resync" : "changed";
      console.log(`config map ${configMap.metadata.name}: ${configMap.data?.["colour"] ?? "no colour"} (${why})`);
    },
  });

factory.start(session.signal);
await factory.waitForCacheSync(session.signal);
console.log(
  factory
    .health()
    .map(({ resource, phase, objects }) => `${resource} ${phase} ${objects}`)
    .join(", "),
);
await session.done;
await factory.shutdown();
