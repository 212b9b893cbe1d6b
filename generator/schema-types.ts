/**
 * Plain schemas → the text of interfaces. The only file that knows openapi-typescript and ts-morph: neither is developed any
 * more, so what stands here must stay small enough to be replaced. test/generator/schema-types.test.ts holds its output.
 *
 * openapi-typescript decides what a schema is as a type. ts-morph reads that, and builds one interface for each declaration.
 * Neither meets a foreign string: what they see are tokens, and this file turns those into names and literals at the end.
 */
import type {
  InterfaceDeclarationStructure,
  JSDocStructure,
  OptionalKind,
  SourceFile,
  SyntaxKind,
  TypeNode,
} from "ts-morph";
import { commentLines, literal, propertyKey } from "./literals.js";
import { importTool } from "./load/tools.js";
import { nestedTypePart, pascalCase } from "./naming.js";
import type { Declaration, Documentation, Shapes } from "./shapes.js";
import { inline, memberType, type TypeText } from "./type-text.js";

export interface TypeModule {
  /** Names of the interfaces, in the order they are printed. */
  readonly names: readonly string[];
  /** What they need from other modules: module → name there → name here. */
  readonly imports: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly text: string;
}

/** The module of the runtime's own types. */
export const runtimeModule = "kube-informers/codegen";

export interface TypeOptions {
  /** Whether descriptions become JSDoc. */
  readonly documentation: boolean;
}

/** Every module of types, by path below the output folder. */
export async function typeModules(shapes: Shapes, options: TypeOptions): Promise<Map<string, TypeModule>> {
  const { IndentationText, Project, SyntaxKind } = await importTool("ts-morph", () => import("ts-morph"));
  const project = new Project({
    useInMemoryFileSystem: true,
    skipFileDependencyResolution: true,
    compilerOptions: { noLib: true },
    manipulationSettings: { indentationText: IndentationText.TwoSpaces },
  });
  const members = readMembers(project.createSourceFile("openapi.ts", await plainTypes(shapes)), shapes, SyntaxKind);
  const byModule = new Map<string, Declaration[]>();
  for (const declaration of shapes.declarations) {
    const list = byModule.get(declaration.module);
    if (list === undefined) byModule.set(declaration.module, [declaration]);
    else list.push(declaration);
  }
  const modules = new Map<string, TypeModule>();
  for (const [path, declarations] of byModule) {
    const layout = new Layout();
    const scope = new ModuleScope(path, declarations, shapes, SyntaxKind);
    const structures = declarations.map((declaration): OptionalKind<InterfaceDeclarationStructure> => {
      const { properties, open } = members.get(declaration.token)!;
      return {
        name: declaration.name,
        isExported: true,
        docs: docs(declaration.doc, options),
        properties: declaration.properties.map((property) => {
          const { type, optional } = properties.get(property.token)!;
          const name = propertyKey(property.name);
          const prefix = `${name}${optional ? "?" : ""}:`;
          return {
            name,
            hasQuestionToken: optional,
            docs: docs(property.doc, options),
            type: layout.place(memberType(scope.type(type), prefix, "  ")),
          };
        }),
        indexSignatures: open ? [{ keyName: "key", keyType: "string", returnType: "unknown" }] : [],
      };
    });
    const file = project.createSourceFile(`${path}.ts`);
    file.addInterfaces(structures);
    const text = layout.resolve(file.getFullText());
    file.forget();
    modules.set(path, { names: declarations.map(({ name }) => name), imports: scope.imports, text });
  }
  return modules;
}

interface Members {
  /** By token. */
  readonly properties: ReadonlyMap<string, { readonly type: TypeNode; readonly optional: boolean }>;
  /** Whether others are allowed beside them. */
  readonly open: boolean;
}

/** The members of every declaration, by its token, from what openapi-typescript printed. */
function readMembers(source: SourceFile, shapes: Shapes, kinds: typeof SyntaxKind): Map<string, Members> {
  const schemas = source.getInterfaceOrThrow("components").getPropertyOrThrow("schemas").getTypeNodeOrThrow();
  const declared = schemas
    .asKindOrThrow(kinds.TypeLiteral)
    .getProperties()
    .filter((schema) => shapes.tokens.get(schema.getName())?.kind === "declaration");
  return new Map(
    declared.map((schema) => {
      const type = schema.getTypeNodeOrThrow();
      // Fields and an index signature come as an intersection.
      const parts = type.isKind(kinds.IntersectionType) ? type.getTypeNodes() : [type];
      const bodies = parts.map((part) => part.asKindOrThrow(kinds.TypeLiteral));
      const properties = bodies
        .flatMap((body) => body.getProperties())
        .map(
          (member) =>
            [member.getName(), { type: member.getTypeNodeOrThrow(), optional: member.hasQuestionToken() }] as const,
        );
      const open = bodies.some((body) => body.getIndexSignatures().length > 0);
      return [schema.getName(), { properties: new Map(properties), open }];
    }),
  );
}

/**
 * Runs openapi-typescript over the declarations, each on its own; the result is one `components` interface, as text. What
 * bundles and lints a whole document first is left out: it would take as long as the rest, and every `$ref` is a token of ours.
 */
async function plainTypes({ declarations }: Shapes): Promise<string> {
  const { astToString, transformSchemaObject } = await importTool(
    "openapi-typescript",
    () => import("openapi-typescript"),
  );
  // A default makes no field present in what is written; a free-form object is no empty one.
  const context = {
    additionalProperties: false,
    defaultNonNullable: false,
    discriminators: { objects: {}, refsHandled: [] },
    emptyObjectsUnknown: true,
    injectFooter: [],
    resolve: () => undefined,
    silent: true,
  };
  type Arguments = Parameters<typeof transformSchemaObject>;
  const printed = declarations.map(({ token, schema }) => {
    const path = `#/components/schemas/${token}`;
    const type = transformSchemaObject(schema as Arguments[0], { path, ctx: context } as unknown as Arguments[1]);
    return `${token}: ${astToString(type).trim()};`;
  });
  return `export interface components { schemas: {\n${printed.join("\n")}\n} }\n`;
}

/** The names that one module sees: its own, and what it imports. */
class ModuleScope {
  readonly imports = new Map<string, Map<string, string>>();
  readonly #module: string;
  readonly #shapes: Shapes;
  readonly #kinds: typeof SyntaxKind;
  readonly #taken: Set<string>;

  constructor(module: string, declarations: readonly Declaration[], shapes: Shapes, kinds: typeof SyntaxKind) {
    this.#kinds = kinds;
    this.#module = module;
    this.#shapes = shapes;
    this.#taken = new Set(declarations.map(({ name }) => name));
  }

  /** The type that a node of openapi-typescript's output stands for, with its tokens resolved. */
  type(node: TypeNode): TypeText {
    const kind = this.#kinds;
    if (node.isKind(kind.ParenthesizedType)) return this.type(node.getTypeNode());
    if (node.isKind(kind.ArrayType)) return { kind: "array", items: this.type(node.getElementTypeNode()) };
    if (node.isKind(kind.UnionType)) return union(node.getTypeNodes().map((member) => this.type(member)));
    if (node.isKind(kind.TypeLiteral)) {
      const values = node.getIndexSignatures()[0]?.getReturnTypeNode();
      return { kind: "record", values: values === undefined ? unknown : this.type(values) };
    }
    const text = node.getText();
    const token = /^components\["schemas"\]\["(T\d+)"\]$/.exec(text);
    if (token !== null) return this.#token(token[1]!);
    if (!keywords.has(text)) throw new Error(`openapi-typescript gave a type that is not expected: ${text}`);
    return { kind: "name", text };
  }

  #token(id: string): TypeText {
    const token = this.#shapes.tokens.get(id)!;
    switch (token.kind) {
      case "literals":
        return union(token.values.map((value) => ({ kind: "name", text: literal(value) })));
      case "runtime":
        return { kind: "name", text: this.#import(runtimeModule, token.name) };
      case "declaration": {
        const { module, name } = token.declaration;
        return { kind: "name", text: module === this.#module ? name : this.#import(module, name) };
      }
    }
  }

  /** The name here of what another module exports; another one when a type of this module has it already. */
  #import(module: string, name: string): string {
    const names = this.imports.get(module) ?? new Map<string, string>();
    this.imports.set(module, names);
    const known = names.get(name);
    if (known !== undefined) return known;
    const local = this.#taken.has(name) ? this.#free(pascalCase(folderName(module)) + name) : name;
    this.#taken.add(local);
    names.set(name, local);
    return local;
  }

  #free(name: string): string {
    return this.#taken.has(name) ? this.#free(`${name}_`) : name;
  }
}

/**
 * Types of several lines. ts-morph would indent them its own way, so it is given a name that no type can have, and the lines
 * are put in its place afterwards.
 */
class Layout {
  readonly #types: string[] = [];

  place(type: string): string {
    return type.includes("\n") ? `$${this.#types.push(type) - 1}` : type;
  }

  resolve(text: string): string {
    return text.replace(/^( {2}[^ /*].*:) \$(\d+);$/gm, (_line, start: string, number: string) => {
      const type = this.#types[Number(number)]!.replaceAll("\n", "\n  ");
      return `${start}${type.startsWith("\n") ? "" : " "}${type};`;
    });
  }
}

const unknown: TypeText = { kind: "name", text: "unknown" };
const keywords = new Set(["boolean", "null", "number", "string", "unknown"]);

/** A flat union without repetitions; a value of any type swallows the others. */
function union(members: readonly TypeText[]): TypeText {
  const flat = members.flatMap((member) => (member.kind === "union" ? member.members : [member]));
  const unique = [...new Map(flat.map((member) => [inline(member), member])).values()];
  if (unique.some((member) => inline(member) === "unknown")) return unknown;
  return unique.length === 1 ? unique[0]! : { kind: "union", members: unique };
}

/** `core/v1/types` → `CoreV1`, for a name that two modules share. */
function folderName(module: string): string {
  if (module === runtimeModule) return "runtime";
  return module.split("/").slice(0, 2).map(nestedTypePart).join("");
}

/** `@deprecated`, with the warning of the version if it has one. */
export function deprecationLine(warning: string): string {
  return `@deprecated ${commentLines(warning).join(" ")}`.trim();
}

function docs({ text, deprecated, notes = [] }: Documentation, options: TypeOptions): OptionalKind<JSDocStructure>[] {
  const lines = options.documentation ? commentLines(text) : [];
  const more = options.documentation ? [...notes] : [];
  if (deprecated !== undefined) more.push(deprecationLine(deprecated));
  if (lines.length > 0 && more.length > 0) lines.push("");
  lines.push(...more);
  if (lines.length === 0) return [];
  return [{ description: lines.length === 1 ? lines[0]! : `\n${lines.join("\n")}` }];
}
