/** A namespaced kind for the tests of factories, written by hand. */
import type { KubernetesObject } from "../../runtime/api/object-meta.js";
import type { ResourceDescriptor } from "../../runtime/api/resource-descriptor.js";

export interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
}

export const configMaps: ResourceDescriptor<ConfigMap, "Namespaced"> = {
  group: "",
  version: "v1",
  resource: "configmaps",
  kind: "ConfigMap",
  scope: "Namespaced",
};
