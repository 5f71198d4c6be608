/** The UDP backend with IPv6: beside IPv4 over an IPv4 underlay that has nothing else, and alone over IPv6. */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
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
import { assertAllCarry } from "./carrier.ts";
import { kernelText, PROTOCOL, startOne, statusOf, until, untilStatus } from "./cluster.ts";
import { assertAllPairsTalk } from "./direct_routes.ts";
import { DUAL_STACK, ipv6SubnetOfNumber } from "./dual_stack_kernel.ts";
import { probe } from "./raw_probe.ts";
import { scenario } from "./scenario.ts";
import { setMtu } from "./underlay_changes.ts";

const UDP = "--backend=udp";
const UDP_DEVICE = "flannel0";
/** RFC 4443: types. */
const UNREACHABLE = 1;
const ADDRESS_UNREACHABLE = 3;
const TOO_BIG = 2;
const TIME_EXCEEDED = 3;
const ECHO_REPLY = 129;

interface End {
  readonly namespace: Host["namespace"];
  readonly address: string;
}

/** The IPv6 side of a host's first container. */
function ipv6End(host: Host): End {
  const [first] = host.containers;
  assert(first !== undefined, `${host.name} has a container`);
  const address = first.ipv6 ?? first.address;
  return { namespace: first.namespace, address };
}

scenario(import.meta, "udp: IPv6 beside IPv4, over IPv4 alone", { hosts: 2 }, async (
  { lab, step, note },
) => {
  const { hosts } = lab;
  const [h1, h2] = [lab.host(1), lab.host(2)];
  await step("one device has both families, though the underlay has no IPv6", async () => {
    for (const host of hosts) {
      startOne(host, hosts, UDP, DUAL_STACK);
      await host.waitForSubnet();
    }
    for (const host of hosts) {
      await untilStatus(
        host,
        "all peers of both",
        ({ overlay }) =>
          overlay.peersProgrammed === 1 && overlay.ipv6?.peersProgrammed === 1 && overlay.inSync,
      );
      const { subnet } = await host.waitForSubnet();
      const half = ipv6SubnetOfNumber(subnet);
      assert.match(host.subnetText() ?? "", /^FLANNEL_MTU=1472$/m);
      assert.match(host.subnetText() ?? "", /^FLANNEL_IPV6_SUBNET=/m);
      assert.equal(host.deviceMtu(UDP_DEVICE), 1472);
      assert.deepEqual(host.deviceAddresses(UDP_DEVICE), [subnet.replace("/24", "/32")]);
      assert.deepEqual(ipv6Of(host), {
        addresses: [half.replace("/64", "/128")],
        routes: ["fd00:244::/56"],
      });
      const read = (name: string) => host.namespace.run(() => readSysctl(name));
      assert.equal(read(`net/ipv6/conf/${UDP_DEVICE}/accept_ra`), "0");
      assert.equal(read("net/ipv6/conf/all/forwarding"), "1");
      assert.deepEqual((await statusOf(host)).problems, []);
    }
  });
  await step("containers talk with full packets of both families", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertAllPairsTalk(hosts);
    await assertPairsTalk(hosts, 1_472);
  });
  await step("TCP and UDP of IPv6 arrive byte for byte, with offloads and without", async () => {
    const ends = hosts.map(ipv6End);
    await assertAllCarry(ends, { tcpBytes: 2_000_000, udpBytes: 1_400 });
    const options = ["tx", "tso", "gso", "gro"].flatMap((name) => [name, "off"]);
    for (const host of [h1, h2]) {
      const { code } = await host.namespace.output(["ethtool", "-K", UNDERLAY_DEVICE, ...options])
        .catch(() => ({ code: 1 }));
      if (code !== 0) return note("without offloads left out: needs the program ethtool");
    }
    await assertAllCarry(ends, { tcpBytes: 2_000_000, udpBytes: 1_400 });
  });
  await step("status, ping and doctor know of nothing bad", async () => {
    const { overlay, problems } = await statusOf(h1);
    assert.deepEqual(problems, []);
    const { multicast: _, ...drops } = overlay.udp?.drops ?? {};
    assert.ok(Object.values(drops).every((count) => count === 0), JSON.stringify(drops));
    for (const command of [["report"], ["ping", h2.name], ["doctor"]]) {
      const { code, stdout, stderr } = await h1.gossamer(...command);
      assert.equal(code, 0, `${command.join(" ")}: ${stdout}${stderr}`);
    }
  });
  await step("what nobody has is answered as unreachable", async () => {
    const answer = await probe(ipv6End(h1).namespace, "fd00:244:0:ff::9");
    assert.deepEqual([answer?.type, answer?.code], [UNREACHABLE, ADDRESS_UNREACHABLE]);
    assert.equal((await statusOf(h1)).overlay.udp?.drops["no-host"], 1);
  });
  await step("leaving takes both families away", async () => {
    await h2.gossamer("leave", "--release");
    assert.equal(linkGet(h2.namespace.netlink, UDP_DEVICE), null);
    assert.deepEqual(ipv6Of(h2), { addresses: [], routes: [] });
    assert.deepEqual(kernelText(h2, "lo", 6).routes, []);
  });
});

scenario(import.meta, "udp: IPv6 alone", { hosts: 3, family: 6 }, async ({ lab, step, note }) => {
  const { hosts } = lab;
  const [h1, h2] = [lab.host(1), lab.host(2)];
  const flags = [UDP, "--network=fd00:10:244::/56"];
  await step("the device is there, 48 bytes smaller than the underlay", async () => {
    for (const host of hosts) {
      startOne(host, hosts, ...flags);
      await host.waitForSubnet();
    }
    for (const host of hosts) {
      await untilStatus(host, "all peers", ({ overlay }) => overlay.peersProgrammed === 2);
      assert.equal(host.deviceMtu(UDP_DEVICE), 1452);
      const { subnet } = parseSubnetFile(host.subnetText() ?? "");
      assert.deepEqual(ipv6Of(host), {
        addresses: [subnet.replace("/64", "/128")],
        routes: ["fd00:10:244::/56"],
      });
      assert.deepEqual((await statusOf(host)).problems, []);
    }
  });
  await step("containers talk with full packets, and carry TCP and UDP", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertPairsTalk(hosts, 1_452);
    await assertAllCarry([h1, h2].map(ipv6End), { tcpBytes: 2_000_000, udpBytes: 1_400 });
    const { overlay } = await statusOf(h1);
    const { multicast: _, ...drops } = overlay.udp?.drops ?? {};
    assert.ok(Object.values(drops).every((count) => count === 0), JSON.stringify(drops));
    for (const command of [["report"], ["ping", h2.name], ["doctor"]]) {
      const { code, stdout, stderr } = await h1.gossamer(...command);
      assert.equal(code, 0, `${command.join(" ")}: ${stdout}${stderr}`);
    }
  });
  await step("traceroute sees both hosts and the container", async () => {
    const [from, to] = [ipv6End(h1), ipv6End(h2)];
    const path = [];
    for (const ttl of [1, 2, 3]) path.push(await probe(from.namespace, to.address, { ttl }));
    assert.deepEqual(path.map((hop) => hop?.type), [TIME_EXCEEDED, TIME_EXCEEDED, ECHO_REPLY]);
    const { subnet } = parseSubnetFile(h2.subnetText() ?? "");
    assert.equal(path[1]?.from, subnet.replace("/64", ""));
    assert.equal(path[2]?.from, to.address);
  });
  await step("a restart keeps device and subnet, and IPv6 goes on", async () => {
    const [index, text] = [indexOf(h2), h2.subnetText()];
    const pings = new ContinuousPing(ipv6End(h1).namespace, ipv6End(h2).address, 5);
    await h2.stop();
    assert.deepEqual(ipv6Of(h2).routes, ["fd00:10:244::/56"]);
    startOne(h2, hosts, ...flags);
    await untilStatus(h2, "ready again", ({ ready }) => ready);
    assert.deepEqual([indexOf(h2), h2.subnetText()], [index, text]);
    await talk(h1, h2);
    const { sent, lost } = await pings.stop();
    note(`restart: ${lost} of ${sent} pings of IPv6 lost`);
  });
  await step("a smaller MTU on the way is found out", async () => {
    setMtu(h2, UNDERLAY_DEVICE, 1400);
    const [from, to] = [ipv6End(h1), ipv6End(h2)];
    await until("MTU known", [], async () => {
      const payloadBytes = 1_452 - IPV6_ECHO_OVERHEAD_BYTES;
      const answer = await probe(from.namespace, to.address, { payloadBytes, timeoutMs: 200 });
      return answer?.type === TOO_BIG && answer.mtu === 1352;
    });
  });
  await step("cleanup takes everything away", async () => {
    await h2.stop();
    assert.equal((await h2.gossamer("cleanup", "--network=fd00:10:244::/56")).code, 0);
    assert.equal(linkGet(h2.namespace.netlink, UDP_DEVICE), null);
    assert.deepEqual(kernelText(h2, "lo", 6).routes, []);
  });
});

/** What the device has of IPv6 that is ours. */
function ipv6Of(host: Host): { addresses: string[]; routes: string[] } {
  if (linkGet(host.namespace.netlink, UDP_DEVICE) === null) return { addresses: [], routes: [] };
  const routes = kernelText(host, UDP_DEVICE, 6).routes
    .filter((line) => line.includes(`proto ${PROTOCOL}`)).map((line) => line.split(" ")[0] ?? "");
  return { addresses: host.deviceAddresses(UDP_DEVICE, 6), routes };
}

function indexOf(host: Host): number {
  const index = linkGet(host.namespace.netlink, UDP_DEVICE)?.index;
  assert(index !== undefined, `${host.name} has no ${UDP_DEVICE}`);
  return index;
}

async function talk(from: Host, to: Host): Promise<void> {
  const { address } = ipv6End(to);
  const { kind } = await pingUntilAnswered(ipv6End(from).namespace, address, { withinMs: 10_000 });
  assert.equal(kind, "answered", `${from.name} -> ${address}`);
}

/** With IPv6 packets of the MTU, and none that are longer. */
async function assertPairsTalk(hosts: readonly Host[], mtu: number): Promise<void> {
  for (const from of hosts) {
    for (const to of hosts) {
      if (from === to) continue;
      await talk(from, to);
      const { namespace } = ipv6End(from);
      const { address } = ipv6End(to);
      const payloadBytes = mtu - IPV6_ECHO_OVERHEAD_BYTES;
      const full = await ping(namespace, address, { payloadBytes, dontFragment: true });
      assert.equal(full.kind, "answered", `${from.name} -> ${address}`);
      const over = await ping(namespace, address, {
        payloadBytes: payloadBytes + 1,
        dontFragment: true,
      });
      assert.equal(over.kind, "too-big");
    }
  }
}
