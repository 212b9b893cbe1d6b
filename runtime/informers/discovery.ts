/** What a server serves in place of what was asked for, in words: for the message of a 404. */
import { apiVersionOf, type GroupVersionResource } from "../api/group-version-resource.js";
import type { ApiClient } from "../transport/api-client.js";

interface GroupDocument {
  readonly versions?: readonly { readonly version?: unknown }[];
}

interface ResourceListDocument {
  readonly resources?: readonly { readonly name?: unknown; readonly namespaced?: unknown }[];
}

/** Never rejects: without an answer it is `""`. */
export async function servedInstead(
  client: ApiClient,
  resource: GroupVersionResource,
  signal: AbortSignal,
): Promise<string> {
  const { group, version } = resource;
  const get = (path: string) =>
    client.read({ path, what: "discovery", accept: "application/json", signal }).catch(() => undefined);
  if (group !== "") {
    const document = (await get(`/apis/${encodeURIComponent(group)}`)) as GroupDocument | undefined;
    if (document === undefined) return `the server has no group "${group}"`;
    const versions = (document.versions ?? []).map((served) => served.version);
    if (!versions.includes(version)) return `of group "${group}" the server has ${listed(versions)}`;
  }
  const base = group === "" ? "/api" : `/apis/${encodeURIComponent(group)}`;
  const document = (await get(`${base}/${encodeURIComponent(version)}`)) as ResourceListDocument | undefined;
  if (document === undefined) return "";
  const served = document.resources ?? [];
  if (served.some(({ name, namespaced }) => name === resource.resource && namespaced === false))
    return `${resource.resource} have no namespaces: ask with their kind and scope "Cluster", or without namespaces`;
  const names = served.map(({ name }) => name);
  return `in ${apiVersionOf(resource)} the server has ${listed(names.filter((name) => !String(name).includes("/")))}`;
}

function listed(names: readonly unknown[]): string {
  return names.length === 0 ? "nothing" : names.map((name) => JSON.stringify(String(name).slice(0, 64))).join(", ");
}
