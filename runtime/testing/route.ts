/** What a path asks for. Counterpart: apiserver `endpoints/request.RequestInfo`. */

export interface ResourceRoute {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** `""` for none, or for all. */
  readonly namespace: string;
  /** `""` for the collection. */
  readonly name: string;
  readonly subresource: string;
  /** A path with `/watch/`, the old way to ask for one. */
  readonly isWatch: boolean;
}

export type Route =
  | { readonly to: "plain"; readonly path: string }
  | { readonly to: "groups" }
  | { readonly to: "group"; readonly group: string }
  | { readonly to: "version"; readonly group: string; readonly version: string }
  | { readonly to: "resource"; readonly resource: ResourceRoute }
  | { readonly to: "openapi"; readonly document: string };

/** Undefined for a path that cannot be decoded. */
export function routeOf(path: string): Route | undefined {
  const segments = decodeSegments(path);
  if (segments === undefined) return undefined;
  const [root, ...rest] = segments;
  if (root === "openapi" && rest[0] === "v3") return { to: "openapi", document: rest.slice(1).join("/") };
  if (root === "api") return rest.length === 0 ? { to: "plain", path: "/api" } : versionRoute("", rest);
  if (root !== "apis") return { to: "plain", path: `/${segments.join("/")}` };
  const [group, ...below] = rest;
  if (group === undefined) return { to: "groups" };
  return below.length === 0 ? { to: "group", group } : versionRoute(group, below);
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** Paths below a namespace that are the namespace's own. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

function versionRoute(group: string, [version = "", ...below]: readonly string[]): Route {
  if (below.length === 0) return { to: "version", group, version };
  const isWatch = below[0] === "watch" && below.length > 1;
  const segments = isWatch ? below.slice(1) : below;
  const [first, namespace = "", third = ""] = segments;
  const isInNamespace = first === "namespaces" && third !== "" && !NAMESPACE_SUBRESOURCES.has(third);
  const [resource = "", name = "", ...subresource] = isInNamespace ? segments.slice(2) : segments;
  return {
    to: "resource",
    resource: {
      group,
      version,
      resource,
      namespace: isInNamespace ? namespace : "",
      name,
      subresource: subresource.join("/"),
      isWatch,
    },
  };
}
