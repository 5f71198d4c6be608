/**
 * Podman on one host of the lab: the real one, with netavark, in the host's network namespace and a mount namespace of its own, which
 * holds its state. It has no daemon, so a shell stays in there and is told what to run.
 */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { hasProgram } from "../support/programs.ts";

/** Where distributions put netavark (containers.conf(5), helper_binaries_dir). */
const HELPER_FOLDERS = ["/usr/libexec/podman", "/usr/lib/podman", "/usr/local/libexec/podman"];

/** Extra folder, for a netavark that is not installed. */
const HELPER_VARIABLE = "GOSSAMER_E2E_NETAVARK";

const IMAGE = "lab";

/** Why tests with Podman are left out here; undefined when they can run. */
export function whyNoPodman(): string | undefined {
  const missing = ["podman", "crun", "conmon", "busybox", "unshare"]
    .filter((program) => !hasProgram(program));
  if (netavarkFolder() === undefined) missing.push("netavark");
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(", ")}; apt-get install podman crun netavark busybox-static`;
}

function netavarkFolder(): string | undefined {
  const given = Deno.env.get(HELPER_VARIABLE);
  return [...(given === undefined ? [] : [given]), ...HELPER_FOLDERS].find((folder) => {
    try {
      return Deno.statSync(`${folder}/netavark`).isFile;
    } catch {
      return false;
    }
  });
}

/**
 * No control groups: a container's belong to the machine, whose kind (v1, v2, both) this test shall not depend on. So the shell sees a
 * hierarchy of the second version in which it makes nothing. And limits that any machine allows.
 */
const CONTAINERS_CONF = `[containers]
cgroups = "disabled"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
seccomp_profile = "unconfined"
apparmor_profile = "unconfined"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
helper_binaries_dir = ["${netavarkFolder()}"]
[network]
network_backend = "netavark"
network_config_dir = "NETWORKS"
`;

export interface ShellResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class PodmanHost {
  readonly host: Host;
  readonly #shell: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncIterator<string>;
  #commands = 0;

  private constructor(host: Host) {
    this.host = host;
    this.#shell = host.namespace.spawn(
      ["unshare", "--mount", "--propagation=private", "sh"],
      {
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
        env: { CONTAINERS_CONF: `${host.directory}/containers.conf` },
      },
    );
    this.#input = this.#shell.stdin.getWriter();
    this.#answers = linesOf(this.#shell.stdout);
  }

  /** The folder of networks that `gossamer podman-network --output` is to write into. */
  get networks(): string {
    return `${this.host.directory}/networks`;
  }

  static async open(host: Host, archive: string): Promise<PodmanHost> {
    const podman = new PodmanHost(host);
    await Deno.mkdir(podman.networks, { recursive: true });
    await Deno.writeTextFile(
      `${host.directory}/containers.conf`,
      CONTAINERS_CONF.replace("NETWORKS", podman.networks),
    );
    await podman.#ok(
      "mount -t proc proc /proc && mount -t tmpfs tmpfs /run && " +
        "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    );
    await podman.ok("import", archive, IMAGE);
    return podman;
  }

  /** Runs a podman command to its end; what it printed, trimmed. Throws when it failed. */
  async ok(...args: readonly string[]): Promise<string> {
    return await this.#ok(this.#line(args));
  }

  /** Several at the same moment. Throws when one failed. */
  async together(commands: readonly (readonly string[])[]): Promise<void> {
    const jobs = commands.map((args) => `${this.#line(args)} & jobs="$jobs $!"`);
    await this.#ok(`jobs=; ${jobs.join("; ")}; for job in $jobs; do wait $job || exit 1; done`);
  }

  /** Starts a container in the background; returns its address. */
  async run(network: string, name: string, ...command: readonly string[]): Promise<string> {
    await this.ok(...this.runArguments(network, name, ...command));
    return await this.address(network, name);
  }

  runArguments(network: string, name: string, ...command: readonly string[]): string[] {
    return [
      "run",
      "-d",
      "--stop-signal=KILL",
      "--network",
      network,
      "--name",
      name,
      IMAGE,
      ...command,
    ];
  }

  async address(network: string, name: string): Promise<string> {
    const path = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    return await this.ok("inspect", "-f", path, name);
  }

  async close(): Promise<void> {
    await this.#input.close();
    await this.#shell.status;
  }

  #line(args: readonly string[]): string {
    const own = [
      "podman",
      `--root=${this.host.directory}/podman`,
      "--runroot=/run/podman",
      "--storage-driver=vfs",
    ];
    return [...own, ...args].map(quoted).join(" ");
  }

  /** The command gets files for its output: a container must not hold the shell's own. */
  async #ok(line: string): Promise<string> {
    const output = `${this.host.directory}/command${this.#commands++}`;
    const text = `( ${line} ) </dev/null >${output} 2>${output}.errors; echo $?\n`;
    await this.#input.write(new TextEncoder().encode(text));
    const { value, done } = await this.#answers.next();
    assert.ok(done !== true, "the shell ended");
    const errors = await Deno.readTextFile(`${output}.errors`);
    assert.equal(value, "0", `${line} on ${this.host.name}: ${errors}`);
    return (await Deno.readTextFile(output)).trim();
  }
}

function quoted(word: string): string {
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
