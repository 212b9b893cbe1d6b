// Several resources from one factory, with options of their own: a selector for one of them, a resync for another.
// Run: npm run example several-resources [-- --context NAME]
import { SharedInformerFactory } from "kube-informers";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new SharedInformerFactory(session.kubeConfig);
const core = factory.core().v1();
core
  .pods()
  .informer({ labelSelector: "app=web" })
  .addEventHandler((event) => console.log(`pod ${event.type} ${event.key}`));
core
  .services()
  .informer()
  .addEventHandler((event) => console.log(`service ${event.type} ${event.key}`)); // never resynced
core
  .configMaps()
  .informer({ resyncPeriodMs: 2_000 })
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
