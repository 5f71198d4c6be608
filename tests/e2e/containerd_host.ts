/**
 * containerd on one host of the lab: the real one, with runc and ctr, in the host's network namespace and a mount namespace of its
 * own that holds its state. ctr calls the CNI plugin that `gossamer cni install` put where it looks. A shell stays in there and
 * is told what to run.
 */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { hasProgram } from "../support/programs.ts";

/** What containerd needs to start, or to end fifty containers, on a busy machine. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

/** Why tests with containerd are left out here; undefined when they can run. */
export function whyNoContainerd(): string | undefined {
  const missing = ["containerd", "ctr", "runc", "busybox", "unshare"]
    .filter((program) => !hasProgram(program));
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(", ")}; apt-get install containerd runc busybox-static`;
}

export interface ShellResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class ContainerdHost {
  readonly host: Host;
  readonly #rootfs: string;
  readonly #shell: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncIterator<string>;
  #commands = 0;

  private constructor(host: Host, rootfs: string) {
    this.host = host;
    this.#rootfs = rootfs;
    this.#shell = host.namespace.spawn(["unshare", "--mount", "--propagation=private", "sh"], {
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    });
    this.#input = this.#shell.stdin.getWriter();
    this.#answers = linesOf(this.#shell.stdout);
  }

  /** Starts it. Its folders of plugins and configurations are empty at first. */
  static async open(host: Host, rootfs: string): Promise<ContainerdHost> {
    const { directory } = host;
    const containerd = new ContainerdHost(host, rootfs);
    await Deno.writeTextFile(
      `${directory}/containerd.toml`,
      `version = 2\nroot = "${directory}/containerd"\nstate = "/run/containerd"\n` +
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n' +
        '[grpc]\naddress = "/run/containerd.sock"\n',
    );
    // ctr knows /etc/cni/net.d and /opt/cni/bin, and no others.
    await containerd.ok(
      "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /opt && " +
        `mkdir ${directory}/etc && cp -a /etc/. ${directory}/etc && rm -rf ${directory}/etc/cni && ` +
        `mount --bind ${directory}/etc /etc`,
    );
    await containerd.ok(
      `containerd -c ${directory}/containerd.toml >${directory}/containerd.log 2>&1 &`,
    );
    await containerd.until(async () =>
      (await containerd.run("ctr -a /run/containerd.sock version")).code === 0
    );
    return containerd;
  }

  /** Runs a line of shell to its end. The command gets files for its output: a container must not hold the shell's own. */
  async run(line: string): Promise<ShellResult> {
    const output = `${this.host.directory}/command${this.#commands++}`;
    const text = `( ${line}\n) </dev/null >${output} 2>${output}.errors; echo $?\n`;
    await this.#input.write(new TextEncoder().encode(text));
    const { value, done } = await this.#answers.next();
    assert.ok(done !== true, "the shell ended");
    const [stdout, stderr] = await Promise.all([
      Deno.readTextFile(output),
      Deno.readTextFile(`${output}.errors`),
    ]);
    return { code: Number(value), stdout: stdout.trim(), stderr };
  }

  /** The same; what it printed. Throws when it failed. */
  async ok(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(line);
    assert.equal(code, 0, `${line} on ${this.host.name}: ${stdout}\n${stderr}`);
    return stdout;
  }

  /** `ctr run --cni`, which calls ADD, then DEL when the container ends. Its output is kept in a file of the container's name. */
  runLine(name: string, command: string): string {
    const start = `run --rm --cni --rootfs ${this.#rootfs} ${
      this.#id(name)
    } /bin/sh -c '${command}'`;
    return `${this.#ctr} ${start} >${this.#log(name)} 2>&1`;
  }

  /** Starts containers at the same moment, and waits for the address of each. */
  async start(...names: readonly string[]): Promise<string[]> {
    const show = 'ip -4 -o addr show eth0; trap "exit 0" TERM; while :; do sleep 1; done';
    await this.ok(names.map((name) => `${this.runLine(name, show)} &`).join("\n"));
    return await Promise.all(names.map((name) => this.address(name)));
  }

  /** The address that the container sees itself. */
  async address(name: string): Promise<string> {
    let text = "";
    await this.until(async () => {
      text = await Deno.readTextFile(this.#log(name)).catch(() => "");
      assert.doesNotMatch(text, /^ctr: /m);
      return text.includes("inet ");
    });
    return /inet ([\d.]+)\//.exec(text)?.[1] ?? "";
  }

  /** Runs a command in a container. */
  async exec(name: string, command: string): Promise<ShellResult> {
    const id = `exec${this.#commands}`;
    return await this.run(`${this.#ctr} task exec --exec-id ${id} ${this.#id(name)} ${command}`);
  }

  /** Kills containers and waits until ctr has called DEL for each. */
  async stop(...names: readonly string[]): Promise<void> {
    await this.ok(
      names.map((name) => `${this.#ctr} task kill -s KILL ${this.#id(name)}`).join("\n"),
    );
    const ids = names.map((name) => this.#id(name));
    await this.until(async () => {
      const there = (await this.ok(`${this.#ctr} container ls -q`)).split("\n");
      return !ids.some((id) => there.includes(id));
    });
  }

  /** Waits for something. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!await holds()) {
      assert.ok(performance.now() < deadline, `${this.host.name}: not within ${PATIENCE_MS} ms`);
      await sleep(POLL_MS);
    }
  }

  /** Ends containerd and whatever it still runs. */
  async close(): Promise<void> {
    await this.#input.close();
    this.#shell.kill("SIGKILL");
    await this.#shell.status;
  }

  /** ctr's namespaces are folders of control groups: named as the lab's, they are found and removed. */
  get #ctr(): string {
    return `ctr -a /run/containerd.sock -n ${this.host.directory.split("/").at(-2)}`;
  }

  #id(name: string): string {
    return `${this.host.name}-${name}`;
  }

  #log(name: string): string {
    return `${this.host.directory}/${name}.log`;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
