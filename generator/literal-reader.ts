/** What expressions of a program's source say without running it: strings, lists of them, members of objects. */
import { dirname, join } from "node:path";
import type ts from "typescript";

/** A member that is not there, and one of which the source does not tell. */
export const ABSENT = Symbol("absent");
export const UNREAD = Symbol("unread");

export class LiteralReader {
  readonly #ts: typeof ts;
  readonly #checker: ts.TypeChecker;

  constructor(compiler: typeof ts, checker: ts.TypeChecker) {
    this.#ts = compiler;
    this.#checker = checker;
  }

  string(node: ts.Expression): string | typeof UNREAD {
    const value = this.value(node);
    if (this.#ts.isStringLiteralLike(value)) return value.text;
    // A member of an enum, or a parameter whose type allows one string alone.
    const type = this.#checker.getTypeAtLocation(value);
    return type.isStringLiteral() ? type.value : UNREAD;
  }

  /** The strings of an array, or of a set that is made of one. */
  strings(node: ts.Expression): string[] | typeof UNREAD {
    const ts = this.#ts;
    const value = this.value(node);
    if (ts.isNewExpression(value)) {
      const [first] = value.arguments ?? [];
      return first === undefined ? [] : this.strings(first);
    }
    if (!ts.isArrayLiteralExpression(value)) return UNREAD;
    const strings: string[] = [];
    for (const element of value.elements) {
      const read = ts.isSpreadElement(element) ? this.strings(element.expression) : this.string(element);
      if (read === UNREAD) return UNREAD;
      strings.push(...(typeof read === "string" ? [read] : read));
    }
    return strings;
  }

  /** A member of an object, as it is written. */
  member(node: ts.Expression, name: string): ts.Expression | typeof ABSENT | typeof UNREAD {
    const ts = this.#ts;
    const value = this.value(node);
    // What is read of a descriptor stays when the metadata of its objects is asked for alone.
    if (ts.isCallExpression(value) && ts.isIdentifier(value.expression) && value.expression.text === "metadataOnly")
      return value.arguments[0] === undefined ? UNREAD : this.member(value.arguments[0], name);
    if (!ts.isObjectLiteralExpression(value)) return UNREAD;
    for (const property of [...value.properties].reverse()) {
      if (ts.isSpreadAssignment(property)) {
        const found = this.member(property.expression, name);
        if (found !== ABSENT) return found;
      } else if (ts.isComputedPropertyName(property.name)) return UNREAD;
      else if (property.name.text === name) {
        if (ts.isPropertyAssignment(property)) return property.initializer;
        return ts.isShorthandPropertyAssignment(property) ? property.name : UNREAD;
      }
    }
    return ABSENT;
  }

  /** The expression that a name stands for, however many names are between; the last that can be followed. */
  value(node: ts.Expression): ts.Expression {
    const seen = new Set<ts.Expression>();
    let value = this.#bare(node);
    while (!seen.has(value)) {
      seen.add(value);
      const behind = this.#behind(value);
      if (behind === undefined) return value;
      value = this.#bare(behind);
    }
    return value;
  }

  /** Without brackets, `as const` and the like. */
  #bare(node: ts.Expression): ts.Expression {
    const ts = this.#ts;
    const isWrapped =
      ts.isParenthesizedExpression(node) ||
      ts.isAsExpression(node) ||
      ts.isSatisfiesExpression(node) ||
      ts.isNonNullExpression(node) ||
      ts.isAwaitExpression(node);
    return isWrapped ? this.#bare(node.expression) : node;
  }

  #behind(node: ts.Expression): ts.Expression | undefined {
    const ts = this.#ts;
    if (!ts.isIdentifier(node) && !ts.isPropertyAccessExpression(node)) return undefined;
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(node.parent)
      : this.#checker.getSymbolAtLocation(node);
    const found = symbol === undefined ? undefined : this.constant(symbol);
    if (found !== undefined || ts.isIdentifier(node)) return found;
    const member = this.member(node.expression, node.name.text);
    return typeof member === "symbol" ? undefined : member;
  }

  /** What a constant, or a readonly field, was given; undefined for all that may change. */
  constant(symbol: ts.Symbol): ts.Expression | undefined {
    const ts = this.#ts;
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const declaration = (isAlias ? this.#checker.getAliasedSymbol(symbol) : symbol).valueDeclaration;
    if (declaration === undefined) return undefined;
    if (ts.isPropertyDeclaration(declaration)) {
      const isReadonly = (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Readonly) !== 0;
      return isReadonly ? declaration.initializer : undefined;
    }
    if (!ts.isVariableDeclaration(declaration) || !ts.isIdentifier(declaration.name)) return undefined;
    const isConstant = (ts.getCombinedNodeFlags(declaration) & (ts.NodeFlags.Const | ts.NodeFlags.Using)) !== 0;
    if (!isConstant) return undefined;
    const file = declaration.getSourceFile();
    return file.isDeclarationFile ? this.#published(file.fileName, declaration.name.text) : declaration.initializer;
  }

  /** A constant of a package that comes as types and JavaScript: in the file of that name, or bundled in the folder's index. */
  #published(typesFile: string, name: string): ts.Expression | undefined {
    const ts = this.#ts;
    const script = typesFile.replace(/\.d\.([cm]?)ts$/, ".$1js");
    for (const path of [script, join(dirname(script), "index.js")]) {
      const text = ts.sys.readFile(path);
      if (text === undefined) continue;
      const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
      const exported = statements
        .flatMap((statement) => (ts.isExportDeclaration(statement) ? [statement.exportClause] : []))
        .flatMap((clause) => (clause !== undefined && ts.isNamedExports(clause) ? [...clause.elements] : []))
        .find((specifier) => specifier.name.text === name);
      const local = exported?.propertyName?.text ?? name;
      const found = statements
        .flatMap((statement) => (ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : []))
        .find((variable) => ts.isIdentifier(variable.name) && variable.name.text === local);
      if (found?.initializer !== undefined) return found.initializer;
    }
    return undefined;
  }
}
