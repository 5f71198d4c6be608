/**
 * Several agents on every host, each of a cluster of its own: another network, VNI, port, folder and `subnet.env`.
 * Two have VXLAN devices, one sends bare packets; none may see or touch what is another's.
 */
import assert from "node:assert/strict";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { addressAdd } from "../../ffi/route/address.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { AgentProcess } from "../../mod/lab/agent_process.ts";
import { type Host, PATIENCE_MS } from "../../mod/lab/host.ts";
import { forwardingLines, neighbourLines, routeLines } from "../../mod/lab/kernel_text.ts";
import { pingUntilAnswered, sleep } from "../../mod/lab/ping.ts";
import { parseSubnetFile, type SubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { until } from "./cluster.ts";
import { scenario } from "./scenario.ts";

/** One cluster; what is not here follows from its number, which is its VNI too. */
interface Cluster {
  readonly number: number;
  readonly network: string;
  readonly backend: "vxlan" | "host-gw";
}

const CLUSTERS: readonly Cluster[] = [
  { number: 1, network: "10.11.0.0/16", backend: "vxlan" },
  { number: 2, network: "10.12.0.0/16", backend: "vxlan" },
  { number: 3, network: "10.13.0.0/16", backend: "host-gw" },
];

/** The agent of one cluster on one host. */
class Member {
  readonly host: Host;
  readonly cluster: Cluster;
  readonly folder: string;
  readonly agent: AgentProcess;
  readonly #executable: string;

  constructor(executable: string, host: Host, cluster: Cluster, seed: Host) {
    this.#executable = executable;
    this.host = host;
    this.cluster = cluster;
    this.folder = `${host.directory}/${cluster.number}`;
    Deno.mkdirSync(this.folder);
    const { number, network, backend } = cluster;
    const port = 7947 + number;
    const join = seed === host ? [] : [`--join=${seed.address}:${port}`];
    this.agent = new AgentProcess(host.namespace, [
      executable,
      "up",
      `--name=${host.name}`,
      `--cluster=number-${number}`,
      `--state-dir=${this.folder}/state`,
      `--run-dir=${this.folder}`,
      `--subnet-file=${this.folder}/subnet.env`,
      `--network=${network}`,
      `--backend=${backend}`,
      `--vni=${number}`,
      `--vxlan-port=${8472 + number}`,
      `--gossip-port=${port}`,
      ...join,
    ], { NO_COLOR: "1" });
  }

  /** Device through which its packets go. */
  get device(): string {
    return this.cluster.backend === "host-gw" ? UNDERLAY_DEVICE : `flannel.${this.cluster.number}`;
  }

  async subnet(): Promise<SubnetFile> {
    const deadline = performance.now() + PATIENCE_MS;
    while (true) {
      try {
        return parseSubnetFile(Deno.readTextFileSync(`${this.folder}/subnet.env`));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      assert(performance.now() < deadline, `no subnet.env\n${this.agent.stderr}`);
      await sleep(5);
    }
  }

  /** Runs a command on this agent to its end; what it prints. */
  async gossamer(...args: readonly string[]): Promise<string> {
    const environment = { env: { GOSSAMER_RUN_DIR: this.folder, NO_COLOR: "1" } };
    const { code, stdout, stderr } = await this.host.namespace.output(
      [this.#executable, ...args],
      environment,
    );
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** A bridge with the subnet's first address, as a container runtime makes it. */
  async makeBridge(): Promise<void> {
    const { netlink } = this.host.namespace;
    const { gateway, prefixLength, mtu } = await this.subnet();
    const name = `br${this.cluster.number}`;
    bridgeAdd(netlink, { name, mtu, up: true, bridge: { stp: false } });
    addressAdd(netlink, {
      index: this.host.namespace.deviceIndex(name),
      address: gateway,
      prefixLength,
    });
  }

  /** What the kernel holds for this cluster alone. */
  kernel() {
    const { namespace } = this.host;
    const prefix = this.cluster.network.replace(/0\.0\/16$/, "");
    return {
      routes: routeLines(namespace, this.device).filter((line) => line.startsWith(prefix)),
      neighbours: this.device === UNDERLAY_DEVICE ? [] : neighbourLines(namespace, this.device),
      forwarding: this.device === UNDERLAY_DEVICE ? [] : forwardingLines(namespace, this.device),
    };
  }
}

scenario(import.meta, "three clusters on the same two hosts", { hosts: 2 }, async (stage) => {
  const { lab, step, executable, note } = stage;
  const [h1, h2] = [lab.host(1), lab.host(2)];
  const pairs = CLUSTERS.map((cluster) => ({
    cluster,
    one: new Member(executable, h1, cluster, h1),
    two: new Member(executable, h2, cluster, h1),
  }));
  const members = pairs.flatMap(({ one, two }) => [one, two]);

  await step("each has its own device, subnets and file", async () => {
    for (const { cluster, one, two } of pairs) {
      const [left, right] = [await one.subnet(), await two.subnet()];
      assert.deepEqual([left.network, right.network], [cluster.network, cluster.network]);
      assert.notEqual(left.subnet, right.subnet);
      assert.equal(left.mtu, cluster.backend === "host-gw" ? 1500 : 1450);
      await until(
        `a route in ${cluster.network}`,
        [],
        () => [one, two].every((member) => member.kernel().routes.length === 1),
      );
    }
    assert.equal(linkGet(h1.namespace.netlink, "flannel.3"), null);
    await Promise.all(members.map((member) => member.makeBridge()));
  });
  await step("each carries its own pings", async () => {
    for (const { one, two } of pairs) {
      await assertPing(one, two);
      await assertPing(two, one);
    }
  });
  await step("a ping through the device of another cluster is not answered", async () => {
    if (!(await hasPing(h1))) return note("there is no ping here that can be told a device");
    const devices = ["flannel.1", "flannel.2"];
    for (const { one, two } of pairs) {
      if (one.device === UNDERLAY_DEVICE) continue;
      const answered = await pingsThrough(h1, one.device, (await two.subnet()).gateway);
      assert.equal(answered, true, `${one.device} carries its own network`);
    }
    await Promise.all(
      pairs.flatMap(({ one, two }) =>
        devices.filter((device) => device !== one.device).map(async (device) => {
          const answered = await pingsThrough(h1, device, (await two.subnet()).gateway);
          assert.equal(answered, false, `${device} carries ${two.cluster.network}`);
        })
      ),
    );
  });
  for (const gone of pairs) {
    const { cluster, one } = gone;
    const rest = pairs.slice(pairs.indexOf(gone) + 1);
    await step(`cleanup of ${cluster.network} leaves the others alone`, async () => {
      const others = () => rest.map((pair) => pair.one.kernel());
      const before = others();
      one.agent.signal("SIGTERM");
      assert.equal((await one.agent.wait()).code, 0);
      await one.gossamer(
        "cleanup",
        `--vni=${cluster.number}`,
        `--network=${cluster.network}`,
        `--subnet-file=${one.folder}/subnet.env`,
      );
      assert.deepEqual(one.kernel(), { routes: [], neighbours: [], forwarding: [] });
      assert.deepEqual(others(), before);
      for (const pair of rest) {
        await assertPing(pair.one, pair.two);
        const status = JSON.parse(await pair.one.gossamer("status", "--json"));
        assert.deepEqual([status.ready, status.overlay.repairs], [true, 0]);
      }
    });
  }
});

/** From the host itself to the other's first address, through the one device that leads there. */
async function assertPing(from: Member, to: Member): Promise<void> {
  const { gateway } = await to.subnet();
  const outcome = await pingUntilAnswered(from.host.namespace, gateway, { withinMs: 5000 });
  assert.equal(outcome.kind, "answered", `${from.host.name} -> ${gateway}`);
}

/** Whether a ping that may use one device only is answered: `ping -I` (SO_BINDTODEVICE). */
async function pingsThrough(host: Host, device: string, address: string): Promise<boolean> {
  const command = ["ping", "-c1", "-W1", "-I", device, address];
  return (await host.namespace.output(command)).code === 0;
}

async function hasPing(host: Host): Promise<boolean> {
  try {
    return (await host.namespace.output(["ping", "-c1", "-W1", "-I", "lo", "127.0.0.1"])).code ===
      0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
