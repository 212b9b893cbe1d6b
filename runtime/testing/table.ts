/** Answers for people: what kubectl prints. Counterparts: `meta/v1 Table`, and `rest.TableConvertor`. */
import { stringifyJson } from "./json.js";
import { jsonPathValues } from "./json-path.js";
import type { StoredObject } from "./object-store.js";
import type { ServedResource } from "./resource-registry.js";

/** As in a CustomResourceDefinition's `additionalPrinterColumns`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

/** How much of each object a row carries: the query parameter `includeObject`. */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface Table {
  readonly kind: "Table";
  readonly apiVersion: "meta.k8s.io/v1";
  readonly metadata: object;
  readonly columnDefinitions: readonly object[];
  readonly rows: readonly object[];
}

const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since creation.",
};

/** Of built-in resources only the name and the age are shown; the real server has columns for each of them. */
export function tableOf(
  resource: ServedResource,
  items: readonly StoredObject[],
  metadata: object,
  include: IncludeObject,
  wallNowMs: number,
): Table {
  const columns = resource.custom?.columns ?? [];
  const shown = columns.length === 0 ? [AGE] : columns;
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: [
      { name: "Name", type: "string", format: "name", description: "Unique within its namespace.", priority: 0 },
      ...shown.map(({ name, type, format = "", description = "", priority = 0 }) => ({
        name,
        type,
        format,
        description,
        priority,
      })),
    ],
    rows: items.map((stored) => ({
      cells: [stored.object.metadata.name, ...shown.map((column) => cell(stored, column, wallNowMs))],
      ...(include === "None" ? {} : { object: include === "Object" ? versioned(resource, stored) : partial(stored) }),
    })),
  };
}

function versioned({ apiVersion }: ServedResource, { object }: StoredObject): object {
  return { ...object, apiVersion };
}

function partial({ object }: StoredObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

function cell({ object }: StoredObject, { type, jsonPath }: PrinterColumn, wallNowMs: number): unknown {
  const [value] = jsonPathValues(object, jsonPath);
  if (value === undefined || value === null) return type === "date" ? "<unknown>" : null;
  switch (type) {
    case "integer":
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? age(wallNowMs - Date.parse(value)) : "<invalid>";
    default:
      return typeof value === "object" ? stringifyJson(value) : String(value);
  }
}

/** `51s`, `3m4s`, `7h`, `12d`: apimachinery `duration.HumanDuration`, roughly. */
export function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return "<invalid>";
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h`;
  return hours < 24 * 365 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / (24 * 365))}y`;
}
