/** All sources of a run → documents. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { formatPosition, GeneratorError } from "../errors.js";
import { type ApiDocument, asSchema } from "../model.js";
import { packageRoot } from "../package-root.js";
import { type ClusterSource, loadCluster } from "./cluster.js";
import { loadCrds } from "./crd.js";
import { get } from "./http.js";
import { type Input, readInputs } from "./inputs.js";
import { checkSize } from "./json.js";
import { readKept } from "./kept.js";
import { openApiDocuments } from "./openapi.js";
import type { Progress } from "./progress.js";
import { parseAnswer, readPublished } from "./published.js";
import { readYaml } from "./yaml.js";

export interface Sources {
  readonly crds: readonly string[];
  readonly openApis: readonly string[];
  readonly cluster: ClusterSource | undefined;
  /** Whether what is refused is left out with a warning. */
  readonly allowPartial: boolean;
}

export interface Loaded {
  readonly documents: readonly ApiDocument[];
  /** Objects in the files of CRDs that are none. */
  readonly ignored: number;
}

export async function loadSources(sources: Sources, progress: Progress): Promise<Loaded> {
  const documents: ApiDocument[] = [];
  let ignored = 0;
  if (sources.cluster !== undefined) documents.push(...(await loadCluster(sources.cluster, progress)));
  for (const source of sources.openApis) documents.push(...(await loadOpenApi(source, progress)));
  if (sources.crds.length > 0) {
    const inputs = (await Promise.all(sources.crds.map((source) => readInputs(source, "--crd")))).flat();
    progress.step(`reading ${inputs.length === 1 ? inputs[0]!.file : `${inputs.length} files`}`);
    const crds = await loadCrds(
      inputs,
      (text, at) => progress.warn(`${formatPosition(at)}: ${text}`),
      sources.allowPartial,
    );
    documents.push(...crds.documents);
    ignored += crds.ignored;
  }
  return { documents, ignored };
}

/** The kept schema of Kubernetes, in a checkout of this project. */
export function keptSchemaFile(): string | undefined {
  const folder = join(packageRoot(), "generator", "schema");
  if (!existsSync(folder)) return undefined;
  const file = readdirSync(folder).find((name) => name.endsWith(".json.gz"));
  return file === undefined ? undefined : join(folder, file);
}

export function loadKept(file: string, progress: Progress): Loaded {
  progress.step("reading the kept schema of Kubernetes");
  return { documents: readKept(file), ignored: 0 };
}

async function loadOpenApi(source: string, progress: Progress): Promise<ApiDocument[]> {
  if (/^https?:\/\//.test(source)) return loadUrl(new URL(source), progress);
  const inputs = await readInputs(source, "--openapi");
  progress.step(`reading ${inputs.length === 1 ? inputs[0]!.file : `${inputs.length} files`}`);
  const documents: ApiDocument[] = [];
  for (const input of inputs) documents.push(...openApiDocuments(await parse(input), input.file));
  if (documents.length > 0) return documents;
  throw new GeneratorError("input", `no resource that can be listed in ${source}`, {
    hint: "expected documents as a kube-apiserver publishes them below /openapi/v3",
  });
}

async function parse(input: Input): Promise<unknown> {
  const { file } = input;
  const text = input.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = (await readYaml(() => text, file)).documents[0]?.value;
  }
  checkSize(value, file);
  return value;
}

/** A single document, or the index of a server (`kubectl proxy`), whose documents are then read from there. */
async function loadUrl(url: URL, progress: Progress): Promise<ApiDocument[]> {
  progress.step(`asking ${url.host}`);
  const client = { name: url.host, get: (path: string) => get(new URL(path, url.origin), {}) };
  const { status, body } = await client.get(url.pathname + url.search);
  if (status !== 200) {
    throw new GeneratorError("cluster", `${url.host} answers ${status} to ${url.pathname}`, {
      hint: "expected the address of an OpenAPI document, which needs no login; --cluster asks with the kubeconfig's",
    });
  }
  const answer = parseAnswer(body, url.pathname);
  const first = Object.values(asSchema(asSchema(answer)?.["paths"]) ?? {})[0];
  if (typeof asSchema(first)?.["serverRelativeURL"] !== "string") return openApiDocuments(answer, url.pathname);
  const { documents, failed } = await readPublished(client, progress);
  if (failed.length > 0) throw new GeneratorError("cluster", failed.join("; "), { hint: "try again in a minute" });
  return documents;
}
