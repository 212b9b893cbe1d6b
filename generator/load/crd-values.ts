/** What a schema demands of values: its pattern, and its rules of CEL, whose names and types only a server knows. */
import { asSchema, type Schema } from "../model.js";
import { celProblem } from "./cel-syntax.js";
import { patternProblem } from "./crd-pattern.js";
import { type Add, isSet, text } from "./crd-schema.js";
import { schemaAt } from "./field-path.js";
import { describe } from "./forms.js";
import type { Path } from "./yaml.js";

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

export function checkValues(schema: Schema, path: Path, add: Add): void {
  const problem = patternProblem(text(schema["pattern"]));
  if (problem !== undefined) add([...path, "pattern"], problem, "expected Go's syntax of regular expressions (RE2)");
  const rules = schema["x-kubernetes-validations"];
  for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
    const { rule: expression, message } = asSchema(rule) ?? {};
    const at = [...path, "x-kubernetes-validations", index];
    checkRule(asSchema(rule) ?? {}, schema, at, add);
    if (text(expression).trim() === "") add(at, "rule is missing", "expected an expression of CEL");
    else if (/[\r\n]/.test(text(message).trim())) add(at, "a message of several lines", "write it on one line");
    else if (/[\r\n]/.test(text(expression).trim()) && text(message).trim() === "") {
      add(at, "a rule of several lines without a message", "add a message");
    }
  }
}

function checkRule(rule: Schema, schema: Schema, path: Path, add: Add): void {
  for (const field of ["message", "messageExpression"]) {
    if (/^\s+$/.test(text(rule[field]))) add([...path, field], `${field} is blank`, "leave it out, or say something");
  }
  for (const field of ["rule", "messageExpression"]) {
    const problem = text(rule[field]).trim() === "" ? undefined : celProblem(text(rule[field]));
    if (problem !== undefined) add([...path, field], `${field} ${problem}`, "expected an expression of CEL");
  }
  const { reason } = rule;
  const fieldPath = text(rule["fieldPath"]);
  if (fieldPath !== "" && schemaAt(schema, fieldPath, true) === undefined) {
    add([...path, "fieldPath"], `fieldPath ${describe(fieldPath)} leads to no field`, "expected a path such as .color");
  }
  if (isSet(reason) && !reasons.includes(text(reason))) {
    add([...path, "reason"], `reason ${describe(reason)} is not known`, `expected ${reasons.join(", ")}`);
  }
  if (isSet(rule["optionalOldSelf"]) && !text(rule["rule"]).includes("oldSelf")) {
    add([...path, "optionalOldSelf"], "optionalOldSelf of a rule without oldSelf", "leave it out");
  }
}
