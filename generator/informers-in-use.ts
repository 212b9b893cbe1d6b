/**
 * The informers that a program's sources ask factories for, read by the compiler and not run. Whoever names a resource to a
 * factory is taken to follow it: by a generated accessor, by `forResource` or by `informerFor`.
 */
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type ts from "typescript";
import type { Followed } from "../runtime/informers/roles.js";
import { header } from "./check-output.js";
import { formatPosition, GeneratorError } from "./errors.js";
import { ABSENT, LiteralReader, UNREAD } from "./literal-reader.js";
import { readable, statOf } from "./load/inputs.js";
import { importTool } from "./load/tools.js";
import { descriptorName } from "./naming.js";
import { shortPath } from "./report.js";

const WHICH = "give the folder of the program's own sources, or one of its files";

export interface InformersInUse {
  readonly followed: readonly Followed[];
  /** What the sources do not tell, each with its place. */
  readonly unread: readonly string[];
}

/** Namespaces to follow; undefined for everywhere. */
type Namespaces = readonly string[] | undefined;

interface Resource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly isClusterScoped: boolean;
}

/** One place that names a resource to a factory. */
interface Use extends Resource {
  readonly at: ts.Node;
  /** Where the factory is made; undefined where that cannot be seen. */
  readonly factory: ts.NewExpression | undefined;
  /** Of options given here, in the place of the factory's. */
  own?: { readonly namespaces: Namespaces };
}

/**
 * @param path a file, or a folder with all files below it; tests (`.test.`, `.spec.`, `__tests__`), declarations, generated code and
 *   `node_modules` are left out
 * @throws GeneratorError `usage` when there is nothing to read, `input` when the tsconfig.json that holds for it is none
 */
export async function informersInUse(path: string): Promise<InformersInUse> {
  const { default: compiler } = await importTool("typescript", () => import("typescript"));
  const files = sourcesIn(path);
  if (files.length === 0)
    throw new GeneratorError("usage", `there is no TypeScript and no JavaScript in ${path}`, { hint: WHICH });
  const program = compiler.createProgram(files, compilerOptions(compiler, resolve(path)));
  const sources = files
    .map((file) => program.getSourceFile(file))
    .filter((source): source is ts.SourceFile => source !== undefined && !source.text.startsWith(header));
  return new Scan(compiler, program.getTypeChecker(), new Set(sources)).result();
}

function sourcesIn(path: string): string[] {
  const stats = statOf(path);
  if (stats === undefined) throw new GeneratorError("usage", `there is no file and no folder ${path}`, { hint: WHICH });
  if (!stats.isDirectory()) return [resolve(path)];
  return readable(path, () => readdirSync(path, { withFileTypes: true })).flatMap((entry) => {
    const { name } = entry;
    if (entry.isDirectory()) return /^(?:\.|node_modules$|__tests__$)/.test(name) ? [] : sourcesIn(join(path, name));
    const isSource = /\.[cm]?[jt]sx?$/.test(name) && !/\.(?:d|test|spec)\.[^.]+$/.test(name);
    return entry.isFile() && isSource ? [resolve(path, name)] : [];
  });
}

/** As the program is compiled, as far as finding modules goes. */
function compilerOptions(compiler: typeof ts, path: string): ts.CompilerOptions {
  const usual = {
    module: compiler.ModuleKind.NodeNext,
    moduleResolution: compiler.ModuleResolutionKind.NodeNext,
    target: compiler.ScriptTarget.ES2023,
  };
  const reading = { allowJs: true, noEmit: true, composite: false, incremental: false };
  const file = compiler.findConfigFile(path, compiler.sys.fileExists);
  if (file === undefined) return { ...usual, ...reading };
  const { config, error } = compiler.readConfigFile(file, compiler.sys.readFile);
  if (error !== undefined) {
    const message = compiler.flattenDiagnosticMessageText(error.messageText, " ");
    throw new GeneratorError("input", message, { at: { file }, hint: "tsc -p says more of it" });
  }
  const { options } = compiler.parseJsonConfigFileContent({ ...config, files: [] }, compiler.sys, dirname(file));
  return { ...usual, ...options, ...reading };
}

class Scan {
  readonly #ts: typeof ts;
  readonly #checker: ts.TypeChecker;
  readonly #sources: ReadonlySet<ts.SourceFile>;
  readonly #reader: LiteralReader;
  readonly #unread: string[] = [];
  readonly #calls: ts.CallExpression[] = [];
  /** The factories that connect somewhere: not those over another. */
  readonly #factories: ts.NewExpression[] = [];
  readonly #namespaces = new Map<ts.NewExpression | undefined, Namespaces>();

  constructor(compiler: typeof ts, checker: ts.TypeChecker, sources: ReadonlySet<ts.SourceFile>) {
    this.#ts = compiler;
    this.#checker = checker;
    this.#sources = sources;
    this.#reader = new LiteralReader(compiler, checker);
  }

  result(): InformersInUse {
    const visit = (node: ts.Node): void => {
      if (this.#ts.isCallExpression(node)) this.#calls.push(node);
      if (this.#ts.isNewExpression(node) && this.#isFactory(node) && this.#below(node) === undefined)
        this.#factories.push(node);
      this.#ts.forEachChild(node, visit);
    };
    for (const source of this.#sources) visit(source);
    const uses = new Map<ts.Expression, Use>();
    for (const call of this.#calls) {
      const use = this.#use(call);
      if (use !== undefined) uses.set(call, use);
    }
    for (const call of this.#calls) this.#readOptions(call, uses);
    return { followed: this.#followed([...uses.values()]), unread: this.#unread };
  }

  /** One informer for each resource of a factory: options given in one place hold for those who ask in another. */
  #followed(uses: readonly Use[]): Followed[] {
    const informers = new Map<string, Use[]>();
    for (const use of uses) {
      const name = [use.factory?.pos, use.factory?.getSourceFile().fileName, use.group, use.version, use.resource];
      const key = JSON.stringify(name);
      informers.set(key, [...(informers.get(key) ?? []), use]);
    }
    return [...informers.values()].flatMap((same) => {
      const owns = same.filter(({ own }) => own !== undefined);
      return (owns.length > 0 ? owns : same.slice(0, 1)).map((use) => ({
        resource: use,
        namespaces: use.isClusterScoped ? undefined : use.own === undefined ? this.#ofFactory(use) : use.own.namespaces,
      }));
    });
  }

  // ---- what names a resource

  #use(call: ts.CallExpression): Use | undefined {
    const ts = this.#ts;
    const callee = call.expression;
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    const method = callee.name.text;
    const isByFactory = method === "forResource" || method === "informerFor";
    if (isByFactory && this.#isFactory(callee.expression)) {
      const [described, options] = call.arguments;
      const resource = described === undefined ? undefined : this.#resource(described);
      if (described === undefined || resource === undefined) {
        this.#complain(described ?? call, "which resource is followed cannot be read: it gets no rule");
        return undefined;
      }
      const own = method === "informerFor" ? this.#own(options) : undefined;
      const isClusterScoped = resource.isClusterScoped || this.#isKnownClusterScoped(callee.expression, resource);
      const factory = this.#factoryOf(callee.expression);
      return { ...resource, isClusterScoped, at: call, factory, ...(own === undefined ? {} : { own }) };
    }
    if (this.#isUnknown(callee.expression)) {
      if (isByFactory || method === "lister" || this.#isAsking(method))
        this.#complain(callee.name, `what ${method}() is called on cannot be read: install what the sources import`);
      return undefined;
    }
    return this.#isResourceInformer(call) ? this.#accessed(call, callee) : undefined;
  }

  /** `factory.core().v1().pods()`: the module of the accessor's class has the descriptor as well. */
  #accessed(call: ts.CallExpression, { name, expression }: ts.PropertyAccessExpression): Use | undefined {
    const declaration = this.#checker.getResolvedSignature(call)?.declaration;
    const file = declaration?.getSourceFile();
    // A function of the program's own names the resource inside.
    if (declaration === undefined || file === undefined || this.#sources.has(file)) return undefined;
    const descriptor = this.#exportsOf(file).find(({ name: other }) => other === descriptorName(name.text));
    const constant = descriptor === undefined ? undefined : this.#reader.constant(descriptor);
    const resource = constant === undefined ? undefined : this.#resource(constant);
    if (resource !== undefined) return { ...resource, at: call, factory: this.#factoryOf(expression) };
    this.#complain(name, `which resource ${name.text}() is cannot be read: it gets no rule`);
    return undefined;
  }

  /** A generated factory knows what it was generated for by name too: `forResource` looks there for what is not said. */
  #isKnownClusterScoped(factory: ts.Expression, { group, version, resource }: Resource): boolean {
    const versions = this.#returned(this.#checker.getTypeAtLocation(factory)).flatMap((of) =>
      this.#returned(of, version),
    );
    const files = versions.flatMap(({ symbol }) => symbol?.declarations?.map((node) => node.getSourceFile()) ?? []);
    return files
      .flatMap((file) => this.#exportsOf(file))
      .some((symbol) => {
        const constant = this.#reader.constant(symbol);
        const known = constant === undefined ? undefined : this.#resource(constant);
        return known?.isClusterScoped === true && known.group === group && known.resource === resource;
      });
  }

  /** What the methods of a type give, or the one of that name. */
  #returned(type: ts.Type, name?: string): ts.Type[] {
    return type
      .getProperties()
      .filter((member) => name === undefined || member.name === name)
      .flatMap((member) => this.#checker.getTypeOfSymbol(member).getCallSignatures())
      .map((signature) => signature.getReturnType());
  }

  #exportsOf(file: ts.SourceFile): ts.Symbol[] {
    const module = this.#checker.getSymbolAtLocation(file);
    return module === undefined ? [] : this.#checker.getExportsOfModule(module);
  }

  #resource(described: ts.Expression): Resource | undefined {
    const text = (name: string) => {
      const member = this.#reader.member(described, name);
      return typeof member === "symbol" ? undefined : this.#reader.string(member);
    };
    const [group, version, resource] = [text("group"), text("version"), text("resource")];
    if (typeof group !== "string" || typeof version !== "string" || typeof resource !== "string") return undefined;
    return { group, version, resource, isClusterScoped: text("scope") === "Cluster" };
  }

  // ---- where it is followed

  /** `.informer({ namespaces: […] })` on what a use gives. */
  #readOptions({ expression: callee, arguments: given }: ts.CallExpression, uses: ReadonlyMap<ts.Node, Use>): void {
    if (!this.#ts.isPropertyAccessExpression(callee) || !this.#isAsking(callee.name.text)) return;
    const own = this.#isResourceInformer(callee.expression) ? this.#own(given[0]) : undefined;
    if (own === undefined) return;
    const use = uses.get(this.#reader.value(callee.expression));
    if (use !== undefined) use.own = own;
    else this.#complain(callee.name, "which resource these namespaces are of cannot be read: they are left out");
  }

  #own(options: ts.Expression | undefined): { readonly namespaces: Namespaces } | undefined {
    if (options === undefined) return undefined;
    const member = this.#reader.member(options, "namespaces");
    return member === ABSENT ? undefined : { namespaces: this.#selection(member, options) };
  }

  #ofFactory({ factory, at }: Use): Namespaces {
    const [only, another] = this.#factories;
    const made = factory ?? (another === undefined ? only : undefined);
    if (made === undefined) {
      this.#complain(at, "which factory this is cannot be read: the rule is for all namespaces");
      return undefined;
    }
    if (!this.#namespaces.has(made)) this.#namespaces.set(made, this.#ofConstructor(made.arguments?.[1]));
    return this.#namespaces.get(made);
  }

  #ofConstructor(options: ts.Expression | undefined): Namespaces {
    if (options === undefined) return undefined;
    const namespace = this.#reader.member(options, "namespace");
    if (namespace === ABSENT) return this.#own(options)?.namespaces;
    const name = namespace === UNREAD ? UNREAD : this.#reader.string(namespace);
    if (name === UNREAD) return this.#everywhere(namespace === UNREAD ? options : namespace);
    return name === "" ? undefined : [name];
  }

  #selection(member: ts.Expression | typeof UNREAD, options: ts.Expression): Namespaces {
    if (member === UNREAD) return this.#everywhere(options);
    // All but some are read from everywhere.
    if (typeof this.#reader.member(member, "except") !== "symbol") return undefined;
    const names = this.#reader.strings(member);
    return names === UNREAD ? this.#everywhere(member) : names;
  }

  #everywhere(at: ts.Node): undefined {
    this.#complain(at, "the namespaces cannot be read: the rule is for all of them");
    return undefined;
  }

  // ---- factories

  /** Where the factory is made at which a chain of calls begins. */
  #factoryOf(node: ts.Expression): ts.NewExpression | undefined {
    const ts = this.#ts;
    const value = this.#reader.value(node);
    if (ts.isNewExpression(value) && this.#isFactory(value)) {
      const below = this.#below(value);
      return below === undefined ? value : this.#factoryOf(below);
    }
    const isLink = ts.isCallExpression(value) && ts.isPropertyAccessExpression(value.expression);
    return isLink ? this.#factoryOf((value.expression as ts.PropertyAccessExpression).expression) : undefined;
  }

  /** The factory that another one is over. */
  #below({
    arguments: [source] = [] as unknown as ts.NodeArray<ts.Expression>,
  }: ts.NewExpression): ts.Expression | undefined {
    return source !== undefined && this.#isFactory(source) ? source : undefined;
  }

  #isFactory(node: ts.Expression): boolean {
    return this.#has(node, ["forResource", "informerFor", "roles"]);
  }

  #isResourceInformer(node: ts.Expression): boolean {
    return this.#has(node, ["informer", "lister", "acquire"]);
  }

  /** The members that take options. */
  #isAsking(method: string): boolean {
    return method === "informer" || method === "acquire";
  }

  /** By its members: another copy's class is a factory as well. */
  #has(node: ts.Expression, members: readonly string[]): boolean {
    const type = this.#checker.getApparentType(this.#checker.getNonNullableType(this.#checker.getTypeAtLocation(node)));
    return members.every((name) => this.#checker.getPropertyOfType(type, name) !== undefined);
  }

  #isUnknown(node: ts.Expression): boolean {
    return (this.#checker.getTypeAtLocation(node).flags & this.#ts.TypeFlags.Any) !== 0;
  }

  #complain(node: ts.Node, problem: string): void {
    const source = node.getSourceFile();
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    const place = { file: shortPath(source.fileName), line: line + 1, column: character + 1 };
    this.#unread.push(`${formatPosition(place)}: ${problem}`);
  }
}
