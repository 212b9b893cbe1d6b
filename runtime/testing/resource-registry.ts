/** What is served at this moment, by path and for discovery. */
import { apiVersionOf, type GroupVersionResource } from "../api/group-version-resource.js";
import type { ResourceScope } from "../api/resource-descriptor.js";
import { BUILTIN_RESOURCES, SPECIAL_SUBRESOURCES, STORED_AS } from "./builtin-resources.js";
import { ObjectStore, type Revision } from "./object-store.js";
import type { StructuralSchema } from "./structural-schema.js";
import type { PrinterColumn } from "./table.js";

/** A resource at one version, with the store that all its versions share. */
export interface ServedResource extends GroupVersionResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly listKind: string;
  readonly singular: string;
  readonly scope: ResourceScope;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  readonly hasGeneration: boolean;
  readonly selectableFields: readonly string[];
  readonly store: ObjectStore;
  /** Set for a custom resource. */
  readonly custom?: CustomVersion;
}

/** What a CustomResourceDefinition adds for one version. */
export interface CustomVersion {
  readonly schema: StructuralSchema;
  readonly columns: readonly PrinterColumn[];
  readonly scale: ScalePaths | undefined;
  /** Sent as a `Warning` header with each answer. */
  readonly deprecationWarning: string | undefined;
  /** Aborted when this is served no more, or served anew: its watches end. */
  readonly served: AbortSignal;
}

export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface ServedGroup {
  readonly name: string;
  /** Preferred version first. */
  readonly versions: readonly string[];
}

export class ResourceRegistry {
  /** By `apiVersion`, then by plural. */
  readonly #resources = new Map<string, Map<string, ServedResource>>();
  readonly #builtinGroups = new Set<string>();
  /** By `plural.group`. */
  readonly #stores = new Map<string, ObjectStore>();

  constructor(revision: Revision, historyLimit: number) {
    for (const builtin of BUILTIN_RESOURCES) {
      const { group, kind, resource } = builtin;
      const name = storageName(builtin);
      let store = this.#stores.get(name);
      if (store === undefined) store = new ObjectStore(name, revision, historyLimit);
      this.#builtinGroups.add(group);
      this.add({
        ...builtin,
        resource,
        apiVersion: apiVersionOf(builtin),
        listKind: `${kind}List`,
        singular: kind.toLowerCase(),
        store,
      });
    }
  }

  find({ group, version, resource }: GroupVersionResource): ServedResource | undefined {
    return this.#resources.get(apiVersionOf({ group, version }))?.get(resource);
  }

  /** Whether a path below this group is known at all: an unknown one gets another 404 than an unknown resource. */
  isBuiltin(group: string): boolean {
    return this.#builtinGroups.has(group);
  }

  add(resource: ServedResource): void {
    const { apiVersion } = resource;
    const version = this.#resources.get(apiVersion) ?? new Map<string, ServedResource>();
    this.#resources.set(apiVersion, version.set(resource.resource, resource));
    this.#stores.set(storageName(resource), resource.store);
  }

  remove(resource: ServedResource): void {
    const version = this.#resources.get(resource.apiVersion);
    version?.delete(resource.resource);
    if (version?.size === 0) this.#resources.delete(resource.apiVersion);
  }

  /** For a resource that is defined no more. */
  dropStore(store: ObjectStore): void {
    this.#stores.delete(store.name);
  }

  /** Stores by `plural.group`, of all resources. */
  stores(): ReadonlyMap<string, ObjectStore> {
    return this.#stores;
  }

  /** Resources of a version in the order in which they are listed; undefined when it is not served. */
  version(apiVersion: string): readonly ServedResource[] | undefined {
    const resources = this.#resources.get(apiVersion);
    return resources === undefined ? undefined : [...resources.values()];
  }

  all(): ServedResource[] {
    return [...this.#resources.values()].flatMap((resources) => [...resources.values()]);
  }

  /** Named groups, thus all but core. */
  groups(): ServedGroup[] {
    const groups = new Map<string, Set<string>>();
    for (const { group, version } of this.all()) {
      if (group === "") continue;
      const versions = groups.get(group);
      if (versions === undefined) groups.set(group, new Set([version]));
      else versions.add(version);
    }
    return [...groups].map(([name, versions]) => ({ name, versions: [...versions].sort(compareVersions) }));
  }
}

/** `crontabs.stable.example.com`: what a resource is stored under, whatever the version. */
export function storageName({ group, resource }: Pick<GroupVersionResource, "group" | "resource">): string {
  const name = group === "" ? resource : `${resource}.${group}`;
  return STORED_AS.get(name) ?? name;
}

const KUBE_VERSION = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;

/**
 * Stable before beta before alpha, newer before older; names of another form last, in the order of their characters.
 * Counterpart: apimachinery `version.CompareKubeAwareVersionStrings`, the other way round.
 */
export function compareVersions(a: string, b: string): number {
  const first = KUBE_VERSION.exec(a);
  const second = KUBE_VERSION.exec(b);
  if (first === null || second === null) {
    if (first !== second) return first === null ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const stage = (match: RegExpExecArray) => (match[2] === undefined ? 2 : match[2] === "beta" ? 1 : 0);
  return (
    stage(second) - stage(first) ||
    Number(second[1]) - Number(first[1]) ||
    Number(second[3] ?? 0) - Number(first[3] ?? 0)
  );
}

/** How discovery describes a subresource. */
export interface SubresourceFacts {
  readonly kind: string;
  /** Only where it is another than the resource's. */
  readonly group: string | undefined;
  readonly version: string | undefined;
  readonly verbs: readonly string[];
}

export function subresourceFacts(resource: ServedResource, subresource: string): SubresourceFacts {
  const special =
    SPECIAL_SUBRESOURCES.get(`${resource.resource}/${subresource}`) ?? SPECIAL_SUBRESOURCES.get(`/${subresource}`);
  return {
    kind: special?.kind ?? resource.kind,
    group: special?.group,
    version: special?.version,
    verbs: special?.verbs ?? ["get", "patch", "update"],
  };
}
