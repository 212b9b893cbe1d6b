/** Types as text, laid out as the formatter would: on one line where it fits, a union on many lines where it does not. */

import { literal } from "./literals.js";

export type TypeText =
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "union"; readonly members: readonly TypeText[] }
  | { readonly kind: "array"; readonly items: TypeText }
  | { readonly kind: "record"; readonly values: TypeText };

export const lineWidth = 120;

export function inline(type: TypeText): string {
  switch (type.kind) {
    case "name":
      return type.text;
    case "union":
      return type.members.map(inline).join(" | ");
    case "array":
      return type.items.kind === "union" ? `(${inline(type.items)})[]` : `${inline(type.items)}[]`;
    case "record":
      return `{ [key: string]: ${inline(type.values)} }`;
  }
}

/**
 * The type of a member that begins with `prefix` (`name?:`) in column `margin`. Its further lines are indented relative to
 * the member; a type that begins with a line break wants no blank before it.
 */
export function memberType(type: TypeText, prefix: string, margin: string, indent = ""): string {
  const line = inline(type);
  return fits(`${margin}${indent}${prefix} ${line};`) ? line : layOut(type, margin, indent);
}

function layOut(type: TypeText, margin: string, indent: string): string {
  const deeper = `${indent}  `;
  switch (type.kind) {
    case "name":
      return type.text;
    case "union":
      return type.members.map((member) => `\n${deeper}| ${inline(member)}`).join("");
    case "array":
      if (type.items.kind !== "union") return `${layOut(type.items, margin, indent)}[]`;
      return `(${type.items.members.map((member) => `\n${deeper}| ${inline(member)}`).join("")}\n${indent})[]`;
    case "record": {
      const values = memberType(type.values, "[key: string]:", margin, deeper);
      return `{\n${deeper}[key: string]:${values.startsWith("\n") ? "" : " "}${values};\n${indent}}`;
    }
  }
}

/** `["a", "b"]`, one item a line where they do not fit after `prefix`. */
export function arrayLiteral(items: readonly string[], prefix: string, indent: string): string {
  const line = `[${items.join(", ")}]`;
  return fits(`${indent}${prefix} ${line},`)
    ? line
    : `[\n${items.map((item) => `${indent}  ${item},\n`).join("")}${indent}]`;
}

/** `[{ a: 1 }]` of flat objects, as the formatter would lay it out: several objects on a line each. */
export function objectList(objects: readonly object[], prefix: string, indent: string): string {
  const texts = objects.map((object) =>
    Object.entries(object).map(([key, value]) => `${key}: ${literal(value as string | number)}`),
  );
  const single = texts.length === 1 ? `[{ ${texts[0]!.join(", ")} }]` : undefined;
  if (single !== undefined && fits(`${indent}${prefix} ${single},`)) return single;
  const deeper = `${indent}  `;
  const items = texts.map((fields) => {
    const line = `${deeper}{ ${fields.join(", ")} },`;
    return fits(line) ? line : `${deeper}{\n${fields.map((field) => `${deeper}  ${field},\n`).join("")}${deeper}},`;
  });
  return `[\n${items.join("\n")}\n${indent}]`;
}

/** `import type { A, B } from "…";` and its `export` form, one name a line where they do not fit; a single one stays. */
export function moduleClause(keyword: string, names: readonly string[], from: string): string {
  const line = `${keyword} { ${names.join(", ")} } from "${from}";`;
  return names.length === 1 || fits(line)
    ? line
    : `${keyword} {\n${names.map((name) => `  ${name},\n`).join("")}} from "${from}";`;
}

export function fits(line: string): boolean {
  return [...line].length <= lineWidth;
}
