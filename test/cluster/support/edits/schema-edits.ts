/** Edits of a schema. */
import { allKeywords, keywords } from "./keywords.js";
import { type Editor, type Edits, node, versionsOf } from "./nodes.js";
import { pairs } from "./parts.js";
import {
  anything,
  at,
  type Fields,
  fieldsOf,
  formats,
  type Json,
  labels,
  names,
  scalarSchema,
  valueFor,
} from "./values.js";

function setKeyword(keyword: string, fits?: (schema: Fields) => boolean): Editor {
  return (definition, dice) => {
    const found = node(definition, dice, fits);
    if (found === undefined) return undefined;
    const value = keywords[keyword]!(found.schema, dice);
    found.schema[keyword] = value;
    return `${found.path}: ${JSON.stringify(value)}`;
  };
}

export const schemaEdits: Edits = [
  // A schema, keyword by keyword.
  ...allKeywords.map((keyword) => [keyword, setKeyword(keyword)] as const),
  ["default of a scalar", setKeyword("default", ({ type }) => typeof type === "string" && type !== "object")],
  [
    "default of an object",
    setKeyword("default", ({ type, properties }) => type === "object" && properties !== undefined),
  ],
  [
    "default of what is restricted",
    setKeyword("default", (schema) =>
      ["allOf", "anyOf", "oneOf", "not", "pattern", "format", "multipleOf", "minimum"].some(
        (keyword) => keyword in schema,
      ),
    ),
  ],
  [
    "format and default",
    (definition, dice) => {
      const found = node(definition, dice, ({ type }) => typeof type === "string");
      if (found === undefined) return undefined;
      found.schema["format"] = dice.one(formats);
      found.schema["default"] = valueFor(found.schema, dice);
      return `${found.path}: ${JSON.stringify([found.schema["format"], found.schema["default"]])}`;
    },
  ],
  [
    "two keywords",
    (definition, dice) => {
      const found = node(definition, dice);
      if (found === undefined) return undefined;
      const both = [dice.one(allKeywords), dice.one(allKeywords)];
      for (const keyword of both) found.schema[keyword] = keywords[keyword]!(found.schema, dice);
      return `${found.path}: ${JSON.stringify(both.map((keyword) => [keyword, found.schema[keyword]]))}`;
    },
  ],
  [
    "a keyword less",
    (definition, dice) => {
      const found = node(definition, dice);
      if (found === undefined || Object.keys(found.schema).length === 0) return undefined;
      const keyword = dice.one(Object.keys(found.schema));
      delete found.schema[keyword];
      return `${found.path}.${keyword}`;
    },
  ],
  [
    "another schema",
    (definition, dice) => {
      const found = node(definition, dice, ({ properties }) => fieldsOf(properties) !== undefined);
      if (found === undefined) return undefined;
      const name = dice.one([...Object.keys(fieldsOf(found.schema["properties"])!), ...names]);
      const schema = { ...scalarSchema(dice), [dice.one(allKeywords)]: anything(dice) };
      Object.defineProperty(found.schema["properties"], name, { value: schema, enumerable: true, configurable: true });
      return `${found.path}.${name}: ${JSON.stringify(schema)}`;
    },
  ],
  [
    "metadata or type of the root",
    (definition, dice) => {
      const versions = versionsOf(definition);
      const root = fieldsOf(at(dice.one(versions), "schema", "openAPIV3Schema"));
      if (root === undefined) return undefined;
      const properties = { ...fieldsOf(root["properties"]) };
      const name = dice.one(["metadata", "metadata", "apiVersion", "kind"]);
      const keyword = dice.one([
        "default",
        "properties",
        "enum",
        "required",
        "maxLength",
        "description",
        "type",
        "unknown",
      ]);
      const nested = dice.one(["name", "generateName", "labels", "annotations", "finalizers"]);
      const type = name === "metadata" ? "object" : "string";
      const schema: Fields = {
        type,
        ...(dice.below(2) === 0 ? {} : { [keyword]: keywords[keyword]!({ type }, dice) }),
      };
      if (name === "metadata" && dice.below(2) === 0)
        schema["properties"] = { [nested]: { ...scalarSchema(dice), default: anything(dice) } };
      properties[name] = schema;
      root["properties"] = properties;
      return `${name}: ${JSON.stringify(schema)}`;
    },
  ],
  [
    "an embedded resource",
    (definition, dice) => {
      const found = node(definition, dice, ({ type }) => type === "object");
      if (found === undefined) return undefined;
      const inner = dice.one(["metadata", "kind", "apiVersion", "a"]);
      const schema: Fields = { type: inner === "metadata" ? "object" : "string" };
      schema[dice.one(allKeywords)] = valueFor(schema, dice);
      const embedded: Fields = {
        type: "object",
        "x-kubernetes-embedded-resource": true,
        ...(dice.below(2) === 0 ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
        properties: { [inner]: schema },
      };
      if (dice.below(2) === 0) {
        embedded["default"] = dice.one<Json>([
          {},
          { apiVersion: "v1", kind: "A" },
          { apiVersion: "v1", kind: "A", metadata: { name: dice.one(labels) } },
          { apiVersion: "v1", kind: "A", metadata: { labels: pairs(dice) } },
          { apiVersion: dice.one(labels), kind: dice.one(labels) },
          anything(dice),
        ]);
      }
      found.schema["properties"] = { ...fieldsOf(found.schema["properties"]), embedded };
      return `${found.path}: ${JSON.stringify(embedded)}`;
    },
  ],
];
