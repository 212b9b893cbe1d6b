/** Bugs of what names, orders and selects objects. */
import { type Mutant, mutantsOf } from "./mutant.js";

export const NAMING: readonly Mutant[] = [
  ...mutantsOf("api/resource-version", [
    {
      bug: "resourceVersions are compared as text",
      text: "if (a.length !== b.length) return a.length - b.length;",
      becomes: "",
    },
    {
      bug: "resourceVersions without order are ordered",
      text: "if (!isDecimal(a) || !isDecimal(b)) return undefined;",
      becomes: "",
    },
  ]),
  ...mutantsOf("api/keys", [
    {
      bug: "two namespaces share the key of a name",
      text: "? name : `${namespace}/${name}`",
      becomes: "? name : name",
    },
  ]),
  ...mutantsOf("api/group-version-resource", [
    { bug: "a name leaves its place in a path", text: "return encodeURIComponent(name);", becomes: "return name;" },
  ]),
  ...mutantsOf("api/selectors", [
    {
      bug: "a label that is absent is not unequal",
      text: "return value === undefined || !values.includes(value);",
      becomes: "return value !== undefined && !values.includes(value);",
    },
    {
      bug: "labels that every object inherits are there",
      text: "labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined",
      becomes: "labels?.[key]",
    },
    {
      bug: "numbers of labels are compared as text",
      text: "BigInt(value) > BigInt(values[0]!)",
      becomes: "value > values[0]!",
    },
    {
      bug: "one of several requirements is enough",
      text: "this.#requirements.every(",
      becomes: "this.#requirements.some(",
    },
  ]),
  ...mutantsOf("api/field-selector", [
    { bug: "a value of a field selector ends it", text: 'value.replace(/[\\\\,=]/g, "\\\\$&")', becomes: "value" },
  ]),
];
