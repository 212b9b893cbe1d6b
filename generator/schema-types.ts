/**
 * Plain schemas → the text of interfaces. The only file that knows openapi-typescript and ts-morph: neither is developed any
 * more, so what stands here must stay small enough to be replaced. test/generator/schema-types.test.ts holds its output.
 *
 * openapi-typescript decides what a schema is as a type. ts-morph reads that, and builds one interface for each declaration.
 * Neither meets a foreign string: what they see are tokens, and this file turns those into names and literals at the end.
 */
import type { InterfaceDeclarationStructure, JSDocStructure, OptionalKind, ts } from "ts-morph";
import type { Documentation } from "./documentation.js";
import { commentLines, literal, propertyKey } from "./literals.js";
import { importTool } from "./load/tools.js";
import { nestedTypePart, pascalCase } from "./naming.js";
import type { Declaration, Shapes } from "./shapes.js";
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
  const { IndentationText, Project, StructureKind, ts } = await importTool("ts-morph", () => import("ts-morph"));
  const project = new Project({
    useInMemoryFileSystem: true,
    skipFileDependencyResolution: true,
    compilerOptions: { noLib: true },
    manipulationSettings: { indentationText: IndentationText.TwoSpaces },
  });
  const plainTypes = await plainTypePrinter();
  const byModule = new Map<string, Declaration[]>();
  for (const declaration of shapes.declarations) {
    const list = byModule.get(declaration.module);
    if (list === undefined) byModule.set(declaration.module, [declaration]);
    else list.push(declaration);
  }
  const modules = new Map<string, TypeModule>();
  for (const [path, declarations] of byModule) {
    const scope = new ModuleScope(path, declarations, shapes, ts);
    const texts: string[] = [];
    for (let start = 0; start < declarations.length; start += declarationsAtOnce) {
      const layout = new Layout();
      const some = declarations.slice(start, start + declarationsAtOnce);
      const members = readMembers(plainTypes(some), ts);
      const statements = some.map((declaration): InterfaceDeclarationStructure => {
        const { properties, open } = members.get(declaration.token)!;
        return {
          kind: StructureKind.Interface,
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
      // Made from its structure at once: ts-morph keeps a tree of what is changed, and nothing changes here.
      const file = project.createSourceFile(`${path}.ts`, { statements });
      texts.push(layout.resolve(file.getFullText()));
      file.forget();
    }
    modules.set(path, { names: declarations.map(({ name }) => name), imports: scope.imports, text: texts.join("\n") });
  }
  return modules;
}

/** A tree is many times as large as its text: a few declarations at a time are forgotten while they are young. */
const declarationsAtOnce = 20;

interface Field {
  readonly type: ts.TypeNode;
  readonly optional: boolean;
}

interface Members {
  /** By token. */
  readonly properties: ReadonlyMap<string, Field>;
  /** Whether others are allowed beside them. */
  readonly open: boolean;
}

type Compiler = typeof ts;

/** The members of every declaration, by its token, from what openapi-typescript printed. */
function readMembers(text: string, compiler: Compiler): Map<string, Members> {
  const source = compiler.createSourceFile("openapi.ts", text, compiler.ScriptTarget.Latest);
  const [schemas] = source.statements.filter(compiler.isTypeAliasDeclaration).map(({ type }) => type);
  return new Map(
    fieldsOf(schemas, compiler).map(({ name, type }) => {
      // Fields and an index signature come as an intersection.
      const parts = compiler.isIntersectionTypeNode(type) ? type.types : [type];
      const properties = parts.flatMap((part) => fieldsOf(part, compiler).map((field) => [field.name, field] as const));
      const open = parts.some((part) => indexSignature(part, compiler) !== undefined);
      return [name, { properties: new Map(properties), open }];
    }),
  );
}

function fieldsOf(node: ts.TypeNode | undefined, compiler: Compiler): (Field & { readonly name: string })[] {
  if (node === undefined || !compiler.isTypeLiteralNode(node)) {
    throw new Error("openapi-typescript gave a type that is not expected: no fields");
  }
  return node.members.filter(compiler.isPropertySignature).map(({ name, type, questionToken }) => ({
    name: (name as ts.Identifier).text,
    type: type!,
    optional: questionToken !== undefined,
  }));
}

function indexSignature(node: ts.TypeNode, compiler: Compiler): ts.IndexSignatureDeclaration | undefined {
  return compiler.isTypeLiteralNode(node) ? node.members.find(compiler.isIndexSignatureDeclaration) : undefined;
}

/**
 * Runs openapi-typescript over the declarations, each on its own; the result is one object type, as text. What
 * bundles and lints a whole document first is left out: it would take as long as the rest, and every `$ref` is a token of ours.
 */
async function plainTypePrinter(): Promise<(declarations: readonly Declaration[]) => string> {
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
  const printed = ({ token, schema }: Declaration) => {
    const path = `#/components/schemas/${token}`;
    const type = transformSchemaObject(schema as Arguments[0], { path, ctx: context } as unknown as Arguments[1]);
    return `${token}: ${astToString(type).trim()};`;
  };
  return (declarations) => `type Schemas = {\n${declarations.map(printed).join("\n")}\n};\n`;
}

/** The names that one module sees: its own, and what it imports. */
class ModuleScope {
  readonly imports = new Map<string, Map<string, string>>();
  readonly #module: string;
  readonly #shapes: Shapes;
  readonly #compiler: Compiler;
  readonly #taken: Set<string>;

  constructor(module: string, declarations: readonly Declaration[], shapes: Shapes, compiler: Compiler) {
    this.#compiler = compiler;
    this.#module = module;
    this.#shapes = shapes;
    this.#taken = new Set(declarations.map(({ name }) => name));
  }

  /** The type that a node of openapi-typescript's output stands for, with its tokens resolved. */
  type(node: ts.TypeNode): TypeText {
    const compiler = this.#compiler;
    if (compiler.isParenthesizedTypeNode(node)) return this.type(node.type);
    if (compiler.isArrayTypeNode(node)) return { kind: "array", items: this.type(node.elementType) };
    if (compiler.isUnionTypeNode(node)) return union(node.types.map((member) => this.type(member)));
    if (compiler.isTypeLiteralNode(node)) {
      const values = indexSignature(node, compiler)?.type;
      return { kind: "record", values: values === undefined ? unknown : this.type(values) };
    }
    if (compiler.isIndexedAccessTypeNode(node)) return this.#token(literalText(node.indexType, compiler));
    const keyword = compiler.isLiteralTypeNode(node) ? node.literal.kind : node.kind;
    const text = compiler.tokenToString(keyword) ?? "";
    if (!keywords.has(text)) {
      throw new Error(`openapi-typescript gave a type that is not expected: ${compiler.SyntaxKind[node.kind]}`);
    }
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

/** The token in `components["schemas"]["T1"]`. */
function literalText(node: ts.TypeNode, compiler: Compiler): string {
  return compiler.isLiteralTypeNode(node) && compiler.isStringLiteral(node.literal) ? node.literal.text : "";
}

const unknown: TypeText = { kind: "name", text: "unknown" };
const keywords = new Set(["boolean", "null", "number", "string", "unknown"]);

/** A flat union without repetitions; a value of any type swallows the others. */
function union(members: readonly TypeText[]): TypeText {
  const flat = members.flatMap((member) => (member.kind === "union" ? member.members : [member]));
  const unique = [...new Map(flat.map((member) => [inline(member), member])).values()];
  if (unique.some((member) => inline(member) === "unknown")) return unknown;
  if (unique.length === 0) return { kind: "name", text: "never" };
  return unique.length === 1 ? unique[0]! : { kind: "union", members: unique };
}

/** `core/v1/types` → `CoreV1`, for a name that two modules share. */
function folderName(module: string): string {
  if (module === runtimeModule) return "runtime";
  return module.split("/").slice(0, 2).map(nestedTypePart).join("");
}

/** `@deprecated`, with the warning of the version if it has one. */
export function deprecationLine(warning: string): string {
  return deprecationLines(warning).join(" ");
}

function deprecationLines(warning: string): string[] {
  const [first = "", ...others] = commentLines(warning);
  return [`@deprecated ${first}`.trim(), ...others];
}

function docs({ text, deprecated, notes = [] }: Documentation, options: TypeOptions): OptionalKind<JSDocStructure>[] {
  const lines = options.documentation ? commentLines(text) : [];
  const more = options.documentation ? [...notes] : [];
  if (deprecated !== undefined) more.push(...deprecationLines(deprecated));
  if (lines.length > 0 && more.length > 0) lines.push("");
  lines.push(...more);
  if (lines.length === 0) return [];
  return [{ description: lines.length === 1 ? lines[0]! : `\n${lines.join("\n")}` }];
}
