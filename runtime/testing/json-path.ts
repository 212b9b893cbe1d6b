/** The JSONPath that CustomResourceDefinitions use for columns, scale and selectable fields. */

type Step =
  | { readonly name: string }
  | { readonly index: number }
  | { readonly all: true }
  | { readonly key: string; readonly value: string };

const STEP =
  /\.(\*)|\.((?:[^.[\\]|\\.)+)|\.?\['((?:[^'\\]|\\.)*)'\]|\[(-?\d+)\]|\[(\*)\]|\[\?\(@\.([\w.-]+)\s*==\s*(?:"([^"]*)"|'([^']*)')\)\]/y;

/**
 * The values at `path`: names with or without quotes, `[0]`, `[*]`, and `[?(@.type=="Ready")]`. Whatever cannot be read, or
 * leads nowhere, is no value. Only own properties count, so that `constructor` is a name like any other.
 */
export function jsonPathValues(root: unknown, path: string): unknown[] {
  const steps = parsePath(path);
  if (steps === undefined) return [];
  let values: unknown[] = [root];
  for (const step of steps) values = values.flatMap((value) => follow(value, step));
  return values;
}

function parsePath(path: string): Step[] | undefined {
  const inner = path.startsWith("{") && path.endsWith("}") ? path.slice(1, -1) : path;
  const steps: Step[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < inner.length) {
    const match = STEP.exec(inner);
    if (match === null) return undefined;
    const [, dotStar, name, quoted, index, star, key, double, single] = match;
    if (dotStar !== undefined || star !== undefined) steps.push({ all: true });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else if (key !== undefined) steps.push({ key, value: double ?? single ?? "" });
    else steps.push({ name: unescaped(name ?? quoted ?? "") });
  }
  return steps;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

function follow(value: unknown, step: Step): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if ("name" in step) return Object.hasOwn(value, step.name) ? [(value as Record<string, unknown>)[step.name]] : [];
  if ("all" in step) return Object.values(value);
  if (!Array.isArray(value)) return [];
  if ("index" in step) {
    const item = value.at(step.index);
    return item === undefined ? [] : [item];
  }
  return value.filter((item) => jsonPathValues(item, `.${step.key}`).some((found) => String(found) === step.value));
}

/** A copy of `root` with `value` at a path of plain names; objects on the way are made where there are none. */
export function withValueAt(root: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const [step, ...rest] = parsePath(path) ?? [];
  if (step === undefined || !("name" in step)) return root;
  const { name } = step;
  const child = Object.hasOwn(root, name) ? root[name] : undefined;
  const object = typeof child === "object" && child !== null ? (child as Record<string, unknown>) : {};
  const replaced = rest.length === 0 ? value : withValueAt(object, restOf(path), value);
  return Object.fromEntries([...Object.entries(root).filter(([key]) => key !== name), [name, replaced]]);
}

/** The path without its first step. */
function restOf(path: string): string {
  STEP.lastIndex = 0;
  STEP.exec(path);
  return path.slice(STEP.lastIndex);
}
