/** Files, folders and standard input → text with a name, under a cap. */
import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { GeneratorError } from "../errors.js";
import { byCodeUnit } from "../model.js";

export interface Input {
  /** As the caller named it. */
  readonly file: string;
  /** Reads it, each time anew: all files of a large folder at once would fill the memory. */
  readonly text: () => string;
}

const maxBytes = 64 * 1024 * 1024;
const extensions = /\.(?:ya?ml|json)$/i;

/** Reads what an argument names: a file, every YAML and JSON file below a folder, or `-`. */
export async function readInputs(argument: string, option: string): Promise<Input[]> {
  if (argument === "-") {
    const text = decode(await readStdin(), "<stdin>");
    return [{ file: "<stdin>", text: () => text }];
  }
  const bytesOf = (file: string) => readable(file, () => readFileSync(file));
  return filesOf(argument, option).map((file) => ({ file, text: () => decode(bytesOf(file), file) }));
}

/** @throws GeneratorError `input` when the system lets nobody read there */
export function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new GeneratorError("input", `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
      hint: "check what it is, and its permissions",
    });
  }
}

/** The files that an argument names, in the order of their paths. */
function filesOf(argument: string, option: string): string[] {
  const stat = statOf(argument);
  if (stat === undefined) {
    const isUrl = /^https?:/.test(argument);
    throw new GeneratorError("input", `${argument} ${isUrl ? "is no file" : "does not exist"}`, {
      hint: isUrl
        ? `curl -sSfL ${argument} | kube-informers generate ${option} -`
        : `${option} takes a file, a folder, or - for standard input`,
    });
  }
  const files = stat.isDirectory() ? walk(argument) : [argument];
  if (files.length === 0) {
    throw new GeneratorError("input", `no YAML or JSON file in ${argument}`, {
      hint: "expected *.yaml, *.yml or *.json",
    });
  }
  for (const file of files) {
    if (statSync(file).size > maxBytes) throw tooLarge(file);
  }
  return files;
}

/** Undefined when nothing is there. */
export function statOf(path: string): Stats | undefined {
  return readable(path, () => statSync(path, { throwIfNoEntry: false }));
}

function tooLarge(what: string): GeneratorError {
  return new GeneratorError("limit", `${what} is larger than ${maxBytes / 1024 / 1024} MiB`, {
    hint: "split it: give the definitions as several files",
  });
}

function walk(folder: string): string[] {
  const entries = readable(folder, () => readdirSync(folder, { withFileTypes: true })).sort((a, b) =>
    byCodeUnit(a.name, b.name),
  );
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    if (entry.isDirectory()) return walk(path);
    return extensions.test(entry.name) && statOf(path)?.isFile() === true ? [path] : [];
  });
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) {
      throw tooLarge("standard input");
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer, file: string): string {
  const refuse = (what: string) =>
    new GeneratorError("input", `${what}, not text`, {
      at: { file, line: 1, column: 1 },
      hint: "expected YAML or JSON in UTF-8",
    });
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) throw refuse("UTF-16");
  if (bytes.includes(0)) throw refuse("a binary file");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("a binary file");
  }
}
