/** What a run says of itself: the summary, as text and as data, and what went wrong. */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { unifiedDiff } from "./diff.js";
import { exitCodes, formatPosition, type GeneratorError, isGeneratorError, type Position } from "./errors.js";
import type { GenerateResult } from "./index.js";
import { visible } from "./literals.js";

/** How a run ends beside writing. */
export interface Mode {
  readonly check: boolean;
  readonly dryRun: boolean;
  readonly diff: boolean;
}

/** Colours, where the terminal has them. */
export interface Paint {
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  dim(text: string): string;
}

export function paint(colors: boolean): Paint {
  const wrap = (code: number) => (text: string) => (colors ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { red: wrap(31), yellow: wrap(33), green: wrap(32), dim: wrap(2) };
}

export type Report = GenerateResult & { readonly milliseconds: number };

export function jsonReport({ groups, resources, types, plan, ignored, warnings, milliseconds }: Report): object {
  const { folder, created, changed, removed, unchanged, foreign } = plan;
  return {
    groups,
    resources,
    types,
    folder: shortPath(folder),
    files: { created, changed, removed, unchanged: unchanged.length, foreign },
    ignored,
    warnings,
    milliseconds,
  };
}

export function textReport(report: Report, mode: Mode): string {
  const { groups, resources, types, example, plan, ignored, milliseconds } = report;
  const folder = shortPath(plan.folder);
  const changes = [
    ...plan.created.map((path) => `+ ${path}`),
    ...plan.changed.map((path) => `~ ${path}`),
    ...plan.removed.map((path) => `- ${path}`),
  ];
  const files = plan.created.length + plan.changed.length + plan.unchanged.length;
  const lines = [
    `${count(groups.length, "group")}, ${count(resources.length, "resource")}, ${count(types, "type")} → ${folder}`,
    `${count(files, "file")}: ${plan.created.length} new, ${plan.changed.length} changed, ${plan.unchanged.length} unchanged, ${plan.removed.length} removed, in ${(milliseconds / 1000).toFixed(2)} s`,
  ];
  if (ignored > 0) lines.push(`${count(ignored, "object")} of other kinds ignored`);
  if (plan.foreign.length > 0) lines.push(`left alone, since not generated any more: ${plan.foreign.join(", ")}`);
  if (mode.check) {
    lines.push(
      ...changes.slice(0, 50),
      changes.length === 0 ? "up to date" : "not up to date: run generate again without --check",
    );
  } else if (mode.dryRun || mode.diff) lines.push(...changes, "nothing was written");
  else if (plan.created.includes("factory.ts") && example !== undefined) {
    lines.push(`use it: new SharedInformerFactory(kubeConfig).${example}, from ${join(folder, "factory.js")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A path as one would type it from here. */
export function shortPath(path: string): string {
  const here = relative(process.cwd(), path) || ".";
  return here.startsWith("..") ? path : here;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The changes that a run would make, as `diff -u` shows them. */
export function diffReport({ plan, contents }: Report, { red, green, dim }: Paint): string {
  const present = (path: string) => {
    const file = join(plan.folder, path);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  };
  const paths = [...plan.created, ...plan.changed, ...plan.removed].sort();
  const text = paths.map((path) => unifiedDiff(path, present(path), contents.get(path))).join("");
  return text
    .split("\n")
    .map((line) =>
      line.startsWith("+") ? green(line) : line.startsWith("-") ? red(line) : line.startsWith("@@") ? dim(line) : line,
    )
    .join("\n");
}

const maxErrors = 20;

function describeError({ position, message, hint }: GeneratorError, { red, dim }: Paint): string {
  const place = position === undefined ? "" : `${formatPosition(position)}: `;
  const lines = [`${visible(place)}${red("error:")} ${visible(message)}`];
  if (position !== undefined) lines.push(...excerpt(position).map(dim));
  if (hint !== undefined) lines.push(`hint: ${visible(hint)}`);
  return `${lines.join("\n")}\n`;
}

/** The line of the source with a mark below the place; of a long line the part around it. */
function excerpt({ line, column = 1, text = "" }: Position): string[] {
  if (line === undefined || text.trim() === "") return [];
  const from = Math.max(0, column - 60);
  const shown = visible(text.slice(from, from + 100).replaceAll("\t", " "));
  const before = visible(text.slice(from, column - 1).replaceAll("\t", " "));
  return [`${String(line).padStart(6)} | ${shown}`, `${" ".repeat(6)} | ${" ".repeat(before.length)}^`];
}

/** Says what went wrong, where, and what to do about it. */
export function reportError(error: unknown, err: (text: string) => void, colors: Paint): number {
  if (!isGeneratorError(error)) {
    err(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    err("hint: this is a bug in kube-informers; please report it with the command and its input\n");
    return exitCodes.bug;
  }
  const all = [error, ...error.others];
  for (const problem of all.slice(0, maxErrors)) err(describeError(problem, colors));
  if (all.length > maxErrors) err(`… and ${all.length - maxErrors} more errors\n`);
  return exitCodes[error.code];
}
