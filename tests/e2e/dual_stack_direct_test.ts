/** Dual stack with packets that travel bare: both families by routes through the underlay, and what becomes of them. */
import assert from "node:assert/strict";
import { addressDelete } from "../../ffi/route/address.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { routeDelete } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { PROTOCOL, startOne, statusOf, until, untilStatus } from "./cluster.ts";
import { hasRoutes, waitForRoutes } from "./direct_routes.ts";
import {
  addIpv6,
  DUAL_STACK,
  IPV6_DEVICE,
  ipv6SubnetOfNumber,
  ipv6Underlay,
} from "./dual_stack_kernel.ts";
import { scenario } from "./scenario.ts";

const HOST_GW = "--backend=host-gw";
const UNDERLAY_MTU = 1500;
const HEALED_WITHIN_MS = 1000;
const MOVED = "fd00:100::beef";

scenario(import.meta, "dual stack with host-gw", { hosts: 3 }, async ({ lab, step, note }) => {
  const { hosts } = lab;
  const h2 = lab.host(2);
  let underlayOf = ({ number }: Host) => ipv6Underlay(number);
  const hasAll = (host: Host) =>
    JSON.stringify(ipv6Routes(host)) === JSON.stringify(expected(host, hosts, underlayOf));
  await step("every host has a route of each family to every other", async () => {
    for (const host of hosts) {
      addIpv6(host);
      startOne(host, hosts, DUAL_STACK, HOST_GW);
      await host.waitForSubnet();
    }
    await waitForRoutes(hosts);
    await until("IPv6 routes", hosts, () => hosts.every(hasAll));
    for (const host of hosts) {
      assert.equal(linkGet(host.namespace.netlink, IPV6_DEVICE), null);
      assert.match(host.subnetText() ?? "", new RegExp(`FLANNEL_MTU=${UNDERLAY_MTU}`));
      assert.deepEqual((await statusOf(host)).problems, []);
    }
  });
  await step("containers talk in both, with the underlay's full MTU", async () => {
    await Promise.all(hosts.map((host) => host.addContainer()));
    await assertPairs(hosts);
  });
  await step("an IPv6 route that somebody deletes is back at once", async () => {
    const [line = ""] = ipv6Routes(h2);
    const index = h2.namespace.deviceIndex(UNDERLAY_DEVICE);
    routeDelete(h2.namespace.netlink, { destination: line.split(" ")[0] ?? "", index });
    const ms = await until("back", hosts, () => hasAll(h2));
    note(`IPv6 route deleted: healed after ${ms.toFixed(1)} ms`);
    assert(ms < HEALED_WITHIN_MS, `${ms} ms`);
  });
  await step("another IPv6 address of the underlay is followed, IPv4 untouched", async () => {
    const index = h2.namespace.deviceIndex(UNDERLAY_DEVICE);
    const old = { index, address: ipv6Underlay(2), prefixLength: 64 };
    addressDelete(h2.namespace.netlink, old);
    addIpv6(h2, MOVED);
    underlayOf = ({ number }) => number === 2 ? MOVED : ipv6Underlay(number);
    await until("followed", hosts, () => hosts.every(hasAll));
    assert(hosts.every((host) => hasRoutes(host, hosts)));
    await assertPairs(hosts);
  });
  await step("with VXLAN and direct routing instead, the same routes", async () => {
    for (const host of hosts) {
      await host.stop();
      host.start(DUAL_STACK, "--direct-routing");
      await untilStatus(host, "ready", ({ ready }) => ready);
    }
    await waitForRoutes(hosts);
    await until("IPv6 routes", hosts, () => hosts.every(hasAll));
    await assertPairs(hosts);
  });
  await step("cleanup leaves nothing of either", async () => {
    await h2.stop();
    await h2.gossamer("cleanup", `--subnet-file=${h2.subnetFile}`);
    assert.deepEqual([hasRoutes(h2, []), ipv6Routes(h2)], [true, []]);
  });
});

/** Our IPv6 routes through the underlay itself. */
function ipv6Routes(host: Host): string[] {
  return routeLines(host.namespace, UNDERLAY_DEVICE, 6)
    .filter((line) => line.includes(`proto ${PROTOCOL}`));
}

function expected(
  host: Host,
  hosts: readonly Host[],
  underlayOf: (host: Host) => string,
): string[] {
  return hosts.filter((peer) => peer !== host).map((peer) => {
    const { subnet } = parseSubnetFile(peer.subnetText() ?? "");
    return `${ipv6SubnetOfNumber(subnet)} via ${underlayOf(peer)} proto ${PROTOCOL}`;
  }).sort();
}

async function assertPairs(hosts: readonly Host[]): Promise<void> {
  for (const from of hosts) {
    for (const to of hosts) {
      const [source, target] = [from.containers[0], to.containers[0]];
      if (from === to || source === undefined || target === undefined) continue;
      assert(target.ipv6 !== null);
      for (const [address, headers] of [[target.address, 28], [target.ipv6, 48]] as const) {
        const options = { payloadBytes: source.mtu - headers, dontFragment: true, withinMs: 5000 };
        const outcome = await pingUntilAnswered(source.namespace, address, options);
        assert.equal(outcome.kind, "answered", `${from.name} -> ${address}: ${outcome.kind}`);
      }
    }
  }
}
