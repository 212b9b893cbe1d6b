/**
 * YAML (and so JSON) as Kubernetes' own reader takes it: many documents, repeated keys (the last one counts), merge keys.
 * Every value keeps its place, for messages; and every way to make a small file large or deep is counted.
 */
import type { CST, Document, LineCounter, Node, Pair, ParsedNode, Scalar, YAMLMap } from "yaml";
import { GeneratorError, isGeneratorError, type Position } from "../errors.js";
import { jsonValues, readFast } from "./plain.js";
import { indentQuotedScalars } from "./quoted-scalars.js";
import { plainScalar } from "./scalars.js";
import { importTool } from "./tools.js";

export type Path = readonly (string | number)[];

/** One document that is not empty. */
export interface YamlDocument {
  readonly value: unknown;
  /** Where a value stands; where it is missing, the place it is missing from. */
  position(path: Path): Position;
}

export interface YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly warnings: readonly { readonly at: Position; readonly text: string }[];
}

/** Of a line that an error shows. */
const excerptLength = 2_000;

const limits = { documents: 10_000, nodes: 2_000_000, aliases: 10_000, depth: 250 };

/**
 * @param read gives the text, and gives it again where a place is asked for: what nobody asks about is not kept
 * @param file the name for messages
 */
export async function readYaml(read: () => string, file: string): Promise<YamlFile> {
  const yaml = await importTool("yaml", () => import("yaml"));
  const values = await readFast(read(), limits);
  if (values === undefined) return readWithPlaces(yaml, read(), file);
  let places: YamlFile | undefined;
  const position = (index: number, path: Path): Position => {
    places ??= placesOf(() => readWithPlaces(yaml, read(), file));
    return places.documents[index]?.position(path) ?? { file };
  };
  return {
    documents: values.map((value, index) => ({ value, position: (path) => position(index, path) })),
    warnings: [],
  };
}

/** What the fast reader took and the slow one does not is a file whose places are not known. */
function placesOf(slow: () => YamlFile): YamlFile {
  try {
    return slow();
  } catch (error) {
    if (!isGeneratorError(error)) throw error;
    return { documents: [], warnings: [] };
  }
}

function readWithPlaces(yaml: typeof import("yaml"), text: string, file: string): YamlFile {
  const textLines = text.split("\n");
  const warnings: { at: Position; text: string }[] = [];
  const documents = (jsonValues(text) ?? [{ text, offset: 0 }]).flatMap((part) => {
    const before = text.slice(0, part.offset).split("\n");
    const lines = new yaml.LineCounter();
    // Indenting quoted scalars moves columns, and never lines.
    const at = (offset: number): Position => {
      const { line, col } = lines.linePos(offset);
      const excerpt = textLines[before.length + line - 2]?.slice(0, excerptLength) ?? "";
      return {
        file,
        line: before.length + line - 1,
        column: line === 1 ? before.at(-1)!.length + col : col,
        text: excerpt,
      };
    };
    const reader = new Reader(yaml, at, (offset, warning) => warnings.push({ at: at(offset), text: warning }));
    return parse(yaml, part.text, lines, at)
      .filter(({ contents }) => contents !== null && !(yaml.isScalar(contents) && contents.value === null))
      .map((document) => ({
        value: reader.plain(document),
        position: (path: Path) => at(reader.offset(document, path)),
      }));
  });
  return { documents, warnings };
}

function parse(
  yaml: typeof import("yaml"),
  text: string,
  lineCounter: LineCounter,
  at: (offset: number) => Position,
): readonly Document.Parsed[] {
  const options = { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: "silent" } as const;
  const parseAll = (source: string): Document.Parsed[] => {
    lineCounter.lineStarts.length = 0;
    const tokens = [...new yaml.Parser(lineCounter.addNewLine).parse(source)];
    // What comes next calls itself for each level, and would use up the stack.
    for (const token of tokens) if (token.type === "document") checkDepth(token, at);
    return [...new yaml.Composer<ParsedNode, true>(options).compose(tokens)];
  };
  let documents = parseAll(text);
  if (documents.some(({ errors }) => errors.length > 0)) documents = parseAll(indentQuotedScalars(text));
  if (documents.length > limits.documents) {
    const { file } = at(0);
    throw new GeneratorError("limit", `more than ${limits.documents} documents in one file`, {
      at: { file },
      hint: "split the file",
    });
  }
  for (const { errors, warnings } of documents) {
    const problem = errors[0] ?? warnings[0];
    if (problem === undefined) continue;
    throw new GeneratorError("input", `not YAML: ${problem.message.split("\n")[0]}`, {
      at: at(problem.pos[0]),
      hint: text.includes("{{")
        ? "this looks like a template: render it first (helm template)"
        : "expected YAML or JSON",
    });
  }
  return documents;
}

function checkDepth(document: CST.Document, at: (offset: number) => Position): void {
  let level = document.value === undefined ? [] : [document.value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.depth) throw tooDeep(at(level[0]!.offset));
    const pairs = level.flatMap((token): readonly CST.CollectionItem[] => ("items" in token ? token.items : []));
    level = pairs.flatMap(({ key, value }) => [key, value]).filter((token) => token !== undefined && token !== null);
  }
}

function tooDeep(at: Position): GeneratorError {
  return new GeneratorError("limit", `nested deeper than ${limits.depth} levels`, {
    at,
    hint: "no definition that a server takes is as deep",
  });
}

class Reader {
  readonly #yaml: typeof import("yaml");
  readonly #at: (offset: number) => Position;
  readonly #warn: (offset: number, text: string) => void;
  #nodes = 0;
  #aliases = 0;

  constructor(
    yaml: typeof import("yaml"),
    at: (offset: number) => Position,
    warn: (offset: number, text: string) => void,
  ) {
    this.#yaml = yaml;
    this.#at = at;
    this.#warn = warn;
  }

  plain(document: Document.Parsed): unknown {
    return this.#value(document.contents, document, 0);
  }

  #value(node: Node | null, document: Document.Parsed, depth: number): unknown {
    const yaml = this.#yaml;
    const offset = offsetOf(node);
    this.#nodes += 1;
    if (depth > limits.depth) throw tooDeep(this.#at(offset));
    if (this.#nodes > limits.nodes) {
      throw this.#beyond(`more than ${limits.nodes} values, aliases included`, offset);
    }
    if (yaml.isAlias(node)) {
      this.#aliases += 1;
      if (this.#aliases > limits.aliases) {
        throw this.#beyond(`more than ${limits.aliases} aliases`, offset);
      }
      const target = node.resolve(document);
      if (target === undefined) {
        throw new GeneratorError("input", `alias *${node.source} has no anchor`, {
          at: this.#at(offset),
          hint: `expected &${node.source} before it`,
        });
      }
      return this.#value(target, document, depth + 1);
    }
    if (yaml.isMap(node)) return this.#map(node, document, depth);
    if (yaml.isSeq(node)) return node.items.map((item) => this.#value(item as Node, document, depth + 1));
    return yaml.isScalar(node) ? scalar(node) : null;
  }

  #map(map: YAMLMap, document: Document.Parsed, depth: number): unknown {
    const own = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    for (const pair of map.items) {
      const value = this.#value(pair.value as Node | null, document, depth + 1);
      const key = this.#key(pair);
      if (key === "<<" && typeof value === "object" && value !== null) {
        for (const source of Array.isArray(value) ? value : [value]) {
          for (const [name, item] of Object.entries(source as object)) if (!merged.has(name)) merged.set(name, item);
        }
        continue;
      }
      if (own.has(key))
        this.#warn(offsetOf(pair.key as Node), `${JSON.stringify(key)} is repeated: the last one counts`);
      own.set(key, value);
    }
    return Object.fromEntries([...merged, ...own]);
  }

  #key(pair: Pair): string {
    const key = pair.key;
    const name = this.#yaml.isScalar(key) ? scalar(key) : null;
    if (name !== null && ["string", "number", "boolean"].includes(typeof name)) return String(name);
    throw new GeneratorError("input", "a key that is no text", {
      at: this.#at(offsetOf(key as Node)),
      hint: "expected a name before the colon",
    });
  }

  #beyond(message: string, offset: number): GeneratorError {
    return new GeneratorError("limit", message, {
      at: this.#at(offset),
      hint: "split the file, or write out what its aliases stand for",
    });
  }

  /** Where the value at a path stands, or as far as the path goes. */
  offset(document: Document.Parsed, path: Path): number {
    const yaml = this.#yaml;
    let node: Node | null = document.contents;
    let offset = offsetOf(node);
    for (const step of path) {
      if (yaml.isAlias(node)) node = node.resolve(document) ?? null;
      if (yaml.isMap(node)) {
        const pair: Pair | undefined = node.items.findLast(
          (item) => yaml.isScalar(item.key) && String(scalar(item.key)) === String(step),
        );
        if (pair === undefined) break;
        offset = offsetOf(pair.key as Node);
        node = pair.value as Node | null;
      } else if (yaml.isSeq(node)) {
        node = (node.items[Number(step)] as Node | undefined) ?? null;
        if (node === null) break;
        offset = offsetOf(node);
      } else break;
    }
    return offset;
  }
}

function scalar(node: Scalar): unknown {
  return node.type === "PLAIN" && node.tag === undefined && node.source !== undefined
    ? plainScalar(node.source)
    : node.value;
}

function offsetOf(node: Node | ParsedNode | null | undefined): number {
  return node?.range?.[0] ?? 0;
}
