/** Reads an `APIGroupDiscoveryList` (`apidiscovery.k8s.io`); the older form of discovery gives nothing. */
import { asSchema, type Schema } from "../model.js";

export interface DiscoveredResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
}

export function readDiscovery(root: unknown): DiscoveredResource[] {
  const list = asSchema(root);
  if (list?.["kind"] !== "APIGroupDiscoveryList") return [];
  return objects(list["items"]).flatMap((group) =>
    objects(group["versions"]).flatMap((version) =>
      objects(version["resources"]).map((resource) => ({
        group: text(asSchema(group["metadata"])?.["name"]),
        version: text(version["version"]),
        resource: text(resource["resource"]),
        singular: text(resource["singularResource"]),
        shortNames: texts(resource["shortNames"]),
        categories: texts(resource["categories"]),
        verbs: texts(resource["verbs"]),
      })),
    ),
  );
}

function objects(value: unknown): Schema[] {
  return (Array.isArray(value) ? value : []).map(asSchema).filter((item) => item !== undefined);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
