/** The `scale` subresource: an `autoscaling/v1 Scale` in front of a resource's replicas. */
import { isJsonObject, type JsonObject } from "./json.js";
import { jsonPathValues, withValueAt } from "./json-path.js";
import type { ApiObject } from "./object-store.js";
import type { ScalePaths, ServedResource } from "./resource-registry.js";

const BUILTIN_PATHS: ScalePaths = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };

function pathsOf({ custom }: ServedResource): ScalePaths {
  return custom?.scale ?? BUILTIN_PATHS;
}

export function scaleOf(resource: ServedResource, object: ApiObject): JsonObject {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = pathsOf(resource);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const [selector] =
    labelSelectorPath === undefined ? [builtinSelector(object)] : jsonPathValues(object, labelSelectorPath);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: replicasAt(object, specReplicasPath) },
    status: {
      replicas: replicasAt(object, statusReplicasPath),
      ...(typeof selector === "string" && selector !== "" ? { selector } : {}),
    },
  };
}

function replicasAt(object: ApiObject, path: string): number {
  const [replicas] = jsonPathValues(object, path);
  return typeof replicas === "number" ? replicas : 0;
}

/** `a=b,c=d`: the labels that a workload's pods have. */
function builtinSelector(object: ApiObject): string {
  const [labels] = jsonPathValues(object, ".spec.selector.matchLabels");
  return isJsonObject(labels)
    ? Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",")
    : "";
}

/** The object with the replicas of a Scale, and with the resourceVersion that the Scale was read at. */
export function scaledObject(resource: ServedResource, object: ApiObject, scale: JsonObject): JsonObject {
  const [replicas = 0] = jsonPathValues(scale, ".spec.replicas");
  const [resourceVersion] = jsonPathValues(scale, ".metadata.resourceVersion");
  const scaled = withValueAt(object, pathsOf(resource).specReplicasPath, replicas);
  return {
    ...scaled,
    metadata: { ...object.metadata, ...(typeof resourceVersion === "string" ? { resourceVersion } : {}) },
  };
}
