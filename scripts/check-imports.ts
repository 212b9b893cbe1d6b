/**
 * Which folder may import which, and where time, chance and output may come from.
 * What it protects: that `runtime/` stays a library of layers without dependencies, whose time a test can drive.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { isEntryPoint, projectRoot, report } from "./support/command.js";

/** For each folder, the folders that it may import beside itself. A folder that is not here is not checked. */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ["runtime/util", []],
  ["runtime/api", ["runtime/util"]],
  ["runtime/transport", ["runtime/api", "runtime/util"]],
  ["runtime/cache", ["runtime/transport", "runtime/api", "runtime/util"]],
  ["runtime/informers", ["runtime/cache", "runtime/transport", "runtime/api", "runtime/util"]],
  ["runtime/testing", ["runtime/transport", "runtime/api", "runtime/util"]],
  // The entry points: index.ts and codegen.ts.
  ["runtime", ["runtime/informers", "runtime/cache", "runtime/transport", "runtime/api", "runtime/util"]],
  // One way to put rights as roles, for a factory that runs and for sources that do not.
  ["generator", ["runtime/informers/roles.ts"]],
  ["generated", ["runtime/codegen.ts"]],
  ["examples/generated", ["runtime/codegen.ts"]],
]);

/** The package's own names, as generated code writes them, and the files that they stand for. */
const OWN_NAMES: ReadonlyMap<string, string> = new Map([
  ["kube-informers", "index.ts"],
  ["kube-informers/codegen", "runtime/codegen.ts"],
  ["kube-informers/testing", "runtime/testing/index.ts"],
]);

/** The only package that the runtime may load, and only when it is needed: importing it costs 280 ms and 80 MB. */
const LAZY_PEER = "@kubernetes/client-node";

/** Modules that cost megabytes, and that nothing needs before the first connection: runtime/util/node-modules.ts has them. */
const LOADED_LATER = new Set(
  ["child_process", "crypto", "http", "http2", "https", "tls"].map((name) => `node:${name}`),
);

const TIMER_MODULES = new Set(["timers", "node:timers", "timers/promises", "node:timers/promises"]);
const FORBIDDEN_GLOBALS = new Set(["console", "setTimeout", "setInterval"]);
const FORBIDDEN_MEMBERS = new Set([
  "Date.now",
  "performance.now",
  "Math.random",
  "AbortSignal.any",
  "AbortSignal.timeout",
]);

/** Every breach in one file, as `path:line:column  what is wrong`. `path` is relative to the project, with `/`. */
export function importProblems(path: string, text: string): string[] {
  const folder = folderOf(path);
  if (folder === undefined) return [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const inRuntime = path.startsWith("runtime/");
  const problems: string[] = [];
  const complain = (node: ts.Node, message: string) => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    problems.push(`${path}:${line + 1}:${character + 1}  ${message}`);
  };
  if (inRuntime && !MAY_IMPORT.has(folder))
    complain(source, `${folder} is in no layer: give it one in scripts/check-imports.ts`);

  const visit = (node: ts.Node): void => {
    const specifier = importedBy(node);
    if (specifier !== undefined) {
      const problem =
        importProblem(path, folder, specifier.text, isLazy(node)) ?? earlyImport(folder, node, specifier.text);
      if (problem !== undefined) complain(specifier, problem);
    }
    if (inRuntime && folder !== "runtime/util") {
      const name = ambientName(node);
      if (name !== undefined) complain(node, `${name}: only runtime/util may use it`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

function importProblem(path: string, folder: string, specifier: string, lazy: boolean): string | undefined {
  const target = resolveOwn(path, specifier);
  if (target === undefined) {
    if (!folder.startsWith("runtime")) {
      return folder === "generator"
        ? undefined
        : `generated code imports "${specifier}": only kube-informers/codegen and its own folder`;
    }
    if (TIMER_MODULES.has(specifier) && folder !== "runtime/util")
      return `"${specifier}": only runtime/util may use timers`;
    if (specifier.startsWith("node:")) return undefined;
    if (specifier === LAZY_PEER && lazy) return undefined;
    return `the runtime has no dependencies, but imports "${specifier}"`;
  }
  if (folder.startsWith("runtime") && !specifier.startsWith(".")) {
    return `the runtime imports itself by path, not as "${specifier}"`;
  }
  const targetFolder = folderOf(target);
  if (targetFolder === folder) return undefined;
  const allowed = MAY_IMPORT.get(folder) ?? [];
  if (allowed.includes(target) || (targetFolder !== undefined && allowed.includes(targetFolder))) return undefined;
  const may = allowed.length === 0 ? "its own folder" : `its own folder and ${allowed.join(", ")}`;
  return `${folder} may import ${may}; not ${target}`;
}

/** What the embedded server imports is for tests. */
function earlyImport(folder: string, node: ts.Node, specifier: string): string | undefined {
  if (!folder.startsWith("runtime") || folder === "runtime/testing" || !LOADED_LATER.has(specifier)) return undefined;
  if (!ts.isImportDeclaration(node) || node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return undefined;
  return `"${specifier}" is loaded with the first connection: take it from runtime/util/node-modules.ts`;
}

/** The longest folder of the table that holds a path; for other folders of the runtime, their own name. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  if (parts[0] === "runtime" && parts.length > 2) return `runtime/${parts[1]}`;
  for (let length = parts.length - 1; length > 0; length--) {
    const folder = parts.slice(0, length).join("/");
    if (MAY_IMPORT.has(folder)) return folder;
  }
  return undefined;
}

/** The project's file that a specifier means; undefined for packages and node's own modules. */
function resolveOwn(path: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) {
    return posix.normalize(posix.join(posix.dirname(path), specifier)).replace(/\.js$/, ".ts");
  }
  const entry = OWN_NAMES.get(specifier);
  if (entry !== undefined) return entry;
  if (specifier.startsWith("kube-informers/")) return `generated/${specifier.slice("kube-informers/".length)}/index.ts`;
  return undefined;
}

/** The string of whatever imports: statements, re-exports, `import()`, `require()`, types `import("…")`. */
function importedBy(node: ts.Node): ts.StringLiteralLike | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal) : undefined;
  if (ts.isExternalModuleReference(node)) return literal(node.expression);
  if (ts.isCallExpression(node) && (isLazy(node) || isNamed(node.expression, "require")))
    return literal(node.arguments[0]);
  return undefined;
}

function literal(node: ts.Node | undefined): ts.StringLiteralLike | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node : undefined;
}

function isLazy(node: ts.Node): boolean {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
}

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

/** The forbidden global that a node reads, if it reads one: `setTimeout`, `Date.now`, `new Date()`. */
function ambientName(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const name = `${withoutGlobalThis(node.expression)}.${node.name.text}`;
    if (FORBIDDEN_MEMBERS.has(name)) return name;
    return isNamed(node.expression, "globalThis") && FORBIDDEN_GLOBALS.has(node.name.text) ? node.name.text : undefined;
  }
  if (ts.isNewExpression(node) && isNamed(node.expression, "Date") && (node.arguments?.length ?? 0) === 0)
    return "new Date()";
  if (!ts.isIdentifier(node) || !FORBIDDEN_GLOBALS.has(node.text)) return undefined;
  return isReference(node) ? node.text : undefined;
}

function withoutGlobalThis(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  const isMember = ts.isPropertyAccessExpression(node) && isNamed(node.expression, "globalThis");
  return isMember ? node.name.text : "";
}

/** Whether an identifier stands for a value, rather than naming a member that happens to be called the same. */
function isReference(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isBindingElement(parent)) return false;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isClassElement(parent) || ts.isTypeElement(parent) || ts.isParameter(parent)) {
    return "initializer" in parent && parent.initializer === node;
  }
  return true;
}

function main(): void {
  const roots = ["runtime", "generator", "generated", "examples/generated"].filter((root) =>
    existsSync(`${projectRoot}/${root}`),
  );
  const paths = roots.flatMap((root) =>
    readdirSync(`${projectRoot}/${root}`, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => `${root}/${path.replaceAll("\\", "/")}`),
  );
  const problems = paths.flatMap((path) => importProblems(path, readFileSync(`${projectRoot}/${path}`, "utf8")));
  report(problems, `${paths.length} files keep the rules`);
}

if (isEntryPoint(import.meta.url)) main();
