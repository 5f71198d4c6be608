/**
 * A system of its own that systemd runs, in namespaces: for what only a real systemd can say about the unit. It has a folder as its
 * root, processes, mounts, control groups and a network of its own, and ends with this process, however that ends.
 */
import assert from "node:assert/strict";
import { sleep } from "../../mod/lab/ping.ts";
import { removeAbandonedCgroups } from "../support/cgroups.ts";
import { hasProgram } from "../support/programs.ts";

/** systemd of minbase is up in a second; on a busy machine it takes longer. */
const START_MS_MAX = 30_000;
const POLL_MS = 50;

/** Of Debian, for {@linkcode SystemdHost}. */
export const SYSTEMD_PACKAGES = ["systemd"];

/**
 * Reads standard input to its end, which is this test's, and then kills what it started. Moves into control groups of its own
 * first, so that systemd sees no others: arguments are their name, the root folder and the script that follows.
 */
const OUTER = `
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -w "$hierarchy/cgroup.procs" ] || continue
  mkdir "$hierarchy/$1"
  echo $$ > "$hierarchy/$1/cgroup.procs"
done
unshare --mount --propagation private --net --uts --ipc --cgroup --pid --fork --kill-child \\
  sh -c "$3" sh "$2" </dev/null &
cat >/dev/null
kill -KILL $!
wait
`;

/** What a container engine prepares for a systemd in it; https://systemd.io/CONTAINER_INTERFACE. */
const INNER = `
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
for folder in run tmp dev; do mount -t tmpfs tmpfs $folder; done
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir -p dev/pts dev/shm sys/fs/cgroup
if [ -d /sys/fs/cgroup/systemd ]; then
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 sys/fs/cgroup/unified || rmdir sys/fs/cgroup/unified
else
  mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mount -t tmpfs tmpfs var/log
ip link set lo up
ip link add underlay0 type veth peer name underlay1
ip address add 192.168.100.1/24 dev underlay0
ip link set underlay0 up
ip link set underlay1 up
ip route add default via 192.168.100.254
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd
`;

/** Why there is none here; undefined when there can be. */
export function whyNoSystemdHost(): string | undefined {
  if (Deno.readTextFileSync("/proc/1/comm") === "systemd\n") {
    return "leaves the control groups of this machine's own systemd alone";
  }
  const missing = ["unshare", "nsenter", "ip"].filter((program) => !hasProgram(program));
  return missing.length === 0 ? undefined : `needs ${missing.join(", ")}`;
}

export class SystemdHost {
  readonly #root: string;
  readonly #folder: string;
  readonly #outer: Deno.ChildProcess;
  readonly #log: Promise<string>;
  #pid = "";

  private constructor(folder: string, root: string) {
    this.#folder = folder;
    this.#root = root;
    this.#outer = new Deno.Command("sh", {
      args: ["-c", OUTER, "sh", folder.replace(/^.*\//, ""), root, INNER],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#log = new Response(this.#outer.stderr).text();
  }

  /** @param folder a temporary folder named gossamer-lab-..., in which root is: control groups are named as it is. */
  static async start(folder: string, root: string): Promise<SystemdHost> {
    const host = new SystemdHost(folder, root);
    try {
      await host.until("systemd is up", async () => {
        host.#pid = host.#findInit();
        if (host.#pid === "") return false;
        const { said } = await host.run("systemctl", "is-system-running");
        return /^(running|degraded)/.test(said);
      });
      return host;
    } catch (error) {
      throw new Error(`${error}\n${await host.stop()}`);
    }
  }

  /** What a command there says, standard error behind the output. */
  async run(...command: readonly string[]): Promise<{ code: number; said: string }> {
    const enter = ["-t", this.#pid, "-m", "-n", "-p", "-u", "-i", "-C", "chroot", this.#root];
    const { code, stdout, stderr } = await new Deno.Command("nsenter", {
      args: [...enter, ...command],
      clearEnv: true,
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, said: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  /** The same. Throws when it failed. */
  async ok(...command: readonly string[]): Promise<string> {
    const { code, said } = await this.run(...command);
    assert.equal(code, 0, `${command.join(" ")}: ${said}`);
    return said;
  }

  /** Until the service is active, which the agent says when containers may be started. */
  async active(): Promise<void> {
    await this.until("the service is active", async () => {
      const { said } = await this.run("systemctl", "show", "-p", "ActiveState,Result", "gossamer");
      assert.doesNotMatch(said, /Result=exit-code/, await this.#journal());
      return said.includes("ActiveState=active");
    });
  }

  /** Ends all of it; what was said on the way. */
  async stop(): Promise<string> {
    await this.#outer.stdin.close();
    await this.#outer.status;
    return await this.#log;
  }

  /** Control groups, once the folder is gone. */
  removeRest(): void {
    removeAbandonedCgroups(this.#folder);
  }

  async #journal(): Promise<string> {
    const { said } = await this.run("systemctl", "status", "--no-pager", "--full", "gossamer");
    return said;
  }

  /** The child of unshare, the child of the shell: systemd, once it has taken the place of a shell. */
  #findInit(): string {
    const children = (pid: string) =>
      Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ")
        .filter((child) => child !== "");
    try {
      const grandchildren = children(String(this.#outer.pid)).flatMap(children);
      return grandchildren.find((pid) =>
        Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("systemd")
      ) ?? "";
    } catch {
      return ""; // one of them has gone meanwhile
    }
  }

  /** Throws when it takes longer than systemd ever does. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS_MAX;
    while (!await holds()) {
      assert.ok(performance.now() < deadline, `not within ${START_MS_MAX} ms: ${what}`);
      await sleep(POLL_MS);
    }
  }
}
