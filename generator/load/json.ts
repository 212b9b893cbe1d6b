/** Caps for values that came as JSON: recursion over them must end, and in time. */
import { GeneratorError } from "../errors.js";

const maxDepth = 250;
const maxValues = 5_000_000;

/** @param origin the name of the source, for messages */
export function checkSize(root: unknown, origin: string): void {
  let values = 0;
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw beyond(origin, `is nested deeper than ${maxDepth} levels`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      for (const child of Object.values(value)) next.push(child);
    }
    values += next.length;
    if (values > maxValues) throw beyond(origin, `holds more than ${maxValues} values`);
    level = next;
  }
}

function beyond(origin: string, what: string): GeneratorError {
  return new GeneratorError("limit", `${origin} ${what}`, {
    hint: "no API server publishes such a document; split it, if it is one that you made",
  });
}
