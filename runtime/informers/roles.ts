/** The rights that informers need, as RBAC puts them. */
import type { GroupVersionResource } from "../api/group-version-resource.js";
import type { ResourceScope } from "../api/resource-descriptor.js";

/** A rule of a Role or ClusterRole, `rbac.authorization.k8s.io/v1`. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** As `kubectl apply` takes it. */
export interface Role {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "Role" | "ClusterRole";
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly PolicyRule[];
}

type ScopedResource = GroupVersionResource & { readonly scope?: ResourceScope };

/** A cache is filled by a list and kept by a watch; it never gets a single object. */
const VERBS = ["list", "watch"];

/**
 * The least that suffices: a rule for each API group, by name, without wildcards. With a namespace that is a Role in it, and a
 * ClusterRole for what has none; without, one ClusterRole.
 */
export function rolesOf(resources: Iterable<ScopedResource>, name: string, namespace: string | undefined): Role[] {
  const inNamespace: ScopedResource[] = [];
  const everywhere: ScopedResource[] = [];
  for (const resource of resources) {
    if (namespace === undefined || resource.scope === "Cluster") everywhere.push(resource);
    else inNamespace.push(resource);
  }
  const roles: Role[] = [];
  const apiVersion = "rbac.authorization.k8s.io/v1";
  if (everywhere.length > 0)
    roles.push({ apiVersion, kind: "ClusterRole", metadata: { name }, rules: rulesOf(everywhere) });
  if (namespace !== undefined && inNamespace.length > 0)
    roles.push({ apiVersion, kind: "Role", metadata: { name, namespace }, rules: rulesOf(inNamespace) });
  return roles;
}

/** Sorted, so that the same program always needs the same text. A right is not of a version. */
function rulesOf(resources: readonly GroupVersionResource[]): PolicyRule[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, resource } of resources) {
    const names = groups.get(group) ?? new Set();
    groups.set(group, names.add(resource));
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, names]) => ({ apiGroups: [group], resources: [...names].sort(), verbs: VERBS }));
}
