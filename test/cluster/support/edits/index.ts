/**
 * Single edits of a definition, of every class that a server judges: what an author may get wrong, or surprisingly right.
 * One seed is one edit, so that what a run found can be made again.
 */

import { definitionEdits } from "./definition-edits.js";
import { Dice } from "./dice.js";
import { type Edits, type Place, places } from "./nodes.js";
import { schemaEdits } from "./schema-edits.js";
import { anything, type Fields } from "./values.js";

export interface Edit {
  readonly definition: unknown;
  /** What was done, and where. */
  readonly what: string;
}

/** @param definition is left as it is */
export function edited(definition: unknown, seed: number): Edit {
  const dice = new Dice(seed);
  const copy = structuredClone(definition) as Fields;
  // Some edits find no place: then another one is tried.
  for (;;) {
    const [name, edit] = dice.one(edits);
    const where = edit(copy, dice);
    if (where !== undefined) return { definition: copy, what: `${name} ${where}` };
  }
}

const edits: Edits = [
  ...schemaEdits,
  ...definitionEdits,
  // Anything at all, anywhere.
  ...Array.from({ length: 6 }, () => ["any value" as string, anyValue] as const),
  ...Array.from({ length: 3 }, () => ["gone" as string, gone] as const),
];

/** What a definition is called is not edited: without it, it is none. */
function place(definition: Fields, dice: Dice): Place {
  return dice.one(places(definition).filter(({ path }) => path !== ".apiVersion" && path !== ".kind"));
}

function anyValue(definition: Fields, dice: Dice): string {
  const { holder, key, path } = place(definition, dice);
  const value = anything(dice);
  (holder as Fields)[key] = value;
  return `${path}: ${JSON.stringify(value)}`;
}

function gone(definition: Fields, dice: Dice): string {
  const { holder, key, path } = place(definition, dice);
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return path;
}
