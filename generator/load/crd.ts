/** CustomResourceDefinitions, v1 and v1beta1 → one document for each version that is served. */
import { GeneratorError, type Position } from "../errors.js";
import { grammar } from "../grammar.js";
import { type ApiDocument, asSchema, type Resource, type Schema, type Scope } from "../model.js";
import { customSchemaKey } from "../naming.js";
import { checkCrdSchema } from "./crd-schema.js";
import type { Input } from "./inputs.js";
import { type Path, readYaml, type YamlDocument } from "./yaml.js";

export interface CrdSources {
  readonly documents: readonly ApiDocument[];
  /** Objects of other kinds, which are no input of ours. */
  readonly ignored: number;
}

type Warn = (text: string, at: Position) => void;

export async function loadCrds(inputs: readonly Input[], warn: Warn): Promise<CrdSources> {
  const documents: ApiDocument[] = [];
  const seen = new Map<string, { at: string; content: string }>();
  let definitions = 0;
  const others: { kind: string; at: Position }[] = [];
  for (const { file, text } of inputs) {
    const yaml = await readYaml(text, file);
    for (const { at, text: warning } of yaml.warnings) warn(warning, at);
    for (const document of yaml.documents) {
      for (const path of objects(document.value, [])) {
        const object = new Reading(document, path);
        if (object.at("kind") !== "CustomResourceDefinition") {
          others.push({ kind: describe(object.at(), object.at("kind")), at: object.position("kind") });
          continue;
        }
        definitions += 1;
        const loaded = readDefinition(object, warn);
        noteRepeated(loaded, object, seen, warn);
        documents.push(...loaded);
      }
    }
  }
  if (definitions === 0) {
    const [first] = others;
    const more = others.length > 1 ? `, nor are ${others.length - 1} more` : "";
    throw new GeneratorError(
      "input",
      first === undefined
        ? "empty: no CustomResourceDefinition"
        : `${first.kind} is no CustomResourceDefinition${more}`,
      {
        at: first?.at ?? { file: inputs[0]?.file ?? "", line: 1, column: 1 },
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

/** An object of a file, with the places of its fields. */
class Reading {
  readonly #document: YamlDocument;
  readonly path: Path;

  constructor(document: YamlDocument, path: Path) {
    this.#document = document;
    this.path = path;
  }

  at(...path: Path): unknown {
    return [...this.path, ...path].reduce<unknown>(
      (value, step) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, step)
          ? (value as Schema)[String(step)]
          : undefined,
      this.#document.value,
    );
  }

  child(...path: Path): Reading {
    return new Reading(this.#document, [...this.path, ...path]);
  }

  position(...path: Path): Position {
    return this.#document.position([...this.path, ...path]);
  }

  fail(path: Path, message: string, hint: string): GeneratorError {
    return new GeneratorError("input", message, { at: this.position(...path), hint });
  }

  text(...path: Path): string | undefined {
    const value = this.at(...path);
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  texts(...path: Path): string[] {
    const value = this.at(...path);
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
  }

  /** A name that must be there and fit Kubernetes' grammar. */
  name(path: Path, check: (name: string) => string | undefined): string {
    const value = this.at(...path);
    const expected = typeof value === "string" ? check(value) : (check("") ?? "a text");
    if (typeof value === "string" && expected === undefined) return value;
    const what =
      value === undefined
        ? "is missing"
        : `${JSON.stringify(value).slice(0, 100)} is not a name that Kubernetes accepts`;
    throw this.fail(path, `${path.join(".")}${value === undefined ? "" : ":"} ${what}`, `expected ${expected}`);
  }
}

function readDefinition(crd: Reading, warn: Warn): ApiDocument[] {
  const apiVersion = crd.at("apiVersion");
  const old = apiVersion === "apiextensions.k8s.io/v1beta1";
  if (!old && apiVersion !== "apiextensions.k8s.io/v1") {
    throw crd.fail(
      ["apiVersion"],
      `apiVersion ${JSON.stringify(apiVersion)} of a CustomResourceDefinition is not known`,
      "expected apiextensions.k8s.io/v1",
    );
  }
  if (asSchema(crd.at("spec")) === undefined)
    throw crd.fail(["spec"], "spec is missing", "expected the spec of a CustomResourceDefinition");
  const group = crd.name(["spec", "group"], grammar.customGroup);
  const kind = crd.name(["spec", "names", "kind"], grammar.kind);
  const resource = crd.name(["spec", "names", "plural"], grammar.plural);
  const name = crd.at("metadata", "name");
  if (typeof name === "string" && name !== `${resource}.${group}`) {
    warn(
      `metadata.name is ${JSON.stringify(name)}; a server accepts ${resource}.${group} only`,
      crd.position("metadata", "name"),
    );
  }
  const facts = {
    group,
    resource,
    kind,
    scope: scopeOf(crd, old),
    singular: crd.text("spec", "names", "singular") ?? kind.toLowerCase(),
    listKind: crd.text("spec", "names", "listKind") ?? `${kind}List`,
    shortNames: crd.texts("spec", "names", "shortNames"),
    categories: crd.texts("spec", "names", "categories"),
    watchable: true,
  };
  const versions = versionsOf(crd, old);
  const schemas = versions.map((version) => schemaOf(crd, version));
  if (schemas.every((schema) => schema === undefined)) {
    throw crd.fail(
      versions[0]?.path.slice(crd.path.length) ?? ["spec"],
      `${kind} has no schema`,
      "expected spec.versions[].schema.openAPIV3Schema",
    );
  }
  const names = new Set<string>();
  return versions.flatMap((version, index): ApiDocument[] => {
    const versionName = version.name(version.at("name") === undefined && old ? ["version"] : ["name"], grammar.version);
    if (names.has(versionName))
      throw version.fail(["name"], `version ${versionName} is there twice`, "expected each version once");
    names.add(versionName);
    if (version.at("served") === false) {
      warn(`${kind} ${versionName} is not served: skipped`, version.position("name"));
      return [];
    }
    const schema = schemas[index];
    if (schema === undefined)
      warn(`${kind} ${versionName} has no schema: its content is free`, version.position("name"));
    const key = customSchemaKey(group, versionName, kind);
    const deprecated =
      version.at("deprecated") === true ? { deprecated: version.text("deprecationWarning") ?? "" } : {};
    const subresources = subresourcesOf(crd, version);
    const item: Resource = { ...facts, version: versionName, subresources, ...deprecated, schema: key };
    return [
      { group, version: versionName, complete: false, resources: [item], schemas: new Map([[key, schema ?? {}]]) },
    ];
  });
}

function scopeOf(crd: Reading, old: boolean): Scope {
  const scope = crd.at("spec", "scope");
  if (scope === "Namespaced" || scope === "Cluster") return scope;
  if (old && (scope === undefined || scope === "" || scope === null)) return "Namespaced";
  throw crd.fail(
    ["spec", "scope"],
    scope === undefined ? "spec.scope is missing" : `spec.scope ${JSON.stringify(scope)} is not known`,
    "expected Namespaced or Cluster",
  );
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

function schemaOf(crd: Reading, version: Reading): Schema | undefined {
  const places: [Reading, Path][] = [
    [version, ["schema", "openAPIV3Schema"]],
    [crd, ["spec", "validation", "openAPIV3Schema"]],
  ];
  for (const [reading, path] of places) {
    const value = reading.at(...path);
    if (value === undefined || value === null) continue;
    const problem = checkCrdSchema(value);
    if (problem !== undefined) throw reading.fail([...path, ...problem.path], problem.message, problem.hint);
    return value as Schema;
  }
  return undefined;
}

function subresourcesOf(crd: Reading, version: Reading): string[] {
  const own = asSchema(version.at("subresources")) ?? asSchema(crd.at("spec", "subresources")) ?? {};
  return ["scale", "status"].filter((name) => asSchema(own[name]) !== undefined);
}

/** One resource defined twice: the same again is nothing to say; another one replaces it, as `kubectl apply` would. */
function noteRepeated(
  loaded: readonly ApiDocument[],
  crd: Reading,
  seen: Map<string, { at: string; content: string }>,
  warn: Warn,
): void {
  for (const { group, version, resources, schemas } of loaded) {
    const id = `${resources[0]!.resource}.${version}.${group}`;
    const content = JSON.stringify([resources, [...schemas]]);
    const { file, line } = crd.position();
    const before = seen.get(id);
    if (before !== undefined && before.content !== content) {
      warn(`${id} was defined before, at ${before.at}: the last one counts`, crd.position());
    }
    seen.set(id, { at: `${file}:${line ?? 1}`, content });
  }
}
