/** What the generator knows of an API once the sources are read: plain data, the same for a CRD, a file and a cluster. */
import type { AddressPart } from "./naming.js";

/** A schema as it was read. Nothing about its members may be assumed. */
export type Schema = { readonly [keyword: string]: unknown };

export type Scope = "Namespaced" | "Cluster";

/** A column of `kubectl get`, as the definition has it. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
}

/** A field that a field selector may name. */
export interface SelectableField {
  /** As in a field selector: `spec.color`. */
  readonly name: string;
  readonly type: "string" | "number" | "boolean";
  /** What the field can be; empty when that is not listed. */
  readonly values: readonly (string | number | boolean)[];
}

/** What a server says of a resource beside its schema. Lists are in the order of the source and may be empty. */
export interface ResourceFacts {
  readonly group: string;
  readonly version: string;
  /** The plural, as in a URL. */
  readonly resource: string;
  readonly kind: string;
  readonly scope: Scope;
  readonly singular?: string;
  readonly listKind?: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
  /** False for what can be listed alone (ComponentStatus): it gets a type and no informer. */
  readonly watchable: boolean;
  /** The warning of a deprecated version; `""` when it has none of its own. */
  readonly deprecated?: string;
  readonly storage?: boolean;
  readonly printerColumns?: readonly PrinterColumn[];
  readonly selectableFields?: readonly SelectableField[];
  /** What of its address carries a suffix in the output. */
  readonly suffixed?: readonly AddressPart[];
}

export interface Resource extends ResourceFacts {
  /** Key in {@link Model.schemas}. */
  readonly schema: string;
}

/** One group and version, as one source describes it. */
export interface ApiDocument {
  readonly group: string;
  readonly version: string;
  /** Whether these are all resources of the group and version, as a server lists them, or single ones (a CRD). */
  readonly complete: boolean;
  readonly resources: readonly Resource[];
  readonly schemas: ReadonlyMap<string, Schema>;
}

export interface Version {
  readonly group: string;
  readonly version: string;
  /** Sorted by plural. */
  readonly resources: readonly Resource[];
}

export interface Group {
  readonly name: string;
  readonly versions: readonly Version[];
}

export interface Model {
  readonly groups: readonly Group[];
  readonly schemas: ReadonlyMap<string, Schema>;
}

/** The order of all that is written: by code unit, so that no locale has a say. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function byKey<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => byCodeUnit(key(a), key(b));
}

/** A schema object, or undefined for anything else that stands where a schema is expected. */
export function asSchema(value: unknown): Schema | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
}
