/** Names of properties that a reader takes for others: letters of several scripts in one, or one name in two encodings. */

import { visible } from "../literals.js";
import { asSchema, type Schema } from "../model.js";
import { childrenOf } from "./crd-schema.js";
import type { Path } from "./yaml.js";

const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u];

export function lookAlikes(schema: Schema, path: Path = []): { path: Path; text: string }[] {
  const found: { path: Path; text: string }[] = [];
  const names = Object.keys(asSchema(schema["properties"]) ?? {}).filter((name) => /[^\0-\x7f]/.test(name));
  const known = new Map<string, string>();
  for (const name of names) {
    const at = [...path, "properties", name];
    const shown = visible(JSON.stringify(name));
    if (scripts.filter((script) => script.test(name)).length > 1)
      found.push({ path: at, text: `${shown} mixes letters of several scripts that look alike` });
    if (known.has(name.normalize("NFC"))) found.push({ path: at, text: `${shown} is there twice, in two encodings` });
    known.set(name.normalize("NFC"), name);
  }
  for (const [child, at] of childrenOf(schema, path)) found.push(...lookAlikes(asSchema(child) ?? {}, at));
  return found;
}
