/** Scripts that complete the arguments of the command line in a shell. */
import { didYouMean } from "./closest.js";
import { GeneratorError } from "./errors.js";

export const shells = ["bash", "zsh", "fish"] as const;

interface Option {
  readonly long: string;
  readonly description: string;
}

export function completion(shell: string, options: readonly Option[]): string {
  switch (shell) {
    case "bash":
      return bash(options);
    case "zsh":
      return zsh(options);
    case "fish":
      return fish(options);
    default:
      throw new GeneratorError("usage", `no completion for ${JSON.stringify(shell)}`, {
        hint: `expected ${shells.join(", ")}${didYouMean(shell, shells)}`,
      });
  }
}

function bash(options: readonly Option[]): string {
  return `# kube-informers completion: source <(kube-informers completion bash)
_kube_informers() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "generate rbac completion help" -- "$word"))
  elif [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "${options.map(({ long }) => long).join(" ")}" -- "$word"))
  else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _kube_informers kube-informers
`;
}

function zsh(options: readonly Option[]): string {
  const list = options.map(({ long, description }) => `    '*${long}[${quoted(description)}]:value:_files'`);
  return `#compdef kube-informers
# kube-informers completion: kube-informers completion zsh > "\${fpath[1]}/_kube-informers"
_arguments '1:command:(generate rbac completion help)' \\
${list.join(" \\\n")}
`;
}

/** Text between single quotes and square brackets. */
function quoted(text: string): string {
  return text.replaceAll("'", "").replace(/[[\]:]/g, " ");
}

function fish(options: readonly Option[]): string {
  const commands = "complete -c kube-informers -n __fish_use_subcommand -a 'generate rbac completion help'";
  const lines = options.map(
    ({ long, description }) =>
      `complete -c kube-informers -n '__fish_seen_subcommand_from generate' -l ${long.slice(2)} -d '${description.replaceAll("'", "")}'`,
  );
  return `# kube-informers completion: kube-informers completion fish | source\n${[commands, ...lines].join("\n")}\n`;
}
