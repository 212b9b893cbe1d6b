/** The keywords of a schema, and what edits give them. */
import type { Dice } from "./dice.js";
import {
  anything,
  at,
  type Fields,
  fieldsOf,
  formats,
  type Json,
  jsonPaths,
  names,
  numbers,
  patterns,
  rules,
  scalarSchema,
  texts,
  types,
  valueFor,
} from "./values.js";

/** A branch of logic over a schema. */
function branch(schema: Fields, dice: Dice): Json {
  const properties = Object.keys(fieldsOf(schema["properties"]) ?? {});
  const name = properties.length > 0 && dice.below(5) > 0 ? dice.one(properties) : dice.one(names);
  return dice.one<() => Json>([
    () => ({ required: [name] }),
    () => ({ properties: { [name]: {} } }),
    () => ({ properties: { [name]: { [dice.one(["enum", "format", "minimum"])]: anything(dice) } } }),
    () => ({ not: { required: [name] } }),
    () => ({ [dice.one(["pattern", "format"])]: dice.one([...patterns, ...formats]) }),
    () => ({ [dice.one(["allOf", "anyOf", "oneOf"])]: [{ required: [name] }] }),
    () => ({ items: dice.one<Json>([{}, { required: [name] }, { type: "string" }]) }),
    () => ({ [dice.one(allKeywords)]: anything(dice) }),
    () => ({ type: dice.one(types) }),
    () => ({ additionalProperties: dice.one<Json>([true, false, {}, { pattern: "a" }]) }),
    () => ({ anyOf: [{ type: "integer" }, { type: "string" }] }),
    () => ({ "x-kubernetes-validations": dice.one<Json>([[], [{ rule: "true" }]]) }),
    () => anything(dice),
  ])();
}

function rule(dice: Dice): Json {
  const fields: Fields = { rule: dice.one(rules) };
  if (dice.below(2) === 0) fields["message"] = dice.one(["no", "", " ", "two\nlines"]);
  if (dice.below(5) === 0) fields["messageExpression"] = dice.one(["'no'", "", " ", "1", "'a' + self"]);
  if (dice.below(5) === 0) fields["reason"] = dice.one(["FieldValueInvalid", "Nope", "", "FieldValueRequired"]);
  if (dice.below(4) === 0) fields["fieldPath"] = dice.one([...jsonPaths, ".a", ".b-c", "['a']", ".a.b"]);
  if (dice.below(6) === 0) fields["optionalOldSelf"] = dice.one([true, false]);
  if (dice.below(20) === 0) fields[dice.one(["rule", "message", "reason", "extra"])] = anything(dice);
  return fields;
}

export const keywords: { readonly [keyword: string]: (schema: Fields, dice: Dice) => Json } = {
  type: (_schema, dice) => dice.one([...types, "null", "", "int", null, 5, ["string"]]),
  format: (_schema, dice) => dice.one(formats),
  pattern: (_schema, dice) => dice.one(patterns),
  description: (_schema, dice) => dice.one<Json>([...texts, 5, null, []]),
  title: (_schema, dice) => dice.one<Json>([...texts, 5]),
  default: (schema, dice) => valueFor(schema, dice),
  enum: (schema, dice) => dice.one<Json>([dice.some(texts, 3), [valueFor(schema, dice)], [], [null], anything(dice)]),
  example: (_schema, dice) => anything(dice),
  nullable: (_schema, dice) => dice.one<Json>([true, false, null, "true", 1]),
  required: (schema, dice) =>
    dice.one<Json>([
      dice.some([...Object.keys(fieldsOf(schema["properties"]) ?? {}), ...names], 3),
      [],
      true,
      "a",
      [1],
      [null],
    ]),
  items: (_schema, dice) => dice.one<Json>([scalarSchema(dice), [scalarSchema(dice)], [], {}, true, "a"]),
  properties: (_schema, dice) =>
    dice.one<Json>([{ [dice.one(names)]: scalarSchema(dice) }, {}, [], "a", { a: null }, { a: "b" }]),
  additionalProperties: (_schema, dice) => dice.one<Json>([true, false, {}, scalarSchema(dice), "a", [], null]),
  allOf: (schema, dice) =>
    dice.one<Json>([[branch(schema, dice)], [branch(schema, dice), branch(schema, dice)], [], {}]),
  anyOf: (schema, dice) =>
    dice.one<Json>([
      [branch(schema, dice)],
      [{ type: "integer" }, { type: "string" }],
      [{ type: "string" }, { type: "integer" }],
      [null],
    ]),
  oneOf: (schema, dice) => dice.one<Json>([[branch(schema, dice)], [branch(schema, dice), branch(schema, dice)]]),
  not: (schema, dice) => branch(schema, dice),
  "x-kubernetes-preserve-unknown-fields": (_schema, dice) => dice.one<Json>([true, false, null, "true"]),
  "x-kubernetes-int-or-string": (_schema, dice) => dice.one<Json>([true, false, null, 1]),
  "x-kubernetes-embedded-resource": (_schema, dice) => dice.one<Json>([true, false, null]),
  "x-kubernetes-list-type": (_schema, dice) => dice.one<Json>(["atomic", "set", "map", "", "bag", null, 1]),
  "x-kubernetes-list-map-keys": (schema, dice) =>
    dice.one<Json>([
      dice.some([...Object.keys(fieldsOf(at(schema, "items", "properties")) ?? {}), ...names], 3),
      [],
      "a",
    ]),
  "x-kubernetes-map-type": (_schema, dice) => dice.one<Json>(["atomic", "granular", "", "separable", null]),
  "x-kubernetes-validations": (_schema, dice) => dice.one<Json>([[rule(dice)], [rule(dice)], [], {}, [null], ["true"]]),
  uniqueItems: (_schema, dice) => dice.one<Json>([true, false, null]),
  multipleOf: (_schema, dice) => dice.one<Json>([...numbers, "1"]),
  externalDocs: (_schema, dice) => dice.one<Json>([{ url: "x" }, {}, "x", { url: 5 }]),
  $ref: (_schema, dice) => dice.one<Json>(["#/definitions/a", "", null]),
  $schema: (_schema, dice) => dice.one<Json>(["http://json-schema.org/schema#", ""]),
  id: (_schema, dice) => dice.one<Json>(["a", ""]),
  definitions: (_schema, dice) => dice.one<Json>([{ a: { type: "string" } }, {}]),
  dependencies: (_schema, dice) => dice.one<Json>([{ a: ["b"] }, {}, { a: { type: "string" } }]),
  patternProperties: (_schema, dice) => dice.one<Json>([{ a: { type: "string" } }, {}]),
  additionalItems: (_schema, dice) => dice.one<Json>([true, false, { type: "string" }]),
  unknown: (_schema, dice) => anything(dice),
  ...Object.fromEntries(
    ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"].map(
      (keyword) => [keyword, (_schema: Fields, dice: Dice) => dice.one<Json>([...numbers, "1", null])],
    ),
  ),
  exclusiveMinimum: (_schema, dice) => dice.one<Json>([true, false, 1]),
  exclusiveMaximum: (_schema, dice) => dice.one<Json>([true, false, 1]),
};
export const allKeywords = Object.keys(keywords);
