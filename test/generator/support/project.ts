/** A folder to generate into, the command line in this process, and a user's compiler over the result. */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { onTestFinished } from "vitest";
import { run } from "../../../generator/cli.js";
import { strictest } from "../../../scripts/support/strictest.js";

export const projectRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** A new folder that is gone when the test is. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kube-informers-generator-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `kube-informers generate …`. */
export async function generate(...args: string[]): Promise<Outcome> {
  let out = "";
  let err = "";
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    columns: 0,
  };
  const code = await run(["generate", ...args], terminal);
  return { code, out, err };
}

/** Writes a source into a folder and gives its path. */
export function source(folder: string, name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
}

/** Every file below a folder, by its path there. */
export function readTree(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

export interface CrdParts {
  readonly group?: string;
  readonly kind?: string;
  readonly plural?: string;
  readonly scope?: string;
  readonly versions?: readonly object[];
  readonly names?: object;
  readonly spec?: object;
}

/** A definition with one version and a small schema, unless told otherwise. */
export function crd(parts: CrdParts = {}): object {
  const { group = "example.com", kind = "Widget", plural = `${kind.toLowerCase()}s`, scope = "Namespaced" } = parts;
  const given = parts.versions ?? [
    version("v1", { spec: { type: "object", properties: { size: { type: "integer" } } } }),
  ];
  // One version is stored: the first that does not say otherwise.
  const stored = given.findIndex((item) => !("storage" in item));
  const versions = given.map((item, index) => ({ storage: index === Math.max(stored, 0), ...item }));
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      // What a server asks of groups that end in k8s.io.
      annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
    },
    spec: { group, scope, names: { kind, plural, ...parts.names }, versions, ...parts.spec },
  };
}

export function version(name: string, properties: object, more: object = {}): object {
  return { name, served: true, schema: { openAPIV3Schema: { type: "object", properties } }, ...more };
}

const { options: consumerOptions } = ts.convertCompilerOptionsFromJson(
  {
    ...strictest,
    typeRoots: ["node_modules/@types"],
    paths: { "kube-informers/codegen": ["runtime/codegen.ts"] },
  },
  projectRoot,
);

/** The language's libraries and the runtime are parsed once. */
const host = ts.createCompilerHost(consumerOptions);
const readSource = host.getSourceFile;
const sources = new Map<string, ts.SourceFile | undefined>();
host.getSourceFile = (path, ...more) => {
  if (!path.startsWith(projectRoot)) return readSource(path, ...more);
  if (!sources.has(path)) sources.set(path, readSource(path, ...more));
  return sources.get(path);
};

/** What a user's compiler says of the files of a folder, and of a file of his own that imports them. */
export function compile(folder: string, consumer = ""): string[] {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "consumer.ts"), consumer);
  const files = Object.keys(readTree(folder))
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(folder, path));
  const program = ts.createProgram(files, consumerOptions, host);
  return files.flatMap((file) => {
    const sourceFile = program.getSourceFile(file);
    const diagnostics = [...program.getSyntacticDiagnostics(sourceFile), ...program.getSemanticDiagnostics(sourceFile)];
    return diagnostics.map(({ messageText, start = 0 }) => {
      const line = (sourceFile?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${relative(folder, file)}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  });
}

/** Compares a folder with the golden one, or makes it that where UPDATE_GOLDEN is set. */
export function golden(name: string): string {
  return join(dirname(fileURLToPath(import.meta.url)), "..", "golden", name);
}

/** A definition as YAML, where its text matters. */
export const crdText = (
  name: string,
  kind: string,
  schema = "{ type: object, properties: { a: { type: string } } }",
) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${name}s.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: ${kind}, plural: ${name}s }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: ${schema}
`;
