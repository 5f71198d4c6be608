/**
 * Podman on one host of the lab: the real one, with netavark. It has no daemon, so the shell in which it runs holds its state.
 */
import type { Host } from "../../mod/lab/host.ts";
import { HostShell, quoted } from "./host_shell.ts";
import { hasProgram } from "../support/programs.ts";

/** Where distributions put netavark (containers.conf(5), helper_binaries_dir). */
const HELPER_FOLDERS = ["/usr/libexec/podman", "/usr/lib/podman", "/usr/local/libexec/podman"];

/** Extra folder, for a netavark that is not installed. */
const HELPER_VARIABLE = "GOSSAMER_E2E_NETAVARK";

const IMAGE = "lab";

/** What makes Podman's networks: of its own, since 4.0, or CNI plugins, until 4. */
export type PodmanBackend = "netavark" | "cni";

/** Why tests with Podman are left out here; undefined when they can run. */
export function whyNoPodman(backend: PodmanBackend): string | undefined {
  const missing = ["podman", "crun", "conmon", "busybox", "unshare"]
    .filter((program) => !hasProgram(program));
  if (backend === "netavark" && !hasNetavark()) missing.push("netavark");
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(", ")}; apt-get install podman crun netavark busybox-static`;
}

/** It is no program for users, so PATH does not lead to it. */
export function hasNetavark(): boolean {
  return netavarkFolder() !== undefined;
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
export function containersConf(backend: PodmanBackend, networks: string): string {
  return `[containers]
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
network_backend = "${backend}"
network_config_dir = "${networks}"
${backend === "cni" ? 'cni_plugin_dirs = ["/run/plugins"]' : ""}
`;
}

export class PodmanHost {
  readonly host: Host;
  readonly #shell: HostShell;

  private constructor(shell: HostShell) {
    this.host = shell.host;
    this.#shell = shell;
  }

  /** Runs a gossamer command where Podman runs. */
  async gossamer(executable: string, ...args: readonly string[]): Promise<void> {
    await this.#shell.ok([executable, ...args].map(quoted).join(" "));
  }

  /** Where Podman looks for networks. */
  get networks(): string {
    return `${this.host.directory}/networks`;
  }

  static async open(host: Host, archive: string, backend: PodmanBackend): Promise<PodmanHost> {
    const configuration = `${host.directory}/containers.conf`;
    const shell = await HostShell.open(host, { CONTAINERS_CONF: configuration });
    const podman = new PodmanHost(shell);
    await Deno.mkdir(podman.networks, { recursive: true });
    await Deno.writeTextFile(configuration, containersConf(backend, podman.networks));
    await shell.ok(
      "mkdir -p /run/plugins && umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    );
    await podman.ok("import", archive, IMAGE);
    return podman;
  }

  /** Runs a podman command to its end; what it printed, trimmed. Throws when it failed. */
  async ok(...args: readonly string[]): Promise<string> {
    return await this.#shell.ok(this.#line(args));
  }

  /** Several at the same moment. Throws when one failed. */
  async together(commands: readonly (readonly string[])[]): Promise<void> {
    const jobs = commands.map((args) => `${this.#line(args)} & jobs="$jobs $!"`);
    await this.#shell.ok(
      `jobs=; ${jobs.join("; ")}; for job in $jobs; do wait $job || exit 1; done`,
    );
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
    await this.#shell.close();
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
}
