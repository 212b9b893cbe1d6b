// Pods of one namespace with add, update and delete handlers, and a resync every five seconds.
// Run: npm run example pods [-- --context NAME]
import { SharedInformerFactory } from "kube-informers";
import { openSession } from "./support/session.js";

await using session = await openSession();

const factory = new SharedInformerFactory(session.kubeConfig, { namespace: "default", resyncPeriodMs: 5_000 });
factory
  .core()
  .v1()
  .pods()
  .informer()
  .addEventHandler({
    onAdd: (pod, isInInitialList) => console.log(`+ ${pod.metadata.name}${isInInitialList ? " (initial list)" : ""}`),
    onUpdate: (oldPod, pod) => {
      // A resync tells of every cached pod again: nothing was asked of the server, and the object is the same.
      if (oldPod === pod) console.log(`= ${pod.metadata.name} (resync)`);
      else console.log(`~ ${pod.metadata.name}: ${oldPod.status?.phase} → ${pod.status?.phase}`);
    },
    onDelete: (pod, finalStateUnknown) =>
      console.log(`- ${pod.metadata.name}${finalStateUnknown ? " (while away)" : ""}`),
  });

factory.start(session.signal);
await session.done;
await factory.shutdown();
