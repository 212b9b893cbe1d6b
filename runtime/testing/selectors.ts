/** Which objects a LIST or WATCH is about. Counterparts: apimachinery `fields`, and `labels` in ../api/selectors. */
import { isInformerError } from "../api/informer-error.js";
import { parseLabelSelector } from "../api/selectors.js";
import { SELECTABLE_VALUES } from "./builtin-resources.js";
import { jsonPathValues } from "./json-path.js";
import type { StoredObject } from "./object-store.js";
import type { ServedResource } from "./resource-registry.js";
import { badRequest } from "./status.js";

export type Predicate = (stored: StoredObject) => boolean;

/** What a request selects by; `""` everywhere selects everything. */
export interface Selection {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/**
 * The predicate for a selection.
 * @throws ApiError 400 for a selector that cannot be read, or a field that this resource is not selected by
 */
export function selectionPredicate(
  resource: ServedResource,
  { namespace, labelSelector, fieldSelector }: Selection,
): Predicate {
  const predicates: Predicate[] = [];
  if (namespace !== "") predicates.push(({ object }) => object.metadata.namespace === namespace);
  const labels = labelPredicate(labelSelector);
  if (labels !== undefined) predicates.push(labels);
  predicates.push(...parseFieldSelector(fieldSelector).map((term) => fieldPredicate(resource, term)));
  return (stored) => predicates.every((holds) => holds(stored));
}

function labelPredicate(text: string): Predicate | undefined {
  if (text === "") return undefined;
  try {
    const selector = parseLabelSelector(text);
    return ({ object }) => selector.matches(object.metadata.labels);
  } catch (error) {
    if (!isInformerError(error)) throw error;
    throw badRequest(`unable to parse requirement: ${error.message}`);
  }
}

interface FieldTerm {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** Terms of `a=b,c!=d`; a backslash takes away the meaning of `,`, `=` and itself in a value. */
export function parseFieldSelector(text: string): FieldTerm[] {
  return splitUnescaped(text).map((term) => {
    const match = /^([^!=]*)(!=|==|=)((?:[^\\=]|\\.)*)$/s.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = "", operator, value = ""] = match;
    return { field, equal: operator !== "!=", value: value.replace(/\\([\\,=])/g, "$1") };
  });
}

function splitUnescaped(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === "\\") i++;
    else if (i === text.length || text[i] === ",") {
      if (i > start) terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return terms;
}

const ALWAYS_SELECTABLE = ["metadata.name", "metadata.namespace"];

function fieldPredicate(resource: ServedResource, { field, equal, value }: FieldTerm): Predicate {
  if (!ALWAYS_SELECTABLE.includes(field) && !resource.selectableFields.includes(field)) {
    const known = ALWAYS_SELECTABLE.map((name) => `"${name}"`).join(", ");
    throw badRequest(
      resource.selectableFields.length === 0 && resource.custom === undefined
        ? `"${field}" is not a known field selector: only ${known}`
        : `field label not supported: ${field}`,
    );
  }
  const { path = field, unset = "" } = (resource.custom === undefined && SELECTABLE_VALUES.get(field)) || {};
  return ({ object }) => {
    const [found] = jsonPathValues(object, `.${path}`);
    return (String(found ?? unset) === value) === equal;
  };
}
