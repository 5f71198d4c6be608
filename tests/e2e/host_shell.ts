/**
 * A shell that stays on one host of the lab: in the host's network namespace, and in a mount namespace of its own with an empty `/run`
 * and a `/proc` of the lab's processes. What runs in it finds default paths, and what it mounts ends with it.
 */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import type { CommandResult } from "../../mod/lab/namespace.ts";

/** Folders whose changes stay in the shell's namespace where {@linkcode HostShell.keepChanges} was called. */
const KEPT_FOLDERS = ["etc", "var", "opt", "usr/local"];

export class HostShell {
  readonly host: Host;
  readonly #shell: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncIterator<string>;
  #scripts = 0;

  private constructor(host: Host, env: Record<string, string>) {
    this.host = host;
    this.#shell = host.namespace.spawn(["unshare", "--mount", "--propagation=private", "sh"], {
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      env,
    });
    this.#input = this.#shell.stdin.getWriter();
    this.#answers = linesOf(this.#shell.stdout);
  }

  static async open(host: Host, env: Record<string, string> = {}): Promise<HostShell> {
    const shell = new HostShell(host, env);
    await shell.ok("mount -t proc proc /proc && mount -t tmpfs tmpfs /run");
    return shell;
  }

  /** Lets scripts write into system folders without anything of it reaching the machine. */
  async keepChanges(): Promise<void> {
    for (const folder of KEPT_FOLDERS) {
      const own = `/run/changes/${folder}`;
      const options = `lowerdir=/${folder},upperdir=${own}/upper,workdir=${own}/work`;
      await this.ok(
        `mkdir -p ${own}/upper ${own}/work && mount -t overlay overlay -o ${options} /${folder}`,
      );
    }
  }

  /** Runs a script to its end, in a shell below this one. What it leaves in the background goes on. */
  async run(script: string): Promise<CommandResult> {
    // Files, because what goes on in the background must not hold the shell's own output.
    const file = `${this.host.directory}/script${this.#scripts++}`;
    await Deno.writeTextFile(file, script);
    const line = `sh -e ${file} </dev/null >${file}.out 2>${file}.err; echo $?\n`;
    await this.#input.write(new TextEncoder().encode(line));
    const { value, done } = await this.#answers.next();
    assert.ok(done !== true, "the shell ended");
    const stdout = await Deno.readTextFile(`${file}.out`);
    const stderr = await Deno.readTextFile(`${file}.err`);
    return { code: Number(value), stdout, stderr };
  }

  /** The same; what it printed, trimmed. Throws when it failed. */
  async ok(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    assert.equal(code, 0, `${script} on ${this.host.name}: ${stderr}`);
    return stdout.trim();
  }

  async close(): Promise<void> {
    await this.#input.close();
    await this.#shell.status;
  }
}

/** A word as a shell takes it literally. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
