/**
 * `kube-informers/generator`: the generator as a function. It prints nothing and ends no process; what goes wrong is a
 * {@link GeneratorError}, and then nothing was written.
 */
import { GeneratorError } from "./errors.js";
import { generateFrom, type Summary } from "./generate.js";
import type { ClusterSource } from "./load/cluster.js";
import type { Progress } from "./load/progress.js";
import { loadSources } from "./load/sources.js";
import { select } from "./select.js";

export {
  exitCodes,
  type FailureCode,
  formatPosition,
  GeneratorError,
  isGeneratorError,
  type Position,
} from "./errors.js";
export type { Summary } from "./generate.js";
export type { ClusterSource } from "./load/cluster.js";
export type { Progress } from "./load/progress.js";
export type { Plan } from "./write.js";

/** What a run is made from and where it goes. At least one source is needed; they may be mixed. */
export interface GenerateOptions {
  /** Files and folders of CustomResourceDefinitions; `-` is standard input. */
  readonly crd?: readonly string[];
  /** OpenAPI documents: files, folders, URLs. */
  readonly openapi?: readonly string[];
  /** A live API server; `true` is the current context's. */
  readonly cluster?: boolean | Partial<ClusterSource>;
  /** The folder to generate into. */
  readonly out: string;
  /** `GROUP`, `GROUP/VERSION` or `GROUP/VERSION/KIND`, with `*`: only these. */
  readonly include?: readonly string[];
  /** The same: not these. */
  readonly exclude?: readonly string[];
  /** Whether what is refused is left out with a warning, instead of ending the run. */
  readonly allowPartial?: boolean;
  /** Whether descriptions become comments; they do unless told otherwise. */
  readonly documentation?: boolean;
  /** Whether to write; without, {@link Summary.plan} says what would be. Writes unless told otherwise. */
  readonly write?: boolean;
  /** Told of each step, and of warnings. */
  readonly progress?: Partial<Progress>;
}

export interface GenerateResult extends Summary {
  /** Objects of other kinds beside the definitions. */
  readonly ignored: number;
  readonly warnings: readonly string[];
}

/** Generates typed factories, informers and listers into a folder, beside what it has. */
export async function generate(options: GenerateOptions): Promise<GenerateResult> {
  const { crd = [], openapi = [], include = [], exclude = [], allowPartial = false } = options;
  const warnings: string[] = [];
  const progress: Progress = {
    step: (text) => options.progress?.step?.(text),
    detail: (text) => options.progress?.detail?.(text),
    warn: (text) => {
      warnings.push(text);
      options.progress?.warn?.(text);
    },
  };
  const cluster = typeof options.cluster === "object" ? options.cluster : options.cluster === true ? {} : undefined;
  if (crd.length + openapi.length === 0 && cluster === undefined) {
    throw new GeneratorError("usage", "nothing to generate from", { hint: "give crd, openapi or cluster" });
  }
  const loaded = await loadSources(
    {
      crds: crd,
      openApis: openapi,
      cluster: cluster === undefined ? undefined : { allowExec: false, allowPartial, ...cluster },
      allowPartial,
    },
    progress,
  );
  const documents =
    include.length + exclude.length === 0 ? loaded.documents : select(loaded.documents, { include, exclude });
  const { out, documentation = true, write = true } = options;
  const summary = await generateFrom(documents, { out, join: true, documentation, write }, progress);
  return { ...summary, ignored: loaded.ignored, warnings };
}
