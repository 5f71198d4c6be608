/**
 * A Docker daemon for one host of the lab: the real dockerd, in the host's network namespace, with everything else of its own.
 *
 * It gets a mount namespace with an own `/run` (sockets, locks, bind mounts of network namespaces) and an own `/proc`, since the
 * lab's processes live in a pid namespace. All of that ends with its processes; control groups are removed by name.
 */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import type { CommandResult } from "../../mod/lab/namespace.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { hasProgram, programPath } from "../support/programs.ts";

/** What dockerd needs to start at all, on a busy machine. */
const START_MS_MAX = 30_000;
const POLL_MS = 20;

/** The image that {@linkcode importImage} makes. */
const IMAGE = "lab";

/** Why tests with Docker are left out here; undefined when they can run. */
export function whyNoDocker(): string | undefined {
  const missing = ["docker", "dockerd", "containerd", "runc", "busybox", "iptables", "unshare"]
    .filter((program) => !hasProgram(program));
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(", ")}; apt-get install docker.io busybox-static iptables`;
}

export class DockerDaemon {
  readonly host: Host;
  readonly #options: readonly string[];
  #process: Deno.ChildProcess | null = null;
  #log: Promise<string> | null = null;

  /** @param options of dockerd, besides those that keep it apart from other daemons. */
  constructor(host: Host, options: readonly string[]) {
    this.host = host;
    this.#options = options;
  }

  get #socket(): string {
    return `unix://${this.host.directory}/docker.sock`;
  }

  /** Starts the daemon and waits until it answers. */
  async start(): Promise<void> {
    const { directory, name } = this.host;
    const group = directory.split("/").at(-2) ?? name;
    const own = [
      `--data-root=${directory}/docker`,
      "--exec-root=/run/docker-exec",
      "--pidfile=/run/docker.pid",
      `--host=${this.#socket}`,
      `--cgroup-parent=/${group}/${name}`,
      "--storage-driver=vfs",
    ];
    const script = `mount -t proc proc /proc && mount -t tmpfs tmpfs /run && exec dockerd "$@"`;
    const child = this.host.namespace.spawn(
      [
        "unshare",
        "--mount",
        "--propagation=private",
        "sh",
        "-c",
        script,
        "sh",
        ...own,
        ...this.#options,
      ],
      { stdin: "null", stdout: "null", stderr: "piped" },
    );
    this.#process = child;
    this.#log = new Response(child.stderr).text();
    let ended = false;
    child.status.then(() => ended = true);
    const deadline = performance.now() + START_MS_MAX;
    while ((await this.docker("version")).code !== 0) {
      if (ended) throw new Error(`dockerd of ${name} ended\n${await this.#log}`);
      assert.ok(performance.now() < deadline, `dockerd of ${name} does not answer`);
      await sleep(POLL_MS);
    }
  }

  /** Runs a docker command to its end. */
  async docker(...args: readonly string[]): Promise<CommandResult> {
    return await this.host.namespace.output(["docker", ...args], {
      env: { DOCKER_HOST: this.#socket },
    });
  }

  /** The same; what it printed, trimmed. Throws when it failed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    assert.equal(code, 0, `docker ${args.join(" ")} on ${this.host.name}: ${stderr}`);
    return stdout.trim();
  }

  /** Starts a container in the background; returns its address. */
  async run(name: string, ...command: readonly string[]): Promise<string> {
    await this.ok("run", "-d", "--stop-signal=KILL", "--name", name, IMAGE, ...command);
    return await this.address(name);
  }

  async address(name: string): Promise<string> {
    return await this.ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name);
  }

  /** Makes an image of an archive with a root file system. */
  async importImage(archive: string): Promise<void> {
    await this.ok("import", archive, IMAGE);
  }

  /** Ends the daemon as systemd would, which ends its containers. */
  async stop(): Promise<void> {
    if (this.#process === null) return;
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await this.#log;
    this.#process = null;
  }
}

/** An archive of the smallest root file system: busybox under its names, and a web page that says who asks for it. */
export async function busyboxArchive(folder: string): Promise<string> {
  const root = `${folder}/rootfs`;
  for (const path of ["bin", "proc", "sys", "dev", "etc", "tmp", "www/cgi-bin"]) {
    await Deno.mkdir(`${root}/${path}`, { recursive: true });
  }
  const busybox = programPath("busybox");
  assert.ok(busybox !== undefined, "there is a busybox");
  await Deno.copyFile(busybox, `${root}/bin/busybox`);
  for (const name of ["sh", "httpd", "nc", "ping", "printf", "sleep"]) {
    await Deno.symlink("busybox", `${root}/bin/${name}`);
  }
  await Deno.writeTextFile(
    `${root}/www/cgi-bin/who`,
    '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n%s" "$REMOTE_ADDR"\n',
    { mode: 0o755 },
  );
  const archive = `${folder}/rootfs.tar`;
  const { success } = await new Deno.Command("tar", { args: ["-cf", archive, "-C", root, "."] })
    .output();
  assert.ok(success, "tar makes the archive");
  return archive;
}
