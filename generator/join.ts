/** What an output folder holds after a run: what the run says, beside what the folder had and the run does not touch. */
import { groupsOf } from "./discover.js";
import { GeneratorError } from "./errors.js";
import type { KnownResource, Manifest } from "./manifest.js";
import type { ApiDocument, Model, Resource } from "./model.js";
import type { TypeModule } from "./schema-types.js";
import type { Declaration } from "./shapes.js";

export interface Joined {
  readonly resources: readonly KnownResource[];
  readonly fresh: ReadonlySet<KnownResource>;
  readonly types: ReadonlyMap<string, readonly string[]>;
  /** The modules of types to print. */
  readonly modules: ReadonlyMap<string, TypeModule>;
}

export function join(
  before: Manifest,
  documents: readonly ApiDocument[],
  model: Model,
  roots: ReadonlyMap<Resource, Declaration>,
  typeModules: ReadonlyMap<string, TypeModule>,
): Joined {
  const fresh = new Set(
    model.groups
      .flatMap(({ versions }) => versions.flatMap(({ resources }) => resources))
      .filter(({ watchable }) => watchable)
      .map((resource) => known(resource, roots.get(resource)!)),
  );
  // A run replaces all that was known of a resource it names (a CRD without v1alpha1 takes v1alpha1 away), and of a group and
  // version that it lists whole.
  const renewed = new Set([...fresh].map(({ group, resource }) => `${group}/${resource}`));
  const complete = new Set(
    documents.filter((document) => document.complete).map(({ group, version }) => `${group}/${version}`),
  );
  const staying = before.resources.filter(
    ({ group, version, resource }) => !renewed.has(`${group}/${resource}`) && !complete.has(`${group}/${version}`),
  );
  const resources = groupsOf([...staying, ...fresh]).flatMap(({ versions }) =>
    versions.flatMap((version) => version.resources),
  );

  const folders = new Set([...fresh].map(({ typeModule }) => typeModule));
  const gone = new Set(before.resources.map(({ typeModule }) => typeModule));
  for (const { typeModule } of staying) gone.delete(typeModule);
  const types = new Map([...before.types].filter(([module]) => !gone.has(module)));
  const modules = new Map<string, TypeModule>();
  for (const [module, content] of typeModules) {
    const present = types.get(module);
    const names = new Set(content.names);
    // Another run needed more of this module than the present one does: it stays as it is.
    if (present !== undefined && !folders.has(module) && content.names.every((name) => present.includes(name)))
      continue;
    if (present !== undefined && !folders.has(module) && !present.every((name) => names.has(name))) {
      throw new GeneratorError("output", `${module} is shared with what was generated into this folder before`, {
        hint: "give both sources in one run",
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
  return { ...facts, type: name, typeModule: module };
}
