/** What a version of a definition says of its resource beside the schema. */
import type { PrinterColumn, ResourceFacts, Schema, SelectableField } from "../model.js";
import { asSchema } from "../model.js";
import { selectableField } from "../selectable-fields.js";
import { schemaAt } from "./field-path.js";
import type { Reading } from "./reading.js";

type Facts = Pick<ResourceFacts, "subresources" | "deprecated" | "storage" | "printerColumns" | "selectableFields">;

/** The oldest layout has subresources and columns at the spec, for all versions. */
export function versionFacts(crd: Reading, version: Reading, schema: Schema | undefined): Facts {
  const holder = (field: string) => (version.has(field) ? version : crd.child("spec"));
  const subresources = asSchema(holder("subresources").at("subresources")) ?? {};
  const printerColumns = holder("additionalPrinterColumns").children("additionalPrinterColumns").flatMap(printerColumn);
  const selectableFields = version.children("selectableFields").flatMap((field) => selectableIn(field, schema));
  return {
    subresources: ["scale", "status"].filter((name) => asSchema(subresources[name]) !== undefined),
    storage: version.at("storage") === true || !version.has("name"),
    ...(version.at("deprecated") === true ? { deprecated: version.text("deprecationWarning") ?? "" } : {}),
    ...(printerColumns.length === 0 ? {} : { printerColumns }),
    ...(selectableFields.length === 0 ? {} : { selectableFields }),
  };
}

function printerColumn(column: Reading): PrinterColumn[] {
  const [name, type] = [column.text("name"), column.text("type")];
  const jsonPath = column.text("jsonPath") ?? column.text("JSONPath");
  if (name === undefined || type === undefined || jsonPath === undefined) return [];
  const format = column.text("format");
  const description = column.text("description");
  const priority = column.at("priority");
  return [
    {
      name,
      type,
      jsonPath,
      ...(format === undefined ? {} : { format }),
      ...(description === undefined ? {} : { description }),
      ...(typeof priority === "number" && priority !== 0 ? { priority } : {}),
    },
  ];
}

function selectableIn(field: Reading, schema: Schema | undefined): SelectableField[] {
  const path = field.text("jsonPath");
  return path === undefined ? [] : [selectableAt(path, schema)];
}

/** @param path `.spec.color` */
export function selectableAt(path: string, schema: Schema | undefined): SelectableField {
  return selectableField(path.slice(1), schemaAt(schema, path));
}
