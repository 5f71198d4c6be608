/** Dual stack over the UDP backend: one device and one port carry both families. */
import assert from "node:assert/strict";
import { linkDelete, linkGet } from "../../ffi/route/link.ts";
import { routeDump } from "../../ffi/route/route.ts";
import type { WayDocument } from "../../mod/cli/ask_host.ts";
import type { Host } from "../../mod/lab/host.ts";
import { ping, pingUntilAnswered } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { hasProgram } from "../support/programs.ts";
import { assertAllCarry } from "./carrier.ts";
import { IPV6_DEVICE, networkAddress, PROTOCOL, startOne, until, untilStatus } from "./cluster.ts";
import { assertAllPairsTalk } from "./direct_routes.ts";
import { addIpv6, DUAL_STACK, IPV6_NETWORK, ipv6SubnetOfNumber } from "./dual_stack_kernel.ts";
import { scenario } from "./scenario.ts";
import { setMtu } from "./underlay_changes.ts";

const UDP = "--backend=udp";
const DEVICE = "flannel0";
/** 1500 less 20 IPv4 and 8 UDP: inside, IPv6 is a packet like others. */
const MTU = 1472;
/** IPv6 header (40) and ICMPv6 echo header (8). */
const ECHO_OVERHEAD_BYTES = 48;

const leftOut = hasProgram("ping") ? undefined : "needs ping: install the package iputils-ping";

scenario(import.meta, "udp: both families", { hosts: 3, leftOut }, async ({ lab, step }) => {
  const { hosts } = lab;
  const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
  await step("one device has both addresses, and a route for each network", async () => {
    for (const host of hosts) {
      addIpv6(host);
      startOne(host, hosts, UDP, DUAL_STACK);
      await host.waitForSubnet();
    }
    for (const host of hosts) {
      const isWhole = (
        { overlay, ready }: { overlay: { peersProgrammed: number }; ready: boolean },
      ) => ready && overlay.peersProgrammed === 2;
      const { problems } = await untilStatus(host, "all peers", isWhole);
      assert.deepEqual(problems, []);
      const { subnet } = parseSubnetFile(host.subnetText() ?? "");
      const addresses = [networkAddress(subnet), networkAddress(ipv6SubnetOfNumber(subnet))];
      assert.deepEqual(host.deviceAddresses(DEVICE), [`${addresses[0]}/32`]);
      const { stdout } = await host.namespace.output(["ip", "-6", "address", "show", DEVICE]);
      assert.match(stdout, new RegExp(`inet6 ${addresses[1]}/128 scope global`));
      assert.deepEqual(ipv6Routes(host), [IPV6_NETWORK]);
      assert.equal(linkGet(host.namespace.netlink, IPV6_DEVICE), null);
      assert.equal(host.deviceMtu(DEVICE), MTU);
      assert.match(
        host.subnetText() ?? "",
        /^FLANNEL_IPV6_SUBNET=fd00:244:.*\nFLANNEL_MTU=1472$/ms,
      );
    }
  });
  await step("containers talk by both with full packets", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertAllPairsTalk(hosts);
    for (const [from, to] of [[h1, h2], [h2, h3], [h3, h1]] as const) await talk(from, to);
    const payloadBytes = MTU - ECHO_OVERHEAD_BYTES;
    const long = (more: number) =>
      ping(container(h1).namespace, ipv6Of(h2), {
        payloadBytes: payloadBytes + more,
        dontFragment: true,
      });
    assert.equal((await long(0)).kind, "answered");
    assert.equal((await long(1)).kind, "too-big");
  });
  await step("TCP and UDP over IPv6 arrive byte for byte", async () => {
    const carriers = hosts.map((host) => {
      return { namespace: container(host).namespace, address: ipv6Of(host) };
    });
    await assertAllCarry(carriers, { tcpBytes: 2_000_000, udpBytes: 1_400 });
  });
  await step("ping asks by both, and traceroute sees both hosts", async () => {
    const { stdout } = await h1.gossamer("ping", h2.name, "--json");
    const { broken, findings }: WayDocument = JSON.parse(stdout);
    assert.equal(broken, null, stdout);
    assert(findings.some(({ name, verdict }) => name === "overlay-mtu-ipv6" && verdict === "ok"));
    const device = networkAddress(
      ipv6SubnetOfNumber(parseSubnetFile(h2.subnetText() ?? "").subnet),
    );
    const hops = [`${networkAddress(ipv6SubnetOfNumber(subnetOf(h1)))}1`, device];
    for (const [index, hop] of hops.entries()) {
      const said = await pingBinary(h1, ipv6Of(h2), "-t", String(index + 1));
      assert.match(said, new RegExp(`From ${hop} .*Time exceeded`));
    }
  });
  await step("a smaller MTU on the way is found out", async () => {
    setMtu(h2, UNDERLAY_DEVICE, 1400);
    const long = String(MTU - ECHO_OVERHEAD_BYTES);
    await until("packet too big", [], async () => {
      const said = await pingBinary(h1, ipv6Of(h2), "-M", "do", "-s", long);
      return /mtu[:=] ?1372/.test(said);
    });
    setMtu(h2, UNDERLAY_DEVICE, 1500);
    await until("MTU as before", [], () => h2.subnetText()?.includes(`MTU=${MTU}`) === true);
  });
  await step(
    "a device that somebody deletes is made again for both, and after a restart",
    async () => {
      linkDelete(h3.namespace.netlink, h3.namespace.deviceIndex(DEVICE));
      await talk(h1, h3);
      await h2.stop();
      h2.start(`--join=${h1.address}`, UDP, DUAL_STACK);
      await talk(h1, h2);
      await assertAllPairsTalk(hosts);
    },
  );
  await step("a host that leaves takes both along", async () => {
    assert.equal((await h1.gossamer("leave", "--release")).code, 0);
    await h1.agent.wait();
    assert.equal(linkGet(h1.namespace.netlink, DEVICE), null);
    assert.deepEqual(ipv6Routes(h1), []);
  });
});

function container(host: Host) {
  const [first] = host.containers;
  assert(first !== undefined, `${host.name} has a container`);
  return first;
}

function ipv6Of(host: Host): string {
  const { ipv6 } = container(host);
  assert(ipv6 !== null);
  return ipv6;
}

function subnetOf(host: Host): string {
  return parseSubnetFile(host.subnetText() ?? "").subnet;
}

async function talk(from: Host, to: Host): Promise<void> {
  const options = { withinMs: 10_000 };
  const { kind } = await pingUntilAnswered(container(from).namespace, ipv6Of(to), options);
  assert.equal(kind, "answered", `${from.name} to ${to.name} by IPv6`);
}

/** Of ours, in the network of the overlay. */
function ipv6Routes({ namespace }: Host): string[] {
  return routeDump(namespace.netlink, { family: 6 })
    .filter(({ protocol, type }) => protocol === PROTOCOL && type === 1)
    .map(({ destination }) => destination);
}

async function pingBinary(from: Host, to: string, ...args: string[]): Promise<string> {
  const command = ["ping", "-6", "-n", "-c", "1", "-W", "1", ...args, to];
  const { stdout, stderr } = await container(from).namespace.output(command);
  return stdout + stderr;
}
