/** The schemas that every published document needs: metadata, lists, statuses, scales. */

export const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const AUTOSCALING = "io.k8s.api.autoscaling.v1";

const text = { type: "string" };
const bool = { type: "boolean" };
const int32 = { type: "integer", format: "int32" };
const int64 = { type: "integer", format: "int64" };

export function schemaRef(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

/** A reference among the properties of a schema, as the server writes it. */
export function propertyRef(name: string): object {
  return { allOf: [schemaRef(name)] };
}

function meta(name: string): object {
  return propertyRef(`${META}.${name}`);
}

function object(properties: object, rest: object = {}): object {
  return { type: "object", properties, ...rest };
}

function list(items: object, type = "atomic"): object {
  return { type: "array", items, "x-kubernetes-list-type": type };
}

const strings = { type: "object", additionalProperties: { type: "string", default: "" } };
const kindOf = (group: string, kind: string) => ({
  "x-kubernetes-group-version-kind": [{ group, version: "v1", kind }],
});

export const META_SCHEMAS: Readonly<Record<string, object>> = {
  [`${META}.Time`]: { type: "string", format: "date-time" },
  [`${META}.FieldsV1`]: { type: "object" },
  [`${META}.Patch`]: { type: "object" },
  [`${META}.ListMeta`]: object({ continue: text, remainingItemCount: int64, resourceVersion: text, selfLink: text }),
  [`${META}.OwnerReference`]: object(
    { apiVersion: text, blockOwnerDeletion: bool, controller: bool, kind: text, name: text, uid: text },
    { required: ["apiVersion", "kind", "name", "uid"], "x-kubernetes-map-type": "atomic" },
  ),
  [`${META}.ManagedFieldsEntry`]: object({
    apiVersion: text,
    fieldsType: text,
    fieldsV1: meta("FieldsV1"),
    manager: text,
    operation: text,
    subresource: text,
    time: meta("Time"),
  }),
  [`${META}.ObjectMeta`]: object({
    annotations: strings,
    creationTimestamp: meta("Time"),
    deletionGracePeriodSeconds: int64,
    deletionTimestamp: meta("Time"),
    finalizers: list(text, "set"),
    generateName: text,
    generation: int64,
    labels: strings,
    managedFields: list(meta("ManagedFieldsEntry")),
    name: text,
    namespace: text,
    ownerReferences: {
      ...list(meta("OwnerReference"), "map"),
      "x-kubernetes-list-map-keys": ["uid"],
      "x-kubernetes-patch-merge-key": "uid",
      "x-kubernetes-patch-strategy": "merge",
    },
    resourceVersion: text,
    selfLink: text,
    uid: text,
  }),
  [`${META}.StatusCause`]: object({ field: text, message: text, reason: text }),
  [`${META}.StatusDetails`]: object({
    causes: list(meta("StatusCause")),
    group: text,
    kind: text,
    name: text,
    retryAfterSeconds: int32,
    uid: text,
  }),
  [`${META}.Status`]: object(
    {
      apiVersion: text,
      code: int32,
      details: meta("StatusDetails"),
      kind: text,
      message: text,
      metadata: meta("ListMeta"),
      reason: text,
      status: text,
    },
    kindOf("", "Status"),
  ),
  [`${META}.WatchEvent`]: object({ object: { type: "object" }, type: text }, { required: ["type", "object"] }),
};

export const SCALE_SCHEMAS: Readonly<Record<string, object>> = {
  [`${AUTOSCALING}.ScaleSpec`]: object({ replicas: int32 }),
  [`${AUTOSCALING}.ScaleStatus`]: object({ replicas: int32, selector: text }, { required: ["replicas"] }),
  [`${AUTOSCALING}.Scale`]: object(
    {
      apiVersion: text,
      kind: text,
      metadata: meta("ObjectMeta"),
      spec: propertyRef(`${AUTOSCALING}.ScaleSpec`),
      status: propertyRef(`${AUTOSCALING}.ScaleStatus`),
    },
    kindOf("autoscaling", "Scale"),
  ),
};

export const SCALE = `${AUTOSCALING}.Scale`;
