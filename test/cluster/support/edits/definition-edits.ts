/** Edits of what a definition has beside its schemas. */
import type { Dice } from "./dice.js";
import { type Editor, type Edits, nodes, versionsOf } from "./nodes.js";
import { column, conversion, pairs, scale } from "./parts.js";
import { anything, at, type Fields, fieldsOf, type Json, jsonPaths, labels, scalarSchema } from "./values.js";

/** Sets a field somewhere below the definition to one of some values. */
function set(values: (dice: Dice) => Json, ...path: string[]): Editor {
  return (definition, dice) => {
    const holder = fieldsOf(at(definition, ...path.slice(0, -1)));
    if (holder === undefined) return undefined;
    const value = values(dice);
    holder[path.at(-1)!] = value;
    return JSON.stringify(value).slice(0, 200);
  };
}

function setInVersion(field: string, values: (dice: Dice, version: Fields) => Json): Editor {
  return (definition, dice) => {
    const versions = versionsOf(definition);
    if (versions.length === 0) return undefined;
    const version = dice.one(versions);
    const value = values(dice, version);
    version[field] = value;
    return `${version["name"]}: ${JSON.stringify(value)?.slice(0, 200)}`;
  };
}

export const definitionEdits: Edits = [
  // The definition around it.
  [
    "group",
    set(
      (dice) =>
        dice.one<Json>([
          ...labels,
          "a.b",
          "A.b",
          "a..b",
          ".a",
          "a.",
          "k8s.io",
          "x.k8s.io",
          `${"x".repeat(64)}.com`,
          5,
          null,
        ]),
      "spec",
      "group",
    ),
  ],
  ["kind", set((dice) => dice.one<Json>([...labels, 5, null]), "spec", "names", "kind")],
  ["listKind", set((dice) => dice.one<Json>([...labels, 5, null]), "spec", "names", "listKind")],
  ["plural", set((dice) => dice.one<Json>([...labels, 5, null]), "spec", "names", "plural")],
  ["singular", set((dice) => dice.one<Json>([...labels, 5, null]), "spec", "names", "singular")],
  ["shortNames", set((dice) => dice.one<Json>([dice.some(labels, 3), "a", null, [1]]), "spec", "names", "shortNames")],
  [
    "categories",
    set((dice) => dice.one<Json>([dice.some(labels, 3), "a", null, [null]]), "spec", "names", "categories"),
  ],
  ["scope", set((dice) => dice.one<Json>(["Cluster", "Namespaced", "", "namespaced", null, 5]), "spec", "scope")],
  [
    "preserveUnknownFields",
    set((dice) => dice.one<Json>([true, false, null, "false"]), "spec", "preserveUnknownFields"),
  ],
  ["conversion", set(conversion, "spec", "conversion")],
  ["conversion again", set(conversion, "spec", "conversion")],
  ["a field of v1beta1", set((dice) => anything(dice), "spec", "validation")],
  ["metadata.name", set((dice) => dice.one<Json>([...labels, null, 5]), "metadata", "name")],
  ["labels", set(pairs, "metadata", "labels")],
  ["annotations", set(pairs, "metadata", "annotations")],
  [
    "metadata",
    (definition, dice) => {
      const metadata = fieldsOf(definition["metadata"]);
      if (metadata === undefined) return undefined;
      const field = dice.one(
        "namespace generateName creationTimestamp uid resourceVersion finalizers ownerReferences generation managedFields selfLink unknown deletionTimestamp".split(
          " ",
        ),
      );
      const owner = { apiVersion: "v1", kind: "A", name: "a", uid: "1" };
      metadata[field] = dice.one<Json>([
        ...labels,
        ["a"],
        ["a.b/c"],
        [owner],
        [{ ...owner, [dice.one(Object.keys(owner))]: dice.one(labels) }],
        "2020-01-01T00:00:00Z",
        anything(dice),
      ]);
      return `${field}: ${JSON.stringify(metadata[field])}`;
    },
  ],
  [
    "status",
    (definition, dice) => {
      definition["status"] = dice.one<Json>([
        {
          acceptedNames: { kind: dice.one(labels), plural: dice.one(labels) },
          conditions: [],
          storedVersions: dice.some(["v1", "v9"], 2),
        },
        {},
        anything(dice),
      ]);
      return JSON.stringify(definition["status"]);
    },
  ],
  // Its versions.
  ["version name", setInVersion("name", (dice) => dice.one<Json>([...labels, "v1", "v2beta1", 5, null]))],
  ["served", setInVersion("served", (dice) => dice.one<Json>([true, false, null, "true"]))],
  ["storage", setInVersion("storage", (dice) => dice.one<Json>([true, false, null, 1]))],
  ["deprecated", setInVersion("deprecated", (dice) => dice.one<Json>([true, false, null, "true"]))],
  [
    "deprecationWarning",
    (definition, dice) => {
      const version = dice.one(versionsOf(definition));
      version["deprecated"] = dice.below(4) > 0;
      version["deprecationWarning"] = dice.one<Json>([
        ...[
          "old",
          "",
          "a\nb",
          "\u00a0",
          "\u200b",
          "\u2028",
          "é",
          "日本",
          "\u0301",
          "😀",
          "\ue000",
          "\t",
          "x".repeat(256),
          "x".repeat(257),
          "é".repeat(129),
          "\u00ad",
          "\u0378",
        ],
        null,
        5,
      ]);
      return JSON.stringify(version["deprecationWarning"]);
    },
  ],
  [
    "columns",
    setInVersion("additionalPrinterColumns", (dice) =>
      dice.one<Json>([[column(dice)], [column(dice), column(dice)], [], [null], anything(dice)]),
    ),
  ],
  ["columns again", setInVersion("additionalPrinterColumns", (dice) => [column(dice)])],
  [
    "subresources",
    setInVersion("subresources", (dice) =>
      dice.one<Json>([
        { status: {} },
        {},
        null,
        { status: null },
        { status: { a: 1 } },
        { scale: scale(dice) },
        { scale: anything(dice) },
        { other: {} },
        anything(dice),
      ]),
    ),
  ],
  ["scale", setInVersion("subresources", (dice) => ({ status: {}, scale: scale(dice) }))],
  [
    "selectableFields",
    (definition, dice) => {
      const version = dice.one(versionsOf(definition));
      const known = nodes(at(version, "schema", "openAPIV3Schema"), "").map(({ path }) => path);
      const path = () => dice.one([dice.one(known), dice.one(known), dice.one(jsonPaths)]);
      version["selectableFields"] = dice.one<Json>([
        [{ jsonPath: path() }],
        [{ jsonPath: path() }, { jsonPath: path() }],
        Array.from({ length: 9 }, () => ({ jsonPath: path() })),
        [{}],
        [null],
        [],
        anything(dice),
      ]);
      return JSON.stringify(version["selectableFields"]).slice(0, 200);
    },
  ],
  [
    "schema",
    setInVersion("schema", (dice) =>
      dice.one<Json>([
        {},
        null,
        { openAPIV3Schema: null },
        { openAPIV3Schema: {} },
        { openAPIV3Schema: scalarSchema(dice) },
        { openAPIV3Schema: anything(dice) },
        anything(dice),
      ]),
    ),
  ],
  [
    "a version more",
    (definition, dice) => {
      const versions = at(definition, "spec", "versions");
      if (!Array.isArray(versions)) return undefined;
      const version: Fields = {
        ...structuredClone(dice.one(versionsOf(definition))),
        name: dice.one(["v9", "v1", "v9beta1"]),
      };
      if (dice.below(4) > 0) version["storage"] = false;
      if (dice.below(3) === 0) version["subresources"] = dice.one<Json>([{ status: {} }, null, {}]);
      if (dice.below(6) === 0) delete version["schema"];
      versions.push(version);
      return JSON.stringify({ ...version, schema: undefined }).slice(0, 200);
    },
  ],
  ["versions", set((dice) => dice.one<Json>([[], null, {}, [null], ["v1"], anything(dice)]), "spec", "versions")],
];
