/** Scripts that complete the arguments of the command line in a shell. */
import { didYouMean } from "./closest.js";
import { GeneratorError } from "./errors.js";

export const shells = ["bash", "zsh", "fish"] as const;

interface Subcommand {
  readonly name: string;
  readonly options: readonly { readonly long: string; readonly description: string }[];
}

export function completion(shell: string, subcommands: readonly Subcommand[]): string {
  switch (shell) {
    case "bash":
      return bash(subcommands);
    case "zsh":
      return zsh(subcommands);
    case "fish":
      return fish(subcommands);
    default:
      throw new GeneratorError("usage", `no completion for ${JSON.stringify(shell)}`, {
        hint: `expected ${shells.join(", ")}${didYouMean(shell, shells)}`,
      });
  }
}

function names(subcommands: readonly Subcommand[]): string {
  return [...subcommands.map(({ name }) => name), "help"].join(" ");
}

function bash(subcommands: readonly Subcommand[]): string {
  const cases = subcommands.map(
    ({ name, options }) => `      ${name}) options="${options.map(({ long }) => long).join(" ")}" ;;\n`,
  );
  return `# kube-informers completion: source <(kube-informers completion bash)
_kube_informers() {
  local word="\${COMP_WORDS[COMP_CWORD]}" options=""
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names(subcommands)}" -- "$word"))
  elif [[ "$word" == -* ]]; then
    case "\${COMP_WORDS[1]}" in
${cases.join("")}    esac
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _kube_informers kube-informers
`;
}

function zsh(subcommands: readonly Subcommand[]): string {
  const cases = subcommands.map(({ name, options }) => {
    const list = options.map(({ long, description }) => `      '*${long}[${quoted(description)}]:value:_files'`);
    return `  ${name})\n    _arguments '*:file:_files' ${["", ...list].join(" \\\n")} ;;\n`;
  });
  return `#compdef kube-informers
# kube-informers completion: kube-informers completion zsh > "\${fpath[1]}/_kube-informers"
if (( CURRENT == 2 )); then
  compadd ${names(subcommands)}
  return
fi
local subcommand="$words[2]"
words=("\${(@)words[2,-1]}")
(( CURRENT-- ))
case "$subcommand" in
${cases.join("")}esac
`;
}

/** Text between single quotes and square brackets. */
function quoted(text: string): string {
  return text.replaceAll("'", "").replace(/[[\]:]/g, " ");
}

function fish(subcommands: readonly Subcommand[]): string {
  const commands = `complete -c kube-informers -n __fish_use_subcommand -a '${names(subcommands)}'`;
  const lines = subcommands.flatMap(({ name, options }) =>
    options.map(
      ({ long, description }) =>
        `complete -c kube-informers -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d '${description.replaceAll("'", "")}'`,
    ),
  );
  return `# kube-informers completion: kube-informers completion fish | source\n${[commands, ...lines].join("\n")}\n`;
}
