/**
 * A stand-in for a container: a namespace behind its host's bridge, addressed from `subnet.env`.
 *
 * It is what a bridge CNI plugin or Docker would make; the agent knows nothing of it.
 */
import { addressAdd, addressDump, IFA_F } from "../../ffi/route/address.ts";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { linkDelete, linkGet, linkSet } from "../../ffi/route/link.ts";
import { routeAdd } from "../../ffi/route/route.ts";
import { vethAdd } from "../../ffi/route/veth.ts";
import { isIpv6Text } from "../address/ipv6.ts";
import { Namespace } from "./namespace.ts";
import { addToAddress, type SubnetFile } from "./subnet_file.ts";

/** The container bridge inside every host, named as the CNI bridge plugin does. */
export const CONTAINER_BRIDGE = "cni0";

export class Container {
  readonly address: string;
  /** Its IPv6 address, in a dual-stack cluster. */
  readonly ipv6: string | null;
  readonly mtu: number;
  readonly namespace: Namespace;
  readonly #host: Namespace;
  readonly #port: string;

  /** @param number counts from 1; the n-th container has the subnet's address n + 1 */
  constructor(host: Namespace, subnet: SubnetFile, number: number) {
    this.#host = host;
    this.#port = `pod${number}`;
    this.address = addToAddress(subnet.gateway, number);
    this.ipv6 = subnet.ipv6 === null ? null : addToAddress(subnet.ipv6.gateway, number);
    this.mtu = subnet.mtu;
    this.namespace = new Namespace(`container ${number} of ${host.name}`);
    const bridge = ensureBridge(host, subnet);
    vethAdd(host.netlink, {
      name: this.#port,
      mtu: subnet.mtu,
      peer: { name: "eth0", mtu: subnet.mtu, namespaceFd: this.namespace.fd },
    });
    const index = this.namespace.deviceIndex("eth0");
    addTo(this.namespace, index, this.address, subnet.prefixLength);
    linkSet(this.namespace.netlink, index, { up: true });
    // Last, so that the port has its carrier when it comes up and forwards from then on.
    linkSet(host.netlink, host.deviceIndex(this.#port), { master: bridge, up: true });
    routeAdd(this.namespace.netlink, {
      destination: isIpv6Text(this.address) ? "::/0" : "0.0.0.0/0",
      gateway: subnet.gateway,
      index,
    });
    if (subnet.ipv6 !== null && this.ipv6 !== null) {
      const { gateway, prefixLength } = subnet.ipv6;
      addTo(this.namespace, index, this.ipv6, prefixLength);
      routeAdd(this.namespace.netlink, { destination: "::/0", gateway, index });
    }
  }

  /** Waits until the bridge forwards to it. */
  async ready(): Promise<void> {
    await this.namespace.ready("eth0");
    await this.#host.ready(this.#port, CONTAINER_BRIDGE);
  }

  close(): void {
    if (linkGet(this.#host.netlink, this.#port) !== null) {
      linkDelete(this.#host.netlink, this.#host.deviceIndex(this.#port));
    }
    this.namespace.close();
  }
}

/** The host's container bridge with the subnet's first address, made when the first container comes. */
function ensureBridge(host: Namespace, subnet: SubnetFile): number {
  if (linkGet(host.netlink, CONTAINER_BRIDGE) === null) {
    bridgeAdd(host.netlink, {
      name: CONTAINER_BRIDGE,
      mtu: subnet.mtu,
      up: true,
      bridge: { stp: false, forwardDelayCs: 0, multicastSnooping: false },
    });
  }
  const index = host.deviceIndex(CONTAINER_BRIDGE);
  const held = new Set(addressDump(host.netlink, { index }).map(({ address }) => address));
  const parts = [subnet, ...(subnet.ipv6 === null ? [] : [subnet.ipv6])];
  for (const { gateway, prefixLength } of parts) {
    if (!held.has(gateway)) addTo(host, index, gateway, prefixLength);
    // What a container runtime sets too: without it the kernel does not hand packets on.
    const isIpv6 = isIpv6Text(gateway);
    host.writeSysctl(isIpv6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward", "1");
  }
  return index;
}

/** Usable at once: nobody else has it. */
function addTo(
  { netlink }: Namespace,
  index: number,
  address: string,
  prefixLength: number,
): void {
  const flags = isIpv6Text(address) ? { flags: IFA_F.NODAD } : {};
  addressAdd(netlink, { index, address, prefixLength, ...flags });
}
