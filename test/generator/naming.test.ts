import { InformerFactory } from "kube-informers/codegen";
import { describe, expect, it } from "vitest";
import { resources } from "../../generated/generic.js";
import {
  accessorsOf,
  classesOf,
  descriptorName,
  groupAccessor,
  groupFolder,
  kindFile,
  kindPlacement,
  kindType,
  nestedTypePart,
  resourceAccessor,
  schemaPlacement,
  versionAccessor,
} from "../../generator/naming.js";

/** client-go's accessors of every built-in kind, with a small first letter. */
const clientGo = `apiServices certificateSigningRequests clusterRoleBindings clusterRoles configMaps controllerRevisions
  cronJobs deviceTaintRules leaseCandidates resourcePoolStatusRequests storageVersions csiDrivers csiNodes csiStorageCapacities customResourceDefinitions daemonSets deployments deviceClasses
  endpointSlices endpoints events flowSchemas horizontalPodAutoscalers ingressClasses ingresses ipAddresses jobs leases
  limitRanges mutatingAdmissionPolicies mutatingAdmissionPolicyBindings mutatingWebhookConfigurations namespaces
  networkPolicies nodes persistentVolumeClaims persistentVolumes podDisruptionBudgets podTemplates pods priorityClasses
  priorityLevelConfigurations replicaSets replicationControllers resourceClaimTemplates resourceClaims resourceQuotas
  resourceSlices roleBindings roles runtimeClasses secrets serviceAccounts serviceCIDRs services statefulSets storageClasses
  validatingAdmissionPolicies validatingAdmissionPolicyBindings validatingWebhookConfigurations volumeAttachments
  volumeAttributesClasses`.split(/\s+/);

describe("accessors", () => {
  it("of every built-in resource are client-go's", () => {
    const accessors = resources.map(({ kind, resource }) => resourceAccessor(kind, resource));
    expect([...new Set(accessors)].sort()).toEqual([...clientGo].sort());
  });

  it.each([
    ["Dummy", "dummies", "dummies"],
    ["S3", "s3s", "s3s"],
    ["IP", "ips", "ips"],
    ["NATGateway", "natgateways", "natGateways"],
    ["EC2Node", "ec2nodes", "ec2Nodes"],
    ["MCPServer", "mcpservers", "mcpServers"],
    ["PodInfo", "podinfo", "podInfo"],
    ["postgresql", "postgresqls", "postgresqls"],
    ["ReplicaSet", "rss", "rss"],
    ["My-Kind", "my-kinds", "myKinds"],
    ["Foo", "bars", "bars"],
  ])("of kind %s and plural %s: %s", (kind, plural, accessor) => {
    expect(resourceAccessor(kind, plural)).toBe(accessor);
  });

  it.each([
    ["", "core"],
    ["apps", "apps"],
    ["rbac.authorization.k8s.io", "rbac"],
    ["flowcontrol.apiserver.k8s.io", "flowcontrol"],
    ["internal.apiserver.k8s.io", "internal"],
    ["cert-manager.io", "certManagerIo"],
    ["gateway.networking.k8s.io", "gatewayNetworkingK8sIo"],
    ["postgresql.k8s.2ndq.io", "postgresqlK8s2ndqIo"],
    ["2ndq.io", "_2ndqIo"],
    ["to.string", "toStringGroup"],
    // The factory's own method of this name comes first.
    ["resource.k8s.io", "resource"],
  ])("of group %j: %s", (group, accessor) => {
    expect(groupAccessor(group)).toBe(accessor);
  });

  it("of a group never take the place of what a factory has itself", () => {
    const members = [InformerFactory.prototype, Object.prototype].flatMap((prototype) =>
      Object.getOwnPropertyNames(prototype),
    );
    // No group has an underscore.
    for (const member of members.filter((name) => !name.includes("_"))) {
      const group = member.replace(/[A-Z]/g, (letter) => `.${letter.toLowerCase()}`);
      expect(groupAccessor(group)).not.toBe(member);
    }
  });

  it.each([
    ["v1", "v1"],
    ["v1beta1", "v1beta1"],
    ["v1-alpha", "v1Alpha"],
  ])("of version %s: %s", (version, accessor) => {
    expect(versionAccessor(version)).toBe(accessor);
  });
});

describe("identifiers", () => {
  it("of kinds are types", () => {
    expect(["Pod", "postgresql", "object-Meta", "string"].map(kindType)).toEqual([
      "Pod",
      "Postgresql",
      "ObjectMeta",
      "String",
    ]);
  });

  it("of descriptors avoid words that name no constant", () => {
    expect(["pods", "delete", "class", "eval", "of"].map(descriptorName)).toEqual([
      "pods",
      "delete_",
      "class_",
      "eval_",
      "of",
    ]);
  });

  it("of classes", () => {
    const certificate = { group: "cert-manager.io", version: "v1", kind: "Certificate", resource: "certificates" };
    expect(classesOf(certificate)).toEqual({ group: "CertManagerIoInformers", version: "CertManagerIoV1Informers" });
    expect(classesOf({ group: "", version: "v1", kind: "Pod", resource: "pods" }).version).toBe("CoreV1Informers");
  });

  it("that two would share carry a suffix made from the full name alone", () => {
    const chaos = { group: "chaos.example.com", version: "v1", kind: "IOChaos", resource: "iochaos" };
    const suffixed = { ...chaos, suffixed: ["kind"] as const };
    expect(accessorsOf(suffixed).resource).toMatch(/^ioChaos_[0-9a-f]{6}$/);
    expect(kindPlacement(suffixed).module).toMatch(/^chaos\.example\.com\/v1\/io-chaos-[0-9a-f]{6}$/);
    expect(accessorsOf({ ...suffixed, version: "v2" }).resource).toBe(accessorsOf(suffixed).resource);
    expect(accessorsOf({ ...suffixed, resource: "iochaoses" }).resource).not.toBe(accessorsOf(suffixed).resource);
  });

  it("that a class cannot have, or that make it a promise, are others", () => {
    expect(resourceAccessor("Constructor", "constructor")).toBe("constructor_");
    expect(resourceAccessor("Then", "then")).toBe("then_");
    expect(versionAccessor("constructor")).toBe("constructor_");
  });

  it("of nested types keep letters and digits", () => {
    expect(["issuerRef", "jwks_uri", "$ref", "a b-c", "", "日本"].map(nestedTypePart)).toEqual([
      "IssuerRef",
      "JwksUri",
      "Ref",
      "ABC",
      "Field",
      "Field",
    ]);
  });
});

describe("paths", () => {
  it.each([
    ["Pod", "pod"],
    ["CSIDriver", "csi-driver"],
    ["HorizontalPodAutoscaler", "horizontal-pod-autoscaler"],
    ["APIService", "api-service"],
    ["IPAddress", "ip-address"],
    ["S3", "s3"],
    ["EC2NodeClass", "ec2-node-class"],
    ["Con", "con-kind"],
    ["Index", "index-kind"],
    ["Types", "types-kind"],
  ])("of kind %s: %s.ts", (kind, file) => {
    expect(kindFile(kind)).toBe(file);
  });

  it("of groups: client-go's for built-in ones, otherwise the group itself, which no file system can confuse", () => {
    expect(
      ["", "rbac.authorization.k8s.io", "cert-manager.io", "cert.manager.io", "con.example.com"].map(groupFolder),
    ).toEqual(["core", "rbac", "cert-manager.io", "cert.manager.io", "_con.example.com"]);
  });

  it("of a custom kind's types: beside its descriptor", () => {
    const request = {
      group: "cert-manager.io",
      version: "v1",
      kind: "CertificateRequest",
      resource: "certificaterequests",
    };
    expect(kindPlacement(request)).toEqual({
      module: "cert-manager.io/v1/certificate-request",
      name: "CertificateRequest",
    });
  });

  it.each([
    ["io.k8s.api.core.v1.PodSpec", undefined, "core/v1/types", "PodSpec"],
    ["io.k8s.api.rbac.v1.Role", undefined, "rbac/v1/types", "Role"],
    ["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", undefined, "meta/v1/types", "LabelSelector"],
    [
      "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
      undefined,
      "apiregistration/v1/types",
      "APIService",
    ],
    [
      "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
      undefined,
      "apiextensions/v1/types",
      "JSONSchemaProps",
    ],
    [
      "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics",
      { group: "metrics.k8s.io", version: "v1beta1" },
      "metrics.k8s.io/v1beta1/types",
      "NodeMetrics",
    ],
    ["com.github.Acme.api.shared.v1.Thing", undefined, "com.github.acme.api.shared/v1/types", "Thing"],
    ["../../etc.v1.passwd", undefined, "etc/v1/types", "Passwd"],
    ["a..b./../.x-y", undefined, "a.b/_/types", "X_y"],
  ])("of schema %s", (key, owner, module, name) => {
    expect(schemaPlacement(key, owner)).toEqual({ module, name });
  });
});
