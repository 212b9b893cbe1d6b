/** Scripts that complete the arguments of the command line in a shell. */
import { didYouMean } from "./closest.js";
import { GeneratorError } from "./errors.js";

export const shells = ["bash", "zsh", "fish"] as const;

export interface CompletedOption {
  readonly long: string;
  readonly description: string;
  /** What follows it; `undefined` when nothing does. */
  readonly value: "path" | "word" | undefined;
}

export interface Subcommand {
  readonly name: string;
  readonly description: string;
  /** What it takes besides options: one of these words, a path, or nothing. */
  readonly takes: readonly string[] | "path" | undefined;
  readonly options: readonly CompletedOption[];
}

export function completion(shell: string, subcommands: readonly Subcommand[]): string {
  const names = subcommands.map(({ name }) => name);
  const help: Subcommand = { name: "help", description: "display help for command", takes: names, options: [] };
  const all = [...subcommands, help];
  switch (shell) {
    case "bash":
      return bash(all);
    case "zsh":
      return zsh(all);
    case "fish":
      return fish(all);
    default:
      throw new GeneratorError("usage", `no completion for ${JSON.stringify(shell)}`, {
        hint: `expected ${shells.join(", ")}${didYouMean(shell, shells)}`,
      });
  }
}

/** Where it knows no words the shell's own completion of files takes over: that is right for names with spaces too. */
function bash(subcommands: readonly Subcommand[]): string {
  const cases = subcommands.flatMap(({ name, takes, options }) => [
    ...(options.length > 0 ? [`    ${name}\\ -*) words="${options.map(({ long }) => long).join(" ")}" ;;\n`] : []),
    ...(Array.isArray(takes) ? [`    ${name}\\ *) words="${takes.join(" ")}" ;;\n`] : []),
  ]);
  return `# kube-informers completion: source <(kube-informers completion bash)
_kube_informers() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${subcommands.map(({ name }) => name).join(" ")}"
  else case "\${COMP_WORDS[1]} $word" in
${cases.join("")}  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _kube_informers kube-informers
`;
}

function zsh(subcommands: readonly Subcommand[]): string {
  const cases = subcommands.map(({ name, takes, options }) => {
    const positional = takes === "path" ? ["'1:file:_files'"] : takes ? [`'1:word:(${takes.join(" ")})'`] : [];
    const flags = options.map(({ long, description, value }) => {
      const text = `[${description.replace(/[[\]\\]/g, "\\$&")}]`;
      if (value === undefined) return zshQuoted(`${long}${text}`);
      return zshQuoted(`*${long}=${text}:value:${value === "path" ? "_files" : ""}`);
    });
    return `  ${name})\n    _arguments ${[...positional, ...flags].join(" \\\n      ")} ;;\n`;
  });
  const commands = subcommands.map(({ name, description }) => `    ${zshQuoted(`${name}:${description}`)}\n`);
  return `#compdef kube-informers
# kube-informers completion: kube-informers completion zsh > "\${fpath[1]}/_kube-informers"
if (( CURRENT == 2 )); then
  local -a commands=(
${commands.join("")}  )
  _describe command commands
  return
fi
local subcommand="$words[2]"
words=("\${(@)words[2,-1]}")
(( CURRENT-- ))
case "$subcommand" in
${cases.join("")}esac
`;
}

function fish(subcommands: readonly Subcommand[]): string {
  const lines = subcommands.flatMap(({ name, description, takes, options }) => {
    const within = `complete -c kube-informers -n '__kube_informers_is ${name}'`;
    const positional = takes === "path" ? [`${within} -F`] : takes ? [`${within} -a '${takes.join(" ")}'`] : [];
    const flags = options.map(({ long, description, value }) => {
      const takesValue = value === undefined ? "" : value === "path" ? " -r -F" : " -x";
      return `${within} -l ${long.slice(2)}${takesValue} -d ${fishQuoted(description)}`;
    });
    return [
      `complete -c kube-informers -n __fish_use_subcommand -a ${name} -d ${fishQuoted(description)}`,
      ...positional,
      ...flags,
    ];
  });
  return `# kube-informers completion: kube-informers completion fish | source
function __kube_informers_is
  set -l words (commandline -opc)
  test "$words[2]" = $argv[1]
end
complete -c kube-informers -f
${lines.join("\n")}
`;
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
