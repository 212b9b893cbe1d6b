/** The rights that informers need, as RBAC puts them. */
import type { GroupVersionResource } from "../api/group-version-resource.js";

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

/** A resource, of whichever version, and the namespaces in which it is followed; absent for everywhere. */
export interface Followed {
  readonly resource: Omit<GroupVersionResource, "version">;
  readonly namespaces: Iterable<string> | undefined;
}

/** A cache is filled by a list and kept by a watch; it never gets a single object. */
const VERBS = ["list", "watch"];

/**
 * The least that suffices: a rule for each API group, by name, without wildcards. What is followed everywhere is in a
 * ClusterRole, which comes first; what is followed in namespaces in a Role in each.
 */
export function rolesOf(followed: Iterable<Followed>, name: string): Role[] {
  const everywhere: Followed["resource"][] = [];
  const byNamespace = new Map<string, Followed["resource"][]>();
  for (const { resource, namespaces } of followed) {
    if (namespaces === undefined) everywhere.push(resource);
    for (const namespace of namespaces ?? []) {
      byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), resource]);
    }
  }
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const roles: Role[] = [];
  if (everywhere.length > 0)
    roles.push({ apiVersion, kind: "ClusterRole", metadata: { name }, rules: rulesOf(everywhere) });
  for (const [namespace, resources] of byNamespace)
    roles.push({ apiVersion, kind: "Role", metadata: { name, namespace }, rules: rulesOf(resources) });
  return roles;
}

/** Sorted, so that the same program always needs the same text. A right is not of a version. */
function rulesOf(resources: readonly Followed["resource"][]): PolicyRule[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, resource } of resources) {
    const names = groups.get(group) ?? new Set();
    groups.set(group, names.add(resource));
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, names]) => ({ apiGroups: [group], resources: [...names].sort(), verbs: VERBS }));
}
