/**
 * Names that two things of an API would share although Kubernetes accepts both: groups `a-b.io` and `a.b.io`, versions `v1-1`
 * and `v11`, kinds `IOChaos` and `IoChaos` of two plurals. Where they come in one run, every one of them carries a suffix made
 * from its full name, so that none depends on the order. What a folder had before is never renamed: who joins it with a name
 * that is taken is refused.
 */
import { GeneratorError } from "./errors.js";
import type { KnownResource } from "./manifest.js";
import type { Model, Resource } from "./model.js";
import { type Address, type AddressPart, accessorsOf, groupFolder, kindPlacement } from "./naming.js";

interface Claim {
  readonly part: AddressPart;
  /** What the name is, for a message. */
  readonly what: string;
  /** Where no two may have it. */
  readonly scope: string;
  readonly name: string;
  readonly claimant: string;
}

/** The model, with `suffixed` on every resource whose name another one of the run would have too. */
export function withSuffixes(model: Model, staying: readonly KnownResource[]): Model {
  const plain = (resource: Address): Address => ({ ...resource, suffixed: [] });
  const resources = model.groups.flatMap(({ versions }) => versions.flatMap((version) => version.resources));
  const suffixedBefore = staying.filter(({ suffixed = [] }) => suffixed.length > 0);
  const claims = [...resources, ...suffixedBefore].map(plain).flatMap(claimsOf);
  // A neighbour that had its plain name before keeps it: then the clash is refused, by checkCollisions.
  const before = staying.filter(({ suffixed = [] }) => suffixed.length === 0).flatMap(claimsOf);
  const taken = owners(before);
  const clashing = new Set(
    [...owners(claims)].filter(([key, names]) => names.size > 1 && !taken.has(key)).map(([key]) => key),
  );
  if (clashing.size === 0) return model;
  const suffixed = (resource: Resource): Resource => {
    const parts = claimsOf(plain(resource))
      .filter((claim) => clashing.has(keyOf(claim)))
      .map(({ part }) => part);
    return parts.length === 0 ? resource : { ...resource, suffixed: [...new Set(parts)].sort() };
  };
  const groups = model.groups.map((group) => ({
    ...group,
    versions: group.versions.map((version) => ({ ...version, resources: version.resources.map(suffixed) })),
  }));
  return { ...model, groups };
}

/** Refuses two things that would still get one name in the output. */
export function checkCollisions(resources: readonly Address[]): void {
  const claimants = new Map<string, Claim>();
  for (const claim of resources.flatMap(claimsOf)) {
    const other = claimants.get(keyOf(claim));
    if (other !== undefined && other.claimant !== claim.claimant) {
      throw new GeneratorError(
        "output",
        `${claim.claimant} and ${other.claimant} would both be the ${claim.what} ${claim.name}`,
        { hint: "generate them into two folders, or both in one run" },
      );
    }
    claimants.set(keyOf(claim), claim);
  }
}

function claimsOf(address: Address): Claim[] {
  const { group, version, kind, resource } = address;
  const accessors = accessorsOf(address);
  const { module, name } = kindPlacement(address);
  const groupVersion = `${group}/${version}`;
  const owner = group || "core";
  const self = `${kind} (${resource}.${version}${group === "" ? "" : `.${group}`})`;
  return [
    { part: "group", what: "accessor", scope: "", name: accessors.group, claimant: owner },
    { part: "group", what: "folder", scope: "", name: groupFolder(group), claimant: owner },
    { part: "version", what: "accessor", scope: group, name: accessors.version, claimant: groupVersion },
    { part: "kind", what: "file", scope: "", name: module, claimant: self },
    { part: "kind", what: "type", scope: groupVersion, name, claimant: self },
    { part: "kind", what: "accessor", scope: groupVersion, name: accessors.resource, claimant: self },
  ];
}

function keyOf({ what, scope, name }: Claim): string {
  return `${what} ${scope} ${name}`;
}

function owners(claims: readonly Claim[]): Map<string, Set<string>> {
  const map = new Map<string, Set<string>>();
  for (const claim of claims) {
    const names = map.get(keyOf(claim)) ?? new Set();
    map.set(keyOf(claim), names.add(claim.claimant));
  }
  return map;
}
