/** Real Podman on two hosts, with the network that podman-network writes, or gossamer as its CNI plugin. */
import assert from "node:assert/strict";
import { startCluster, statusOf } from "./cluster.ts";
import { busyboxArchive } from "./docker_daemon.ts";
import { type PodmanBackend, PodmanHost, whyNoPodman } from "./podman_host.ts";
import { scenario, type Stage } from "./scenario.ts";

const NETWORK = "gossamer";

/** Containers that each host starts at the same moment. */
const AT_ONCE = 5;

podmanScenario("netavark", "Podman containers of two hosts reach each other by address");
podmanScenario("cni", "so they do where Podman takes gossamer as a CNI plugin");

function podmanScenario(backend: PodmanBackend, name: string): void {
  scenario(
    import.meta,
    name,
    { hosts: 2, leftOut: whyNoPodman(backend) },
    (stage) => run(backend, stage),
  );
}

async function run(
  backend: PodmanBackend,
  { lab: { hosts }, folder, executable, step }: Stage,
): Promise<void> {
  await startCluster(hosts, "--ip-masq");
  let podmans: PodmanHost[] = [];

  await step("Podman knows the network that was written for it", async () => {
    const archive = await busyboxArchive(folder);
    podmans = await Promise.all(hosts.map((host) => PodmanHost.open(host, archive, backend)));
    for (const podman of podmans) {
      const file = `--subnet-file=${podman.host.subnetFile}`;
      const folders = ["--bin-dir=/run/plugins", `--conf-dir=${podman.networks}`];
      await podman.gossamer(
        executable,
        ...(backend === "cni"
          ? ["cni", "install", file, ...folders]
          : ["podman-network", file, `--output=${podman.networks}/${NETWORK}.json`]),
      );
      assert.match(await podman.ok("network", "ls"), /gossamer +(bridge|gossamer)/);
    }
  });
  await step("containers reach each other with full packets", async () => {
    const addresses = await Promise.all(
      podmans.map((podman) => podman.run(NETWORK, "one", "sleep", "1000")),
    );
    for (const [index, podman] of podmans.entries()) {
      const { gateway, mtu } = await podman.host.waitForSubnet();
      assert.equal(addresses[index], gateway.replace(/1$/, "2"));
      await podman.ok(
        ...["exec", "one", "ping", "-c", "2", "-W", "2", "-s", String(mtu - 28)],
        addresses[1 - index] ?? "",
      );
    }
  });
  await step("those started at once have an address each, also after a restart", async () => {
    const names = Array.from({ length: AT_ONCE }, (_, index) => `c${index}`);
    await Promise.all(
      podmans.map((podman) =>
        podman.together(names.map((name) => podman.runArguments(NETWORK, name, "sleep", "1000")))
      ),
    );
    await Promise.all(podmans.map((podman) => podman.ok("restart", "-t", "0", "c0")));
    const addresses: string[] = [];
    for (const podman of podmans) {
      for (const name of ["one", ...names]) addresses.push(await podman.address(NETWORK, name));
    }
    assert.equal(new Set(addresses).size, 2 * (AT_ONCE + 1), addresses.join(" "));
    const all = addresses.join(" ");
    const script = `for a in ${all}; do ping -c 1 -W 2 $a >/dev/null || echo $a; done`;
    for (const podman of podmans) {
      assert.equal(await podman.ok("exec", "one", "sh", "-c", script), "", "these do not answer");
    }
  });
  await step(
    "what is removed leaves no bridge behind, and nothing had to be repaired",
    async () => {
      for (const podman of podmans) {
        await podman.ok("rm", "-f", "-t", "0", "-a");
        const { stdout } = await podman.host.namespace.output(["ip", "-o", "link"]);
        const devices = [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => name).sort();
        // The plugin's bridge stays for the next container; Podman's own goes.
        const left = devices.filter((device) => device !== "cni0");
        assert.deepEqual(left, ["eth0", "flannel.1", "lo"]);
        const { overlay, problems } = await statusOf(podman.host);
        assert.deepEqual([overlay.repairs, problems], [0, []]);
      }
    },
  );
  await Promise.all(podmans.map((podman) => podman.close()));
}
