/**
 * What somebody else takes out of the kernel is put back: within a second, with all peers, whatever it was.
 *
 * The agents idle otherwise, so a second is two orders of magnitude more than the repair itself takes; the
 * times measured are printed.
 */
import assert from "node:assert/strict";
import { addressDelete } from "../../ffi/route/address.ts";
import { fdbDelete, fdbDump } from "../../ffi/route/fdb.ts";
import { linkDelete, linkSet } from "../../ffi/route/link.ts";
import { neighbourDelete, neighbourDump } from "../../ffi/route/neighbour.ts";
import { routeDelete, routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { pingUntilAnswered } from "../../mod/lab/ping.ts";
import {
  actualKernel,
  assertKernels,
  DEVICE,
  overlayMac,
  startCluster,
  statusOf,
  until,
} from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";

/** The bound that the project promises. */
const HEALED_WITHIN_MS = 1000;

/** Ways to break a host's overlay by hand, each as an operator or another program might. */
const DAMAGES: readonly (readonly [what: string, damage: (host: Host) => void])[] = [
  ["one route deleted", deleteRoute],
  ["one neighbour deleted", deleteNeighbour],
  ["one FDB entry deleted", deleteForwarding],
  ["all routes deleted", deleteAllRoutes],
  ["the VTEP's address deleted", deleteAddress],
  [`${DEVICE} set down`, (host) => setDevice(host, { up: false })],
  [`${DEVICE}'s MAC changed`, (host) => setDevice(host, { address: "02:00:00:00:00:99" })],
  [`${DEVICE}'s MTU changed`, (host) => setDevice(host, { mtu: 1200 })],
  [`${DEVICE} deleted`, (host) => linkDelete(host.namespace.netlink, indexOf(host))],
];

scenario(import.meta, "what is broken by hand is healed within a second", { hosts: 4 }, async (
  stage,
) => {
  const { hosts } = stage.lab;
  await startCluster(hosts);
  await Promise.all(hosts.map((host) => host.addContainer()));
  for (const [what, damage] of DAMAGES) {
    await stage.step(what, () => healAfter(stage, what, damage));
  }
  await stage.step("the same again, on all hosts at the same moment", async () => {
    const before = hosts.map(actualKernel);
    const began = performance.now();
    for (const host of hosts) linkDelete(host.namespace.netlink, indexOf(host));
    await until(
      "healed everywhere",
      hosts,
      () => JSON.stringify(hosts.map(actualKernel)) === JSON.stringify(before),
    );
    const ms = performance.now() - began;
    stage.note(
      `${DEVICE} deleted on ${hosts.length} hosts at once: healed after ${ms.toFixed(1)} ms`,
    );
    assert(ms < HEALED_WITHIN_MS, `${ms} ms`);
    assertKernels(hosts);
  });
});

async function healAfter(
  { lab, note }: Stage,
  what: string,
  damage: (host: Host) => void,
): Promise<void> {
  const host = lab.host(2);
  const before = { kernel: actualKernel(host), device: deviceOf(host) };
  const { overlay } = await statusOf(host);
  const began = performance.now();
  damage(host);
  await until(
    `${what}, healed`,
    [host],
    () =>
      JSON.stringify({ kernel: actualKernel(host), device: deviceOf(host) }) ===
        JSON.stringify(before),
  );
  const ms = performance.now() - began;
  note(`${what}: healed after ${ms.toFixed(1)} ms`);
  assert(ms < HEALED_WITHIN_MS, `${what}: healed after ${ms} ms`);
  assertKernels(lab.hosts);
  const after = await statusOf(host);
  assert(after.overlay.repairs > overlay.repairs, "status counts the repair");
  assert.equal(after.overlay.inSync, true);
  for (const peer of lab.hosts) {
    if (peer === host) continue;
    const [from, to] = [host.containers[0], peer.containers[0]];
    assert(from !== undefined && to !== undefined);
    const outcome = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
    assert.equal(outcome.kind, "answered", `${host.name} -> ${peer.name} after: ${what}`);
  }
}

/** What a repair must restore of the device itself; a new device has a new index. */
function deviceOf(host: Host) {
  return { mac: overlayMac(host), mtu: host.deviceMtu(DEVICE) };
}

function indexOf(host: Host): number {
  return host.namespace.deviceIndex(DEVICE);
}

function setDevice(host: Host, settings: Parameters<typeof linkSet>[2]): void {
  linkSet(host.namespace.netlink, indexOf(host), settings);
}

function deleteRoute(host: Host): void {
  const [route] = overlayRoutes(host);
  assert(route !== undefined);
  routeDelete(host.namespace.netlink, { destination: route.destination, index: indexOf(host) });
}

function deleteAllRoutes(host: Host): void {
  for (const { destination } of overlayRoutes(host)) {
    routeDelete(host.namespace.netlink, { destination, index: indexOf(host) });
  }
}

function overlayRoutes(host: Host) {
  return routeDump(host.namespace.netlink, { family: 4, index: indexOf(host) });
}

function deleteNeighbour(host: Host): void {
  const index = indexOf(host);
  const [neighbour] = neighbourDump(host.namespace.netlink, { index, family: 4 });
  assert(neighbour !== undefined);
  neighbourDelete(host.namespace.netlink, { index, address: neighbour.address });
}

function deleteForwarding(host: Host): void {
  const index = indexOf(host);
  const [entry] = fdbDump(host.namespace.netlink, index);
  assert(entry !== undefined && entry.destination !== null);
  fdbDelete(host.namespace.netlink, {
    index,
    linkAddress: entry.linkAddress,
    destination: entry.destination,
  });
}

function deleteAddress(host: Host): void {
  const [address] = host.deviceAddresses(DEVICE);
  assert(address !== undefined);
  const [base = ""] = address.split("/");
  addressDelete(host.namespace.netlink, { index: indexOf(host), address: base, prefixLength: 32 });
}
