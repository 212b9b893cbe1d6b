/** The paths by which selectable fields and rules of CEL name a field: `.spec.color`, `.spec.labels['a.b']`. */
import { asSchema, type Schema } from "../model.js";

/**
 * The schema that a path leads to, through properties and the values of maps.
 *
 * @param brackets whether names may stand in brackets, as in rules
 */
export function schemaAt(root: Schema | undefined, path: string, brackets = false): Schema | undefined {
  let schema = root;
  const steps = tokens(path);
  if (steps.length === 0) return undefined;
  while (steps.length > 0) {
    const opening = steps.shift();
    const token = steps.shift();
    if (token === undefined || schema === undefined) return undefined;
    if (opening === ".") schema = step(schema, token);
    else if (opening === "[" && brackets && /^'.*'$/s.test(token) && token.length > 1 && steps.shift() === "]") {
      schema = step(schema, token.slice(1, -1).replace(/\\(.)/g, "$1"));
    } else return undefined;
  }
  return schema;
}

/** Dots and brackets, and what is between them; in single quotes they are text. */
function tokens(path: string): string[] {
  return path.match(/[.[\]]|'(?:[^'\\]|\\.)*'|'.*$|[^.[\]'][^.[\]]*/gs) ?? [];
}

/** Where a schema has properties, the values of a map beside them are not looked at. */
function step(schema: Schema, name: string): Schema | undefined {
  const properties = asSchema(schema["properties"]) ?? {};
  if (Object.keys(properties).length === 0) return asSchema(schema["additionalProperties"]);
  return Object.hasOwn(properties, name) ? (asSchema(properties[name]) ?? {}) : undefined;
}
