/** What a schema says of a value beyond its type, as lines of documentation: limits, defaults, formats, keys of lists. */
import { commentLines } from "./literals.js";
import { asSchema, type Schema } from "./model.js";
import { pascalCase } from "./naming.js";
import { isIntOrString, textOf } from "./schema-keywords.js";

const maxLength = 200;

/** Lines that are safe in a comment. */
export function notesOf(schema: Schema): string[] {
  const notes = [valueNote(schema), patternNote(schema), listNote(schema)].filter((note) => note !== undefined);
  const value = schema["default"];
  // A reference's empty default says only that the field is an object.
  const says = value !== undefined && value !== null && !(isReference(schema) && JSON.stringify(value) === "{}");
  if (says) notes.push(`@default ${inline(JSON.stringify(value))}`);
  return notes;
}

function isReference(schema: Schema): boolean {
  return schema["$ref"] !== undefined || schema["allOf"] !== undefined;
}

/** `Format date-time.`, `Format int32, at least 1, at most 65535.` */
function valueNote(schema: Schema): string | undefined {
  const limits = limitsOf(schema);
  const format = isIntOrString(schema) ? "" : textOf(schema["format"]);
  // What a 32-bit integer is, `number` says already.
  const parts = format === "" || (format === "int32" && limits.length === 0) ? limits : [formatText(format), ...limits];
  const [first = "", ...others] = parts;
  return first === "" ? undefined : `${[pascalCase(first), ...others].join(", ")}.`;
}

function formatText(format: string): string {
  return format === "int64" ? "format int64 (beyond 2^53 a number loses digits)" : `format ${inline(format)}`;
}

const limits: readonly (readonly [least: string, most: string, noun: string])[] = [
  ["minimum", "maximum", ""],
  ["minLength", "maxLength", "character"],
  ["minItems", "maxItems", "item"],
  ["minProperties", "maxProperties", "entr"],
];

function limitsOf(schema: Schema): string[] {
  const count = (value: number, noun: string) =>
    `${value}${noun === "" ? "" : ` ${noun === "entr" ? (value === 1 ? "entry" : "entries") : value === 1 ? noun : `${noun}s`}`}`;
  const texts = limits.flatMap(([least, most, noun]) =>
    (
      [
        [least, "exclusiveMinimum", "at least", "more than"],
        [most, "exclusiveMaximum", "at most", "less than"],
      ] as const
    ).flatMap(([keyword, exclusive, inclusiveText, exclusiveText]) => {
      const value = schema[keyword];
      if (typeof value !== "number") return [];
      const without = noun === "" && schema[exclusive] === true;
      return [`${without ? exclusiveText : inclusiveText} ${count(value, noun)}`];
    }),
  );
  const factor = schema["multipleOf"];
  return typeof factor === "number" ? [...texts, `a multiple of ${factor}`] : texts;
}

function patternNote(schema: Schema): string | undefined {
  const pattern = textOf(schema["pattern"]);
  return pattern === "" ? undefined : `Pattern: ${inline(pattern)}`;
}

function listNote(schema: Schema): string | undefined {
  const items = asSchema(schema["items"]);
  if (schema["x-kubernetes-list-type"] === "set") return "A set: no item comes twice.";
  if (schema["x-kubernetes-list-type"] === "map") {
    const keys = schema["x-kubernetes-list-map-keys"];
    const names = (Array.isArray(keys) ? keys : []).map(textOf).map(inline).join(", ");
    return `Items are identified by ${names}.`;
  }
  const note = items === undefined ? undefined : valueNote(items);
  return note === undefined ? undefined : `Items: ${note}`;
}

function inline(text: string): string {
  const line = commentLines(text.slice(0, maxLength).replace(/\s+/g, " ")).join(" ");
  return text.length > maxLength ? `${line}…` : line;
}
