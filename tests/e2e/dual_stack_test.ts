/**
 * Dual stack: one claim gives a host an IPv4 and an IPv6 subnet of the same number; both overlays are programmed, repaired,
 * followed to another address, and taken away.
 */
import assert from "node:assert/strict";
import { addressDelete } from "../../ffi/route/address.ts";
import { fdbDelete, fdbDump } from "../../ffi/route/fdb.ts";
import { linkDelete, linkGet } from "../../ffi/route/link.ts";
import { neighbourDelete } from "../../ffi/route/neighbour.ts";
import { routeDelete, routeDump } from "../../ffi/route/route.ts";
import { readSysctl } from "../../ffi/sysctl.ts";
import type { WayDocument } from "../../mod/cli/ask_host.ts";
import type { Host } from "../../mod/lab/host.ts";
import { ContinuousPing, ping, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import {
  assertKernels,
  DEVICE,
  PROTOCOL,
  startCluster,
  statusOf,
  until,
  untilStatus,
  waitForMesh,
} from "./cluster.ts";
import {
  actualIpv6,
  addIpv6,
  DUAL_STACK,
  expectedIpv6,
  IPV6_DEVICE,
  IPV6_NETWORK,
  ipv6SubnetOfNumber,
  ipv6Underlay,
  untilIpv6Mesh,
} from "./dual_stack_kernel.ts";
import { drop, undrop } from "./dropping.ts";
import { canLosePackets } from "./packet_loss.ts";
import { scenario, type Stage } from "./scenario.ts";
import { assertNothingLost } from "./traffic.ts";
import { plug, unplug } from "./underlay_changes.ts";

const HEALED_WITHIN_MS = 1000;
/** 1500 of the underlay less 40 IPv6, 8 UDP, 8 VXLAN and 14 Ethernet. */
const IPV6_MTU = 1430;
/** IPv6 header (40) and ICMPv6 echo header (8). */
const ECHO_OVERHEAD_BYTES = 48;
const PING_INTERVAL_MS = 5;
const MOVED = "fd00:100::beef";

scenario(import.meta, "dual stack", { hosts: 4 }, async (stage) => {
  const { hosts } = stage.lab;
  for (const host of hosts) addIpv6(host);
  await stage.step("both overlays are programmed, exactly", async () => {
    // As distributions are hardened: new devices have no IPv6.
    const hardened = stage.lab.host(4).namespace;
    hardened.writeSysctl("net/ipv6/conf/default/disable_ipv6", "1");
    await startCluster(hosts, DUAL_STACK);
    await untilIpv6Mesh(hosts);
    hardened.writeSysctl("net/ipv6/conf/default/disable_ipv6", "0");
    assertKernels(hosts);
    for (const host of hosts) assert.equal(host.deviceMtu(IPV6_DEVICE), IPV6_MTU);
  });
  await stage.step("subnet.env has flannel's lines, status both subnets", () => says(hosts));
  await stage.step("the kernel forwards, and hears no router on the device", () => {
    for (const { namespace } of hosts) {
      const read = (name: string) => namespace.run(() => readSysctl(name));
      assert.equal(read("net/ipv6/conf/all/forwarding"), "1");
      assert.equal(read(`net/ipv6/conf/${IPV6_DEVICE}/accept_ra`), "0");
    }
  });
  await stage.step("containers of all hosts reach each other with full packets", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await everyPair(hosts);
    const [from, to] = hosts.map(({ containers }) => containers[0]);
    assert(from !== undefined && to !== undefined && to.ipv6 !== null);
    const payloadBytes = IPV6_MTU - ECHO_OVERHEAD_BYTES + 1;
    const { kind } = await ping(from.namespace, to.ipv6, { payloadBytes, dontFragment: true });
    assert.equal(kind, "too-big", "and one byte more does not leave");
  });
  await stage.step("ping asks both overlays, and names the one that fails", pingsByBoth(hosts));
  for (const [what, damage] of DAMAGES) {
    await stage.step(`${what}: healed`, () => healAfter(stage, what, damage));
  }
  await stage.step(
    "another IPv6 address of the underlay: peers follow, the subnet stays",
    () => move(stage),
  );
  await stage.step("after a restart everything is as before", async () => {
    const [host] = hosts;
    assert(host !== undefined);
    const before = host.subnetText();
    const pings = ipv6Pings(stage);
    await host.stop();
    assert.deepEqual(actualIpv6(host), expectedIpv6(host, hosts, underlayAfterMove));
    host.start(`--join=${stage.lab.host(2).address}`, DUAL_STACK);
    await untilStatus(host, "ready", ({ ready }) => ready);
    assert.equal(host.subnetText(), before);
    await untilIpv6Mesh(hosts, underlayAfterMove);
    await assertNothingLost(pings, stage.note);
  });
  await stage.step("another network card: both overlays are back, the subnet stays", async () => {
    const host = stage.lab.host(2);
    const before = host.subnetText();
    unplug(stage.lab, host);
    plug(stage.lab, host, host.number);
    addIpv6(host);
    await untilIpv6Mesh(hosts, underlayAfterMove);
    await waitForMesh(hosts);
    await everyPair(hosts);
    assert.equal(host.subnetText(), before);
  });
  await stage.step("a host that leaves, and cleanup, take everything of both along", async () => {
    const [first, second, third, ...rest] = hosts;
    assert(first !== undefined && second !== undefined && third !== undefined);
    await third.kill();
    assert.equal((await first.gossamer("leave", "--release")).code, 0);
    await first.agent.wait();
    assertNothing(first);
    // Who was dead meanwhile forgets it at its next start.
    third.start(`--join=${second.address}`, DUAL_STACK);
    await untilIpv6Mesh([second, third, ...rest], underlayAfterMove);
    await waitForMesh([second, third, ...rest]); // the halves follow one after the other
    await second.stop();
    const flags = ["--subnet-file", second.subnetFile];
    const dry = await second.gossamer("cleanup", "--dry-run", ...flags);
    assert.match(dry.stdout, new RegExp(`ip link delete (dev )?${IPV6_DEVICE}`));
    assert.match(dry.stdout, /unreachable fd00:244::\/56/);
    const { code, stderr } = await second.gossamer("cleanup", ...flags);
    assert.equal(code, 0, stderr);
    assertNothing(second);
  });
});

function pingsByBoth([from, to]: readonly Host[]) {
  return async () => {
    assert(from !== undefined && to !== undefined);
    const ask = async () => {
      const { stdout } = await from.gossamer("ping", to.name, "--json");
      const { broken, findings }: WayDocument = JSON.parse(stdout);
      return {
        broken,
        ok: findings.filter(({ verdict }) => verdict === "ok").map(({ name }) => name),
      };
    };
    const well = await ask();
    assert.equal(well.broken, null);
    const layers = ["overlay", "overlay-mtu", "overlay-ipv6", "overlay-mtu-ipv6"];
    assert.deepEqual(well.ok.filter((name) => layers.includes(name)), layers);
    if (!canLosePackets()) return; // there is no nft
    await drop(to, "meta nfproto ipv6 udp dport 8472");
    const broken = await ask();
    assert.equal(broken.broken, "overlay-ipv6");
    assert(broken.ok.includes("overlay-mtu"));
    await undrop(to);
  };
}

const DAMAGES: readonly (readonly [string, (host: Host) => void])[] = [
  ["one IPv6 route deleted", ({ namespace }) => {
    const index = namespace.deviceIndex(IPV6_DEVICE);
    const route = routeDump(namespace.netlink, { family: 6, index })
      .find(({ protocol }) => protocol === PROTOCOL);
    assert(route !== undefined);
    routeDelete(namespace.netlink, { destination: route.destination, index });
  }],
  ["one IPv6 neighbour deleted", (host) => {
    const [line = ""] = actualIpv6(host).neighbours;
    const index = host.namespace.deviceIndex(IPV6_DEVICE);
    neighbourDelete(host.namespace.netlink, { index, address: line.split(" ")[0] ?? "" });
  }],
  ["one FDB entry deleted", ({ namespace }) => {
    const index = namespace.deviceIndex(IPV6_DEVICE);
    const [entry] = fdbDump(namespace.netlink, index);
    assert(entry !== undefined);
    fdbDelete(namespace.netlink, { index, linkAddress: entry.linkAddress });
  }],
  ["the VTEP's IPv6 address deleted", (host) => {
    const [cidr = ""] = actualIpv6(host).addresses;
    const index = host.namespace.deviceIndex(IPV6_DEVICE);
    const [address = ""] = cidr.split("/");
    addressDelete(host.namespace.netlink, { index, address, prefixLength: 128 });
  }],
  [`${IPV6_DEVICE} deleted`, ({ namespace }) => {
    linkDelete(namespace.netlink, namespace.deviceIndex(IPV6_DEVICE));
  }],
];

async function says(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const { subnet } = parseSubnetFile(host.subnetText() ?? "");
    const ipv6 = ipv6SubnetOfNumber(subnet);
    assert.equal(
      host.subnetText(),
      `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=${subnet.replace(".0/24", ".1/24")}\n` +
        `FLANNEL_IPV6_NETWORK=${IPV6_NETWORK}\n` +
        `FLANNEL_IPV6_SUBNET=${ipv6.replace("::/64", "::1/64")}\n` +
        `FLANNEL_MTU=${IPV6_MTU}\nFLANNEL_IPMASQ=false\n`,
    );
    const { stdout } = await host.gossamer("status", "--json");
    const status = JSON.parse(stdout);
    assert.equal(status.ready, true);
    assert.equal(status.claim.ipv6Subnet, ipv6);
    assert.equal(status.cluster.ipv6Network, IPV6_NETWORK);
    assert.deepEqual(status.overlay.ipv6, {
      network: IPV6_NETWORK,
      device: IPV6_DEVICE,
      mtu: IPV6_MTU,
      inSync: true,
      peersWanted: hosts.length - 1,
      peersProgrammed: hosts.length - 1,
      repairs: 0,
      lastError: null,
    });
    assert.deepEqual(status.problems, []);
  }
}

async function everyPair(hosts: readonly Host[]): Promise<void> {
  await Promise.all(hosts.flatMap((from) =>
    hosts.filter((to) => to !== from).map(async (to) => {
      const [source, target] = [from.containers[0], to.containers[0]];
      assert(source !== undefined && target !== undefined && target.ipv6 !== null);
      for (const address of [target.ipv6, target.address]) {
        const isIpv6 = address.includes(":");
        const outcome = await pingUntilAnswered(source.namespace, address, {
          payloadBytes: IPV6_MTU - (isIpv6 ? ECHO_OVERHEAD_BYTES : 28),
          dontFragment: true,
          withinMs: 5000,
        });
        assert.equal(outcome.kind, "answered", `${from.name} to ${address}: ${outcome.kind}`);
      }
    })
  ));
}

/** From the second host's container to the first one's and back, over IPv6. */
function ipv6Pings({ lab }: Stage): ContinuousPing[] {
  const [one, two] = [lab.host(1).containers[0], lab.host(2).containers[0]];
  assert(one !== undefined && two !== undefined && one.ipv6 !== null && two.ipv6 !== null);
  return [
    new ContinuousPing(two.namespace, one.ipv6, PING_INTERVAL_MS),
    new ContinuousPing(one.namespace, two.ipv6, PING_INTERVAL_MS),
  ];
}

async function healAfter(
  { lab, note }: Stage,
  what: string,
  damage: (host: Host) => void,
): Promise<void> {
  const host = lab.host(2);
  const before = await statusOf(host);
  damage(host);
  const ms = await until(
    what,
    [host],
    () => JSON.stringify(actualIpv6(host)) === JSON.stringify(expectedIpv6(host, lab.hosts)),
  );
  note(`${what}: healed after ${ms.toFixed(1)} ms`);
  assert(ms < HEALED_WITHIN_MS, `${what}: healed after ${ms} ms`);
  assertKernels([host], lab.hosts);
  const after = await untilStatus(host, "in sync again", ({ overlay }) => overlay.inSync);
  assert(after.overlay.repairs > before.overlay.repairs, "status counts the repair");
}

function underlayAfterMove({ number }: Host): string {
  return number === 3 ? MOVED : ipv6Underlay(number);
}

async function move({ lab, note }: Stage): Promise<void> {
  const host = lab.host(3);
  const before = host.subnetText();
  addressDelete(host.namespace.netlink, {
    index: host.namespace.deviceIndex(UNDERLAY_DEVICE),
    address: ipv6Underlay(3),
    prefixLength: 64,
  });
  await untilStatus(
    host,
    "a host without IPv6 address says so",
    ({ problems }) => problems.some(({ code }) => code === "underlay-not-chosen"),
  );
  addIpv6(host, MOVED);
  const ms = await untilIpv6Mesh(lab.hosts, underlayAfterMove);
  note(`another IPv6 address: followed after ${ms.toFixed(1)} ms`);
  assert.equal(host.subnetText(), before);
  await untilStatus(host, "no problem", ({ problems }) => problems.length === 0);
  await everyPair(lab.hosts);
}

function assertNothing({ namespace }: Host): void {
  for (const device of [DEVICE, IPV6_DEVICE]) {
    assert.equal(linkGet(namespace.netlink, device), null, device);
  }
  for (const family of [4, 6] as const) {
    const ours = routeDump(namespace.netlink, { family, protocol: PROTOCOL });
    assert.deepEqual(ours.map(({ destination }) => destination), []);
  }
}
