/** From a CustomResourceDefinition to what is served. Counterpart: apiextensions-apiserver `customresource_handler` and its controllers. */
import { setMaxListeners } from "node:events";
import { apiVersionOf } from "../api/group-version-resource.js";
import type { Clock } from "../util/clock.js";
import { isJsonObject, type JsonObject, jsonEqual, property } from "./json.js";
import type { Container } from "./object-api.js";
import { timestamp } from "./object-metadata.js";
import { isDnsLabel, isDnsSubdomain, strings } from "./object-rules.js";
import { type ApiObject, ObjectStore, type Revision } from "./object-store.js";
import type { CustomVersion, ResourceRegistry, ScalePaths, ServedResource } from "./resource-registry.js";
import { type FieldError, invalid } from "./status.js";
import type { StructuralSchema } from "./structural-schema.js";
import type { PrinterColumn } from "./table.js";

const DEFINITION = { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition" };
const CUSTOM_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/** The parts of a CustomResourceDefinition that are read here, after {@link checkDefinition}. */
interface Definition {
  readonly group: string;
  readonly names: {
    readonly plural: string;
    readonly singular: string;
    readonly kind: string;
    readonly listKind: string;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  };
  readonly scope: "Namespaced" | "Cluster";
  readonly versions: readonly DefinitionVersion[];
}

interface DefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema: { readonly openAPIV3Schema: StructuralSchema };
  readonly subresources?: { readonly status?: object; readonly scale?: ScalePaths };
  readonly additionalPrinterColumns?: readonly PrinterColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

/** What is served of one definition now. */
interface Serving {
  readonly definition: Definition;
  readonly store: ObjectStore;
  readonly resources: readonly ServedResource[];
  readonly stop: AbortController;
}

export interface CustomResourcesOptions {
  readonly registry: ResourceRegistry;
  readonly revision: Revision;
  readonly clock: Clock;
  readonly historyLimit: number;
}

/** Keeps the registry as the stored definitions say. */
export class CustomResources implements Container {
  readonly #options: CustomResourcesOptions;
  /** By the definition's name, `plural.group`. */
  readonly #serving = new Map<string, Serving>();

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
  }

  created(object: ApiObject): ApiObject {
    return this.#accepted(object, []);
  }

  updated(object: ApiObject, current: ApiObject): ApiObject {
    return this.#accepted(object, strings(property(current["status"], "storedVersions")), current["status"]);
  }

  terminating(object: ApiObject): ApiObject {
    const now = timestamp(this.#options.clock.wallNow());
    const condition = {
      type: "Terminating",
      status: "True",
      lastTransitionTime: now,
      reason: "InstanceDeletionInProgress",
    };
    const status = isJsonObject(object["status"]) ? object["status"] : {};
    const conditions = Array.isArray(status["conditions"]) ? status["conditions"] : [];
    return { ...object, status: { ...status, conditions: [...conditions, condition] } };
  }

  contents({ metadata }: ApiObject): { readonly store: ObjectStore; readonly key: string }[] {
    const store = this.#serving.get(metadata.name)?.store;
    return store === undefined ? [] : store.keys().map((key) => ({ store, key }));
  }

  isEmpty({ metadata }: ApiObject): boolean {
    return (this.#serving.get(metadata.name)?.store.size ?? 0) === 0;
  }

  changed(name: string, object: ApiObject | undefined): void {
    if (object === undefined) {
      const serving = this.#serving.get(name);
      if (serving === undefined) return;
      this.#withdraw(serving);
      this.#serving.delete(name);
      this.#options.registry.dropStore(serving.store);
    } else this.#serve(name, object["spec"] as Definition);
  }

  /** Serves every version of each definition anew, after the store of definitions was replaced. */
  restore(definitions: readonly ApiObject[]): void {
    const names = new Set(definitions.map(({ metadata }) => metadata.name));
    for (const name of [...this.#serving.keys()]) if (!names.has(name)) this.changed(name, undefined);
    for (const definition of definitions) this.changed(definition.metadata.name, definition);
  }

  /** Whatever changes in a definition, the real server makes its storage anew, and every watch of it ends. */
  #serve(name: string, definition: Definition): void {
    const { registry, revision, historyLimit } = this.#options;
    const known = this.#serving.get(name);
    if (known !== undefined && jsonEqual(known.definition, definition)) return;
    if (known !== undefined) this.#withdraw(known);
    const store = known?.store ?? new ObjectStore(name, revision, historyLimit);
    const stop = new AbortController();
    // Each open watch listens; there may be any number.
    setMaxListeners(0, stop.signal);
    const resources = definition.versions
      .filter(({ served }) => served)
      .map((version) => servedResource(definition, version, store, stop.signal));
    this.#serving.set(name, { definition, store, resources, stop });
    for (const resource of resources) registry.add(resource);
  }

  #withdraw({ resources, stop }: Serving): void {
    for (const resource of resources) this.#options.registry.remove(resource);
    stop.abort();
  }

  /** The definition with its defaults, and the status that the real server's controllers give it a moment later. */
  #accepted(object: ApiObject, storedVersions: readonly string[], status?: unknown): ApiObject {
    const spec = withDefaults(isJsonObject(object["spec"]) ? object["spec"] : {});
    const errors = checkDefinition(object.metadata.name, spec);
    if (errors.length > 0) throw invalid(DEFINITION, object.metadata.name, errors);
    const { names, versions } = spec as unknown as Definition;
    const storage = versions.find((version) => version.storage)?.name ?? "";
    const lastTransitionTime = timestamp(this.#options.clock.wallNow());
    const accepted = {
      conditions: [
        {
          type: "NamesAccepted",
          status: "True",
          lastTransitionTime,
          reason: "NoConflicts",
          message: "no conflicts found",
        },
        {
          type: "Established",
          status: "True",
          lastTransitionTime,
          reason: "InitialNamesAccepted",
          message: "the initial names have been accepted",
        },
      ],
      acceptedNames: names,
      storedVersions: [...new Set([...storedVersions, storage])],
    };
    const conditions = property(status, "conditions") ?? accepted.conditions;
    return { ...object, spec, status: { ...accepted, conditions } };
  }
}

function withDefaults(spec: JsonObject): JsonObject {
  const names = isJsonObject(spec["names"]) ? spec["names"] : {};
  const kind = typeof names["kind"] === "string" ? names["kind"] : "";
  return {
    ...spec,
    names: {
      ...names,
      singular: names["singular"] ?? kind.toLowerCase(),
      listKind: names["listKind"] ?? `${kind}List`,
    },
    conversion: spec["conversion"] ?? { strategy: "None" },
  };
}

/** What would keep this definition from being served. */
function checkDefinition(name: string, spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (field: string, value: unknown, why: string) => {
    const isMissing = value === undefined || value === "";
    const message = isMissing ? "Required value" : `Invalid value: ${JSON.stringify(value)}: ${why}`;
    errors.push({ type: isMissing ? "Required" : "Invalid", field, message });
  };
  const { group, names, scope } = spec;
  const plural = property(names, "plural");
  if (name !== `${plural}.${group}`) refuse("metadata.name", name, 'must be spec.names.plural+"."+spec.group');
  if (typeof group !== "string" || !isDnsSubdomain(group) || !group.includes(".")) {
    refuse("spec.group", group, "should be a domain with at least one dot");
  }
  if (scope !== "Namespaced" && scope !== "Cluster")
    refuse("spec.scope", scope, 'supported values: "Cluster", "Namespaced"');
  for (const field of ["plural", "singular", "kind", "listKind"]) {
    const value = property(names, field);
    if (
      typeof value !== "string" ||
      !/^[a-z]/i.test(value) ||
      !isDnsLabel(field.endsWith("ind") ? value.toLowerCase() : value)
    ) {
      refuse(
        `spec.names.${field}`,
        value,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-'",
      );
    }
  }
  errors.push(...checkVersions(Array.isArray(spec["versions"]) ? spec["versions"] : []));
  return errors;
}

function checkVersions(versions: readonly unknown[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<unknown>();
  versions.forEach((version, i) => {
    const field = `spec.versions[${i}]`;
    const name = property(version, "name");
    if (typeof name !== "string" || !isDnsLabel(name)) {
      errors.push({
        type: "Invalid",
        field: `${field}.name`,
        message: `Invalid value: ${JSON.stringify(name)}: must be a DNS-1035 label`,
      });
    }
    if (seen.has(name))
      errors.push({
        type: "Invalid",
        field: "spec.versions",
        message: "Invalid value: must contain unique version names",
      });
    seen.add(name);
    if (!isJsonObject(property(property(version, "schema"), "openAPIV3Schema"))) {
      errors.push({
        type: "Required",
        field: `${field}.schema.openAPIV3Schema`,
        message: "Required value: schemas are required",
      });
    }
  });
  if (versions.filter((version) => property(version, "storage") === true).length !== 1) {
    const message = "Invalid value: must have exactly one version marked as storage version";
    errors.push({ type: "Invalid", field: "spec.versions", message });
  }
  return errors;
}

function servedResource(
  definition: Definition,
  version: DefinitionVersion,
  store: ObjectStore,
  served: AbortSignal,
): ServedResource {
  const { group, names, scope } = definition;
  const { subresources = {} } = version;
  const custom: CustomVersion = {
    schema: version.schema.openAPIV3Schema,
    columns: version.additionalPrinterColumns ?? [],
    scale: subresources.scale,
    deprecationWarning:
      version.deprecated === true ? (version.deprecationWarning ?? deprecation(definition, version)) : undefined,
    served,
  };
  return {
    group,
    version: version.name,
    apiVersion: apiVersionOf({ group, version: version.name }),
    resource: names.plural,
    kind: names.kind,
    listKind: names.listKind,
    singular: names.singular,
    scope,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: CUSTOM_VERBS,
    subresources: ["status", "scale"].filter((subresource) => property(subresources, subresource) !== undefined),
    hasGeneration: true,
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, "")),
    store,
    custom,
  };
}

function deprecation({ group, names, versions }: Definition, { name }: DefinitionVersion): string {
  const instead = versions.find((version) => version.served && version.deprecated !== true);
  const advice = instead === undefined ? "" : `; use ${group}/${instead.name} ${names.kind}`;
  return `${group}/${name} ${names.kind} is deprecated${advice}`;
}
