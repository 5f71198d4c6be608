/** What several scenarios do with a cluster: start it, wait for it, and say what its kernels must hold. */
import assert from "node:assert/strict";
import { linkGet } from "../../ffi/route/link.ts";
import { aloneCidr, familyOf } from "../../mod/address/cidr.ts";
import type { Host, StatusView } from "../../mod/lab/host.ts";
import { PATIENCE_MS } from "../../mod/lab/host.ts";
import { forwardingLines, neighbourLines, routeLines } from "../../mod/lab/kernel_text.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";

/** The device of VNI 1. */
export const DEVICE = "flannel.1";
/** And the one of IPv6. */
export const IPV6_DEVICE = "flannel-v6.1";

/** gossamer's rtm_protocol, as the outside sees it. */
export const PROTOCOL = 71;

/** Starts the agents one after another, all joining through the first, and waits for the full mesh. */
export async function startCluster(hosts: readonly Host[], ...flags: string[]): Promise<void> {
  for (const host of hosts) {
    startOne(host, hosts, ...flags);
    await host.waitForSubnet();
  }
  await waitForMesh(hosts);
}

/** Starts one agent that joins through the first host, unless it is the first. */
export function startOne(host: Host, hosts: readonly Host[], ...flags: string[]): void {
  const seed = hosts[0];
  const join = seed === undefined || seed === host ? [] : [`--join=${seed.address}`];
  host.start(...join, ...flags);
}

/** Waits until every host's kernel holds exactly what it should for all the others. */
export async function waitForMesh(
  hosts: readonly Host[],
  withinMs = PATIENCE_MS,
): Promise<void> {
  await until("full mesh", hosts, () =>
    hosts.every((host) => {
      const wanted = expectedKernel(host, hosts);
      return wanted !== null && sameKernel(actualKernel(host), wanted);
    }), withinMs);
}

/** Polls until a condition holds; throws with what the hosts' kernels hold if it does not. */
export async function until(
  what: string,
  hosts: readonly Host[],
  holds: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<number> {
  const began = performance.now();
  while (!await holds()) {
    if (performance.now() - began > withinMs) {
      const kernels = hosts.map((host) =>
        `${host.name}: ${JSON.stringify(actualKernel(host), null, 1)}`
      );
      throw new Error(`${what}: not within ${withinMs} ms\n${kernels.join("\n")}`);
    }
    await sleep(2);
  }
  return performance.now() - began;
}

/** What a host's kernel holds for the overlay, as `ip` and `bridge` would print it. */
export interface KernelText {
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
  readonly forwarding: readonly string[];
}

/** What must be in a host's kernel, from the other hosts' own files and devices; null if one has none yet. */
export function expectedKernel(host: Host, cluster: readonly Host[]): KernelText | null {
  const own = host.subnetText();
  if (own === null) return null;
  const routes: string[] = [];
  const neighbours: string[] = [];
  const forwarding: string[] = [];
  for (const peer of cluster) {
    if (peer === host) continue;
    const text = peer.subnetText();
    const mac = overlayMac(peer);
    if (text === null || mac === null) return null;
    const { subnet } = parseSubnetFile(text);
    const base = networkAddress(subnet);
    routes.push(`${subnet} via ${base} proto ${PROTOCOL} onlink`);
    neighbours.push(`${base} lladdr ${mac} PERMANENT proto ${PROTOCOL}`);
    forwarding.push(`${mac} dst ${peer.address} self permanent`);
  }
  return {
    addresses: [aloneCidr(networkAddress(parseSubnetFile(own).subnet))],
    routes: routes.sort(),
    neighbours: neighbours.sort(),
    forwarding: forwarding.sort(),
  };
}

/** The overlay's device of a host: that of the family which the hosts talk over. */
export function deviceOf(host: Host): string {
  return familyOf(host.address) === 4 ? DEVICE : IPV6_DEVICE;
}

export function actualKernel(host: Host): KernelText {
  return kernelText(host, deviceOf(host), familyOf(host.address));
}

/** What the kernel has of IPv6 by itself is left out. */
export function kernelText(host: Host, device: string, family: 4 | 6): KernelText {
  const isOfHosts = (line: string) => family === 4 || !/^(fe80:|ff)|proto kernel/.test(line);
  return {
    addresses: host.deviceAddresses(device, family),
    routes: routeLines(host.namespace, device, family).filter(isOfHosts),
    neighbours: neighbourLines(host.namespace, device, family).filter(isOfHosts),
    forwarding: forwardingLines(host.namespace, device),
  };
}

/** Compares every host's kernel with what it must hold, entry by entry. */
export function assertKernels(hosts: readonly Host[], cluster: readonly Host[] = hosts): void {
  for (const host of hosts) {
    assert.deepEqual(actualKernel(host), expectedKernel(host, cluster), host.name);
  }
}

function sameKernel(left: KernelText, right: KernelText): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** MAC of a host's own VTEP, or null while it has none. */
export function overlayMac(host: Host): string | null {
  return linkGet(host.namespace.netlink, deviceOf(host))?.address ?? null;
}

/** `10.244.7.0` of `10.244.7.0/24`. */
export function networkAddress(subnet: string): string {
  return subnet.split("/")[0] ?? subnet;
}

/** The status document; fails when the agent does not answer. */
export async function statusOf(host: Host): Promise<StatusView> {
  const status = await host.status();
  assert(status !== null, `${host.name} does not answer`);
  return status;
}

/** Waits until the host's status document satisfies a condition. */
export async function untilStatus(
  host: Host,
  what: string,
  holds: (status: StatusView) => boolean,
  withinMs = PATIENCE_MS,
): Promise<StatusView> {
  const deadline = performance.now() + withinMs;
  while (true) {
    const status = await host.status();
    if (status !== null && holds(status)) return status;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${withinMs} ms; ${JSON.stringify(status, null, 1)}`);
    }
    await sleep(20);
  }
}
