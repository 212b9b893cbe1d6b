/** Documents → model: one entry for each resource, sorted, every name checked, every identifier unambiguous. */
import { GeneratorError } from "./errors.js";
import { grammar } from "./grammar.js";
import { type ApiDocument, byKey, type Model, type Resource, type Schema } from "./model.js";

/** Later documents replace what earlier ones say of the same resource and schema: as with `kubectl apply`, the last one counts. */
export function discover(documents: readonly ApiDocument[]): Model {
  const resources = new Map<string, Resource>();
  const schemas = new Map<string, Schema>();
  for (const document of documents) {
    for (const [key, schema] of document.schemas) schemas.set(key, schema);
    for (const resource of document.resources) {
      checkNames(resource);
      resources.set(`${resource.group}/${resource.version}/${resource.resource}`, resource);
    }
  }
  return { groups: groupsOf([...resources.values()]), schemas };
}

/** Resources by group and version, in the order of the output. */
export function groupsOf<T extends Pick<Resource, "group" | "version" | "resource">>(
  resources: readonly T[],
): { name: string; versions: { group: string; version: string; resources: T[] }[] }[] {
  const groups = new Map<string, Map<string, T[]>>();
  for (const resource of [...resources].sort(byKey(({ resource: plural }) => plural))) {
    const versions = groups.get(resource.group) ?? new Map<string, T[]>();
    groups.set(resource.group, versions);
    const list = versions.get(resource.version) ?? [];
    versions.set(resource.version, list);
    list.push(resource);
  }
  return [...groups].sort(byKey(([name]) => name)).map(([name, versions]) => ({
    name,
    versions: [...versions]
      .sort(byKey(([version]) => version))
      .map(([version, list]) => ({ group: name, version, resources: list })),
  }));
}

function checkNames(resource: Resource): void {
  for (const { what, name, expected } of nameProblems(resource)) {
    throw new GeneratorError(
      "input",
      `${what} ${JSON.stringify(name.slice(0, 100))} is not a name that Kubernetes accepts`,
      {
        hint: `expected ${expected}`,
      },
    );
  }
}

/** Names that Kubernetes' grammar does not allow, and what it expects. */
export function nameProblems({
  group,
  version,
  resource,
  kind,
}: Pick<Resource, "group" | "version" | "resource" | "kind">): { what: string; name: string; expected: string }[] {
  const checks: [string, string, string | undefined][] = [
    ["group", group, group === "" ? undefined : grammar.group(group)],
    ["version", version, grammar.version(version)],
    ["kind", kind, grammar.kind(kind)],
    ["plural", resource, grammar.plural(resource)],
  ];
  return checks.flatMap(([what, name, expected]) => (expected === undefined ? [] : [{ what, name, expected }]));
}
