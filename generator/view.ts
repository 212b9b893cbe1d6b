/** Model → what each template prints. Every decision is made here or earlier; the templates only print and loop. */
import { checkCollisions } from "./clashes.js";
import { groupsOf } from "./discover.js";
import { literal, propertyKey, stringLiteral } from "./literals.js";
import type { KnownResource } from "./manifest.js";
import { byCodeUnit, byKey, type Version } from "./model.js";
import { accessorsOf, classesOf, descriptorName, groupFolder, kindPlacement, pascalCase } from "./naming.js";
import { deprecationLine, runtimeModule, type TypeModule } from "./schema-types.js";
import { arrayLiteral, memberType, moduleClause, objectList, type TypeText } from "./type-text.js";

export type TemplateName = "factory" | "generic" | "group" | "resource" | "types" | "version";

/** One file to render. */
export interface FileView {
  readonly path: string;
  readonly template: TemplateName;
  readonly view: object;
}

export interface ViewInput {
  /** All resources of the output folder: those of this run and those it joins. */
  readonly resources: readonly KnownResource[];
  /** The resources whose own module is printed in this run. */
  readonly fresh: ReadonlySet<KnownResource>;
  /** Names declared by every module of types in the folder. */
  readonly types: ReadonlyMap<string, readonly string[]>;
  /** The modules of types that are printed in this run. */
  readonly modules: ReadonlyMap<string, TypeModule>;
}

interface Group {
  readonly name: string;
  readonly versions: readonly (Omit<Version, "resources"> & { readonly resources: readonly KnownResource[] })[];
}

export function viewsOf(input: ViewInput): FileView[] {
  const groups: Group[] = groupsOf(input.resources);
  checkCollisions(input.resources);
  const views: FileView[] = [factoryView(groups), genericView(groups)];
  const versionModules = new Set<string>();
  for (const group of groups) {
    views.push(groupView(group, input.types));
    for (const version of group.versions) {
      const folder = `${groupFolder(group.name)}/${version.version}`;
      versionModules.add(folder);
      views.push(versionView(version, input.types));
      for (const resource of version.resources) {
        if (input.fresh.has(resource)) views.push(resourceView(resource, input.modules));
      }
      if (!input.types.has(`${folder}/types`)) views.push(typesBarrel(version, input.types));
    }
  }
  for (const [path, module] of input.modules) {
    if (!path.endsWith("/types")) continue;
    views.push({
      path: `${path}.ts`,
      template: "types",
      view: { clauses: importsOf(path, module.imports), text: module.text },
    });
    // Types alone, without a resource: a folder that is imported for them (meta/v1).
    const folder = path.slice(0, -"/types".length);
    if (!versionModules.has(folder)) {
      views.push({
        path: `${folder}/index.ts`,
        template: "types",
        view: { clauses: ['export type * from "./types.js";'], text: "" },
      });
    }
  }
  return views.sort(byKey(({ path }) => path));
}

function factoryView(groups: readonly Group[]): FileView {
  const accessors = groups.map(({ name, versions }) => ({
    accessor: accessorsOf(firstOf(versions)).group,
    className: classesOf(firstOf(versions)).group,
    path: `./${groupFolder(name)}/index.js`,
  }));
  const clauses = [...accessors, { className: "resources", path: "./generic.js" }]
    .sort(byPathOf)
    .map(({ className, path }) => moduleClause("import", [className], path));
  return {
    path: "factory.ts",
    template: "factory",
    view: { accessors: accessors.toSorted(byKey(({ accessor }) => accessor)), clauses },
  };
}

function genericView(groups: readonly Group[]): FileView {
  const taken = new Set<string>();
  const entries = groups.flatMap(({ versions }) =>
    versions.flatMap(({ resources }) =>
      resources.map((resource) => {
        const accessors = accessorsOf(resource);
        let name = accessors.group + pascalCase(accessors.version) + pascalCase(accessors.resource);
        while (taken.has(name)) name += "_";
        taken.add(name);
        return { name, exported: descriptorName(accessors.resource), path: `./${moduleOf(resource)}.js` };
      }),
    ),
  );
  const clauses = entries
    .toSorted(byPathOf)
    .map(({ name, exported, path }) => moduleClause("import", [`${exported} as ${name}`], path));
  return {
    path: "generic.ts",
    template: "generic",
    view: { names: entries.map(({ name }) => name).sort(byCodeUnit), clauses },
  };
}

function firstOf(versions: Group["versions"]): KnownResource {
  return versions[0]!.resources[0]!;
}

/** The accessor class of a version; a kind may have the name already. */
function versionClass(resources: readonly KnownResource[], types: ViewInput["types"]): string {
  const { group, version } = resources[0]!;
  const shared = types.get(`${groupFolder(group)}/${version}/types`) ?? [];
  const exported = new Set([...shared, ...resources.flatMap(exportedTypes(types))]);
  let name = classesOf(resources[0]!).version;
  while (exported.has(name)) name += "_";
  return name;
}

function groupView({ name, versions }: Group, types: ViewInput["types"]): FileView {
  return {
    path: `${groupFolder(name)}/index.ts`,
    template: "group",
    view: {
      className: classesOf(firstOf(versions)).group,
      versions: versions.map(({ version, resources }) => ({
        accessor: accessorsOf(resources[0]!).version,
        className: versionClass(resources, types),
        path: `./${version}/index.js`,
      })),
    },
  };
}

function versionView({ group, version, resources }: Group["versions"][number], types: ViewInput["types"]): FileView {
  const folder = `${groupFolder(group)}/${version}`;
  // Named schemas that kinds share stand in `types`; otherwise that file lists what the kinds declare themselves.
  const shared = types.get(`${folder}/types`);
  const exported = new Set([...(shared ?? []), ...resources.flatMap(exportedTypes(types))]);
  const runtime = runtimeImport(["InformerFactory", "ResourceInformer"], exported);
  const accessors = resources.map((resource) => {
    const accessor = accessorsOf(resource).resource;
    return {
      accessor,
      name: descriptorName(accessor),
      type: resource.type,
      scope: stringLiteral(resource.scope),
      deprecated: resource.deprecated === undefined ? "" : deprecationLine(resource.deprecated),
      resource,
    };
  });
  const fromTypes = accessors
    .filter(({ resource }) => resource.typeModule !== moduleOf(resource))
    .map(({ type }) => type);
  const imports = accessors.map(({ name, type, resource }) => {
    const path = relative(folder, moduleOf(resource));
    const names = resource.typeModule === moduleOf(resource) ? [`type ${type}`, name] : [name];
    return { path, clause: moduleClause("import", names, path) };
  });
  if (fromTypes.length > 0) {
    imports.push({ path: "./types.js", clause: moduleClause("import type", sortNames(fromTypes), "./types.js") });
  }
  const exports = accessors.map(({ name, resource }) => {
    const path = relative(folder, moduleOf(resource));
    const names = exportedNames(resource, resources, shared, types);
    return { path, clause: moduleClause("export", [...names.map((type) => `type ${type}`), name], path) };
  });
  exports.push({ path: "./types.js", clause: 'export type * from "./types.js";' });
  return {
    path: `${folder}/index.ts`,
    template: "version",
    view: {
      clauses: [runtime.clause, ...byPath(imports)],
      reexports: byPath(exports),
      accessors,
      className: versionClass(resources, types),
      ...runtime.names,
    },
  };
}

/** The types that the index of a version passes on from the module of a resource, beside what `types` exports. */
function exportedNames(
  resource: KnownResource,
  all: readonly KnownResource[],
  shared: readonly string[] | undefined,
  types: ViewInput["types"],
): string[] {
  // An alias yields to a kind of the same name; a nested type yields to both, and stays reachable through `types`.
  const kinds = new Set(all.map(({ type }) => type));
  const aliases = aliasesOf(resource).filter((alias) => !kinds.has(alias));
  const own = exportedTypes(types)(resource).filter((name) => !shared?.includes(name) && !aliases.includes(name));
  return sortNames(shared === undefined ? aliases : [...own, ...aliases]);
}

/** What the module of a resource declares beside its descriptor and its own types. */
function aliasesOf({ type, hasFieldSelector }: KnownResource): string[] {
  return ["Informer", "Lister", ...(hasFieldSelector === true ? ["FieldSelector"] : [])].map((suffix) => type + suffix);
}

/** `types.ts` of a version whose kinds declare their own types: one place to import all of them from. */
function typesBarrel({ group, version, resources }: Group["versions"][number], types: ViewInput["types"]): FileView {
  const folder = `${groupFolder(group)}/${version}`;
  const roots = new Set(resources.map(({ type }) => type));
  const seen = new Map<string, number>();
  for (const name of resources.flatMap(exportedTypes(types))) seen.set(name, (seen.get(name) ?? 0) + 1);
  const clauses = resources.toSorted(byKey(moduleOf)).map((resource) => {
    // A nested type that shares its name with a kind, or with another nested one, is reached through its own module alone.
    const names = exportedTypes(types)(resource).filter(
      (name) => name === resource.type || (seen.get(name) === 1 && !roots.has(name)),
    );
    return moduleClause("export type", sortNames(names), relative(folder, moduleOf(resource)));
  });
  return { path: `${folder}/types.ts`, template: "types", view: { clauses, text: "" } };
}

function resourceView(resource: KnownResource, modules: ViewInput["modules"]): FileView {
  const path = moduleOf(resource);
  const own = modules.get(path);
  const lister = resource.scope === "Namespaced" ? "NamespacedLister" : "Lister";
  const local = new Set([...(own?.names ?? [resource.type]), ...aliasesOf(resource)]);
  const runtime = runtimeImport(
    [lister, "ResourceDescriptor", "ResourceInformer"],
    local,
    own?.imports.get(runtimeModule),
  );
  const others =
    own === undefined
      ? [moduleClause("import type", [resource.type], "./types.js")]
      : importsOf(path, new Map([...own.imports].filter(([module]) => module !== runtimeModule)));
  const accessor = accessorsOf(resource).resource;
  return {
    path: `${path}.ts`,
    template: "resource",
    view: {
      clauses: [runtime.clause, ...others],
      name: descriptorName(accessor),
      type: resource.type,
      scope: stringLiteral(resource.scope),
      Lister: runtime.names[lister],
      ResourceDescriptor: runtime.names["ResourceDescriptor"],
      ResourceInformer: runtime.names["ResourceInformer"],
      fields: descriptorFields(resource),
      deprecated: resource.deprecated === undefined ? "" : deprecationLine(resource.deprecated),
      selectors: selectorMembers(resource),
      text: own?.text ?? "",
    },
  };
}

function descriptorFields(resource: KnownResource): { key: string; value: string }[] {
  const fields: { key: string; value: string }[] = [];
  const text = (key: string, value: string | undefined) => {
    if (value !== undefined) fields.push({ key, value: stringLiteral(value) });
  };
  const list = (key: string, values: readonly string[]) => {
    if (values.length > 0) fields.push({ key, value: arrayLiteral(values.map(stringLiteral), `${key}:`, "  ") });
  };
  text("group", resource.group);
  text("version", resource.version);
  text("resource", resource.resource);
  text("kind", resource.kind);
  text("scope", resource.scope);
  text("singular", resource.singular);
  text("listKind", resource.listKind);
  list("shortNames", resource.shortNames);
  list("categories", resource.categories);
  list("subresources", resource.subresources);
  const flag = (key: string, value: boolean | undefined) => {
    if (value !== undefined) fields.push({ key, value: String(value) });
  };
  flag("storage", resource.storage);
  if (resource.deprecated !== undefined) flag("deprecated", true);
  text("deprecationWarning", resource.deprecated || undefined);
  if (resource.printerColumns !== undefined) {
    fields.push({ key: "printerColumns", value: objectList(resource.printerColumns, "printerColumns:", "  ") });
  }
  list(
    "selectableFields",
    (resource.selectableFields ?? []).map(({ name }) => name),
  );
  return fields;
}

function selectableType(type: string, values: readonly (string | number | boolean)[]): TypeText {
  const members = values.map((value): TypeText => ({ kind: "name", text: literal(value) }));
  if (members.length === 0) return { kind: "name", text: type };
  return members.length === 1 ? members[0]! : { kind: "union", members };
}

/** The members of the type of a field selector; none where only `metadata` can be selected by. */
function selectorMembers({ selectableFields = [], scope }: KnownResource): string[] {
  if (selectableFields.length === 0) return [];
  const metadata = ["metadata.name", ...(scope === "Namespaced" ? ["metadata.namespace"] : [])];
  const text: TypeText = { kind: "name", text: "string" };
  return [
    ...metadata.map((name) => ({ name, type: text })),
    ...selectableFields.map(({ name, type, values }) => ({ name, type: selectableType(type, values) })),
  ].map(({ name, type }) => {
    const key = `${propertyKey(name)}?:`;
    const layout = memberType(type, key, "  ");
    return `${key}${layout.startsWith("\n") ? "" : " "}${layout.replaceAll("\n", "\n  ")};`;
  });
}

/** Names of the runtime, each under another one where a type of the module has it. */
function runtimeImport(
  wanted: readonly string[],
  taken: ReadonlySet<string>,
  more: ReadonlyMap<string, string> = new Map(),
): { clause: string; names: Record<string, string> } {
  const names: Record<string, string> = Object.fromEntries(more);
  for (const name of wanted) {
    let local = name;
    while (taken.has(local)) local = `Runtime${local}`;
    names[name] = local;
  }
  return { clause: moduleClause("import type", specifiers(names), runtimeModule), names };
}

/** The order in which the formatter keeps imports: `service` before `service-account`. */
const byPathOf = byKey(({ path }: { readonly path: string }) => path.replace(/\.js$/, ""));

function byPath(clauses: readonly { readonly path: string; readonly clause: string }[]): string[] {
  return clauses.toSorted(byPathOf).map(({ clause }) => clause);
}

function importsOf(module: string, imports: TypeModule["imports"]): string[] {
  const folder = module.slice(0, module.lastIndexOf("/"));
  return [...imports]
    .map(([from, names]) => ({
      path: from === runtimeModule ? from : relative(folder, from),
      names: specifiers(Object.fromEntries(names)),
    }))
    .sort(byKey(({ path }) => (path.startsWith(".") ? `1${path}` : `0${path}`)))
    .map(({ path, names }) => moduleClause("import type", names, path));
}

function specifiers(names: Readonly<Record<string, string>>): string[] {
  return sortNames(Object.keys(names)).map((name) => (names[name] === name ? name : `${name} as ${names[name]}`));
}

/** The order in which the formatter keeps imported names: letters regardless of their case first. */
function sortNames(names: readonly string[]): string[] {
  return [...names].sort((a, b) => byCodeUnit(a.toLowerCase(), b.toLowerCase()) || byCodeUnit(a, b));
}

function exportedTypes(types: ViewInput["types"]): (resource: KnownResource) => readonly string[] {
  return (resource) => (resource.typeModule === moduleOf(resource) ? (types.get(resource.typeModule) ?? []) : []);
}

/** Path of the module of a resource, without extension. */
export function moduleOf(resource: KnownResource): string {
  return kindPlacement(resource).module;
}

function relative(folder: string, module: string): string {
  const from = folder.split("/");
  const to = module.split("/");
  let common = 0;
  while (common < from.length && from[common] === to[common]) common++;
  const up = from.slice(common).map(() => "..");
  return `${up.length === 0 ? "./" : `${up.join("/")}/`}${to.slice(common).join("/")}.js`;
}
