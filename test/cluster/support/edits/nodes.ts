/** The places of a definition where an edit may be made. */
import type { Dice } from "./dice.js";
import { at, type Fields, fieldsOf, type Json } from "./values.js";

/** Changes the definition and says where, or gives undefined where there is nothing to change. */
export type Editor = (definition: Fields, dice: Dice) => string | undefined;

export interface Place {
  readonly holder: Fields | Json[];
  readonly key: string | number;
  readonly path: string;
}

/** Every value below a value. */
export function places(value: Json, path = ""): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = `${path}.${key}`;
    return [{ holder: value as Fields, key, path: here }, ...places(inner, here)];
  });
}

interface Node {
  readonly schema: Fields;
  readonly path: string;
}

export function nodes(schema: Json, path: string): Node[] {
  const fields = fieldsOf(schema);
  if (fields === undefined) return [];
  const inner = (keyword: string, value: Json) => nodes(value, `${path}.${keyword}`);
  return [
    { schema: fields, path },
    ...Object.entries(fieldsOf(fields["properties"]) ?? {}).flatMap(([name, value]) => inner(name, value)),
    ...["items", "additionalProperties", "not"].flatMap((keyword) => inner(keyword, fields[keyword])),
    ...["allOf", "anyOf", "oneOf"].flatMap((keyword) =>
      (Array.isArray(fields[keyword]) ? fields[keyword] : []).flatMap((value, index) =>
        inner(`${keyword}[${index}]`, value),
      ),
    ),
  ];
}

export function versionsOf(definition: Fields): Fields[] {
  const versions = at(definition, "spec", "versions");
  return (Array.isArray(versions) ? versions : []).map(fieldsOf).filter((version) => version !== undefined);
}

export function node(definition: Fields, dice: Dice, fits: (schema: Fields) => boolean = () => true): Node | undefined {
  const all = versionsOf(definition)
    .flatMap((version) => nodes(at(version, "schema", "openAPIV3Schema"), String(version["name"])))
    .filter(({ schema }) => fits(schema));
  return all.length === 0 ? undefined : dice.one(all);
}

/** Edits by their names. */
export type Edits = readonly (readonly [name: string, editor: Editor])[];
