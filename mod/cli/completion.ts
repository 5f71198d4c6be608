/**
 * Shell scripts that complete gossamer's command line, made from the same commands that parsing and help read. Names of hosts are
 * asked of the agent when they are wanted: without one there are none, and nothing is said.
 */
import type { Command } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** Prints the members' names, one a line, whatever stands there. */
const HOSTS = "gossamer members 2>/dev/null | awk 'NR > 1 { print $1 }'";
const HELP = { name: "help", text: "What the command does, and its flags" };

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  if (shell === "fish") return fishScript(commands);
  const bash = bashScript(commands);
  return shell === "bash"
    ? bash
    : `#compdef gossamer\nautoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

/** The words that a command takes as its first argument: those written in lower case where help has the argument. */
function actions({ arguments: wanted, flags, examples, name }: Command): string[] {
  if (wanted === undefined) return [];
  const written = wanted.placeholder.match(/\b[a-z]+\b/g) ?? [];
  if (!wanted.placeholder.startsWith("ACTION")) return written;
  // Which actions there are, its examples show.
  const shown = examples.map(({ line }) =>
    new RegExp(`^gossamer ${name} ([a-z]+)`).exec(line)?.[1]
  );
  return [...new Set(shown.filter((action) => action !== undefined))]
    .filter((action) => flags.every((flag) => flag.name !== action));
}

function takesHost({ arguments: wanted }: Command): boolean {
  return wanted?.placeholder === "HOST";
}

function flagsOf({ flags }: Command): string[] {
  return [...flags, HELP].map(({ name }) => `--${name}`);
}

function bashScript(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const words = takesHost(command) ? `$(${HOSTS})` : actions(command).join(" ");
    return `    ${command.name})\n` +
      `      flags="${flagsOf(command).join(" ")}"\n` +
      `      words="${words}"\n` +
      `      ;;`;
  });
  return `# Completion of gossamer for bash: . <(gossamer completion bash)
_gossamer() {
  local current=\${COMP_WORDS[COMP_CWORD]} flags="" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} help" -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} != --* && -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F _gossamer gossamer
`;
}

function fishScript(commands: readonly Command[]): string {
  const lines = ["# Completion of gossamer for fish: gossamer completion fish | source"];
  for (const command of commands) {
    const { name, brief, flags } = command;
    const inside = `complete -c gossamer -n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c gossamer -f -n __fish_use_subcommand -a ${name} -d ${quoted(brief)}`);
    for (const flag of flags) {
      const value = flag.kind === "switch" ? "" : " -r";
      lines.push(`${inside} -l ${flag.name}${value} -d ${quoted(flag.text)}`);
    }
    const words = takesHost(command) ? [`(${HOSTS})`] : actions(command);
    if (words.length > 0) lines.push(`${inside} -f -a ${quoted(words.join(" "))}`);
  }
  return `${lines.join("\n")}\n`;
}

/** In single quotes, as fish reads them. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
