/** A cluster of IPv6 alone, on hosts that have no IPv4 address: it forms, carries packets, heals, moves, and leaves nothing. */
import assert from "node:assert/strict";
import { addressAdd, addressDelete, IFA_F } from "../../ffi/route/address.ts";
import { linkDelete, linkGet } from "../../ffi/route/link.ts";
import { readSysctl } from "../../ffi/sysctl.ts";
import type { Host } from "../../mod/lab/host.ts";
import {
  ContinuousPing,
  IPV6_ECHO_OVERHEAD_BYTES,
  ping,
  pingUntilAnswered,
} from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import {
  actualKernel,
  assertKernels,
  DEVICE,
  IPV6_DEVICE,
  startCluster,
  startOne,
  statusOf,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";
import { assertNothingLost } from "./traffic.ts";

const NETWORK = "fd00:10:244::/56";
const FLAGS = [`--network=${NETWORK}`, "--ip-masq"];
/** 1500 of the underlay less 40 IPv6, 8 UDP, 8 VXLAN and 14 Ethernet. */
const MTU = 1430;
const PING_INTERVAL_MS = 5;
const HEALED_WITHIN_MS = 1000;
const MOVED = "fd00:100::beef";

scenario(import.meta, "IPv6 alone", { hosts: 5, family: 6 }, async (stage) => {
  const { hosts } = stage.lab;
  const [first, second, third, fourth, fifth] = hosts;
  assert(first && second && third && fourth && fifth);
  await stage.step("what is of IPv4 is refused, and said why", () => refuses(first));
  await stage.step("the overlay is programmed, exactly", async () => {
    for (const { namespace } of hosts) namespace.writeSysctl("net.ipv4.ip_forward", "0");
    await startCluster(hosts, ...FLAGS);
    assertKernels(hosts);
    for (const host of hosts) {
      assert.equal(host.deviceMtu(IPV6_DEVICE), MTU);
      assert.equal(host.deviceMtu(DEVICE), null, "nothing is made for IPv4");
      const read = (name: string) => host.namespace.run(() => readSysctl(name));
      assert.equal(read("net/ipv6/conf/all/forwarding"), "1");
      assert.equal(read(`net/ipv6/conf/${IPV6_DEVICE}/accept_ra`), "0");
      assert.equal(read("net/ipv4/ip_forward"), "0", "IPv4 is left as it was");
    }
  });
  await stage.step("subnet.env, status and the other commands say so", () => says(hosts));
  await stage.step("containers of all hosts reach each other with full packets", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await everyPair(hosts);
    const [from, to] = hosts.map(({ containers }) => containers[0]);
    assert(from !== undefined && to !== undefined);
    const payloadBytes = MTU - IPV6_ECHO_OVERHEAD_BYTES + 1;
    const { kind } = await ping(from.namespace, to.address, { payloadBytes, dontFragment: true });
    assert.equal(kind, "too-big", "and one byte more does not leave");
  });
  await stage.step("the device deleted: made again", async () => {
    const { netlink } = second.namespace;
    linkDelete(netlink, second.namespace.deviceIndex(IPV6_DEVICE));
    await waitForMesh(hosts, HEALED_WITHIN_MS);
    await everyPair(hosts);
  });
  await stage.step("a restart loses no packet", async () => {
    const before = third.subnetText();
    const pings = pingsTo(stage, third);
    await third.stop();
    startOne(third, hosts, ...FLAGS);
    await untilStatus(third, "ready", ({ ready }) => ready);
    assert.equal(third.subnetText(), before);
    await waitForMesh(hosts);
    await assertNothingLost(pings, stage.note);
  });
  await stage.step("another address of the underlay: peers follow, the subnet stays", async () => {
    const before = fourth.subnetText();
    moveTo(fourth, MOVED);
    await waitForMesh(hosts);
    await everyPair(hosts);
    assert.equal(fourth.subnetText(), before);
    const { members } = await statusOf(first);
    assert.equal(members.find(({ name }) => name === fourth.name)?.address, MOVED);
  });
  await stage.step("a host dies and comes back to its subnet", async () => {
    const before = fifth.subnetText();
    await fifth.kill();
    const { members } = await untilStatus(first, "dead", ({ cluster }) => cluster.dead === 1);
    assert.equal(members.find(({ status }) => status === "dead")?.name, fifth.name);
    assertKernels([first, second, third, fourth], hosts);
    startOne(fifth, hosts, ...FLAGS);
    await untilStatus(first, "all alive", ({ cluster }) => cluster.alive === hosts.length);
    assert.equal(fifth.subnetText(), before);
  });
  await stage.step("leaving, and cleanup, take everything along", async () => {
    assert.equal((await first.gossamer("leave", "--release")).code, 0);
    await first.agent.wait();
    assertNothing(first);
    await waitForMesh([second, third, fourth, fifth]);
    await second.stop();
    const { code, stderr } = await second.gossamer("cleanup", "--subnet-file", second.subnetFile);
    assert.equal(code, 0, stderr);
    assertNothing(second);
  });
});

async function refuses(host: Host): Promise<void> {
  const command = async (...flags: string[]) => {
    const { code, stderr } = await host.gossamer("up", ...flags);
    return { code, stderr };
  };
  const seed = await command(`--network=${NETWORK}`, "--join=192.168.100.1");
  assert.equal(seed.code, 2, seed.stderr);
  assert.match(seed.stderr, /--join: 192\.168\.100\.1 is an IPv4 address, and the hosts of this/);
  const ipv4 = await command(
    `--state-dir=${host.stateDir}`,
    `--subnet-file=${host.subnetFile}`,
    "--join=[fd00:100::2]:7947",
  );
  assert.equal(ipv4.code, 2, ipv4.stderr);
  assert.match(ipv4.stderr, /fd00:100::2 is an IPv6 address, and the hosts of this cluster talk/);
  const none = await command(`--state-dir=${host.stateDir}`, `--subnet-file=${host.subnetFile}`);
  assert.equal(none.code, 1, none.stderr);
  assert.match(none.stderr, /eth0 \(no IPv4 address\)/);
}

async function says(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const text = host.subnetText() ?? "";
    const { subnet, gateway } = parseSubnetFile(text);
    assert.match(subnet, /^fd00:10:244:[0-9a-f]{1,2}::\/64$/);
    assert.equal(
      text,
      `FLANNEL_IPV6_NETWORK=${NETWORK}\nFLANNEL_IPV6_SUBNET=${gateway}/64\n` +
        `FLANNEL_MTU=${MTU}\nFLANNEL_IPMASQ=true\n`,
    );
    const status = await untilStatus(host, "ready", ({ ready }) => ready);
    assert.equal(status.host.address, host.address);
    assert.equal(status.cluster.network, NETWORK);
    assert.equal(status.claim.subnet, subnet);
    assert.deepEqual([status.overlay.device, status.overlay.mtu], [IPV6_DEVICE, MTU]);
    assert.equal(status.overlay.peersProgrammed, hosts.length - 1);
    assert.deepEqual([status.firewall?.inSync, status.firewall?.members], [true, hosts.length]);
    assert.deepEqual(status.problems, []);
  }
  const [host, peer] = hosts;
  assert(host !== undefined && peer !== undefined);
  const { subnet } = parseSubnetFile(peer.subnetText() ?? "");
  const output = async (...words: string[]) => {
    const { code, stdout, stderr } = await host.gossamer(...words);
    assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  assert.match(await output("subnets"), new RegExp(`${subnet} +${peer.name}`));
  assert.match(await output("subnets", "--map"), /^fd00:10:244:f0:: /m);
  assert.match(await output("members"), new RegExp(`${peer.name} +fd00:100::2 `));
  assert.match(
    await output("subnets", "--why", subnet.replace("::/64", "::9")),
    new RegExp(peer.name),
  );
  assert.match(await output("report"), /ip (-6 )?route .*fd00:10:244/);
  const status = await output("status");
  assert.match(status, /at \[fd00:100::1\]:7947, ready/);
  assert.match(status, new RegExp(IPV6_DEVICE));
  const joined = await host.gossamer("join", "10.0.0.1");
  assert.equal(joined.code, 1);
  assert.match(joined.stderr, /10\.0\.0\.1 is an IPv4 address/);
}

async function everyPair(hosts: readonly Host[]): Promise<void> {
  const payloadBytes = MTU - IPV6_ECHO_OVERHEAD_BYTES;
  const containers = hosts.flatMap((host) => host.containers);
  await Promise.all(
    containers.flatMap((from) =>
      containers.filter((to) => to !== from).map(async (to) => {
        const { kind } = await pingUntilAnswered(from.namespace, to.address, {
          payloadBytes,
          dontFragment: true,
          withinMs: 5_000,
        });
        assert.equal(kind, "answered", `${from.address} to ${to.address}`);
      })
    ),
  );
}

/** From a container of every other host to one of that host. */
function pingsTo({ lab }: Stage, host: Host): ContinuousPing[] {
  const [to] = host.containers;
  assert(to !== undefined);
  return lab.hosts.filter((other) => other !== host).flatMap(({ containers }) => containers)
    .map((from) => new ContinuousPing(from.namespace, to.address, PING_INTERVAL_MS));
}

function moveTo(host: Host, address: string): void {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex(UNDERLAY_DEVICE);
  addressAdd(netlink, { index, address, prefixLength: 64, flags: IFA_F.NODAD });
  addressDelete(netlink, { index, address: host.address, prefixLength: 64 });
  host.address = address;
}

function assertNothing(host: Host): void {
  assert.equal(linkGet(host.namespace.netlink, IPV6_DEVICE), null);
  const { routes, forwarding } = actualKernel(host);
  assert.deepEqual([routes, forwarding], [[], []]);
}
