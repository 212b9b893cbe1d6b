/** One run: documents → discover → types → view → render → write. Knows no console and no arguments. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { checkOutput } from "./check-output.js";
import { withSuffixes } from "./clashes.js";
import { discover } from "./discover.js";
import { GeneratorError } from "./errors.js";
import { isNeeded, type Joined, join, stayingIn } from "./join.js";
import type { Progress } from "./load/progress.js";
import { emptyManifest, formatManifest, type KnownResource, type Manifest, manifestFile } from "./manifest.js";
import type { ApiDocument } from "./model.js";
import { accessorsOf } from "./naming.js";
import { createRenderer } from "./render.js";
import { typeModules } from "./schema-types.js";
import { withBuiltInFields } from "./selectable-fields.js";
import { shapesOf } from "./shapes.js";
import { moduleOf, viewsOf } from "./view.js";
import { carryOut, type Plan, planWrite, readManifest } from "./write.js";

export interface PrintOptions {
  readonly out: string;
  /** Whether the result joins what the folder has; otherwise it is all that the folder has afterwards. */
  readonly join: boolean;
  readonly documentation: boolean;
  /** Whether to write; without, the plan says what would be written. */
  readonly write: boolean;
}

export interface Summary {
  /** Of this run. */
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly types: number;
  /** The way from a factory to the first resource: `core().v1().pods()`. */
  readonly example: string | undefined;
  readonly plan: Plan;
  /** What every file of the plan holds, by path. */
  readonly contents: ReadonlyMap<string, string>;
}

/** Prints documents into a folder. */
export async function generateFrom(
  documents: readonly ApiDocument[],
  options: PrintOptions,
  progress: Progress,
): Promise<Summary> {
  const out = resolve(options.out);
  const onDisk = readManifest(out);
  progress.step("discovering resources");
  const staying = stayingIn(options.join ? onDisk : emptyManifest, documents);
  const model = withSuffixes(withBuiltInFields(discover(documents)), staying.resources);
  const shapes = shapesOf(model, isNeeded(staying));
  progress.step("building types");
  const built = await typeModules(shapes, { documentation: options.documentation });
  const joined = join(staying, model, shapes.roots, built);
  progress.step("rendering");
  const render = await createRenderer();
  const files = new Map(viewsOf(joined).map((view) => [view.path, `${render(view).trimEnd()}\n`] as const));
  progress.step("checking");
  await checkOutput(files);

  const kept = keptFiles(onDisk, joined, files);
  const missing = kept.find((path) => !existsSync(resolve(out, path)));
  if (missing !== undefined) {
    throw new GeneratorError("output", `${resolve(out, missing)} is gone, and this run does not make it`, {
      hint: "generate it again from its own source, or begin with an empty folder",
    });
  }
  const paths = [...files.keys(), ...kept];
  const manifest = formatManifest({ resources: joined.resources, types: joined.types, files: paths });
  const all = new Map([...files, [manifestFile, manifest] as const]);
  const plan = planWrite(out, all, { ...onDisk, files: onDisk.files.filter((path) => !kept.includes(path)) });
  if (options.write) {
    progress.step("writing");
    carryOut(plan, all);
  }
  const [first] = joined.fresh;
  return {
    groups: model.groups.map(({ name }) => name),
    resources: [...joined.fresh].map(({ group, version, resource }) =>
      [resource, version, ...(group === "" ? [] : [group])].join("."),
    ),
    types: shapes.declarations.length,
    example: first === undefined ? undefined : chain(first),
    plan,
    contents: all,
  };
}

function chain(first: KnownResource): string {
  const { group, version, resource } = accessorsOf(first);
  return `${group}().${version}().${resource}()`;
}

/** Files of earlier runs that belong to what stays, and that this run does not print. */
function keptFiles(onDisk: Manifest, { resources, types }: Joined, files: ReadonlyMap<string, string>): string[] {
  const expected = new Set([...resources.map(moduleOf), ...types.keys()].map((module) => `${module}.ts`));
  // A folder that has types and no resources has an index too.
  for (const module of types.keys()) expected.add(module.replace(/\/types$/, "/index").concat(".ts"));
  return onDisk.files.filter((path) => expected.has(path) && !files.has(path));
}
