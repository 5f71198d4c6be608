/** What happens to a host's underlay while its agent runs, done as an operator, DHCP or a hypervisor would do it. */
import { addressAdd, addressDelete, addressDump } from "../../ffi/route/address.ts";
import { linkSet } from "../../ffi/route/link.ts";
import { routeAdd, routeReplace } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import type { Lab } from "../../mod/lab/lab.ts";
import { UNDERLAY_DEVICE, underlayAddress } from "../../mod/lab/underlay.ts";

const PREFIX_LENGTH = 24;
const GATEWAY = underlayAddress(250).replace(/\.250$/, ".254");

/** Takes the host's address away, and its routes with it. */
export function dropAddress(host: Host, device = UNDERLAY_DEVICE): void {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex(device);
  for (const { address, prefixLength } of addressDump(netlink, { family: 4, index })) {
    addressDelete(netlink, { index, address, prefixLength });
  }
}

/** Gives the host the lab's n-th address, and the way out. */
export function giveAddress(host: Host, number: number, device = UNDERLAY_DEVICE): void {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex(device);
  const address = underlayAddress(number);
  addressAdd(netlink, { index, address, prefixLength: PREFIX_LENGTH });
  routeAdd(netlink, { destination: "0.0.0.0/0", gateway: GATEWAY, index });
  host.address = address;
}

/** The way out again, after the device was down. */
export function restoreWayOut(host: Host, device = UNDERLAY_DEVICE): void {
  const index = host.namespace.deviceIndex(device);
  routeReplace(host.namespace.netlink, { destination: "0.0.0.0/0", gateway: GATEWAY, index });
}

/** Pulls the host's network card out. */
export function unplug(lab: Lab, host: Host): void {
  lab.underlay.remove(host.port);
}

/** Puts a new network card in, with the lab's n-th address. */
export function plug(lab: Lab, host: Host, number: number): void {
  host.port = lab.underlay.plug(host.namespace, number);
  host.address = host.port.address;
}

/** Another name for the same card; its routes have to be made again. */
export function rename(host: Host, from: string, to: string): void {
  const { netlink } = host.namespace;
  const index = host.namespace.deviceIndex(from);
  linkSet(netlink, index, { up: false });
  linkSet(netlink, index, { name: to });
  linkSet(netlink, index, { up: true });
  routeAdd(netlink, { destination: "0.0.0.0/0", gateway: GATEWAY, index });
}

export function setMtu(host: Host, device: string, mtu: number): void {
  linkSet(host.namespace.netlink, host.namespace.deviceIndex(device), { mtu });
}
