/** The package's entry: the runtime, and the factory with Kubernetes' own resources. */
export { SharedInformerFactory } from "./generated/factory.js";
export * from "./runtime/index.js";
