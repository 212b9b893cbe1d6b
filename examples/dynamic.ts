// Any resource that the server serves, by group, version and name. Objects are unstructured.
// Run: npm run example dynamic [-- --context NAME]
import { DynamicSharedInformerFactory } from "kube-informers";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new DynamicSharedInformerFactory(session.kubeConfig);
const cronTabs = factory.forResource({ group: "stable.example.com", version: "v1", resource: "crontabs" });
cronTabs.informer().addEventHandler({
  onAdd: (object) => console.log(`+ ${object.kind} ${object.metadata.name}`, object["spec"]),
  onUpdate: (_oldObject, object) => console.log(`~ ${object.kind} ${object.metadata.name}`, object["spec"]),
  onDelete: (object) => console.log(`- ${object.kind} ${object.metadata.name}`),
});

factory.start(session.signal);
await factory.waitForCacheSync(session.signal);
console.log(`cached: ${cronTabs.lister().namespace("default").list().length}`);
await session.done;
await factory.shutdown();
