/** What is said of a type or a property: its description, why it is not to be used any more, and its limits. */
import type { Resource, Schema } from "./model.js";
import { notesOf } from "./notes.js";
import { textOf } from "./schema-keywords.js";

/** Text as it was read: only the literal encoder may print it. */
export interface Documentation {
  readonly text: string;
  readonly deprecated?: string;
  /** Lines about limits and the like, made by us and safe as they are. */
  readonly notes?: readonly string[];
}

const noDocumentation: Documentation = { text: "" };

export function documentation(schema: Schema, resource?: Resource): Documentation {
  const description = textOf(schema["description"]);
  const warning = resource?.deprecated;
  const { text, deprecated } =
    warning === undefined ? splitDeprecation(description) : { text: description, deprecated: warning };
  const notes = notesOf(schema);
  if (notes.length === 0 && deprecated === undefined) return text === "" ? noDocumentation : { text };
  return { text, ...(notes.length === 0 ? {} : { notes }), ...(deprecated === undefined ? {} : { deprecated }) };
}

/** Takes out the paragraph that begins with `Deprecated:`, as the convention is in Go (https://go.dev/wiki/Deprecated). */
function splitDeprecation(description: string): { text: string; deprecated?: string } {
  const [paragraph, deprecated] = /^deprecated: *(.+(?:\n.+)*)\n*/im.exec(description) ?? [];
  return paragraph === undefined
    ? { text: description }
    : { text: description.replace(paragraph, "").trim(), deprecated: deprecated! };
}
