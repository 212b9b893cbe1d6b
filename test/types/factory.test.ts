// Types as a user sees them. The compiler holds them (npm run check); what runs here is the little that can run.
import {
  type Cached,
  DynamicSharedInformerFactory,
  filteringResourceEventHandler,
  mutableCopy,
  type ResourceEvent,
  SharedInformerFactory,
  type Unstructured,
} from "kube-informers";
import { type Deployment, deployments } from "kube-informers/apps/v1";
import type { Node, Pod } from "kube-informers/core/v1";
import { describe, expectTypeOf, it } from "vitest";

const kubeConfig = { getCurrentCluster: () => ({ server: "http://127.0.0.1:1" }), applyToHTTPSOptions: async () => {} };
const factory = new SharedInformerFactory(kubeConfig);

describe("accessors", () => {
  it("give listers that fit the scope", () => {
    const pods = factory.core().v1().pods().lister();
    expectTypeOf(pods.namespace("default").get("web-0")).toEqualTypeOf<Cached<Pod> | undefined>();
    expectTypeOf(pods).not.toHaveProperty("get");
    const nodes = factory.core().v1().nodes().lister();
    expectTypeOf(nodes.get("worker-1")).toEqualTypeOf<Cached<Node> | undefined>();
    expectTypeOf(nodes).not.toHaveProperty("namespace");
  });

  it("give handlers their type", () => {
    factory
      .core()
      .v1()
      .pods()
      .informer()
      .addEventHandler({
        onAdd: (pod, isInInitialList) => {
          expectTypeOf(pod.metadata.name).toEqualTypeOf<string>();
          expectTypeOf(pod.metadata.namespace).toEqualTypeOf<string | undefined>();
          expectTypeOf(pod.status?.podIP).toEqualTypeOf<string | undefined>();
          expectTypeOf(isInInitialList).toEqualTypeOf<boolean>();
        },
        onDelete: (_pod, finalStateUnknown) => {
          expectTypeOf(finalStateUnknown).toEqualTypeOf<boolean>();
        },
      });
  });

  it("give function handlers an event that narrows by type", () => {
    factory.informerFor(deployments).addEventHandler((event) => {
      expectTypeOf(event.object).toEqualTypeOf<Cached<Deployment>>();
      if (event.type === "update") expectTypeOf(event.oldObject).toEqualTypeOf<Cached<Deployment>>();
      if (event.type === "delete") expectTypeOf(event.finalStateUnknown).toEqualTypeOf<boolean>();
    });
  });

  it("give filters, overflow functions and event loops the same", () => {
    const informer = factory.informerFor(deployments);
    const handler = filteringResourceEventHandler<Deployment>(({ object }) => object.spec?.paused === true, {
      onAdd: (deployment) => void expectTypeOf(deployment).toEqualTypeOf<Cached<Deployment>>(),
    });
    informer.addEventHandler(handler, {
      maxPending: 100,
      onOverflow: (dropped) => void expectTypeOf(dropped.object).toEqualTypeOf<Cached<Deployment>>(),
    });
    const events = informer.events();
    expectTypeOf(events).toExtend<AsyncIterable<ResourceEvent<Deployment>>>();
  });
});

describe("cached objects", () => {
  it("are deeply readonly, and mutableCopy undoes that", () => {
    type Container = NonNullable<Cached<Pod>["spec"]>["containers"];
    expectTypeOf<Container>().toExtend<readonly unknown[]>();
    expectTypeOf<Container>().not.toExtend<unknown[]>();
    const copy = mutableCopy({ metadata: { name: "a" } } as Cached<Pod>);
    copy.metadata.labels = { app: "web" };
    expectTypeOf(copy.metadata.name).toEqualTypeOf<string>();
  });
});

describe("forResource", () => {
  it("gives unstructured objects and a lister for either scope", () => {
    const widgets = new DynamicSharedInformerFactory(kubeConfig).forResource({
      group: "example.com",
      version: "v1",
      resource: "widgets",
    });
    expectTypeOf(widgets.lister().get("a")).toEqualTypeOf<Cached<Unstructured> | undefined>();
    expectTypeOf(widgets.lister().namespace("default").get("a")).toEqualTypeOf<Cached<Unstructured> | undefined>();
  });
});
