/** Clusters whose packets travel bare: what their kernels must hold, and networks of more than one segment. */
import assert from "node:assert/strict";
import { addressAdd, addressDelete, addressDump } from "../../ffi/route/address.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { routeAdd } from "../../ffi/route/route.ts";
import { familyOf } from "../../mod/address/cidr.ts";
import type { Host } from "../../mod/lab/host.ts";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import type { Lab } from "../../mod/lab/lab.ts";
import {
  ECHO_OVERHEAD_BYTES,
  IPV6_ECHO_OVERHEAD_BYTES,
  ping,
  pingUntilAnswered,
} from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import { deviceOf, PROTOCOL, until } from "./cluster.ts";

/** Our routes through the underlay itself, as `ip route` prints them. */
export function directRoutes(host: Host): string[] {
  return routeLines(host.namespace, UNDERLAY_DEVICE, familyOf(host.address))
    .filter((line) => line.includes(`proto ${PROTOCOL}`));
}

/** What a host must hold for those peers; null while one has no subnet. */
export function expectedRoutes(host: Host, peers: readonly Host[]): string[] | null {
  const lines: string[] = [];
  for (const peer of peers) {
    if (peer === host) continue;
    const text = peer.subnetText();
    if (text === null) return null;
    lines.push(`${parseSubnetFile(text).subnet} via ${peer.address} proto ${PROTOCOL}`);
  }
  return lines.sort();
}

/** Waits until each host has a bare route to every other, and nothing else. */
export async function waitForRoutes(hosts: readonly Host[], withinMs?: number): Promise<number> {
  return await until(
    "a route to every other host",
    hosts,
    () => hosts.every((host) => hasRoutes(host, hosts)),
    withinMs,
  );
}

export function hasRoutes(host: Host, peers: readonly Host[]): boolean {
  return JSON.stringify(directRoutes(host)) === JSON.stringify(expectedRoutes(host, peers));
}

export function hasDevice(host: Host): boolean {
  return linkGet(host.namespace.netlink, deviceOf(host)) !== null;
}

/** Every container reaches every other with packets of the MTU, and not with larger ones. */
export async function assertAllPairsTalk(hosts: readonly Host[]): Promise<void> {
  const containers = hosts.flatMap((host) => host.containers.slice(0, 1));
  for (const from of containers) {
    for (const to of containers) {
      if (from === to) continue;
      const path = `${from.address} -> ${to.address}`;
      const small = await pingUntilAnswered(from.namespace, to.address, { withinMs: 5000 });
      assert.equal(small.kind, "answered", path);
      const isIpv4 = familyOf(from.address) === 4;
      const payloadBytes = from.mtu - (isIpv4 ? ECHO_OVERHEAD_BYTES : IPV6_ECHO_OVERHEAD_BYTES);
      const full = { payloadBytes, dontFragment: true };
      assert.equal((await ping(from.namespace, to.address, full)).kind, "answered", path);
      const over = { ...full, payloadBytes: payloadBytes + 1 };
      assert.equal((await ping(from.namespace, to.address, over)).kind, "too-big", path);
    }
  }
}

/** The second segment's network; the lab's own is 192.168.100.0/24. */
const SEGMENT_PREFIX = "192.168.101";
const SEGMENT_BRIDGE = "segment2";

/** A second segment of the network, and a router between the two. */
export class Segments {
  readonly #lab: Lab;
  #isMade = false;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Moves a host's plug to the second segment; it gets an address there and the router as its way out. */
  async move(host: Host): Promise<void> {
    this.#lab.underlay.move([host.port], SEGMENT_BRIDGE);
    this.#makeRouter();
    await this.#lab.underlay.namespace.ready(SEGMENT_BRIDGE);
    replaceAddress(host, SEGMENT_PREFIX, 24);
  }

  /** Moves it back to the first segment, to the address it had there. */
  moveBack(host: Host): void {
    this.#lab.underlay.heal([host.port]);
    replaceAddress(host, "192.168.100", 24);
  }

  #makeRouter(): void {
    if (this.#isMade) return;
    this.#isMade = true;
    const { namespace } = this.#lab.underlay;
    addressAdd(namespace.netlink, {
      index: namespace.deviceIndex(SEGMENT_BRIDGE),
      address: `${SEGMENT_PREFIX}.254`,
      prefixLength: 24,
    });
    namespace.writeSysctl("net.ipv4.ip_forward", "1");
  }
}

/** Gives the host the address of its number in that network, with a prefix of that length and its router. */
export function replaceAddress(host: Host, prefix: string, prefixLength: number): void {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex(UNDERLAY_DEVICE);
  for (const old of addressDump(netlink, { family: 4, index })) {
    addressDelete(netlink, { index, address: old.address, prefixLength: old.prefixLength });
  }
  host.address = `${prefix}.${host.number}`;
  addressAdd(netlink, { index, address: host.address, prefixLength });
  const gateway = `${prefix}.254`;
  // A prefix without room for the router is what clouds give.
  if (prefixLength === 32) routeAdd(netlink, { destination: `${gateway}/32`, index });
  routeAdd(netlink, { destination: "0.0.0.0/0", gateway, index });
}
