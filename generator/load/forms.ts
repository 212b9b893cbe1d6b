/**
 * What a server can read at all: every field of a definition has a type in Go, and JSON of another type is refused before any
 * rule is asked. Fields that are not named here are dropped by a server, whatever they hold; null is nothing, everywhere.
 */
import { asSchema } from "../model.js";
import type { Path } from "./yaml.js";

/** What is wrong, where, and what was expected. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

export type Form =
  | "text"
  | "boolean"
  | "int32"
  | "int64"
  | "number"
  | "time"
  | "base64"
  | "anything"
  | { readonly list: Form }
  | { readonly map: Form }
  | { readonly fields: { readonly [name: string]: Form } };

export const texts: Form = { list: "text" };
const pairs: Form = { map: "text" };

function fields(form: Form, ...names: string[]): { [name: string]: Form } {
  return Object.fromEntries(names.map((name) => [name, form]));
}

/** ObjectMeta of apimachinery. */
export const metadataForm: Form = {
  fields: {
    ...fields("text", "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"),
    ...fields("int64", "generation", "deletionGracePeriodSeconds"),
    ...fields("time", "creationTimestamp", "deletionTimestamp"),
    ...fields(pairs, "labels", "annotations"),
    finalizers: texts,
    ownerReferences: {
      list: {
        fields: {
          ...fields("text", "apiVersion", "kind", "name", "uid"),
          ...fields("boolean", "controller", "blockOwnerDeletion"),
        },
      },
    },
    managedFields: {
      list: {
        fields: {
          ...fields("text", "manager", "operation", "apiVersion", "fieldsType", "subresource"),
          time: "time",
          fieldsV1: "anything",
        },
      },
    },
  },
};

const names: Form = {
  fields: {
    ...fields("text", "plural", "singular", "kind", "listKind"),
    ...fields(texts, "shortNames", "categories"),
  },
};

const clientConfig: Form = {
  fields: {
    url: "text",
    service: { fields: { ...fields("text", "namespace", "name", "path"), port: "int32" } },
    caBundle: "base64",
  },
};

/** CustomResourceDefinition of apiextensions.k8s.io, v1 and v1beta1. */
export const definitionForm: Form = {
  fields: {
    metadata: metadataForm,
    spec: {
      fields: {
        ...fields("text", "group", "scope"),
        names,
        preserveUnknownFields: "boolean",
        conversion: {
          fields: {
            strategy: "text",
            webhook: { fields: { clientConfig, conversionReviewVersions: texts } },
          },
        },
        versions: {
          list: {
            fields: {
              // The schemas have keywords, and a check of their own.
              schema: { map: "anything" },
              subresources: {
                fields: {
                  status: { map: "anything" },
                  scale: { fields: fields("text", "specReplicasPath", "statusReplicasPath", "labelSelectorPath") },
                },
              },
              additionalPrinterColumns: {
                list: {
                  fields: { ...fields("text", "name", "type", "format", "description", "jsonPath"), priority: "int32" },
                },
              },
              selectableFields: { list: { fields: fields("text", "jsonPath") } },
              ...fields("text", "name", "deprecationWarning"),
              ...fields("boolean", "served", "storage", "deprecated"),
            },
          },
        },
      },
    },
    status: {
      fields: {
        conditions: {
          list: {
            fields: {
              ...fields("text", "type", "status", "reason", "message"),
              lastTransitionTime: "time",
              observedGeneration: "int64",
            },
          },
        },
        acceptedNames: names,
        storedVersions: texts,
        observedGeneration: "int64",
      },
    },
  },
};

/** Every field that a server cannot read. */
export function checkForm(value: unknown, form: Form, path: Path = []): Problem[] {
  if (value === null || value === undefined || form === "anything") return [];
  if (typeof form === "string") return isScalar(value, form) ? [] : [unreadable(value, form, path)];
  if ("list" in form) {
    if (!Array.isArray(value)) return [unreadable(value, form, path)];
    return value.flatMap((item, index) => checkForm(item, form.list, [...path, index]));
  }
  const map = asSchema(value);
  if (map === undefined) return [unreadable(value, form, path)];
  return Object.entries(map).flatMap(([name, item]) => {
    const inner = "map" in form ? form.map : Object.hasOwn(form.fields, name) ? form.fields[name] : undefined;
    return inner === undefined ? [] : checkForm(item, inner, [...path, name]);
  });
}

function unreadable(value: unknown, form: Form, path: Path): Problem {
  const name = path.filter((step) => typeof step === "string").at(-1);
  const place = typeof path.at(-1) === "number" ? `an item of ${name}` : String(name);
  return { path, message: `${place} is ${describe(value)}`, hint: `expected ${expected(form)}` };
}

function expected(form: Form): string {
  if (typeof form !== "string") return "list" in form ? "a list" : "a map";
  const scalars: Record<Scalar, string> = {
    text: "a text",
    boolean: "true or false",
    int32: "a whole number of 32 bits",
    int64: "a whole number",
    number: "a number",
    time: "a time such as 2006-01-02T15:04:05Z",
    base64: "bytes in base64",
    anything: "anything",
  };
  return scalars[form];
}

type Scalar = Extract<Form, string>;

function isScalar(value: unknown, form: Scalar): boolean {
  switch (form) {
    case "text":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "int32":
      return Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 31;
    case "int64":
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63;
    case "number":
      return typeof value === "number";
    case "time":
      return typeof value === "string" && isTime(value);
    case "base64":
      return typeof value === "string" && isBase64(value);
    case "anything":
      return true;
  }
}

/** RFC 3339, as Go reads it: seconds may have a fraction, and the day must be one of the month. */
function isTime(value: string): boolean {
  const [, date = "", hour, minute, second, offset = ""] =
    /^(\d{4}-\d\d-\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value) ?? [];
  return isDate(date) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60 && isOffset(offset);
}

function isOffset(offset: string): boolean {
  return offset === "Z" || (Number(offset.slice(1, 3)) <= 24 && Number(offset.slice(4)) < 60);
}

/** A day of the calendar, `2006-01-02`. */
export function isDate(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const [year, month, day] = value.split("-").map(Number) as [number, number, number];
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** Padded, of the standard alphabet; line breaks are passed over. */
export function isBase64(value: string): boolean {
  const text = value.replace(/[\r\n]/g, "");
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

export function describe(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : JSON.stringify(value).slice(0, 100);
}
