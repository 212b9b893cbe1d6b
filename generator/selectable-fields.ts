/**
 * What a field selector may name. Of Kubernetes' own kinds no server publishes it, so it stands here, as kube-apiserver 1.36
 * has it in its conversions of field labels (`AddFieldLabelConversionFunc` in `pkg/apis`); without the labels that it accepts
 * and no object has, `spec.host` and `status.podIPs` of pods.
 */
import { asSchema, type Model, type Resource, type Schema, type SelectableField, type Version } from "./model.js";
import { enumValues, referenceOf, typeOf } from "./schema-keywords.js";

const eventFields = (object: string) =>
  ["apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"].map((name) => `${object}.${name}`);

/** By `group/plural`, the same at every version. */
const builtInFields: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    "/events": [...eventFields("involvedObject"), "reason", "reportingComponent", "source", "type"],
    "/namespaces": ["status.phase"],
    "/nodes": ["spec.unschedulable"],
    "/pods": [
      "spec.hostNetwork",
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "status.nominatedNodeName",
      "status.phase",
      "status.podIP",
    ],
    "/replicationcontrollers": ["status.replicas"],
    "/secrets": ["type"],
    "/services": ["spec.clusterIP", "spec.type"],
    "batch/jobs": ["status.successful"],
    "certificates.k8s.io/certificatesigningrequests": ["spec.signerName"],
    "certificates.k8s.io/clustertrustbundles": ["spec.signerName"],
    "certificates.k8s.io/podcertificaterequests": ["spec.nodeName", "spec.podName", "spec.signerName"],
    "events.k8s.io/events": [...eventFields("regarding"), "reason", "reportingController", "type"],
    "resource.k8s.io/resourceslices": ["spec.driver", "spec.nodeName"],
  }),
);

/** Fields that have another name in an object than in a selector. */
const inObjects: Readonly<Record<string, string>> = { "status.successful": "status.succeeded" };

/** Adds to each resource of Kubernetes' own what it can be selected by. */
export function withBuiltInFields({ groups, schemas }: Model): Model {
  const fieldsOf = ({ group, resource, schema }: Resource) =>
    builtInFields
      .get(`${group}/${resource}`)
      ?.map((name) => selectableField(name, schemaAt(schema, inObjects[name] ?? name, schemas)));
  const withFields = (resource: Resource) => {
    const selectableFields = fieldsOf(resource);
    return selectableFields === undefined ? resource : { ...resource, selectableFields };
  };
  const inVersion = (version: Version) => ({ ...version, resources: version.resources.map(withFields) });
  return { schemas, groups: groups.map((group) => ({ ...group, versions: group.versions.map(inVersion) })) };
}

/** The schema of a field, through references. */
function schemaAt(root: string, field: string, schemas: ReadonlyMap<string, Schema>): Schema | undefined {
  return field.split(".").reduce<Schema | undefined>((at, name) => {
    const key = at === undefined ? undefined : referenceOf(at);
    const properties = asSchema((key === undefined ? at : schemas.get(key))?.["properties"]) ?? {};
    return Object.hasOwn(properties, name) ? asSchema(properties[name]) : undefined;
  }, schemas.get(root));
}

/** A field as a selector takes it, by the schema of its value; what is neither number nor boolean is given as text. */
export function selectableField(name: string, schema: Schema = {}): SelectableField {
  const types = { integer: "number", boolean: "boolean" } as const;
  const type = types[typeOf(schema) as keyof typeof types] ?? "string";
  const values = (enumValues(schema) ?? []).filter((value) => typeof value === type);
  return { name, type, values: values.filter((value) => value !== null) };
}
