/** What a kube-apiserver 1.36 serves without any CustomResourceDefinition, at its default settings. */
import type { ResourceScope } from "../api/resource-descriptor.js";

/** A resource of the table. Its singular name is its kind in lower case, its list's kind the kind and `List`. */
export interface BuiltinResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly scope: ResourceScope;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
  /** Whether its objects count changes of their spec in `metadata.generation`. */
  readonly hasGeneration: boolean;
  readonly verbs: readonly string[];
  /** Fields that a field selector may name, beyond `metadata.name` and `metadata.namespace`. */
  readonly selectableFields: readonly string[];
}

const CATEGORIES = ["all", "api-extensions"];
const MODES = ["generation", "create-only", "read-only"];
const ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** Traits are words: categories, `generation`, `create-only`, `read-only`; what is left are subresources. */
type Row = readonly [resource: string, kind: string, scope: "N" | "C", shortNames?: string, traits?: string];

/** In the order in which `/apis` lists the groups. */
const TABLE: readonly (readonly [groupVersion: string, rows: readonly Row[]])[] = [
  [
    "v1",
    [
      ["bindings", "Binding", "N", "", "create-only"],
      ["componentstatuses", "ComponentStatus", "C", "cs", "read-only"],
      ["configmaps", "ConfigMap", "N", "cm"],
      ["endpoints", "Endpoints", "N", "ep"],
      ["events", "Event", "N", "ev"],
      ["limitranges", "LimitRange", "N", "limits"],
      ["namespaces", "Namespace", "C", "ns", "finalize status"],
      ["nodes", "Node", "C", "no", "proxy status"],
      ["persistentvolumeclaims", "PersistentVolumeClaim", "N", "pvc", "status"],
      ["persistentvolumes", "PersistentVolume", "C", "pv", "status"],
      [
        "pods",
        "Pod",
        "N",
        "po",
        "all generation attach binding ephemeralcontainers eviction exec log portforward proxy resize status",
      ],
      ["podtemplates", "PodTemplate", "N", "", "generation"],
      ["replicationcontrollers", "ReplicationController", "N", "rc", "all generation scale status"],
      ["resourcequotas", "ResourceQuota", "N", "quota", "status"],
      ["secrets", "Secret", "N"],
      ["serviceaccounts", "ServiceAccount", "N", "sa", "token"],
      ["services", "Service", "N", "svc", "all proxy status"],
    ],
  ],
  ["apiregistration.k8s.io/v1", [["apiservices", "APIService", "C", "", "api-extensions status"]]],
  [
    "apps/v1",
    [
      ["controllerrevisions", "ControllerRevision", "N"],
      ["daemonsets", "DaemonSet", "N", "ds", "all generation status"],
      ["deployments", "Deployment", "N", "deploy", "all generation scale status"],
      ["replicasets", "ReplicaSet", "N", "rs", "all generation scale status"],
      ["statefulsets", "StatefulSet", "N", "sts", "all generation scale status"],
    ],
  ],
  ["events.k8s.io/v1", [["events", "Event", "N", "ev"]]],
  [
    "authentication.k8s.io/v1",
    [
      ["selfsubjectreviews", "SelfSubjectReview", "C", "", "create-only"],
      ["tokenreviews", "TokenReview", "C", "", "create-only"],
    ],
  ],
  [
    "authorization.k8s.io/v1",
    [
      ["localsubjectaccessreviews", "LocalSubjectAccessReview", "N", "", "create-only"],
      ["selfsubjectaccessreviews", "SelfSubjectAccessReview", "C", "", "create-only"],
      ["selfsubjectrulesreviews", "SelfSubjectRulesReview", "C", "", "create-only"],
      ["subjectaccessreviews", "SubjectAccessReview", "C", "", "create-only"],
    ],
  ],
  ["autoscaling/v2", [["horizontalpodautoscalers", "HorizontalPodAutoscaler", "N", "hpa", "all status"]]],
  ["autoscaling/v1", [["horizontalpodautoscalers", "HorizontalPodAutoscaler", "N", "hpa", "all status"]]],
  [
    "batch/v1",
    [
      ["cronjobs", "CronJob", "N", "cj", "all generation status"],
      ["jobs", "Job", "N", "", "all generation status"],
    ],
  ],
  [
    "certificates.k8s.io/v1",
    [["certificatesigningrequests", "CertificateSigningRequest", "C", "csr", "approval status"]],
  ],
  [
    "networking.k8s.io/v1",
    [
      ["ingressclasses", "IngressClass", "C", "", "generation"],
      ["ingresses", "Ingress", "N", "ing", "generation status"],
      ["ipaddresses", "IPAddress", "C", "ip"],
      ["networkpolicies", "NetworkPolicy", "N", "netpol", "generation"],
      ["servicecidrs", "ServiceCIDR", "C", "", "status"],
    ],
  ],
  ["policy/v1", [["poddisruptionbudgets", "PodDisruptionBudget", "N", "pdb", "generation status"]]],
  [
    "rbac.authorization.k8s.io/v1",
    [
      ["clusterrolebindings", "ClusterRoleBinding", "C"],
      ["clusterroles", "ClusterRole", "C"],
      ["rolebindings", "RoleBinding", "N"],
      ["roles", "Role", "N"],
    ],
  ],
  [
    "storage.k8s.io/v1",
    [
      ["csidrivers", "CSIDriver", "C"],
      ["csinodes", "CSINode", "C"],
      ["csistoragecapacities", "CSIStorageCapacity", "N"],
      ["storageclasses", "StorageClass", "C", "sc"],
      ["volumeattachments", "VolumeAttachment", "C", "", "status"],
      ["volumeattributesclasses", "VolumeAttributesClass", "C", "vac"],
    ],
  ],
  [
    "admissionregistration.k8s.io/v1",
    [
      ["mutatingadmissionpolicies", "MutatingAdmissionPolicy", "C", "", "api-extensions generation"],
      ["mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", "C", "", "api-extensions generation"],
      ["mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "C", "", "api-extensions generation"],
      ["validatingadmissionpolicies", "ValidatingAdmissionPolicy", "C", "", "api-extensions generation status"],
      ["validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", "C", "", "api-extensions generation"],
      ["validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "C", "", "api-extensions generation"],
    ],
  ],
  [
    "apiextensions.k8s.io/v1",
    [["customresourcedefinitions", "CustomResourceDefinition", "C", "crd crds", "api-extensions generation status"]],
  ],
  ["scheduling.k8s.io/v1", [["priorityclasses", "PriorityClass", "C", "pc", "generation"]]],
  ["coordination.k8s.io/v1", [["leases", "Lease", "N"]]],
  ["node.k8s.io/v1", [["runtimeclasses", "RuntimeClass", "C"]]],
  ["discovery.k8s.io/v1", [["endpointslices", "EndpointSlice", "N", "", "generation"]]],
  [
    "resource.k8s.io/v1",
    [
      ["deviceclasses", "DeviceClass", "C", "", "generation"],
      ["resourceclaims", "ResourceClaim", "N", "", "status"],
      ["resourceclaimtemplates", "ResourceClaimTemplate", "N"],
      ["resourceslices", "ResourceSlice", "C", "", "generation"],
    ],
  ],
  [
    "flowcontrol.apiserver.k8s.io/v1",
    [
      ["flowschemas", "FlowSchema", "C", "", "generation status"],
      ["prioritylevelconfigurations", "PriorityLevelConfiguration", "C", "", "generation status"],
    ],
  ],
];

const INVOLVED = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

/** By `group/resource`, with `""` for core. */
const SELECTABLE_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "/pods",
    [
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "spec.hostNetwork",
      "status.phase",
      "status.podIP",
      "status.nominatedNodeName",
    ],
  ],
  ["/nodes", ["spec.unschedulable"]],
  ["/namespaces", ["status.phase"]],
  ["/secrets", ["type"]],
  ["/services", ["spec.clusterIP", "spec.type"]],
  ["/replicationcontrollers", ["status.replicas"]],
  [
    "/events",
    [...INVOLVED.map((field) => `involvedObject.${field}`), "reason", "reportingComponent", "source", "type"],
  ],
  ["events.k8s.io/events", [...INVOLVED.map((field) => `regarding.${field}`), "reason", "reportingController", "type"]],
  ["batch/jobs", ["status.successful"]],
  ["certificates.k8s.io/certificatesigningrequests", ["spec.signerName"]],
  ["resource.k8s.io/resourceslices", ["spec.driver", "spec.nodeName"]],
]);

/** Where a built-in's field stands in an object, if not under its own name; what it counts as where it is not set, if not `""`. */
export const SELECTABLE_VALUES: ReadonlyMap<string, { readonly path?: string; readonly unset?: string }> = new Map([
  ["spec.hostNetwork", { unset: "false" }],
  ["spec.unschedulable", { unset: "false" }],
  ["status.replicas", { unset: "0" }],
  ["status.successful", { path: "status.succeeded", unset: "0" }],
  ["source", { path: "source.component" }],
]);

/** Subresources that are not of their resource's kind, or not read and written like it. */
export interface SpecialSubresource {
  readonly kind?: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

const CONNECT = ["create", "get"];
const PROXY = ["create", "delete", "get", "patch", "update"];

/** By `resource/subresource`, or by `/subresource` where it is the same for all. */
export const SPECIAL_SUBRESOURCES: ReadonlyMap<string, SpecialSubresource> = new Map<string, SpecialSubresource>([
  ["/scale", { kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] }],
  ["namespaces/finalize", { verbs: ["update"] }],
  ["nodes/proxy", { kind: "NodeProxyOptions", verbs: PROXY }],
  ["services/proxy", { kind: "ServiceProxyOptions", verbs: PROXY }],
  ["pods/proxy", { kind: "PodProxyOptions", verbs: PROXY }],
  ["pods/attach", { kind: "PodAttachOptions", verbs: CONNECT }],
  ["pods/exec", { kind: "PodExecOptions", verbs: CONNECT }],
  ["pods/portforward", { kind: "PodPortForwardOptions", verbs: CONNECT }],
  ["pods/binding", { kind: "Binding", verbs: ["create"] }],
  ["pods/eviction", { kind: "Eviction", group: "policy", version: "v1", verbs: ["create"] }],
  ["pods/log", { verbs: ["get"] }],
  ["serviceaccounts/token", { kind: "TokenRequest", group: "authentication.k8s.io", version: "v1", verbs: ["create"] }],
]);

/** Resources whose DELETE answers with the object that was deleted; others answer with a Status. */
export const RETURNS_DELETED: ReadonlySet<string> = new Set([
  ...[
    "namespaces",
    "persistentvolumes",
    "persistentvolumeclaims",
    "pods",
    "podtemplates",
    "resourcequotas",
    "services",
  ],
  ...["serviceaccounts", "deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices", "csidrivers"],
  ...["csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"],
]);

/** Resources whose PUT has to name the resourceVersion that it replaces, as that of every custom resource has to. */
export const CONDITIONAL_UPDATE: ReadonlySet<string> = new Set([
  ...[
    "runtimeclasses",
    "poddisruptionbudgets",
    "csidrivers",
    "csistoragecapacities",
    "volumeattachments",
    "csinodes",
    "leases",
  ],
  ...["validatingadmissionpolicies", "mutatingadmissionpolicies", "mutatingwebhookconfigurations"],
  ...["validatingwebhookconfigurations", "mutatingadmissionpolicybindings", "validatingadmissionpolicybindings"],
]);

/** The status that the server gives to a new object of those that have one; `{}` for the others. */
export const INITIAL_STATUS: ReadonlyMap<string, object> = new Map([
  ["namespaces", { phase: "Active" }],
  ["pods", { phase: "Pending" }],
  ["persistentvolumes", { phase: "Pending" }],
  ["persistentvolumeclaims", { phase: "Pending" }],
  ["services", { loadBalancer: {} }],
]);

/**
 * Resources that are the same objects under two groups: the second is stored as the first.
 * Simplified: between the two, `apiVersion` alone changes, not the names of an Event's fields.
 */
export const STORED_AS: ReadonlyMap<string, string> = new Map([["events.events.k8s.io", "events"]]);

export const BUILTIN_RESOURCES: readonly BuiltinResource[] = TABLE.flatMap(([groupVersion, rows]) => {
  const [first = "", second] = groupVersion.split("/");
  const [group, version] = second === undefined ? ["", first] : [first, second];
  return rows.map((row) => resourceOf(group, version, row));
});

function resourceOf(
  group: string,
  version: string,
  [resource, kind, scope, shortNames = "", traits = ""]: Row,
): BuiltinResource {
  const traitWords = words(traits);
  const categories = traitWords.filter((word) => CATEGORIES.includes(word));
  return {
    group,
    version,
    resource,
    kind,
    scope: scope === "N" ? "Namespaced" : "Cluster",
    shortNames: words(shortNames),
    categories,
    subresources: traitWords.filter((word) => !CATEGORIES.includes(word) && !MODES.includes(word)),
    hasGeneration: traitWords.includes("generation"),
    verbs: verbsOf(resource, traitWords),
    selectableFields: SELECTABLE_FIELDS.get(`${group}/${resource}`) ?? [],
  };
}

function verbsOf(resource: string, traits: readonly string[]): readonly string[] {
  if (traits.includes("create-only")) return ["create"];
  if (traits.includes("read-only")) return ["get", "list"];
  return resource === "namespaces" ? ALL_VERBS.filter((verb) => verb !== "deletecollection") : ALL_VERBS;
}

function words(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}
