// Services by an index of one's own, on a label, and look-ups by it.
// Run: npm run example services-by-label [-- --context NAME]
import { SharedInformerFactory } from "kube-informers";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new SharedInformerFactory(session.kubeConfig);
const services = factory.core().v1().services().informer();
services.addIndexers({
  team: (service) => (service.metadata.labels?.["team"] ? [service.metadata.labels["team"]] : []),
});

const print = () => {
  const teams = services.indexer.listIndexValues("team").sort();
  const lines = teams.map((team) => `${team}: ${services.indexer.indexKeys("team", team).sort().join(", ")}`);
  console.log(lines.join("  |  ") || "no service has the label");
};

factory.start(session.signal);
await factory.waitForCacheSync(session.signal);
print();
// The index is as new as the event, or newer.
services.addEventHandler((event) => {
  if (event.type === "add" && event.isInInitialList) return;
  console.log(`${event.type} ${event.key}`);
  print();
});
await session.done;
await factory.shutdown();
