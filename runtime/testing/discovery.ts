/** What is served, for clients that ask: group by group, and aggregated (KEP-3352). */
import { type ResourceRegistry, type ServedGroup, type ServedResource, subresourceFacts } from "./resource-registry.js";

/** The version that the embedded server says it is. */
export const SERVER_VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+kube-informers",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "",
};

export function coreVersions(serverAddress: string): object {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

export function groupList(registry: ResourceRegistry): object {
  return { kind: "APIGroupList", apiVersion: "v1", groups: registry.groups().map(groupFacts) };
}

/** Undefined when the group is not served. */
export function groupDocument(registry: ResourceRegistry, name: string): object | undefined {
  const group = registry.groups().find((one) => one.name === name);
  return group === undefined ? undefined : { kind: "APIGroup", apiVersion: "v1", ...groupFacts(group) };
}

function groupFacts({ name, versions }: ServedGroup) {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
}

/** Undefined when the version is not served. */
export function resourceList(registry: ResourceRegistry, apiVersion: string): object | undefined {
  const served = registry.version(apiVersion);
  if (served === undefined) return undefined;
  const resources = served.flatMap((resource) => [
    listedResource(resource),
    ...resource.subresources.map((one) => listedSubresource(resource, one)),
  ]);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersion, resources };
}

function listedResource({ resource, singular, scope, kind, verbs, shortNames, categories }: ServedResource) {
  return {
    name: resource,
    singularName: singular,
    namespaced: scope === "Namespaced",
    kind,
    verbs,
    ...named(shortNames, categories),
  };
}

function named(shortNames: readonly string[], categories: readonly string[]) {
  return { ...(shortNames.length === 0 ? {} : { shortNames }), ...(categories.length === 0 ? {} : { categories }) };
}

function listedSubresource(resource: ServedResource, subresource: string) {
  const { kind, group, version, verbs } = subresourceFacts(resource, subresource);
  return {
    name: `${resource.resource}/${subresource}`,
    singularName: "",
    namespaced: resource.scope === "Namespaced",
    ...(group === undefined ? {} : { group, version }),
    kind,
    verbs,
  };
}

export const AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Whether an `Accept` header asks for the aggregated form. */
export function wantsAggregated(accept: string | undefined): boolean {
  return (accept ?? "").split(",").some((range) => {
    const parts = range.split(";").map((part) => part.trim());
    return (
      parts[0] === "application/json" &&
      parts.includes("g=apidiscovery.k8s.io") &&
      parts.includes("v=v2") &&
      parts.includes("as=APIGroupDiscoveryList")
    );
  });
}

/** @param core true for `/api`, false for `/apis` */
export function aggregatedDiscovery(registry: ResourceRegistry, core: boolean): object {
  const groups: ServedGroup[] = core ? [{ name: "", versions: ["v1"] }] : registry.groups();
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === "" ? {} : { name },
      versions: versions.map((version) => ({
        version,
        resources: (registry.version(name === "" ? version : `${name}/${version}`) ?? []).map(discoveredResource),
        freshness: "Current",
      })),
    })),
  };
}

function discoveredResource(resource: ServedResource) {
  const { group, version, kind, scope, singular, verbs, shortNames, categories, subresources } = resource;
  return {
    resource: resource.resource,
    responseKind: { group, version, kind },
    scope: scope === "Namespaced" ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...named(shortNames, categories),
    ...(subresources.length === 0
      ? {}
      : { subresources: subresources.map((one) => discoveredSubresource(resource, one)) }),
  };
}

function discoveredSubresource(resource: ServedResource, subresource: string) {
  const facts = subresourceFacts(resource, subresource);
  const { kind, verbs, group = resource.group, version = resource.version } = facts;
  return { subresource, responseKind: { group, version, kind }, verbs };
}
