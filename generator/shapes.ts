/**
 * Kubernetes schemas → plain OpenAPI schemas, one for each interface to print.
 *
 * Three things happen on the way. Nested objects become declarations of their own, named by their path. The extensions of
 * Kubernetes are resolved into what they mean for a type. And every foreign string (names of properties and schemas, enum
 * values, texts) is replaced by a token, so that no tool further down ever sees one: schema-types.ts puts them back through
 * the literal encoder. Keywords that only validate (patterns, bounds, CEL, `oneOf` of `required`) say nothing about a type.
 */
import { type Documentation, documentation } from "./documentation.js";
import { GeneratorError } from "./errors.js";
import { grammar } from "./grammar.js";
import { asSchema, byCodeUnit, byKey, type Model, type Resource, type Schema } from "./model.js";
import { customSchemaKey, kindPlacement, nestedTypePart, type Placement, schemaPlacement } from "./naming.js";
import {
  enumValues,
  groupVersionKinds,
  isIntOrString,
  isNullable,
  isObjectType,
  isOpen,
  isScalar,
  type Literal,
  referenceOf,
  typeOf,
} from "./schema-keywords.js";

/** What a token stands for. Tokens look like `T1` and are unique within a run. */
export type Token =
  | { readonly kind: "declaration"; readonly declaration: Declaration }
  | { readonly kind: "literals"; readonly values: readonly Literal[] }
  | { readonly kind: "runtime"; readonly name: RuntimeType };

export type RuntimeType = "ListMeta" | "ManagedFieldsEntry" | "ObjectMeta" | "OwnerReference";

/** The part of OpenAPI 3.0 that is left: types, arrays, maps, unions, and references to tokens. */
export type PlainSchema = { readonly [keyword: string]: unknown };

export interface Property {
  readonly token: string;
  readonly name: string;
  readonly doc: Documentation;
}

export interface Declaration {
  readonly token: string;
  readonly module: string;
  readonly name: string;
  readonly doc: Documentation;
  /** Sorted by name. */
  readonly properties: readonly Property[];
  readonly schema: PlainSchema;
}

export interface Shapes {
  readonly declarations: readonly Declaration[];
  readonly tokens: ReadonlyMap<string, Token>;
  /** The declaration of each resource's objects. */
  readonly roots: ReadonlyMap<Resource, Declaration>;
}

const anything: PlainSchema = {};
const freeForm: PlainSchema = { type: "object", additionalProperties: true };
// One object each for all of a run: a large folder has a million of them.
const scalars: ReadonlyMap<string, PlainSchema> = new Map(
  ["string", "boolean", "number"].map((type) => [type, { type }] as const),
);
const numberOrString: PlainSchema = { oneOf: [{ type: "number" }, { type: "string" }] };

/** Schemas that have a type in the runtime, or whose published schema says less than what servers send. */
const metaV1 = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const runtimeTypes: ReadonlyMap<string, RuntimeType> = new Map([
  [`${metaV1}ListMeta`, "ListMeta"],
  [`${metaV1}ManagedFieldsEntry`, "ManagedFieldsEntry"],
  [`${metaV1}ObjectMeta`, "ObjectMeta"],
  [`${metaV1}OwnerReference`, "OwnerReference"],
]);
const wellKnown: ReadonlyMap<string, PlainSchema> = new Map([
  [`${metaV1}Time`, { type: "string" }],
  [`${metaV1}MicroTime`, { type: "string" }],
  [`${metaV1}FieldsV1`, freeForm],
  ["io.k8s.apimachinery.pkg.api.resource.Quantity", { type: "string" }],
  ["io.k8s.apimachinery.pkg.util.intstr.IntOrString", numberOrString],
  ["io.k8s.apimachinery.pkg.runtime.RawExtension", freeForm],
]);

interface Draft {
  readonly token: string;
  readonly module: string;
  readonly wanted: string;
  /** Properties from the root to here; orders and names what is nested. */
  readonly path: readonly string[];
  readonly origin: string;
  /** Whether it stands beside a descriptor, whose aliases take two names. */
  readonly besideDescriptor: boolean;
  readonly doc: Documentation;
  readonly properties: Property[];
  schema: PlainSchema;
}

const maxDepth = 200;

/** @param needed named schemas to print although no resource of the model leads to them */
export function shapesOf(model: Model, needed: (placement: Placement) => boolean = () => false): Shapes {
  return new Shaper(model).run(needed);
}

class Shaper {
  readonly #model: Model;
  readonly #tokens = new Map<string, Token>();
  readonly #drafts: Draft[] = [];
  readonly #byKey = new Map<string, Draft>();
  readonly #pending: (() => void)[] = [];
  readonly #literalTokens = new Map<string, string>();
  readonly #runtimeTokens = new Map<RuntimeType, string>();
  readonly #propertyTokens: string[] = [];
  readonly #inlining = new Set<string>();
  readonly #owners: ReadonlyMap<string, { group: string; version: string }>;
  readonly #resourceOfKey = new Map<string, Resource>();
  #next = 0;
  #depth = 0;

  constructor(model: Model) {
    this.#model = model;
    this.#owners = packageOwners(model);
  }

  run(needed: (placement: Placement) => boolean): Shapes {
    const resources = this.#model.groups.flatMap((group) => group.versions.flatMap((version) => version.resources));
    for (const resource of resources) this.#resourceOfKey.set(resource.schema, resource);
    const rootDrafts = new Map(resources.map((resource) => [resource, this.#named(resource.schema)] as const));
    for (const [key, schema] of this.#model.schemas) {
      if (isObjectType(schema) && needed(this.#place(key, this.#resourceOfKey.get(key)))) this.#named(key);
    }
    for (let work = this.#pending.pop(); work !== undefined; work = this.#pending.pop()) work();

    const declarations = nameDrafts(this.#drafts);
    for (const declaration of declarations.values()) {
      this.#tokens.set(declaration.token, { kind: "declaration", declaration });
    }
    const roots = new Map([...rootDrafts].map(([resource, draft]) => [resource, declarations.get(draft)!] as const));
    return { declarations: [...declarations.values()], tokens: this.#tokens, roots };
  }

  #token(): string {
    this.#next += 1;
    return `T${this.#next}`;
  }

  #propertyToken(index: number): string {
    this.#propertyTokens[index] ??= `p${index}`;
    return this.#propertyTokens[index];
  }

  /** The declaration of a named schema; made at its first use. */
  #named(key: string): Draft {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const schema = this.#model.schemas.get(key) ?? {};
    const resource = this.#resourceOfKey.get(key);
    const placement = this.#place(key, resource);
    const draft = this.#draft({
      ...placement,
      path: [],
      origin: key,
      besideDescriptor: !placement.module.endsWith("/types"),
      doc: documentation(schema, resource),
    });
    this.#byKey.set(key, draft);
    this.#pending.push(() => this.#fill(draft, schema, resource));
    return draft;
  }

  #place(key: string, resource: Resource | undefined): Placement {
    if (resource !== undefined) {
      const { group, version, kind } = resource;
      if (key === customSchemaKey(group, version, kind)) return kindPlacement(resource);
    }
    return schemaPlacement(key, this.#owners.get(packageOf(key)));
  }

  #draft(of: Placement & Omit<Draft, "token" | "wanted" | "properties" | "schema">): Draft {
    const { name, ...rest } = of;
    const draft: Draft = { ...rest, token: this.#token(), wanted: name, properties: [], schema: freeForm };
    this.#drafts.push(draft);
    return draft;
  }

  #fill(draft: Draft, schema: Schema, resource: Resource | undefined): void {
    const declared = asSchema(schema["properties"]) ?? {};
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
    const embedded = schema["x-kubernetes-embedded-resource"] === true;
    const typeMeta = resource !== undefined || embedded;
    const names = new Set(Object.keys(declared));
    if (typeMeta) for (const name of ["apiVersion", "kind", "metadata"]) names.add(name);

    const properties: [string, PlainSchema][] = [];
    const requiredTokens: string[] = [];
    for (const name of [...names].sort(byCodeUnit)) {
      const child = asSchema(declared[name]) ?? {};
      const token = this.#propertyToken(properties.length);
      const special = typeMeta ? this.#typeMeta(name, resource, child) : undefined;
      properties.push([token, special ?? this.#plain(child, draft, [...draft.path, name])]);
      // What apiVersion and kind are says their type; the text is the same in every schema there is.
      draft.properties.push({ token, name, doc: special === undefined ? documentation(child) : { text: "" } });
      if (special === undefined || name === "metadata" ? required.has(name) : embedded) requiredTokens.push(token);
    }
    const open = isOpen(schema) || (resource !== undefined && Object.keys(declared).length === 0);
    draft.schema = {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(requiredTokens.length > 0 ? { required: requiredTokens } : {}),
      ...(open ? { additionalProperties: true } : {}),
    };
  }

  /** The three fields that every object has: a root's say which kind it is, an embedded object's may be of any, or of some. */
  #typeMeta(name: string, resource: Resource | undefined, schema: Schema): PlainSchema | undefined {
    if (name === "metadata") return this.#runtime("ObjectMeta");
    if (name !== "apiVersion" && name !== "kind") return undefined;
    if (resource === undefined) {
      const values = enumValues({ ...schema, type: "string" });
      return values === undefined ? { type: "string" } : this.#literals(values);
    }
    if (name === "kind") return this.#literals([resource.kind]);
    return this.#literals([resource.group === "" ? resource.version : `${resource.group}/${resource.version}`]);
  }

  #plain(schema: Schema, parent: Draft, path: readonly string[]): PlainSchema {
    this.#depth += 1;
    if (path.length > maxDepth || this.#depth > maxDepth) {
      throw new GeneratorError("limit", `schema of ${parent.origin} is nested deeper than ${maxDepth} levels`, {
        hint: "leave the resource out with --exclude",
      });
    }
    const plain = this.#bare(schema, parent, path);
    this.#depth -= 1;
    return isNullable(schema) && plain !== anything ? { ...wrapped(plain), nullable: true } : plain;
  }

  #bare(schema: Schema, parent: Draft, path: readonly string[]): PlainSchema {
    const key = referenceOf(schema);
    if (key !== undefined) return this.#reference(key, parent);
    const values = enumValues(schema);
    if (values !== undefined) return this.#literals(values);
    if (isIntOrString(schema)) return numberOrString;
    switch (typeOf(schema)) {
      case "string":
      case "boolean":
      case "number":
        return scalars.get(typeOf(schema)!)!;
      case "integer":
        return scalars.get("number")!;
      case "array":
        return { type: "array", items: this.#plain(asSchema(schema["items"]) ?? {}, parent, path) };
      case "object":
        return this.#object(schema, parent, path);
      default:
        return this.#untyped(schema, parent, path);
    }
  }

  #object(schema: Schema, parent: Draft, path: readonly string[]): PlainSchema {
    if (isObjectType(schema)) {
      const name = parent.wanted + nestedTypePart(path.at(-1)!);
      const { module, origin } = parent;
      const draft = this.#draft({ module, name, path, origin, besideDescriptor: false, doc: { text: "" } });
      this.#pending.push(() => this.#fill(draft, schema, undefined));
      return reference(draft.token);
    }
    const more = schema["additionalProperties"];
    // A server refuses whatever such an object holds.
    if (more === false) return { type: "object", additionalProperties: this.#literals([]) };
    const values = asSchema(more);
    return values === undefined
      ? freeForm
      : { type: "object", additionalProperties: this.#plain(values, parent, path) };
  }

  /** A schema without a type: any value, unless its alternatives are plain types (velero, Quantity) or references. */
  #untyped(schema: Schema, parent: Draft, path: readonly string[]): PlainSchema {
    const list = [schema["oneOf"], schema["anyOf"]].find((value) => Array.isArray(value) && value.length > 0);
    if (list === undefined) return anything;
    const branches = (list as unknown[]).map(asSchema);
    const typed = branches.every(
      (branch) => branch !== undefined && (referenceOf(branch) !== undefined || isScalar(branch)),
    );
    if (!typed) return anything;
    return { oneOf: branches.map((branch) => this.#plain(branch!, parent, path)) };
  }

  #reference(key: string, parent: Draft): PlainSchema {
    const runtime = runtimeTypes.get(key);
    if (runtime !== undefined) return this.#runtime(runtime);
    const known = wellKnown.get(key);
    if (known !== undefined) return known;
    const target = this.#model.schemas.get(key);
    if (target === undefined) {
      throw new GeneratorError("input", `schema ${parent.origin} refers to ${key}, which is not there`, {
        hint: "give the whole OpenAPI document: every $ref must lead to one of its components.schemas",
      });
    }
    if (isObjectType(target)) return reference(this.#named(key).token);
    // A named schema that is no object type (Time, JSON, a list) is printed where it is used.
    if (this.#inlining.has(key)) return anything;
    this.#inlining.add(key);
    const plain = this.#plain(target, parent, [...parent.path, key.split(".").at(-1)!]);
    this.#inlining.delete(key);
    return plain;
  }

  #runtime(name: RuntimeType): PlainSchema {
    const token = this.#runtimeTokens.get(name) ?? this.#token();
    this.#runtimeTokens.set(name, token);
    this.#tokens.set(token, { kind: "runtime", name });
    return reference(token);
  }

  #literals(values: readonly Literal[]): PlainSchema {
    const id = JSON.stringify(values);
    const token = this.#literalTokens.get(id) ?? this.#token();
    this.#literalTokens.set(id, token);
    this.#tokens.set(token, { kind: "literals", values });
    return reference(token);
  }
}

/**
 * Gives every draft a name that is its own within its module. Named schemas come first, then nested ones from the root
 * outwards; whoever comes later to a name that is taken gets a number.
 */
function nameDrafts(drafts: readonly Draft[]): Map<Draft, Declaration> {
  const order = (draft: Draft) =>
    [draft.path.length === 0 ? "0" : "1", draft.origin, String(draft.path.length).padStart(4, "0"), ...draft.path].join(
      "\0",
    );
  const taken = new Map<string, Set<string>>();
  const declarations = new Map<Draft, Declaration>();
  for (const draft of [...drafts].sort(byKey(order))) {
    const names = taken.get(draft.module) ?? new Set();
    taken.set(draft.module, names);
    let name = draft.wanted;
    for (let number = 2; names.has(name); number++) name = `${draft.wanted}${number}`;
    names.add(name);
    if (draft.besideDescriptor) for (const suffix of ["Informer", "Lister", "FieldSelector"]) names.add(name + suffix);
    const { token, module, doc, properties, schema } = draft;
    declarations.set(draft, { token, module, name, doc, properties, schema });
  }
  return declarations;
}

function packageOf(key: string): string {
  return key.split(".").slice(0, -1).join(".");
}

/** Which group and version the schemas of each package belong to, as far as `x-kubernetes-group-version-kind` says so. */
function packageOwners(model: Model): Map<string, { group: string; version: string }> {
  const owners = new Map<string, { group: string; version: string }>();
  for (const [key, schema] of model.schemas) {
    const [kind, ...more] = groupVersionKinds(schema);
    if (kind === undefined || more.length > 0 || owners.has(packageOf(key))) continue;
    const named =
      (kind.group === "" || grammar.group(kind.group) === undefined) && grammar.version(kind.version) === undefined;
    if (named) owners.set(packageOf(key), kind);
  }
  return owners;
}

function reference(token: string): PlainSchema {
  return { $ref: `#/components/schemas/${token}` };
}

/** `nullable` beside a `$ref` is ignored by OpenAPI 3.0, so the reference is wrapped. */
function wrapped(plain: PlainSchema): PlainSchema {
  return plain["$ref"] === undefined ? plain : { allOf: [plain] };
}
