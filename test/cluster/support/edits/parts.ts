/** Parts of a definition beside its schemas: columns, scale, webhooks, labels. */
import type { Dice } from "./dice.js";
import { anything, type Fields, formats, type Json, jsonPaths, labels } from "./values.js";

export function column(dice: Dice): Json {
  const fields: Fields = { name: "A", type: dice.one(["string", "date", "integer"]), jsonPath: dice.one(jsonPaths) };
  if (dice.below(3) === 0) fields["format"] = dice.one(formats);
  if (dice.below(3) === 0) fields["priority"] = dice.one<Json>([0, 1, -1, 1.5, "1", 2 ** 31, null]);
  if (dice.below(5) === 0) fields[dice.one(["name", "type", "jsonPath", "description", "JSONPath"])] = anything(dice);
  return fields;
}

export function scale(dice: Dice): Json {
  const fields: Fields = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };
  fields[dice.one(["specReplicasPath", "statusReplicasPath", "labelSelectorPath"])] = dice.one<Json>([
    ...jsonPaths,
    5,
    null,
  ]);
  return fields;
}

function webhook(dice: Dice): Json {
  const service: Fields = { name: "s", namespace: "n" };
  if (dice.below(2) === 0) {
    const [field, values] = dice.one<[string, Json[]]>([
      ["port", [443, 0, -1, 65_535, 65_536, "443", 1.5, null]],
      [
        "path",
        [
          "/convert",
          "convert",
          "",
          "/",
          "//",
          "/a//b",
          "/A",
          "/a/",
          "/ä",
          "/a b",
          "/a?b",
          "/a#b",
          "/-a",
          "/a.b",
          "/..",
          "/a%20",
        ],
      ],
      ["name", ["", "S", "s.t", null, 5]],
      ["namespace", ["", "N", null]],
    ]);
    service[field] = dice.one(values);
  }
  const urls = [
    ..."https://a.b/c http://a.b/c https:// https://a https://a:1/ https://a:b/ https://u:p@a/ https://a/?q https://a/#f a.b/c".split(
      " ",
    ),
    ..."https://[::1]/ https://[::1 https://a.b/%zz HTTPS://a.b/ https:a.b https:///c https://a/c?".split(" "),
    ...["", "https://a b/", "https://a/ b", "https://ä/"],
  ];
  const clientConfig: Fields = dice.one([{ service }, { url: dice.one(urls) }, { service, url: "https://a" }, {}]);
  if (dice.below(3) === 0) clientConfig["caBundle"] = dice.one<Json>(["Cg==", "not base64", "", "YWJj", 5, null]);
  return {
    clientConfig: dice.below(15) === 0 ? anything(dice) : clientConfig,
    conversionReviewVersions: dice.one<Json>([
      ["v1"],
      ["v1", "v1"],
      ["v2"],
      [],
      ["v1", "V2"],
      "v1",
      ["v1beta1", "v1"],
      [""],
    ]),
  };
}

export function conversion(dice: Dice): Json {
  return dice.one<Json>([
    { strategy: "None" },
    { strategy: "None", webhook: webhook(dice) },
    { strategy: "Webhook" },
    { strategy: "Webhook", webhook: webhook(dice) },
    { strategy: "Webhook", webhook: webhook(dice) },
    { strategy: dice.one(["", "none", "Magic"]) },
    anything(dice),
  ]);
}

const ownName = [
  "",
  "a",
  "a/b",
  "a.b/c",
  "/b",
  "a/",
  "A/b",
  "a/B",
  "a/b/c",
  "-a/b",
  "a_b/c",
  "ä",
  `${"x".repeat(64)}`,
  "x/".concat("y".repeat(64)),
];

export function pairs(dice: Dice): Json {
  const value = dice.one<Json>([...labels, "two words", 5, null, true]);
  return dice.one<Json>([{ [dice.one(ownName)]: value }, null, [], "a", {}]);
}
