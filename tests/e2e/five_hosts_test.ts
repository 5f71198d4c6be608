/** Five hosts and their containers: everybody reaches everybody, and each kernel holds exactly what it should. */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
import type { Host } from "../../mod/lab/host.ts";
import { forwardingLines, neighbourLines, routeLines } from "../../mod/lab/kernel_text.ts";
import { ECHO_OVERHEAD_BYTES, ping, pingUntilAnswered } from "../../mod/lab/ping.ts";
import {
  assertKernels,
  DEVICE,
  networkAddress,
  overlayMac,
  startCluster,
  statusOf,
  untilStatus,
} from "./cluster.ts";
import { scenario } from "./scenario.ts";

/** 1500 of the underlay, less what VXLAN over IPv4 takes: 20 + 8 + 8 + 14. */
const OVERLAY_MTU = 1450;

scenario(import.meta, "five hosts form a cluster and their containers talk", { hosts: 5 }, async (
  { lab: { hosts }, step },
) => {
  await step("every host gets a subnet of its own and a full mesh", () => formCluster(hosts));
  await step("subnet.env has the bytes that container runtimes expect", () => readFiles(hosts));
  await step(
    "every container pings every other, with small and with full packets",
    () => talk(hosts),
  );
  await step("a host itself reaches the containers of every other", () => talkFromHosts(hosts));
  await step(
    "every kernel holds one route, neighbour and FDB entry a peer, and nothing else",
    () => {
      assertKernels(hosts);
    },
  );
  await step("ip and bridge, where installed, print the same", async () => {
    for (const host of hosts) await compareWithPrograms(host);
  });
  await step("the VTEP is made as flannel makes it", () => inspectDevices(hosts));
  await step("every host's status agrees with the kernels", () => compareStatus(hosts));
  await step("members and subnets print a line for every host", () => readLists(hosts));
  await step("nothing had to be repaired, and nobody conflicted", async () => {
    for (const host of hosts) {
      const status = await statusOf(host);
      assert.equal(status.overlay.repairs, 0);
      assert.deepEqual(status.problems, []);
    }
  });
});

async function formCluster(hosts: readonly Host[]): Promise<void> {
  await startCluster(hosts);
  const subnets = await Promise.all(hosts.map((host) => host.waitForSubnet()));
  assert.equal(new Set(subnets.map(({ subnet }) => subnet)).size, hosts.length);
  for (const { subnet } of subnets) assert.match(subnet, /^10\.244\.\d+\.0\/24$/);
}

async function readFiles(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const { gateway } = await host.waitForSubnet();
    assert.match(gateway, /\.1$/);
    assert.equal(
      host.subnetText(),
      `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=${gateway}/24\n` +
        `FLANNEL_MTU=${OVERLAY_MTU}\nFLANNEL_IPMASQ=false\n`,
    );
    assert.equal((Deno.statSync(host.subnetFile).mode ?? 0) & 0o777, 0o644);
  }
}

async function talk(hosts: readonly Host[]): Promise<void> {
  await Promise.all(hosts.map((host) => host.addContainer()));
  for (const { from, to } of pairs(hosts)) {
    const path = `${from.address} -> ${to.address}`;
    const small = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
    assert.equal(small.kind, "answered", path);
    const payloadBytes = from.mtu - ECHO_OVERHEAD_BYTES;
    const full = await ping(from.namespace, to.address, { payloadBytes, dontFragment: true });
    assert.equal(full.kind, "answered", `${path} with ${from.mtu} bytes`);
    const over = await ping(from.namespace, to.address, {
      payloadBytes: payloadBytes + 1,
      dontFragment: true,
    });
    assert.equal(over.kind, "too-big", `${path} with ${from.mtu + 1} bytes`);
  }
}

async function talkFromHosts(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    for (const other of hosts) {
      const target = other.containers[0]?.address ?? "";
      assert.equal((await host.ping(target)).kind, "answered", `${host.name} -> ${target}`);
    }
  }
}

async function inspectDevices(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const link = linkGet(host.namespace.netlink, DEVICE);
    assert(link?.vxlan, `${host.name} has no ${DEVICE}`);
    assert.equal(link.mtu, OVERLAY_MTU);
    assert.equal(link.up, true);
    assert.equal(link.vxlan.id, 1);
    assert.equal(link.vxlan.local, host.address);
    assert.equal(link.vxlan.port, 8472);
    assert.equal(link.vxlan.learning, false);
    // Locally administered and unicast (IEEE 802, the two low bits of the first byte).
    assert.equal(Number.parseInt(link.address?.slice(0, 2) ?? "", 16) & 0b11, 0b10);
    const { subnet } = await host.waitForSubnet();
    assert.deepEqual(host.deviceAddresses(DEVICE), [`${networkAddress(subnet)}/32`]);
  }
  assert.equal(new Set(hosts.map(overlayMac)).size, hosts.length);
}

async function compareStatus(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const status = await untilStatus(
      host,
      "ready with all",
      (view) => view.ready && view.cluster.alive === hosts.length,
    );
    assert.equal(status.schema, 1);
    assert.equal(status.host.name, host.name);
    assert.equal(status.host.address, host.address);
    assert.equal(status.claim.state, "held");
    assert.equal(status.claim.conflicts, 0);
    assert.equal(status.overlay.peersWanted, hosts.length - 1);
    assert.equal(status.overlay.peersProgrammed, hosts.length - 1);
    assert.equal(status.overlay.inSync, true);
    for (const peer of hosts) {
      const member = status.members.find(({ name }) => name === peer.name);
      assert.equal(member?.status, "alive", `${peer.name} on ${host.name}`);
      assert.equal(member.address, peer.address);
      assert.equal(member.subnet, (await peer.waitForSubnet()).subnet);
      assert.equal(member.mac, overlayMac(peer));
    }
  }
}

async function readLists(hosts: readonly Host[]): Promise<void> {
  for (const asked of hosts.slice(2, 3)) {
    for (const command of ["members", "subnets"]) {
      const { code, stdout, stderr } = await asked.gossamer(command);
      assert.equal(code, 0, stderr);
      for (const host of hosts) {
        const { subnet } = await host.waitForSubnet();
        const line = stdout.split("\n").find((text) => text.includes(subnet));
        assert(line?.includes(host.name), `${command} has no line for ${host.name}:\n${stdout}`);
      }
    }
    assert.match((await asked.gossamer("subnets")).stdout, /5 of \d+ used/);
  }
}

function pairs(hosts: readonly Host[]) {
  const containers = hosts.flatMap((host) => host.containers);
  return containers.flatMap((from) =>
    containers.filter((to) => to !== from).map((to) => ({ from, to }))
  );
}

/** The lab prints the kernel's tables by itself; where the real programs are, they must agree. */
async function compareWithPrograms(host: Host): Promise<void> {
  const tables: readonly (readonly [command: string, ours: readonly string[]])[] = [
    [`ip -4 route show dev ${DEVICE}`, routeLines(host.namespace, DEVICE)],
    [`ip -4 neighbour show dev ${DEVICE}`, neighbourLines(host.namespace, DEVICE)],
    [`bridge fdb show dev ${DEVICE}`, forwardingLines(host.namespace, DEVICE)],
  ];
  for (const [command, ours] of tables) {
    let printed: string;
    try {
      printed = (await host.namespace.output(command.split(" "))).stdout;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    const lines = printed.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    assert.deepEqual(lines.sort(), [...ours], `${command} on ${host.name}`);
  }
}
