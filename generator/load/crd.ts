/** CustomResourceDefinitions, v1 and v1beta1 → one document for each version that is served. */
import { GeneratorError, isGeneratorError, joinErrors, type Position } from "../errors.js";
import { grammar } from "../grammar.js";
import { type ApiDocument, asSchema, type Resource, type Schema, type Scope } from "../model.js";
import { customSchemaKey } from "../naming.js";
import { versionFacts } from "./crd-facts.js";
import { checkRules } from "./crd-rules.js";
import { checkCrdSchema } from "./crd-schema.js";
import { checkStructural } from "./crd-structural.js";
import { checkForm, definitionForm } from "./forms.js";
import type { Input } from "./inputs.js";
import { lookAlikes } from "./look-alikes.js";
import { Reading } from "./reading.js";
import { type Path, readYaml } from "./yaml.js";

export interface CrdSources {
  readonly documents: readonly ApiDocument[];
  /** Objects of other kinds, which are no input of ours. */
  readonly ignored: number;
}

type Warn = (text: string, at: Position) => void;

/** @param partial whether a definition that is refused is left out with a warning, instead of ending the run */
export async function loadCrds(inputs: readonly Input[], warn: Warn, partial = false): Promise<CrdSources> {
  const loaded: Definition[] = [];
  const problems: GeneratorError[] = [];
  let definitions = 0;
  const others: { kind: string; at: () => Position }[] = [];
  for (const { file, text } of inputs) {
    try {
      const yaml = await readYaml(text, file);
      for (const { at, text: warning } of yaml.warnings) warn(warning, at);
      for (const document of yaml.documents) {
        for (const path of objects(document.value, [])) {
          const object = new Reading(document, path);
          if (object.at("kind") !== "CustomResourceDefinition") {
            others.push({ kind: describe(object.at(), object.at("kind")), at: () => object.position("kind") });
            continue;
          }
          definitions += 1;
          const result = tryDefinition(object, warn);
          if (result.problems.length === 0) loaded.push({ ...result, at: () => object.position() });
          else problems.push(...result.problems);
        }
      }
    } catch (error) {
      if (!isGeneratorError(error) || error.code !== "input") throw error;
      problems.push(error);
    }
  }
  if (problems.length > 0 && !(partial && loaded.length > 0)) throw joinErrors(problems);
  for (const problem of problems) warn(`left out: ${problem.message}`, problem.position ?? { file: "" });
  const documents = lastOnes(loaded, warn);
  if (definitions === 0) {
    const [first] = others;
    const more = others.length > 1 ? `, nor are ${others.length - 1} more` : "";
    throw new GeneratorError(
      "input",
      first === undefined
        ? "empty: no CustomResourceDefinition"
        : `${first.kind} is no CustomResourceDefinition${more}`,
      {
        at: first?.at() ?? { file: inputs[0]?.file ?? "", line: 1, column: 1 },
        hint: "expected apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition (kubectl get crd NAME -o yaml prints one)",
      },
    );
  }
  if (documents.length === 0) {
    throw new GeneratorError("input", "no version is served", {
      at: { file: inputs[0]!.file, line: 1, column: 1 },
      hint: "expected a version with served: true",
    });
  }
  return { documents, ignored: others.length };
}

function describe(value: unknown, kind: unknown): string {
  if (typeof kind === "string") return `kind ${JSON.stringify(kind.slice(0, 100))}`;
  if (asSchema(value) !== undefined) return "an object without a kind";
  return Array.isArray(value) ? "a list" : "a text";
}

/** Paths of the objects in a document: itself, or the items of a list. */
function objects(value: unknown, path: Path): Path[] {
  const object = asSchema(value);
  const items = object?.["items"];
  const kind = object?.["kind"];
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [path];
  return items.flatMap((item, index) => objects(item, [...path, "items", index]));
}

interface Definition {
  readonly documents: readonly ApiDocument[];
  /** Asked for only where it is shown: it costs reading the file again. */
  readonly at: () => Position;
}

/** Reads a definition, or gives all that is wrong with it. */
function tryDefinition(crd: Reading, warn: Warn): { documents: ApiDocument[]; problems: GeneratorError[] } {
  const problems: GeneratorError[] = [];
  try {
    const documents = readDefinition(crd, warn, (problem) => problems.push(problem));
    return { documents, problems };
  } catch (error) {
    if (!isGeneratorError(error) || error.code !== "input") throw error;
    return { documents: [], problems: [...problems, error] };
  }
}

function readDefinition(crd: Reading, warn: Warn, report: (problem: GeneratorError) => void): ApiDocument[] {
  const apiVersion = crd.at("apiVersion");
  const old = apiVersion === "apiextensions.k8s.io/v1beta1";
  if (!old && apiVersion !== "apiextensions.k8s.io/v1") {
    throw crd.fail(
      ["apiVersion"],
      `apiVersion ${JSON.stringify(apiVersion)} of a CustomResourceDefinition is not known`,
      "expected apiextensions.k8s.io/v1",
    );
  }
  if (!crd.isObject("spec"))
    throw crd.fail(["spec"], "spec is missing", "expected the spec of a CustomResourceDefinition");
  const unreadable = checkForm(crd.at(), definitionForm);
  for (const { path, message, hint } of unreadable) report(crd.fail(path, message, hint));
  if (unreadable.length > 0) return [];
  const group = crd.name(["spec", "group"], grammar.customGroup);
  const kind = crd.name(["spec", "names", "kind"], grammar.kind);
  const resource = crd.name(["spec", "names", "plural"], grammar.plural);
  const facts = {
    group,
    resource,
    kind,
    scope: scopeOf(crd, old, report),
    singular: crd.text("spec", "names", "singular") ?? kind.toLowerCase(),
    listKind: crd.text("spec", "names", "listKind") ?? `${kind}List`,
    shortNames: crd.texts("spec", "names", "shortNames"),
    categories: crd.texts("spec", "names", "categories"),
    watchable: true,
  };
  const versions = versionsOf(crd, old);
  const schemas = versions.map((version) => schemaOf(crd, version, !old, report, warn));
  if (!old) {
    checkRules(crd, versions, schemas, report);
    if (schemas.every((schema) => schema === undefined)) {
      const place = versions[0]!.path.slice(crd.path.length);
      report(crd.fail(place, `${kind} has no schema`, "expected spec.versions[].schema.openAPIV3Schema"));
    }
  } else if (crd.at("metadata", "name") !== `${resource}.${group}`) {
    const name = JSON.stringify(crd.at("metadata", "name"));
    warn(`metadata.name is ${name}; a server accepts ${resource}.${group} only`, crd.position("metadata", "name"));
  }
  const names = new Set<string>();
  return versions.flatMap((version, index): ApiDocument[] => {
    const single = version.at("name") === undefined && old;
    const versionName = version.name(single ? ["version"] : ["name"], grammar.version);
    if (names.has(versionName)) {
      report(version.fail(["name"], `version ${versionName} is there twice`, "expected each version once"));
    }
    names.add(versionName);
    if (version.at("served") !== true && !single) {
      warn(`${kind} ${versionName} is not served: skipped`, version.position("name"));
      return [];
    }
    const schema = schemas[index];
    if (schema === undefined)
      warn(`${kind} ${versionName} has no schema: its content is free`, version.position("name"));
    const key = customSchemaKey(group, versionName, kind);
    const item: Resource = { ...facts, version: versionName, ...versionFacts(crd, version, schema), schema: key };
    return [
      { group, version: versionName, complete: false, resources: [item], schemas: new Map([[key, schema ?? {}]]) },
    ];
  });
}

function scopeOf(crd: Reading, old: boolean, report: (problem: GeneratorError) => void): Scope {
  const scope = crd.at("spec", "scope");
  if (scope === "Namespaced" || scope === "Cluster") return scope;
  if (!old || (scope !== undefined && scope !== "" && scope !== null)) {
    const message = scope === undefined ? "spec.scope is missing" : `spec.scope ${JSON.stringify(scope)} is not known`;
    report(crd.fail(["spec", "scope"], message, "expected Namespaced or Cluster"));
  }
  return "Namespaced";
}

/** The versions of a definition; in the oldest layout one version is named at the spec itself. */
function versionsOf(crd: Reading, old: boolean): Reading[] {
  const list = crd.at("spec", "versions");
  if (Array.isArray(list) && list.length > 0) {
    for (const [index, item] of list.entries()) {
      if (asSchema(item) === undefined)
        throw crd.fail(
          ["spec", "versions", index],
          "a version that is no object",
          "expected name, served, storage, schema",
        );
    }
    return list.map((_item, index) => crd.child("spec", "versions", index));
  }
  if (old && crd.at("spec", "version") !== undefined) return [crd.child("spec")];
  throw crd.fail(["spec", "versions"], "spec.versions is missing", "expected a list of versions");
}

function schemaOf(
  crd: Reading,
  version: Reading,
  structural: boolean,
  report: (problem: GeneratorError) => void,
  warn: Warn,
): Schema | undefined {
  const places: [Reading, Path][] = [
    [version, ["schema", "openAPIV3Schema"]],
    [crd, ["spec", "validation", "openAPIV3Schema"]],
  ];
  for (const [reading, path] of places) {
    const value = reading.at(...path);
    if (value === undefined || value === null) continue;
    const status = version.isObject("subresources", "status");
    const form = checkCrdSchema(value);
    const problems = form.length > 0 || !structural ? form : checkStructural(value as Schema, status);
    for (const { path: at, message, hint } of problems) report(reading.fail([...path, ...at], message, hint));
    if (form.length > 0) return {};
    for (const { path: at, text } of lookAlikes(value as Schema)) warn(text, reading.position(...path, ...at));
    return value as Schema;
  }
  return undefined;
}

/**
 * One resource at one version given twice, or one kind under two plurals, of which a server takes a single one: the last
 * counts, as with `kubectl apply`. The same again is nothing to say.
 */
function lastOnes(definitions: readonly Definition[], warn: Warn): ApiDocument[] {
  const last = new Map<string, { document: ApiDocument; at: () => Position }>();
  for (const { documents, at } of definitions) {
    for (const document of documents) {
      const { resource, kind } = document.resources[0]!;
      const owner = `${document.group}/${document.version}`;
      for (const key of [`${owner} ${resource}`, `${owner} kind ${kind}`]) {
        const before = last.get(key);
        if (before !== undefined && before.document !== document) {
          if (contentOf(before.document) !== contentOf(document)) warn(replaced(before, document), at());
          for (const [name, known] of last) if (known.document === before.document) last.delete(name);
        }
        last.set(key, { document, at });
      }
    }
  }
  return [...new Set([...last.values()].map(({ document }) => document))];
}

function replaced(
  before: { document: ApiDocument; at: () => Position },
  { resources, group, version }: ApiDocument,
): string {
  const [now] = resources;
  const { resource } = before.document.resources[0]!;
  const { file, line = 1 } = before.at();
  const what = `${now!.resource}.${version}.${group}`;
  return resource === now!.resource
    ? `${what} was defined before, at ${file}:${line}: the last one counts`
    : `${what} has the kind ${now!.kind} of ${resource}, at ${file}:${line}: a server takes one of them, and the last counts`;
}

function contentOf({ resources, schemas }: ApiDocument): string {
  return JSON.stringify([resources, [...schemas]]);
}
