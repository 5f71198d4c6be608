/**
 * The network between the lab's hosts: a namespace with a bridge in it, and one veth pair a host.
 *
 * Faults are made here, where a cable or a switch would make them, so that the hosts' own devices and
 * tables stay exactly as they were.
 */
import { addressAdd, IFA_F } from "../../ffi/route/address.ts";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { linkDelete, linkSet } from "../../ffi/route/link.ts";
import { routeAdd } from "../../ffi/route/route.ts";
import { vethAdd } from "../../ffi/route/veth.ts";
import { assert } from "../base/assert.ts";
import { Namespace } from "./namespace.ts";

/** The network the hosts are in; a /24 has room for the lab's most hosts and its gateway. */
const NETWORK_PREFIX = "192.168.100";
const PREFIX_LENGTH = 24;
/** Ethernet's MTU: VXLAN over it leaves 1450. */
export const UNDERLAY_MTU = 1500;
/** Addresses .1 to .250 are hosts; .254 is the gateway that makes eth0 the default route's device. */
export const HOSTS_MAX = 250;
const GATEWAY = `${NETWORK_PREFIX}.254`;
/** The same of IPv6: `fd00:100::1` to `fd00:100::fa`. */
const IPV6_PREFIX = "fd00:100::";
const IPV6_PREFIX_LENGTH = 64;
const IPV6_GATEWAY = `${IPV6_PREFIX}fe`;
const MAIN_BRIDGE = "switch";

/** The underlay device inside every host. */
export const UNDERLAY_DEVICE = "eth0";

/** Address of the lab's n-th host, counted from 1. */
export function underlayAddress(number: number, family: 4 | 6 = 4): string {
  assert(number >= 1 && number <= HOSTS_MAX, `a lab has hosts 1 to ${HOSTS_MAX}, not ${number}`);
  return family === 4 ? `${NETWORK_PREFIX}.${number}` : `${IPV6_PREFIX}${number.toString(16)}`;
}

/** The plug of one host in the switch. */
export interface Port {
  readonly number: number;
  readonly address: string;
  /** Of the switch's end of the veth pair. */
  readonly name: string;
  /** Index of the switch's end of the veth pair. */
  readonly index: number;
}

export class Underlay {
  readonly namespace = new Namespace("the switch");
  readonly #bridges = new Map<string, number>();
  readonly #family: 4 | 6;

  /** @param family of the hosts' addresses */
  constructor(family: 4 | 6 = 4) {
    this.#family = family;
    this.#addAddress(this.namespace, this.#bridge(MAIN_BRIDGE), this.#gateway);
  }

  get #gateway(): string {
    return this.#family === 4 ? GATEWAY : IPV6_GATEWAY;
  }

  #addAddress({ netlink }: Namespace, index: number, address: string): void {
    addressAdd(
      netlink,
      this.#family === 4
        ? { index, address, prefixLength: PREFIX_LENGTH, broadcast: `${NETWORK_PREFIX}.255` }
        // Usable at once: nobody else has it.
        : { index, address, prefixLength: IPV6_PREFIX_LENGTH, flags: IFA_F.NODAD },
    );
  }

  /** Gives a namespace an `eth0` with the n-th address, plugged into the main bridge. */
  plug(namespace: Namespace, number: number): Port {
    const address = underlayAddress(number, this.#family);
    const name = `port${number}`;
    vethAdd(this.namespace.netlink, {
      name,
      mtu: UNDERLAY_MTU,
      peer: { name: UNDERLAY_DEVICE, mtu: UNDERLAY_MTU, namespaceFd: namespace.fd },
    });
    const port = { number, address, name, index: this.namespace.deviceIndex(name) };
    const index = namespace.deviceIndex(UNDERLAY_DEVICE);
    this.#addAddress(namespace, index, address);
    linkSet(namespace.netlink, index, { up: true });
    // Last, so that the port has its carrier when it comes up and forwards from then on.
    linkSet(this.namespace.netlink, port.index, {
      master: this.#bridge(MAIN_BRIDGE),
      up: true,
    });
    const destination = this.#family === 4 ? "0.0.0.0/0" : "::/0";
    routeAdd(namespace.netlink, { destination, gateway: this.#gateway, index });
    return port;
  }

  /** Waits until packets flow between the ports and their hosts. */
  async ready(ports: readonly Port[]): Promise<void> {
    await this.namespace.ready(MAIN_BRIDGE, ...ports.map(({ name }) => name));
  }

  /** Pulls the plug for good; both ends of the pair disappear. */
  remove(port: Port): void {
    linkDelete(this.namespace.netlink, port.index);
  }

  /** Cuts or mends one host's cable. The host's own eth0 loses its carrier. */
  setCable(port: Port, connected: boolean): void {
    linkSet(this.namespace.netlink, port.index, { up: connected });
  }

  /** Moves ports to another bridge: hosts on different bridges cannot reach each other. */
  move(ports: readonly Port[], bridge: string): void {
    const master = this.#bridge(bridge);
    for (const port of ports) linkSet(this.namespace.netlink, port.index, { master });
  }

  /** Splits the network: each group keeps talking among itself. Ports not named stay where they are. */
  partition(groups: readonly (readonly Port[])[]): void {
    groups.forEach((ports, group) => this.move(ports, `split${group}`));
  }

  /** Puts the ports back onto one bridge. */
  heal(ports: readonly Port[]): void {
    this.move(ports, MAIN_BRIDGE);
  }

  close(): void {
    this.namespace.close();
  }

  #bridge(name: string): number {
    const known = this.#bridges.get(name);
    if (known !== undefined) return known;
    // Without spanning tree a port forwards at once; without snooping nothing waits for queries.
    bridgeAdd(this.namespace.netlink, {
      name,
      mtu: UNDERLAY_MTU,
      up: true,
      bridge: { stp: false, forwardDelayCs: 0, multicastSnooping: false },
    });
    const index = this.namespace.deviceIndex(name);
    this.#bridges.set(name, index);
    return index;
  }
}
