/** The two hosts on which the documentation's commands run, each with default paths and whatever the document starts from. */
import type { Host } from "../../mod/lab/host.ts";
import type { CommandResult } from "../../mod/lab/namespace.ts";
import { hasProgram } from "../support/programs.ts";
import { busyboxArchive } from "./docker_daemon.ts";
import { makeFlannelHosts } from "./flannel_hosts.ts";
import { HostShell, quoted } from "./host_shell.ts";
import { containersConf, hasNetavark } from "./podman_host.ts";

export interface DocStageOptions {
  readonly hosts: readonly Host[];
  readonly folder: string;
  readonly executable: string;
}

/** What the agents of a document are started with, besides how they find each other. */
const AGENT_FLAGS = "--ip-masq --log-format text";

/** In all documents the first host has the address 192.168.1.10, and the second one the next. */
const UNDERLAY_ADDRESS = /\b192\.168\.1\.1(\d)\b/g;

/** And these are their subnets. */
const SUBNETS = ["10.244.7.", "10.244.9."];

/** Docker's own settings, none of which gossamer asks for. */
const DOCKER_SETTINGS = (group: string) =>
  JSON.stringify({ "storage-driver": "vfs", "cgroup-parent": group });

/** Podman's, with the folder that it has anyway. */
const PODMAN_SETTINGS = containersConf("netavark", "/etc/containers/networks");

export class DocStage {
  readonly #shells: ReadonlyMap<string, HostShell>;
  /** Of the hosts' subnets, `10.244.7.`. */
  #prefixes: readonly string[] = [];

  private constructor(shells: ReadonlyMap<string, HostShell>) {
    this.#shells = shells;
  }

  static async open(document: string, options: DocStageOptions): Promise<DocStage> {
    const { hosts, folder, executable } = options;
    const shells = new Map<string, HostShell>();
    if (document === "docs/from-flannel.md") await makeFlannelHosts(hosts);
    for (const host of hosts) {
      const shell = await HostShell.open(host, { NO_COLOR: "1", GOSSAMER_NAME: host.name });
      await shell.keepChanges();
      await shell.ok(`install -m 755 ${quoted(executable)} /usr/local/bin/gossamer`);
      shells.set(host.name, shell);
    }
    const stage = new DocStage(shells);
    if (document === "docs/from-flannel.md") {
      for (const host of hosts) {
        await shells.get(host.name)?.ok(
          `mkdir -p /run/flannel && cp ${quoted(host.subnetFile)} /run/flannel/subnet.env`,
        );
      }
    } else {
      await stage.#startAgents(hosts);
    }
    if (document === "docs/containers.md") await stage.#prepareEngines(folder);
    return stage;
  }

  async run(host: string, script: string): Promise<CommandResult> {
    const shell = this.#shells.get(host);
    if (shell === undefined) throw new Error(`There is no host ${host}`);
    // Whoever follows the documentation gets it from a registry.
    if (script.includes("docker run")) await shell.ok("docker import /run/busybox.tar busybox");
    return await shell.run(this.#translated(script));
  }

  /** With the addresses that this lab has. */
  #translated(script: string): string {
    let text = script.replaceAll(
      UNDERLAY_ADDRESS,
      (_, digit) => `192.168.100.${Number(digit) + 1}`,
    );
    for (const [index, prefix] of SUBNETS.entries()) {
      const own = this.#prefixes[index];
      if (own !== undefined) text = text.replaceAll(prefix, own);
    }
    return text;
  }

  async close(): Promise<void> {
    for (const shell of this.#shells.values()) await shell.close();
  }

  async #startAgents(hosts: readonly Host[]): Promise<void> {
    const [first] = hosts;
    for (const host of hosts) {
      const join = host === first ? "" : `--join ${first?.address}`;
      await this.#shells.get(host.name)?.ok(
        `gossamer up ${AGENT_FLAGS} ${join} > /run/agent.log 2>&1 &\n` +
          "until gossamer status > /dev/null 2>&1; do sleep 0.05; done",
      );
      const subnet = await this.#shells.get(host.name)?.ok(
        '. /run/flannel/subnet.env; echo "$FLANNEL_SUBNET"',
      );
      this.#prefixes = [...this.#prefixes, (subnet ?? "").replace(/\d+\/\d+$/, "")];
    }
  }

  /** What the machine's engines need to run here, and a root file system to import. */
  async #prepareEngines(folder: string): Promise<void> {
    if (!hasProgram("busybox")) return;
    const archive = await busyboxArchive(folder);
    const group = `/${folder.split("/").at(-1)}`;
    for (const shell of this.#shells.values()) {
      await shell.ok(`cp ${quoted(archive)} /run/busybox.tar
        mkdir -p /etc/docker /etc/containers
        echo ${quoted(DOCKER_SETTINGS(group))} > /etc/docker/daemon.json
        echo ${quoted(PODMAN_SETTINGS)} > /etc/containers/containers.conf
        printf '[storage]\\ndriver = "vfs"\\nrunroot = "/run/containers"\\ngraphroot = "/var/lib/containers"\\n' \\
          > /etc/containers/storage.conf`);
    }
    if (!hasProgram("podman") || !hasNetavark()) return;
    await this.#shells.get("h2")?.ok(`umount -R /sys/fs/cgroup
      mount -t cgroup2 cgroup2 /sys/fs/cgroup
      podman import /run/busybox.tar busybox`);
  }
}
