/** A cluster that runs gets dual stack, and another backend after that, host by host; no subnet changes on the way. */
import assert from "node:assert/strict";
import { routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { PROTOCOL, startCluster, until, untilStatus } from "./cluster.ts";
import {
  addIpv6,
  DUAL_STACK,
  IPV6_NETWORK,
  ipv6Underlay,
  untilIpv6Mesh,
} from "./dual_stack_kernel.ts";
import { scenario } from "./scenario.ts";

/** IPv6 header (40) and ICMPv6 echo header (8). */
const ECHO_OVERHEAD_BYTES = 48;

scenario(import.meta, "dual stack and host-gw, host by host", { hosts: 3 }, async (stage) => {
  const { hosts } = stage.lab;
  await startCluster(hosts);
  const subnets = hosts.map(subnetOf);
  await stage.step("a host without IPv6 address is refused dual stack, in words", async () => {
    const { code, stderr } = await stage.lab.host(1).gossamer(
      "up",
      DUAL_STACK,
      "--vni=2",
      `--run-dir=${stage.folder}/other`,
      `--state-dir=${stage.folder}/other`,
    );
    assert.equal(code, 1);
    assert.match(stderr, /eth0 has no global IPv6 address/);
  });
  for (const host of hosts) addIpv6(host);
  await stage.step("dual stack", async () => {
    for (const host of hosts) await restart(host, hosts, DUAL_STACK);
    await untilIpv6Mesh(hosts);
    assert.deepEqual(hosts.map(subnetOf), subnets);
    await untilNoProblem(hosts);
    await Promise.all(hosts.map((host) => host.addContainer()));
    await everyPair(hosts, 1430);
  });
  await stage.step("host-gw: routes through the underlay", async () => {
    for (const host of hosts) {
      await restart(host, hosts, DUAL_STACK, "--backend=vxlan", "--direct-routing");
    }
    await untilRouted(hosts);
    for (const host of hosts) await restart(host, hosts, DUAL_STACK, "--backend=host-gw");
    await untilRouted(hosts);
    assert.deepEqual(hosts.map(subnetOf), subnets);
    await everyPair(hosts, 1430);
    const [first] = hosts;
    assert(first !== undefined);
    const { mtu } = parseSubnetFile(first.subnetText() ?? "");
    assert.equal(mtu, 1500);
  });
});

async function restart(host: Host, hosts: readonly Host[], ...flags: string[]): Promise<void> {
  const seed = hosts.find((other) => other !== host);
  await host.stop();
  host.start(`--join=${seed?.address}`, ...flags);
  await untilStatus(host, `${host.name} is ready`, ({ ready }) => ready);
}

async function untilNoProblem(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await untilStatus(host, "no problem", ({ problems }) => problems.length === 0);
  }
}

function subnetOf(host: Host): string {
  return parseSubnetFile(host.subnetText() ?? "").subnet;
}

/** Ours, wherever they lead. */
function ipv6Routes({ namespace }: Host): string[] {
  return routeDump(namespace.netlink, { family: 6, protocol: PROTOCOL })
    .map(({ destination, gateway }) => `${destination} ${gateway}`).sort();
}

/** Those through the other hosts, and the floor. */
function routesWanted({ number }: Host, hosts: readonly Host[]): string[] {
  const wanted = hosts.filter((host) => host.number !== number).map((host) => {
    const { ipv6 } = parseSubnetFile(host.subnetText() ?? "");
    return `${ipv6?.subnet} ${ipv6Underlay(host.number)}`;
  });
  return [...wanted, `${IPV6_NETWORK} null`].sort();
}

async function untilRouted(hosts: readonly Host[]): Promise<void> {
  const isRouted = (host: Host) =>
    JSON.stringify(ipv6Routes(host)) === JSON.stringify(routesWanted(host, hosts));
  await until("routes through the underlay", hosts, () => hosts.every(isRouted)).catch(() => {
    for (const host of hosts) assert.deepEqual(ipv6Routes(host), routesWanted(host, hosts));
  });
}

async function everyPair(hosts: readonly Host[], mtu: number): Promise<void> {
  for (const from of hosts) {
    for (const to of hosts) {
      const [source, target] = [from.containers[0], to.containers[0]];
      if (from === to) continue;
      assert(source !== undefined && target !== undefined && target.ipv6 !== null);
      const outcome = await pingUntilAnswered(source.namespace, target.ipv6, {
        payloadBytes: mtu - ECHO_OVERHEAD_BYTES,
        dontFragment: true,
        withinMs: 5000,
      });
      assert.equal(outcome.kind, "answered", `${from.name} to ${to.name}: ${outcome.kind}`);
    }
  }
}
