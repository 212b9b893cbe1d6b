#!/usr/bin/env node
/** The command line: arguments, progress, summary, exit codes. The only file of the generator that prints. */
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { exitCodes, formatPosition, GeneratorError, isGeneratorError, type Position } from "./errors.js";
import type { Summary } from "./generate.js";
import { visible } from "./literals.js";
import type { Progress } from "./load/progress.js";
import type { Sources } from "./load/sources.js";
import { importTool } from "./load/tools.js";
import { packageRoot } from "./package-root.js";

interface Flags {
  readonly crd: readonly string[];
  readonly openapi: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly allowExec?: boolean;
  readonly allowPartial?: boolean;
  readonly out?: string;
  readonly check?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly saveSchema?: string;
}

const examples = `
Examples:
  kube-informers generate --crd crontab.yaml --out src/generated
  kubectl get crd crontabs.stable.example.com -o yaml | kube-informers generate --crd -
  kube-informers generate --cluster --context staging --out src/generated

Exit codes: 0 done, 1 bug, 2 usage, 3 input refused, 4 cluster, 5 limit, 6 output refused, 7 drift (--check)`;

/** Where a run prints. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Width of a line that can be written again and again; 0 where there is none. */
  readonly columns: number;
}

/** Runs a command line and gives its exit code. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await runCommand(argv, terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { Command, CommanderError } = await importTool("commander", () => import("commander"));
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  const collect = (value: string, list: readonly string[]) => [...list, value];
  let exitCode: number = exitCodes.done;
  const program = new Command("kube-informers")
    .description("Typed Kubernetes informers from a schema")
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  program
    .command("generate")
    .description(
      "print typed factories, informers and listers; without a source, and in a checkout, Kubernetes' own groups",
    )
    .option(
      "--crd <path>",
      "CustomResourceDefinitions: a YAML or JSON file, a folder, or - for standard input (repeatable)",
      collect,
      [],
    )
    .option(
      "--openapi <source>",
      "OpenAPI documents of an API server: a file, a folder, or a URL (repeatable)",
      collect,
      [],
    )
    .option("--cluster", "everything that the current context's cluster serves")
    .option("--context <name>", "context of the kubeconfig, for --cluster")
    .option("--kubeconfig <path>", "kubeconfig other than the default one, for --cluster")
    .option("--allow-exec", "let a kubeconfig given by --kubeconfig run its login program")
    .option("--allow-partial", "leave out what the cluster fails to publish")
    .option("--out <dir>", "output folder (default: generated)")
    .option("--check", "write nothing; exit 7 if the folder is not up to date")
    .option("--dry-run", "write nothing; list what would be written")
    .option("--json", "print the summary as JSON")
    .option("--save-schema <file>", "keep the schema of Kubernetes' own groups in a file, and generate nothing")
    .addHelpText("after", examples)
    .action(async (flags: Flags) => {
      exitCode = await generateCommand(flags, terminal);
    });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  return exitCode;
}

async function generateCommand(flags: Flags, terminal: Terminal): Promise<number> {
  const begin = performance.now();
  // Writing is one synchronous turn, so an interrupt always finds the old output or the new one.
  const interrupt = () => process.exit(exitCodes.interrupted);
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const progress = createProgress(terminal);
  try {
    const { keptSchemaFile, loadKept, loadSources } = await import("./load/sources.js");
    const sources = sourcesOf(flags);
    const own = sources === undefined;
    const kept = own ? keptSchemaFile() : undefined;
    if (own && kept === undefined) {
      throw new GeneratorError("usage", "nothing to generate from", {
        hint: "give --crd FILE, --openapi FILE, or --cluster",
      });
    }
    const loaded = own ? loadKept(kept!, progress) : await loadSources(sources, progress);
    if (flags.saveSchema !== undefined) {
      const [{ discover }, { keep }] = await Promise.all([import("./discover.js"), import("./load/kept.js")]);
      writeFileSync(flags.saveSchema, keep(discover(loaded.documents)));
      return exitCodes.done;
    }
    const { generate } = await import("./generate.js");
    const out = flags.out ?? (own ? join(packageRoot(), "generated") : "generated");
    const write = flags.check !== true && flags.dryRun !== true;
    const summary = await generate(loaded.documents, { out, join: !own, documentation: !own, write }, progress);
    progress.end();
    const result = {
      ...summary,
      ignored: loaded.ignored,
      warnings: progress.warnings,
      milliseconds: Math.round(performance.now() - begin),
    };
    terminal.out(
      flags.json === true ? `${JSON.stringify(jsonReport(result), undefined, 2)}\n` : textReport(result, flags),
    );
    const drift = summary.plan.created.length + summary.plan.changed.length + summary.plan.removed.length;
    return flags.check === true && drift > 0 ? exitCodes.drift : exitCodes.done;
  } finally {
    progress.end();
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
  }
}

function sourcesOf(flags: Flags): Sources | undefined {
  if (flags.cluster !== true && (flags.context !== undefined || flags.kubeconfig !== undefined)) {
    throw new GeneratorError("usage", "--context and --kubeconfig belong to --cluster", { hint: "add --cluster" });
  }
  if (flags.crd.length + flags.openapi.length === 0 && flags.cluster !== true) return undefined;
  const { context, kubeconfig } = flags;
  const cluster =
    flags.cluster === true
      ? {
          ...(context === undefined ? {} : { context }),
          ...(kubeconfig === undefined ? {} : { kubeconfig }),
          allowExec: flags.allowExec === true,
          allowPartial: flags.allowPartial === true,
        }
      : undefined;
  return { crds: flags.crd, openApis: flags.openapi, cluster, allowPartial: flags.allowPartial === true };
}

/** A live line on a terminal, otherwise one line a step. */
function createProgress({ err, columns }: Terminal): Progress & { readonly warnings: string[]; end(): void } {
  const live = columns > 0;
  const warnings: string[] = [];
  const clear = () => live && err("\r\u001b[2K");
  const show = (text: string) => {
    clear();
    err(live ? visible(text).slice(0, columns - 1) : `${visible(text)}\n`);
  };
  return {
    warnings,
    step: show,
    detail: (text) => live && show(text),
    warn(text) {
      warnings.push(text);
      clear();
      err(`warning: ${visible(text)}\n`);
    },
    end: clear,
  };
}

type Report = Summary & {
  readonly ignored: number;
  readonly warnings: readonly string[];
  readonly milliseconds: number;
};

function jsonReport({ groups, resources, types, plan, ignored, warnings, milliseconds }: Report): object {
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

function textReport(report: Report, flags: Flags): string {
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
  if (flags.check === true) {
    lines.push(
      ...changes.slice(0, 50),
      changes.length === 0 ? "up to date" : "not up to date: run generate again without --check",
    );
  } else if (flags.dryRun === true) lines.push(...changes, "nothing was written");
  else if (plan.created.includes("factory.ts") && example !== undefined) {
    lines.push(`use it: new SharedInformerFactory(kubeConfig).${example}, from ${join(folder, "factory.js")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A path as one would type it from here. */
function shortPath(path: string): string {
  const here = relative(process.cwd(), path) || ".";
  return here.startsWith("..") ? path : here;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Says what went wrong, where, and what to do about it. */
function report(error: unknown, { err }: Terminal): number {
  if (!isGeneratorError(error)) {
    err(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    err("hint: this is a bug in kube-informers; please report it with the command and its input\n");
    return exitCodes.bug;
  }
  const all = [error, ...error.others];
  for (const problem of all.slice(0, maxErrors)) err(describeError(problem));
  if (all.length > maxErrors) err(`… and ${all.length - maxErrors} more errors\n`);
  return exitCodes[error.code];
}

const maxErrors = 20;

function describeError({ position, message, hint }: GeneratorError): string {
  const place = position === undefined ? "" : `${formatPosition(position)}: `;
  const lines = [visible(`${place}error: ${message}`)];
  if (position !== undefined) lines.push(...excerpt(position));
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

const started = process.argv[1];
if (started !== undefined && existsSync(started) && realpathSync(started) === fileURLToPath(import.meta.url)) {
  process.exitCode = await run(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    columns: process.stderr.isTTY ? process.stderr.columns : 0,
  });
}
