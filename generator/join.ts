/** What an output folder holds after a run: what the run says, beside what the folder had and the run does not touch. */
import { groupsOf } from "./discover.js";
import { GeneratorError } from "./errors.js";
import type { KnownResource, Manifest } from "./manifest.js";
import type { ApiDocument, Model, Resource } from "./model.js";
import type { Placement } from "./naming.js";
import type { TypeModule } from "./schema-types.js";
import type { Declaration } from "./shapes.js";

/** What a folder keeps when documents join it. */
export interface Staying {
  readonly resources: readonly KnownResource[];
  /** Names by module of types. */
  readonly types: ReadonlyMap<string, readonly string[]>;
}

/**
 * A run replaces all that was known of a resource that it names (a CRD without v1alpha1 takes v1alpha1 away), and of a group
 * and version that it lists whole.
 */
export function stayingIn(before: Manifest, documents: readonly ApiDocument[]): Staying {
  const renewed = new Set(
    documents.flatMap(({ resources }) => resources.map(({ group, resource }) => `${group}/${resource}`)),
  );
  const complete = new Set(
    documents.filter((document) => document.complete).map(({ group, version }) => `${group}/${version}`),
  );
  const resources = before.resources.filter(
    ({ group, version, resource }) => !renewed.has(`${group}/${resource}`) && !complete.has(`${group}/${version}`),
  );
  // Types of a custom kind are its own. Shared ones are there for whoever needs them, which nobody keeps book of.
  const own = new Set(resources.map(({ typeModule }) => typeModule));
  const shares = resources.some(({ typeModule }) => isShared(typeModule));
  const types = new Map([...before.types].filter(([module]) => own.has(module) || (shares && isShared(module))));
  return { resources, types };
}

/** Whether what stays needs a type that the run may print anew. */
export function isNeeded({ types }: Staying): (placement: Placement) => boolean {
  return ({ module, name }) => isShared(module) && types.get(module)?.includes(name) === true;
}

function isShared(module: string): boolean {
  return module.endsWith("/types");
}

export interface Joined {
  readonly resources: readonly KnownResource[];
  /** Those of this run. */
  readonly fresh: ReadonlySet<KnownResource>;
  readonly types: ReadonlyMap<string, readonly string[]>;
  /** The modules of types to print. */
  readonly modules: ReadonlyMap<string, TypeModule>;
}

export function join(
  staying: Staying,
  model: Model,
  roots: ReadonlyMap<Resource, Declaration>,
  printed: ReadonlyMap<string, TypeModule>,
): Joined {
  const fresh = new Set(
    model.groups
      .flatMap(({ versions }) => versions.flatMap(({ resources }) => resources))
      .filter(({ watchable }) => watchable)
      .map((resource) => known(resource, roots.get(resource)!)),
  );
  const resources = groupsOf([...staying.resources, ...fresh]).flatMap(({ versions }) =>
    versions.flatMap((version) => version.resources),
  );
  const renewed = new Set([...fresh].map(({ typeModule }) => typeModule));
  const types = new Map(staying.types);
  const modules = new Map<string, TypeModule>();
  for (const [module, content] of printed) {
    const before = isShared(module) ? (types.get(module) ?? []) : [];
    const missing = before.filter((name) => !content.names.includes(name));
    if (missing.length > 0) {
      // The run has but a part of these types, and changes none of their resources: they stay as they are.
      if (!renewed.has(module) && content.names.every((name) => before.includes(name))) continue;
      throw new GeneratorError("output", `${module} would lose ${missing[0]}, which other groups of the folder need`, {
        hint: "give all sources in one run",
      });
    }
    types.set(module, content.names);
    modules.set(module, content);
  }
  return { resources, fresh, types, modules };
}

function known(
  { schema: _schema, watchable: _watchable, ...facts }: Resource,
  { name, module }: Declaration,
): KnownResource {
  const selectors = facts.selectableFields === undefined ? {} : { hasFieldSelector: true };
  return { ...facts, ...selectors, type: name, typeModule: module };
}
