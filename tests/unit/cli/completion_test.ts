/** Completion, by the shell itself where there is one. */
import { deepEqual, equal, match } from "node:assert/strict";
import { COMMANDS } from "../../../mod/cli/commands/all.ts";
import { completionScript } from "../../../mod/cli/completion.ts";
import { hasProgram } from "../../support/programs.ts";

/** What bash offers for the last of the words, with an agent that knows two hosts. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const script = `${completionScript("bash", COMMANDS)}
gossamer() { printf 'NAME ADDRESS\\nh1 10.0.0.1\\nweb-2 10.0.0.2\\n'; }
COMP_WORDS=(gossamer ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}
_gossamer
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script],
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["mem"], ["members"]],
  [["do"], ["doctor", "docker-opts"]],
  [["up", "--vx"], ["--vxlan-port"]],
  [["up", "--join", ""], []],
  [["ping", ""], ["h1", "web-2"]],
  [["ping", "w"], ["web-2"]],
  [["forget", "--f"], ["--force"]],
  [["cni", ""], ["install", "uninstall"]],
  [["config", "c"], ["check"]],
  [["keys", "ro"], []],
  [["keys", "gen"], ["generate"]],
  [["completion", "f"], ["fish"]],
  [["nonsense", "x"], []],
];

for (const [words, wanted] of CASES) {
  Deno.test({
    name: `bash completes gossamer ${words.join(" ")}`,
    ignore: !hasProgram("bash"),
    fn: async () => deepEqual((await offered(...words)).sort(), [...wanted].sort()),
  });
}

for (const shell of ["bash", "zsh"] as const) {
  Deno.test({
    name: `${shell} takes the script`,
    ignore: !hasProgram(shell),
    async fn() {
      const child = new Deno.Command(shell, { args: ["-n"], stdin: "piped", stderr: "piped" })
        .spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(completionScript(shell, COMMANDS)));
      await writer.close();
      const { code, stderr } = await child.output();
      equal(code, 0, new TextDecoder().decode(stderr));
    },
  });
}

Deno.test("fish has a line for each command and each flag", () => {
  const script = completionScript("fish", COMMANDS);
  for (const { name, flags } of COMMANDS) {
    match(
      script,
      new RegExp(`^complete -c gossamer -f -n __fish_use_subcommand -a ${name} -d '`, "m"),
    );
    for (const flag of flags) {
      const line =
        `^complete -c gossamer -n '__fish_seen_subcommand_from ${name}' -l ${flag.name} `;
      match(script, new RegExp(line, "m"));
    }
  }
});
