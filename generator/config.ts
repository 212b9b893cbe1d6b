/**
 * `kube-informers.config.yaml`: what is the same in every run. Data alone: no file of the generator's is ever executed, and
 * nothing in it lets a kubeconfig run a program.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { didYouMean } from "./closest.js";
import { GeneratorError } from "./errors.js";
import { readable } from "./load/inputs.js";
import { readYaml, type YamlDocument } from "./load/yaml.js";
import { asSchema } from "./model.js";

export const configFile = "kube-informers.config.yaml";

export interface Config {
  readonly crd?: readonly string[];
  readonly openapi?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly out?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly allowPartial?: boolean;
}

const forms: Readonly<Record<keyof Config, "texts" | "text" | "boolean">> = {
  crd: "texts",
  openapi: "texts",
  cluster: "boolean",
  context: "text",
  kubeconfig: "text",
  out: "text",
  include: "texts",
  exclude: "texts",
  allowPartial: "boolean",
};

/** Paths in the file are relative to it. */
const paths: readonly string[] = ["crd", "openapi", "kubeconfig", "out"];

/** @param file what the caller named; otherwise the one in the current folder, if there is one */
export async function readConfig(file: string | undefined): Promise<Config> {
  const path = file ?? configFile;
  if (!existsSync(path)) {
    if (file === undefined) return {};
    throw new GeneratorError("usage", `${file} does not exist`, { hint: "--config takes a YAML file" });
  }
  const { documents } = await readYaml(() => readable(path, () => readFileSync(path, "utf8")), path);
  const [document] = documents;
  if (document === undefined) return {};
  const content = asSchema(document.value);
  if (content === undefined || documents.length > 1) {
    throw new GeneratorError("usage", "a configuration is one map", {
      at: document.position([]),
      hint: `expected ${Object.keys(forms).join(", ")}`,
    });
  }
  return Object.fromEntries(Object.entries(content).map(([key, value]) => [key, read(key, value, document, path)]));
}

function read(key: string, value: unknown, document: YamlDocument, path: string): unknown {
  const fail = (message: string, hint: string) =>
    new GeneratorError("usage", message, { at: document.position([key]), hint });
  const form = Object.hasOwn(forms, key) ? forms[key as keyof Config] : undefined;
  if (form === undefined) {
    const keys = Object.keys(forms);
    throw fail(`${JSON.stringify(key)} is not known`, `expected ${keys.join(", ")}${didYouMean(key, keys)}`);
  }
  const local = (text: string) =>
    paths.includes(key) && !isAbsolute(text) && !/^(?:https?:\/\/|-$)/.test(text) ? join(dirname(path), text) : text;
  if (form === "boolean" && typeof value === "boolean") return value;
  if (form === "text" && typeof value === "string") return local(value);
  const list = typeof value === "string" ? [value] : value;
  if (form === "texts" && Array.isArray(list) && list.every((item) => typeof item === "string")) return list.map(local);
  throw fail(
    `${key} is ${JSON.stringify(value)}`,
    form === "boolean" ? "expected true or false" : form === "text" ? "expected a text" : "expected a list of texts",
  );
}
