/** The rules of an object's metadata, as a server holds them for every kind; and those of a definition's name. */
import { grammar } from "../grammar.js";
import { asSchema } from "../model.js";
import type { Problem } from "./forms.js";
import { parseGoUrl } from "./go-url.js";
import type { Reading } from "./reading.js";
import type { Path } from "./yaml.js";

const maxAnnotationBytes = 256 * 1024;

/** @param metadata of the form of ObjectMeta */
export function checkMetadata(metadata: unknown, path: Path = []): Problem[] {
  const problems: Problem[] = [];
  const { labels, annotations, finalizers, ownerReferences } = asSchema(metadata) ?? {};
  const refuse = (at: Path, value: unknown, expected: string | undefined) => {
    if (expected === undefined) return;
    const place = at.filter((step) => typeof step === "string").at(-1);
    const message = `metadata.${String(at[0])}: ${JSON.stringify(value).slice(0, 100)} is not what Kubernetes accepts`;
    problems.push({
      path: [...path, ...at],
      message,
      hint: `expected ${place === at[0] ? "" : `${place} to be `}${expected}`,
    });
  };
  for (const [key, value] of Object.entries(asSchema(labels) ?? {})) {
    refuse(["labels", key], key, grammar.qualifiedName(key));
    // What a chart's template will be is known when it is rendered, and no type depends on it.
    if (String(value).includes("{{")) continue;
    refuse(["labels", key], value, grammar.labelValue(String(value ?? "")));
  }
  let bytes = 0;
  for (const [key, value] of Object.entries(asSchema(annotations) ?? {})) {
    refuse(["annotations", key], key, grammar.qualifiedName(key.toLowerCase()));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value ?? ""));
  }
  if (bytes > maxAnnotationBytes) {
    problems.push({
      path: [...path, "annotations"],
      message: `metadata.annotations: ${bytes} bytes`,
      hint: `expected at most ${maxAnnotationBytes} bytes of names and values`,
    });
  }
  for (const [index, finalizer] of (Array.isArray(finalizers) ? finalizers : []).entries()) {
    refuse(["finalizers", index], finalizer, grammar.qualifiedName(String(finalizer ?? "")));
  }
  for (const [index, owner] of (Array.isArray(ownerReferences) ? ownerReferences : []).entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"]) {
      const value = asSchema(owner)?.[field];
      if (typeof value !== "string" || value === "") refuse(["ownerReferences", index, field], value ?? null, "a text");
    }
  }
  return problems;
}

/** A definition's name says what it defines, and Kubernetes' own groups need an approval. */
export function checkDefinitionName(crd: Reading): Problem[] {
  const problems: Problem[] = [];
  const [name, generated] = [crd.at("metadata", "name"), crd.at("metadata", "generateName")];
  const group = crd.text("spec", "group") ?? "";
  const want = `${crd.at("spec", "names", "plural")}.${group}`;
  const hint = `expected ${want}: the plural and the group`;
  const shown = (value: unknown) => JSON.stringify(value).slice(0, 100);
  if (name !== want) {
    const is = name === undefined ? "is missing" : `is ${shown(name)}`;
    problems.push({ path: ["metadata", "name"], message: `metadata.name ${is}`, hint });
  } else if (want.length > 253) {
    problems.push({
      path: ["metadata", "name"],
      message: "metadata.name is too long",
      hint: "expected at most 253 characters",
    });
  }
  if (typeof generated === "string" && generated !== "" && generated !== want) {
    problems.push({
      path: ["metadata", "generateName"],
      message: `metadata.generateName is ${shown(generated)}`,
      hint,
    });
  }
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return problems;
  const approval = crd.text("metadata", "annotations", "api-approved.kubernetes.io") ?? "";
  const address = parseGoUrl(approval, true);
  if (!approval.startsWith("unapproved") && !(address?.scheme && address.host)) {
    problems.push({
      path: ["metadata", "annotations"],
      message: `group ${group} is Kubernetes' own and the definition names no approval`,
      hint: 'expected the annotation api-approved.kubernetes.io with the address of the approval, or "unapproved, …"',
    });
  }
  return problems;
}
