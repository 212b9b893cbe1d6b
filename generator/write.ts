/**
 * The output folder: everything is written or nothing. Files are staged beside their place, then moved; whatever fails on the
 * way is undone. Nothing but our own files is ever replaced or removed.
 */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { header } from "./check-output.js";
import { GeneratorError } from "./errors.js";
import { emptyManifest, type Manifest, manifestFile, parseManifest } from "./manifest.js";
import { byCodeUnit } from "./model.js";

export interface Plan {
  readonly folder: string;
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
  /** Files that the manifest lists and that somebody has taken over: they stay. */
  readonly foreign: readonly string[];
}

export function readManifest(folder: string): Manifest {
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw new GeneratorError("output", `${folder} is no folder`, { hint: "give another one with --out" });
  }
  const path = join(folder, manifestFile);
  const text = readPlain(folder, manifestFile);
  return text === undefined ? emptyManifest : parseManifest(text, path);
}

/** Compares the files to write with what is there. Reads only. */
export function planWrite(folder: string, files: ReadonlyMap<string, string>, before: Manifest): Plan {
  const created: string[] = [];
  const changed: string[] = [];
  const unchanged: string[] = [];
  for (const [path, content] of files) {
    const present = readPlain(folder, path);
    if (present === undefined) created.push(path);
    else if (present === content) unchanged.push(path);
    else if (path === manifestFile || isOurs(present)) changed.push(path);
    else {
      throw new GeneratorError("output", `${join(folder, path)} is not a generated file and would be overwritten`, {
        hint: "move it, or generate into another folder with --out",
      });
    }
  }
  const removed: string[] = [];
  const foreign: string[] = [];
  for (const path of before.files) {
    if (files.has(path)) continue;
    const present = readPlain(folder, path);
    if (present === undefined) continue;
    if (isOurs(present)) removed.push(path);
    else foreign.push(path);
  }
  const sorted = (paths: string[]) => paths.sort(byCodeUnit);
  return {
    folder,
    created: sorted(created),
    changed: sorted(changed),
    removed: sorted(removed),
    unchanged: sorted(unchanged),
    foreign: sorted(foreign),
  };
}

/** Carries a plan out, in one synchronous turn: an interrupt comes before or after, never between. */
export function carryOut(plan: Plan, files: ReadonlyMap<string, string>): void {
  const { folder, created, changed, removed } = plan;
  if (created.length + changed.length + removed.length === 0) return;
  const undo: (() => void)[] = [];
  let stage: string | undefined;
  try {
    mkdirs(folder, undo);
    stage = mkdtempSync(join(folder, ".kube-informers-"));
    const staged = join(stage, "new");
    const old = join(stage, "old");
    mkdirSync(staged);
    mkdirSync(old);
    const writes = [...created, ...changed];
    for (const [number, path] of writes.entries()) {
      const handle = openSync(join(staged, String(number)), "wx");
      try {
        writeFileSync(handle, files.get(path)!);
      } finally {
        closeSync(handle);
      }
    }
    for (const [number, path] of [...changed, ...removed].entries()) {
      const target = placeOf(folder, path);
      const backup = join(old, String(number));
      renameSync(target, backup);
      undo.push(() => renameSync(backup, target));
    }
    for (const [number, path] of writes.entries()) {
      const target = placeOf(folder, path);
      mkdirs(dirname(target), undo);
      placeOf(folder, path);
      renameSync(join(staged, String(number)), target);
      undo.push(() => rmSync(target, { force: true }));
    }
  } catch (cause) {
    for (const step of undo.reverse()) attempt(step);
    if (stage !== undefined) rmSync(stage, { recursive: true, force: true });
    if (cause instanceof GeneratorError) throw cause;
    throw new GeneratorError(
      "output",
      `${folder} cannot be written: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
        hint: "nothing was changed; check permissions and space",
      },
    );
  }
  rmSync(stage, { recursive: true, force: true });
  for (const path of removed) removeEmptyFolders(folder, path);
}

/** The place of a file, once nothing on the way to it leads out of the folder. */
function placeOf(folder: string, path: string): string {
  const target = resolve(folder, path);
  if (!target.startsWith(resolve(folder) + sep)) {
    throw new GeneratorError("output", `${path} would leave ${folder}`, {
      hint: "nothing was written; the folder's manifest names it: restore that from version control, or generate into an empty folder",
    });
  }
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth++) {
    const step = join(folder, ...parts.slice(0, depth));
    const stat = lstatSync(step, { throwIfNoEntry: false });
    if (stat === undefined) break;
    if (stat.isSymbolicLink()) {
      throw new GeneratorError("output", `${step} is a symbolic link`, {
        hint: "links are not followed out of the output folder; remove it",
      });
    }
    if (depth < parts.length && !stat.isDirectory())
      throw new GeneratorError("output", `${step} is no folder`, {
        hint: "move it, or generate into another folder with --out",
      });
    if (depth === parts.length && !stat.isFile())
      throw new GeneratorError("output", `${step} is no file`, {
        hint: "move it, or generate into another folder with --out",
      });
  }
  return target;
}

function readPlain(folder: string, path: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const target = placeOf(realpathSync(folder), path);
  return existsSync(target) ? readFileSync(target, "utf8") : undefined;
}

function isOurs(content: string): boolean {
  return content.startsWith(header);
}

function mkdirs(folder: string, undo: (() => void)[]): void {
  if (existsSync(folder)) return;
  mkdirs(dirname(folder), undo);
  mkdirSync(folder);
  undo.push(() => rmdirSync(folder));
}

function removeEmptyFolders(folder: string, path: string): void {
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
    const place = join(folder, parent);
    if (existsSync(place) && readdirSync(place).length === 0) rmdirSync(place);
    else return;
  }
}

function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // Undoing is best effort: the first failure is the one to report.
  }
}
