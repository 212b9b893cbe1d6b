/** Names of resources and the paths they are served at. Counterpart: apimachinery `schema.GroupVersionResource`. */

/** Names a resource that an API server serves. `group` is `""` for core; `resource` is the plural, as in a URL. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** `pods.v1` or `deployments.v1.apps`: the form that kubectl prints and accepts; unique, so it serves as a map key. */
export function formatGroupVersionResource({ group, version, resource }: GroupVersionResource): string {
  return group === "" ? `${resource}.${version}` : `${resource}.${version}.${group}`;
}

/** `v1` or `apps/v1`: what objects carry as `apiVersion`. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? version : `${group}/${version}`;
}

/** The path of a collection, over all namespaces or in one. Segments are escaped, so a name can never leave its place. */
export function collectionPath({ group, version, resource }: GroupVersionResource, namespace?: string): string {
  const root = group === "" ? `/api/${segment(version)}` : `/apis/${segment(group)}/${segment(version)}`;
  const scope = namespace === undefined || namespace === "" ? "" : `/namespaces/${segment(namespace)}`;
  return `${root}${scope}/${segment(resource)}`;
}

function segment(name: string): string {
  if (name === "" || name === "." || name === "..") throw new TypeError(`"${name}" cannot be part of an API path`);
  return encodeURIComponent(name);
}
