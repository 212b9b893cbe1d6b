/** The patches that the server takes: RFC 7386, RFC 6902, and an approximation of Kubernetes' strategic merge. */
import { isJsonObject, type JsonObject, jsonEqual, property } from "./json.js";
import { badRequest, unprocessable } from "./status.js";

export type PatchType =
  | "application/merge-patch+json"
  | "application/json-patch+json"
  | "application/strategic-merge-patch+json";

/**
 * The object that a patch makes of `target`, which stays as it is.
 * @throws ApiError 400 for what is not a patch of that type, 422 for one that cannot be carried out
 */
export function applyPatch(type: PatchType, target: JsonObject, patch: unknown): JsonObject {
  if (type === "application/json-patch+json") {
    if (!Array.isArray(patch)) throw badRequest("error decoding patch: a JSON patch is an array of operations");
    const patched = patch.reduce<unknown>(applyOperation, target);
    if (!isJsonObject(patched)) throw unprocessable();
    return patched;
  }
  if (!isJsonObject(patch)) throw badRequest("error decoding patch: a merge patch is an object");
  return type === "application/merge-patch+json" ? mergeObject(target, patch) : strategicObject(target, patch);
}

/** RFC 7386. */
function mergeObject(target: unknown, patch: JsonObject): JsonObject {
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isJsonObject(value) ? mergeObject(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}

/**
 * Which key tells the items of a list apart, by the list's name. The real server reads this from its Go types; names are
 * unique enough for what is patched in practice. A list that is not here is replaced as a whole.
 */
const MERGE_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ...["containers", "initContainers", "ephemeralContainers", "volumes", "env", "imagePullSecrets", "secrets"].map(
    byName,
  ),
  ...["resourceClaims", "webhooks", "matchConditions"].map(byName),
  ["ports", ["containerPort", "port"]],
  ["volumeMounts", ["mountPath"]],
  ["volumeDevices", ["devicePath"]],
  ["hostAliases", ["ip"]],
  ["podIPs", ["ip"]],
  ["hostIPs", ["ip"]],
  ["topologySpreadConstraints", ["topologyKey"]],
  ["conditions", ["type"]],
  ["addresses", ["type"]],
  ["ownerReferences", ["uid"]],
]);

function byName(list: string): readonly [string, readonly string[]] {
  return [list, ["name"]];
}

/** Lists of plain values that are merged as sets. */
const SETS = new Set(["finalizers"]);

function strategicObject(target: unknown, patch: JsonObject): JsonObject {
  if (property(patch, "$patch") === "replace") return withoutDirectives(patch);
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  const retained = property(patch, "$retainKeys");
  if (Array.isArray(retained)) for (const key of [...merged.keys()]) if (!retained.includes(key)) merged.delete(key);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    const present = merged.get(key);
    if (value === null || property(value, "$patch") === "delete") merged.delete(key);
    else if (isJsonObject(value)) merged.set(key, strategicObject(present, value));
    else if (Array.isArray(value)) merged.set(key, strategicList(key, present, value));
    else merged.set(key, value);
  }
  for (const [directive, order] of Object.entries(patch)) applyListDirective(merged, directive, order);
  return Object.fromEntries(merged);
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith("$")));
}

function strategicList(list: string, present: unknown, patch: readonly unknown[]): unknown[] {
  const items = Array.isArray(present) ? present : [];
  if (SETS.has(list)) return [...new Set([...items, ...patch])];
  const mergeKey = mergeKeyOf(list, patch);
  if (mergeKey === undefined) return patch.filter((item) => property(item, "$patch") === undefined);
  let merged = items;
  for (const item of patch) merged = mergeItem(merged, mergeKey, item);
  return merged;
}

function mergeKeyOf(list: string, patch: readonly unknown[]): string | undefined {
  return MERGE_KEYS.get(list)?.find((key) => patch.every((item) => property(item, key) !== undefined));
}

function mergeItem(items: readonly unknown[], mergeKey: string, item: unknown): unknown[] {
  if (!isJsonObject(item)) return [...items];
  const is = (other: unknown) => property(other, mergeKey) === property(item, mergeKey);
  if (property(item, "$patch") === "delete") return items.filter((other) => !is(other));
  if (!items.some(is)) return [...items, withoutDirectives(item)];
  return items.map((other) => (is(other) ? strategicObject(other, item) : other));
}

/** `$setElementOrder/containers` sorts a list as the patch says, `$deleteFromPrimitiveList/finalizers` takes values out. */
function applyListDirective(merged: Map<string, unknown>, directive: string, values: unknown): void {
  const [name, list = ""] = directive.split("/");
  const items = merged.get(list);
  if (!Array.isArray(items) || !Array.isArray(values)) return;
  if (name === "$deleteFromPrimitiveList")
    merged.set(
      list,
      items.filter((item) => !values.includes(item)),
    );
  if (name !== "$setElementOrder") return;
  const mergeKey = mergeKeyOf(list, values);
  const position = (item: unknown) =>
    values.findIndex((value) =>
      mergeKey === undefined ? value === item : property(value, mergeKey) === property(item, mergeKey),
    );
  // What the patch does not name keeps its place before what it does.
  merged.set(
    list,
    [...items].sort((a, b) => position(a) - position(b)),
  );
}

/** RFC 6902, one operation. */
function applyOperation(root: unknown, operation: unknown): unknown {
  const op = property(operation, "op");
  const path = pointer(property(operation, "path"));
  switch (op) {
    case "add":
    case "replace":
      return edit(root, path, op, requireValue(operation));
    case "remove":
      return edit(root, path, op, undefined);
    case "test":
      if (!jsonEqual(valueAt(root, path), requireValue(operation))) throw unprocessable();
      return root;
    case "copy":
      return edit(root, path, "add", valueAt(root, pointer(property(operation, "from"))));
    case "move": {
      const from = pointer(property(operation, "from"));
      return edit(edit(root, from, "remove", undefined), path, "add", valueAt(root, from));
    }
    default:
      throw unprocessable();
  }
}

function requireValue(operation: unknown): unknown {
  if (!isJsonObject(operation) || !Object.hasOwn(operation, "value")) throw unprocessable();
  return operation["value"];
}

/** RFC 6901. */
function pointer(text: unknown): string[] {
  if (typeof text !== "string" || (text !== "" && !text.startsWith("/"))) throw unprocessable();
  return text
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[indexIn(value, step, value.length - 1)];
    else if (isJsonObject(value) && Object.hasOwn(value, step)) value = value[step];
    else throw unprocessable();
  }
  return value;
}

function edit(root: unknown, path: readonly string[], op: "add" | "replace" | "remove", value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(root)) {
    const last = rest.length === 0;
    const index =
      last && op === "add" && step === "-"
        ? root.length
        : indexIn(root, step, last && op === "add" ? root.length : root.length - 1);
    if (!last) return root.map((item, i) => (i === index ? edit(item, rest, op, value) : item));
    if (op === "add") return [...root.slice(0, index), value, ...root.slice(index)];
    return op === "replace" ? root.with(index, value) : root.toSpliced(index, 1);
  }
  if (!isJsonObject(root)) throw unprocessable();
  const entries = new Map(Object.entries(root));
  if ((rest.length > 0 || op !== "add") && !entries.has(step)) throw unprocessable();
  if (rest.length > 0) entries.set(step, edit(entries.get(step), rest, op, value));
  else if (op === "remove") entries.delete(step);
  else entries.set(step, value);
  return Object.fromEntries(entries);
}

function indexIn(list: readonly unknown[], step: string, highest: number): number {
  const index = /^(?:0|[1-9]\d*)$/.test(step) ? Number(step) : list.length + 1;
  if (index > highest) throw unprocessable();
  return index;
}
