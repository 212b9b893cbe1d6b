/** One run: documents → discover → types → view → render → write. Knows no console and no arguments. */
import { resolve } from "node:path";
import { checkOutput } from "./check-output.js";
import { discover } from "./discover.js";
import { join } from "./join.js";
import type { Progress } from "./load/progress.js";
import { emptyManifest, formatManifest, type KnownResource, manifestFile } from "./manifest.js";
import type { ApiDocument } from "./model.js";
import { groupAccessor, resourceAccessor, versionAccessor } from "./naming.js";
import { createRenderer } from "./render.js";
import { typeModules } from "./schema-types.js";
import { shapesOf } from "./shapes.js";
import { moduleOf, viewsOf } from "./view.js";
import { carryOut, type Plan, planWrite, readManifest } from "./write.js";

export interface GenerateOptions {
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
}

/** Prints documents into a folder. */
export async function generate(
  documents: readonly ApiDocument[],
  options: GenerateOptions,
  progress: Progress,
): Promise<Summary> {
  const out = resolve(options.out);
  const onDisk = readManifest(out);
  progress.step("discovering resources");
  const model = discover(documents);
  const shapes = shapesOf(model);
  progress.step("building types");
  const built = await typeModules(shapes, { documentation: options.documentation });
  const joined = join(options.join ? onDisk : emptyManifest, documents, model, shapes.roots, built);
  progress.step("rendering");
  const render = await createRenderer();
  const files = new Map(viewsOf(joined).map((view) => [view.path, `${render(view).trimEnd()}\n`] as const));
  progress.step("checking");
  await checkOutput(files);

  const expected = new Set([...joined.resources.map(moduleOf), ...joined.types.keys()].map((module) => `${module}.ts`));
  const staying = onDisk.files.filter(
    (path) => options.join && (expected.has(path) || files.has(path) || isTypesIndex(path, joined.types)),
  );
  const paths = [...new Set([...staying, ...files.keys()])];
  const manifest = formatManifest({ resources: joined.resources, types: joined.types, files: paths });
  const all = new Map([...files, [manifestFile, manifest] as const]);
  const plan = planWrite(out, all, { ...onDisk, files: onDisk.files.filter((path) => !staying.includes(path)) });
  if (options.write) {
    progress.step("writing");
    carryOut(plan, all);
  }
  return {
    groups: model.groups.map(({ name }) => name),
    resources: [...joined.fresh].map(({ group, version, resource }) =>
      [resource, version, ...(group === "" ? [] : [group])].join("."),
    ),
    types: shapes.declarations.length,
    example: [...joined.fresh].map(chain)[0],
    plan,
  };
}

function chain({ group, version, kind, resource }: KnownResource): string {
  return `${groupAccessor(group)}().${versionAccessor(version)}().${resourceAccessor(kind, resource)}()`;
}

/** The index of a folder that has types and no resources. */
function isTypesIndex(path: string, types: ReadonlyMap<string, unknown>): boolean {
  return path.endsWith("/index.ts") && types.has(`${path.slice(0, -"index.ts".length)}types`);
}
