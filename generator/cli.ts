#!/usr/bin/env node
/** The command line: arguments, progress, summary, exit codes. The only file of the generator that prints. */
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command, Option as CommandOption } from "commander";
import { type CompletedOption, completion, type Subcommand, shells } from "./completion.js";
import { type Config, readConfig } from "./config.js";
import { exitCodes, GeneratorError } from "./errors.js";
import { type GenerateOptions, generate } from "./index.js";
import { visible } from "./literals.js";
import type { Progress } from "./load/progress.js";
import { importTool } from "./load/tools.js";
import { packageRoot } from "./package-root.js";
import { rolesOfModule, rolesOfSources } from "./rbac.js";
import { diffReport, jsonReport, type Paint, paint, type Report, reportError, textReport } from "./report.js";
import { watchSources } from "./watch.js";

interface Flags {
  readonly crd?: readonly string[];
  readonly openapi?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly allowExec?: boolean;
  readonly allowPartial?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly config?: string;
  readonly out?: string;
  readonly check?: boolean;
  readonly dryRun?: boolean;
  readonly diff?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly saveSchema?: string;
}

const lessons = `
For each resource there is a descriptor, its types as the server sends them, an
informer and a lister; and for the folder a factory. A folder that has generated
code is joined: other resources in it stay, and nothing but generated files is
ever replaced or removed. Nothing is written unless all of it is right.

Examples:
  kube-informers generate --crd crontab.yaml --out src/generated
  kubectl get crd crontabs.stable.example.com -o yaml |
    kube-informers generate --crd -
  kube-informers generate --cluster --context staging --include cert-manager.io
  kube-informers generate --crd crds/ --exclude '*/v1alpha*' --watch
  kube-informers generate --crd crds/ --check    # in CI
  kube-informers generate --crd crds/ --diff     # what would change

kube-informers.config.yaml in the current folder holds what is always the same;
arguments go before it:
  crd: [crds/, https.yaml]
  out: src/generated
  exclude: ["*/v1alpha*"]

Exit codes: 0 done, 1 bug, 2 usage, 3 input refused, 4 cluster, 5 limit,
6 output refused, 7 not up to date (--check), 130 interrupted`;

const rbacLessons = `
Of sources, each resource counts that is named to a factory, by an accessor of
generated code, forResource or informerFor, and the namespaces are those that
stand there. What cannot be read is a warning with its place: a resource gets no
rule, and a rule for unknown namespaces is for all of them.

Examples:
  kube-informers rbac --for src/ --name my-operator | kubectl apply -f -
  kube-informers rbac dist/informers.js --name my-operator | kubectl apply -f -`;

interface RbacFlags {
  readonly name: string;
  readonly for?: string;
}

/** Where a run prints. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Width of a line that can be written again and again; 0 where there is none. */
  readonly columns: number;
  /** Whether it shows colours. */
  readonly colors?: boolean;
  /** Ends `--watch`. */
  readonly signal?: AbortSignal;
}

/** Runs a command line and gives its exit code. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const colors = paint(terminal.colors === true);
  try {
    return await runCommand(argv, terminal, colors);
  } catch (error) {
    return reportError(error, terminal.err, colors);
  }
}

async function runCommand(argv: readonly string[], terminal: Terminal, colors: Paint): Promise<number> {
  const { Command, CommanderError, Option } = await importTool("commander", () => import("commander"));
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  let exitCode: number = exitCodes.done;
  const program = new Command("kube-informers")
    .description("Typed Kubernetes informers from a schema")
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  withOptions(program.command("generate"), Option).action(async (flags: Flags, { args }: Command) => {
    refuseSources(args);
    exitCode = await generateCommand(flags, terminal, colors);
  });
  program
    .command("rbac")
    .description("print the least Roles and ClusterRoles that a program's informers need")
    .argument("[module]", "exports the program's factory, with its informers asked for and not started; it is run")
    .option("--for <path>", "sources, a folder or a file: they are read, and not run")
    .option("--name <name>", "of each role", "kube-informers")
    .addHelpText("after", rbacLessons)
    .action(async (module: string | undefined, flags: RbacFlags) =>
      terminal.out(await rbacCommand(module, flags, createProgress(terminal, colors))),
    );
  program
    .command("completion")
    .description("print a script that completes arguments in a shell")
    .argument("<shell>", shells.join(", "))
    .action((shell: string) => terminal.out(completion(shell, program.commands.map(completed))));
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  return exitCode;
}

function withOptions(command: Command, Option: typeof CommandOption): Command {
  const collect = (value: string, list: readonly string[] = []) => [...list, value];
  return command
    .description("write typed factories, informers and listers")
    .optionsGroup("Sources, which may be repeated and mixed:")
    .option(
      "--crd <path>",
      "CustomResourceDefinitions: a YAML or JSON file, a folder, or - for standard input",
      collect,
    )
    .option("--openapi <source>", "OpenAPI documents of an API server: a file, a folder, or a URL", collect)
    .option("--cluster", "everything that the current context's cluster serves")
    .option("--context <name>", "context of the kubeconfig, for --cluster")
    .option("--kubeconfig <path>", "kubeconfig other than the default one, for --cluster")
    .option("--allow-exec", "let a kubeconfig given by --kubeconfig run its login program")
    .option("--config <file>", "configuration other than kube-informers.config.yaml")
    .optionsGroup("Selecting:")
    .option("--include <pattern>", "only GROUP[/VERSION[/KIND]], with * for any (repeatable)", collect)
    .option("--exclude <pattern>", "not GROUP[/VERSION[/KIND]], with * for any (repeatable)", collect)
    .option("--allow-partial", "leave out what is refused, or what the cluster fails to publish, with a warning")
    .optionsGroup("Output:")
    .option("--out <dir>", "output folder (default: generated)")
    .option("--check", "write nothing; exit with 7 if the folder is not up to date")
    .option("--dry-run", "write nothing; list what would be written")
    .option("--diff", "write nothing; show what would change")
    .option("--watch", "generate again whenever a file or folder of the sources changes")
    .option("--json", "print the summary as JSON")
    .addOption(new Option("--save-schema <file>", "keep the schema of Kubernetes' own groups").hideHelp())
    .allowExcessArguments()
    .addHelpText("after", lessons);
}

function completed(command: Command): Subcommand {
  const shown = command.options.filter(({ hidden }) => !hidden);
  const name = command.name();
  return {
    name,
    description: command.description(),
    takes: name === "completion" ? shells : name === "rbac" ? "path" : undefined,
    options: shown.map(({ long, description, flags }) => ({ long: long!, description, value: valueAfter(flags) })),
  };
}

/** @param flags as they are declared: `--out <dir>` */
function valueAfter(flags: string): CompletedOption["value"] {
  if (!flags.includes("<")) return undefined;
  return /<(path|source|file|dir)>/.test(flags) ? "path" : "word";
}

function rbacCommand(module: string | undefined, flags: RbacFlags, progress: Progress): Promise<string> {
  const { name, for: sources } = flags;
  if (sources !== undefined && module === undefined)
    return rolesOfSources(sources, name, (problem) => progress.warn(problem));
  if (module !== undefined && sources === undefined) return rolesOfModule(module, name);
  throw new GeneratorError("usage", "rbac takes either a module or --for", {
    hint: "kube-informers rbac --for src/",
  });
}

/** Other tools take sources as they are; here an option says what they hold. */
function refuseSources([source]: readonly string[]): void {
  if (source === undefined) return;
  const option = /openapi|swagger/i.test(source) || isRemote(source) ? "--openapi" : "--crd";
  throw new GeneratorError("usage", `${source} stands alone`, {
    hint: `a source needs its option: ${option} ${source}; a folder is all files in it`,
  });
}

async function generateCommand(flags: Flags, terminal: Terminal, colors: Paint): Promise<number> {
  // Writing is one synchronous turn, so an interrupt always finds the old output or the new one.
  const interrupt = () => process.exit(exitCodes.interrupted);
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const progress = createProgress(terminal, colors);
  try {
    const options = { ...optionsOf(flags, await readConfig(flags.config)), progress };
    if (options.crd.length + options.openapi.length === 0 && options.cluster === undefined) {
      return await generateOwn(flags, options, terminal, colors);
    }
    if (flags.saveSchema !== undefined) return await saveSchema(flags.saveSchema, options, progress);
    const once = () => timed(() => generate(options));
    if (flags.watch !== true) return print(await once(), flags, terminal, colors);
    return await watchSources([...options.crd, ...options.openapi], terminal.signal, async () => {
      try {
        print(await once(), flags, terminal, colors);
      } catch (error) {
        reportError(error, terminal.err, colors);
      }
    });
  } finally {
    progress.end();
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
  }
}

type Options = GenerateOptions & Required<Pick<GenerateOptions, "crd" | "openapi">>;

/** Arguments go before the configuration; a source among them replaces all sources of the configuration. */
function optionsOf(flags: Flags, config: Config): Options {
  const given = flags.crd !== undefined || flags.openapi !== undefined || flags.cluster === true;
  const { crd = [], openapi = [], ...sources } = given ? flags : config;
  const { context = sources.context, kubeconfig = sources.kubeconfig } = flags;
  if (sources.cluster !== true && (context !== undefined || kubeconfig !== undefined)) {
    throw new GeneratorError("usage", "--context and --kubeconfig belong to --cluster", { hint: "add --cluster" });
  }
  if (flags.watch === true && (sources.cluster === true || [...crd, ...openapi].some(isRemote))) {
    throw new GeneratorError("usage", "--watch follows files and folders alone", { hint: "leave --watch out" });
  }
  const cluster = {
    ...(context === undefined ? {} : { context }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    allowExec: flags.allowExec === true,
  };
  return {
    crd,
    openapi,
    ...(sources.cluster === true ? { cluster } : {}),
    out: flags.out ?? config.out ?? "generated",
    include: flags.include ?? config.include ?? [],
    exclude: flags.exclude ?? config.exclude ?? [],
    allowPartial: flags.allowPartial ?? config.allowPartial ?? false,
    write: flags.check !== true && flags.dryRun !== true && flags.diff !== true,
  };
}

function isRemote(source: string): boolean {
  return source === "-" || /^https?:\/\//.test(source);
}

/** Without a source, in a checkout of this project: Kubernetes' own groups, from the schema kept beside the generator. */
async function generateOwn(flags: Flags, options: Options, terminal: Terminal, colors: Paint): Promise<number> {
  const [{ keptSchemaFile, loadKept }, { generateFrom }] = await Promise.all([
    import("./load/sources.js"),
    import("./generate.js"),
  ]);
  const kept = keptSchemaFile();
  if (kept === undefined) {
    throw new GeneratorError("usage", "nothing to generate from", {
      hint: "give --crd FILE, --openapi FILE, or --cluster",
    });
  }
  const progress = options.progress as Progress;
  const report = await timed(async () => {
    const { documents } = loadKept(kept, progress);
    const out = flags.out ?? join(packageRoot(), "generated");
    const write = options.write !== false;
    const summary = await generateFrom(documents, { out, join: false, documentation: false, write }, progress);
    return { ...summary, ignored: 0, warnings: [] };
  });
  return print(report, flags, terminal, colors);
}

async function saveSchema(file: string, options: Options, progress: Progress): Promise<number> {
  const [{ loadSources }, { discover }, { keep }] = await Promise.all([
    import("./load/sources.js"),
    import("./discover.js"),
    import("./load/kept.js"),
  ]);
  const { crd, openapi, cluster, allowPartial = false } = options;
  const live = typeof cluster === "object" ? { allowExec: false, allowPartial, ...cluster } : undefined;
  const loaded = await loadSources({ crds: crd, openApis: openapi, cluster: live, allowPartial }, progress);
  writeFileSync(file, keep(discover(loaded.documents)));
  return exitCodes.done;
}

async function timed<T>(work: () => Promise<T>): Promise<T & { milliseconds: number }> {
  const begin = performance.now();
  const result = await work();
  return { ...result, milliseconds: Math.round(performance.now() - begin) };
}

function print(report: Report, flags: Flags, terminal: Terminal, colors: Paint): number {
  const mode = { check: flags.check === true, dryRun: flags.dryRun === true, diff: flags.diff === true };
  if (terminal.columns > 0) terminal.err(clearLine);
  if (flags.json === true) terminal.out(`${JSON.stringify(jsonReport(report), undefined, 2)}\n`);
  else {
    if (mode.diff) terminal.out(diffReport(report, colors));
    terminal.out(textReport(report, mode));
  }
  const drift = report.plan.created.length + report.plan.changed.length + report.plan.removed.length;
  return mode.check && drift > 0 ? exitCodes.drift : exitCodes.done;
}

const clearLine = "\r\u001b[2K";

/** A live line on a terminal; elsewhere, in a log or a pipe, warnings alone. */
function createProgress({ err, columns }: Terminal, { yellow }: Paint): Progress & { end(): void } {
  const live = columns > 0;
  const clear = () => live && err(clearLine);
  const show = (text: string) => {
    if (!live) return;
    clear();
    err(visible(text).slice(0, columns - 1));
  };
  return {
    step: show,
    detail: show,
    warn(text) {
      clear();
      err(`${yellow("warning:")} ${visible(text)}\n`);
    },
    end: clear,
  };
}

const started = process.argv[1];
if (started !== undefined && existsSync(started) && realpathSync(started) === fileURLToPath(import.meta.url)) {
  const { isTTY, columns } = process.stderr;
  process.exitCode = await run(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    columns: isTTY ? columns : 0,
    // https://no-color.org: any value but the empty one.
    colors: isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb",
  });
}
