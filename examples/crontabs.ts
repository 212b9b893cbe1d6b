// The informer that was generated from crontab.crd.yaml, beside a built-in one over the same connection.
// The SDK in ./generated was made by: npm run generate -- --crd examples/crontab.crd.yaml --out examples/generated
// Run: npm run example crontabs [-- --context NAME], on a cluster after: kubectl apply -f examples/crontab.crd.yaml
import { SharedInformerFactory } from "kube-informers";
import { SharedInformerFactory as CronTabInformerFactory } from "./generated/factory.js";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new SharedInformerFactory(session.kubeConfig);
const pods = factory.core().v1().pods();
// A factory over another shares its connection, its options and its informers: they start, sync and stop together.
const cronTabs = new CronTabInformerFactory(factory).stableExampleCom().v1().cronTabs();

cronTabs.informer().addEventHandler({
  onAdd: (cronTab) =>
    console.log(`+ ${cronTab.metadata.name}: ${cronTab.spec.cronSpec}, ${cronTab.spec.replicas} replicas`),
  onUpdate: (old, cronTab) =>
    console.log(`~ ${cronTab.metadata.name}: ${old.spec.replicas} → ${cronTab.spec.replicas} replicas`),
  onDelete: (cronTab) => console.log(`- ${cronTab.metadata.name}`),
});
pods.informer().addEventHandler((event) => console.log(`pod ${event.type} ${event.key}`));

factory.start(session.signal);
await factory.waitForCacheSync(session.signal);
console.log(`nightly runs at ${cronTabs.lister().namespace("default").get("nightly")?.spec.cronSpec}`);
await session.done;
await factory.shutdown();
