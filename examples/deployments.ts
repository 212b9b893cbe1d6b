// Deployments: wait for the cache, then read by name, by namespace and by label, all from memory.
// Run: npm run example deployments [-- --context NAME]
import { SharedInformerFactory } from "kube-informers";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new SharedInformerFactory(session.kubeConfig);
const deployments = factory.apps().v1().deployments();
const lister = deployments.lister(); // asking for it is what makes the factory start it

factory.start(session.signal);
// Resolves with an answer for each resource, or rejects and says which cannot sync and why.
const results = await factory.waitForCacheSync(session.signal);
for (const [resource, { synced }] of results) console.log(`${resource} synced: ${synced}`);

console.log(
  `all:     ${lister.list().map((deployment) => `${deployment.metadata.namespace}/${deployment.metadata.name}`)}`,
);
console.log(`app=web: ${lister.list("app=web").map((deployment) => deployment.metadata.name)}`);
const replicas = () => lister.namespace("default").get("web")?.spec?.replicas;
console.log(`default/web wants ${replicas()} replicas`);

let last = replicas();
deployments.informer().addEventHandler((event) => {
  if (event.key !== "default/web" || replicas() === last) return;
  last = replicas();
  console.log(`default/web wants ${last} replicas`);
});
await session.done;
await factory.shutdown();
