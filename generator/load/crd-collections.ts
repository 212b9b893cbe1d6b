/** `x-kubernetes-list-type`, `x-kubernetes-list-map-keys`, `x-kubernetes-map-type`: what they ask of a list and of its items. */
import { asSchema, type Schema } from "../model.js";
import { type Add, isSet, text, textsOf } from "./crd-schema.js";
import { describe } from "./forms.js";
import type { Path } from "./yaml.js";

/** The extensions that say how a server merges lists and maps. */
export function checkCollections(schema: Schema, path: Path, add: Add): void {
  const type = text(schema["type"]);
  const items = asSchema(schema["items"]);
  const listType = schema["x-kubernetes-list-type"];
  const mapType = schema["x-kubernetes-map-type"];
  if (isSet(mapType)) {
    const at = [...path, "x-kubernetes-map-type"];
    if (type !== "object") add(at, "x-kubernetes-map-type without type: object", "add type: object");
    if (mapType !== "atomic" && mapType !== "granular")
      add(at, `x-kubernetes-map-type is ${describe(mapType)}`, "expected atomic or granular");
  }
  const keys = textsOf(schema["x-kubernetes-list-map-keys"]);
  const keysAt = [...path, "x-kubernetes-list-map-keys"];
  if (keys.length > 0 && listType !== "map") {
    add(keysAt, "x-kubernetes-list-map-keys without x-kubernetes-list-type: map", "add x-kubernetes-list-type: map");
  }
  if (!isSet(listType)) return;
  const at = [...path, "x-kubernetes-list-type"];
  if (type !== "array") add(at, "x-kubernetes-list-type without type: array", "add type: array");
  if (!["atomic", "set", "map"].includes(text(listType))) {
    add(at, `x-kubernetes-list-type is ${describe(listType)}`, "expected atomic, set or map");
  }
  if (items === undefined || type !== "array") return;
  if (listType !== "atomic" && items["nullable"] === true) {
    add([...path, "items", "nullable"], `items of a list of type ${listType} cannot be nullable`, "leave it out");
  }
  if (listType === "set") checkSet(items, [...path, "items"], add);
  if (listType === "map") checkKeys(items, keys, keysAt, add);
}

function checkSet(items: Schema, path: Path, add: Add): void {
  const type = text(items["type"]);
  const mapType = items["x-kubernetes-map-type"];
  const listType = items["x-kubernetes-list-type"];
  if (type === "object" && mapType !== "atomic") {
    add(path, "objects in a set are not atomic", "add x-kubernetes-map-type: atomic");
  }
  if (type === "array" && isSet(listType) && listType !== "atomic") {
    add(path, "lists in a set are not atomic", "use x-kubernetes-list-type: atomic");
  }
}

function checkKeys(items: Schema, keys: readonly string[], path: Path, add: Add): void {
  if (keys.length === 0)
    add(path, "a list of type map needs x-kubernetes-list-map-keys", "name the properties that identify an item");
  if (new Set(keys).size < keys.length)
    add(path, "x-kubernetes-list-map-keys names one key twice", "expected each once");
  if (text(items["type"]) !== "object") {
    add(path, "items of a list of type map are no objects", "expected type: object");
    return;
  }
  const properties = asSchema(items["properties"]) ?? {};
  const required = textsOf(items["required"]);
  for (const key of keys) {
    const property = Object.hasOwn(properties, key) ? (asSchema(properties[key]) ?? {}) : undefined;
    const name = describe(key);
    if (property === undefined)
      add(path, `key ${name} is no property of the items`, "expected names of their properties");
    else if (["array", "object"].includes(text(property["type"])))
      add(path, `key ${name} is no scalar`, "expected a property of type string, integer, number or boolean");
    else if (property["nullable"] === true) add(path, `key ${name} can be null`, "leave nullable out");
    else if (!required.includes(key) && !isSet(property["default"])) {
      add(path, `key ${name} is neither required nor has a default`, "add it to required");
    }
  }
}
