/**
 * The kernel of this host as the overlay's port: dumps and plans over rtnetlink.
 *
 * Everything runs synchronously on one socket, in the network namespace in which it was opened.
 */
import { isExisting, isMissing, NetlinkError } from "../../ffi/netlink/error.ts";
import { openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressDump } from "../../ffi/route/address.ts";
import { fdbDump } from "../../ffi/route/fdb.ts";
import { type Link, linkDelete, linkDump, linkGet, linkSet } from "../../ffi/route/link.ts";
import { neighbourDump } from "../../ffi/route/neighbour.ts";
import { routeDump } from "../../ffi/route/route.ts";
import { vxlanAdd, vxlanMove } from "../../ffi/route/vxlan.ts";
import { assert } from "../base/assert.ts";
import type {
  Kernel,
  KernelState,
  LinkChanges,
  LinkMove,
  Operation,
  OperationFailure,
  Route,
  VxlanLink,
} from "../base/kernel_objects.ts";
import { DEVICE_ALIAS, ROUTE_PROTOCOL } from "../base/limits.ts";
import { ChangeFilter } from "./change_filter.ts";
import {
  type HostDevice,
  type HostNetwork,
  readDevice,
  readHostNetwork,
  readRouteTo,
  type RouteTo,
} from "./host_network.ts";
import {
  decodeDeviceAddress,
  decodeForwarding,
  decodeOverlayLink,
  decodeOverlayNeighbour,
  decodeOverlayRoute,
  isKernelMadeAddress,
  isKernelMadeRoute,
} from "./kernel_decode.ts";
import {
  deviceOf,
  encodeOperation,
  type EntryOperation,
  isLinkOperation,
  isRemoval,
  type LinkOperation,
} from "./kernel_encode.ts";
import { DeviceFilter } from "./device_filter.ts";
import { KernelWatch } from "./kernel_watch.ts";

/** A dump that meets a vanishing device, or loses replies, this often is an error. */
const DUMP_ATTEMPTS = 4;

export class HostKernel implements Kernel {
  readonly #transport: NetlinkTransport;
  readonly #watches = new Set<KernelWatch<ChangeFilter>>();
  readonly #deviceWatches = new Set<KernelWatch<DeviceFilter>>();

  constructor(transport: NetlinkTransport) {
    this.#transport = transport;
  }

  /** Throws NetlinkError or SysError when the kernel cannot be read. */
  dump(device: string, underlay?: number): KernelState {
    for (let attempt = 1;; attempt++) {
      try {
        return this.#dumpOnce(device, underlay ?? null);
      } catch (error) {
        // The device went while we read, or replies were lost: what we have is no state that ever was.
        const isTorn = isMissing(error) ||
          (error instanceof NetlinkError && error.code === "ENOBUFS");
        if (!isTorn || attempt === DUMP_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Applies in order; failures do not stop later operations, except that nothing is tried on a device that could not be
   * made. Throws NetlinkError with code ENOBUFS when the kernel's replies were lost: then dump and compare again.
   */
  apply(plan: readonly Operation[]): OperationFailure[] {
    const failures: OperationFailure[] = [];
    let entries: EntryOperation[] = [];
    const missing = new Set<string>();
    for (const operation of plan) {
      if (!isLinkOperation(operation)) {
        entries.push(operation);
        continue;
      }
      failures.push(...this.#applyEntries(entries, missing));
      entries = [];
      const failure = this.#applyLink(operation);
      if (failure === null) continue;
      failures.push(failure);
      if (operation.kind === "link-add") missing.add(operation.link.name);
    }
    failures.push(...this.#applyEntries(entries, missing));
    return failures;
  }

  /** See the port; changes that this object made itself are left out where the kernel says whose they are. */
  watch(changed: () => void): () => void {
    const watch = new KernelWatch(new ChangeFilter(this.#transport.port), changed);
    this.#watches.add(watch);
    return () => watch.stop();
  }

  /** Calls back (coalesced) whenever something changes that the choice of the underlay looks at, or may have. */
  watchDevices(changed: () => void): () => void {
    const watch = new KernelWatch(new DeviceFilter(), changed, "devices-ipv4");
    this.#deviceWatches.add(watch);
    return () => watch.stop();
  }

  /** Names of all devices that bear our alias, whatever their kind. */
  ownDevices(): string[] {
    return linkDump(this.#transport).filter((link) => link.alias === DEVICE_ALIAS)
      .map((link) => link.name);
  }

  /** Name of the device with that index, `if7` when there is none: for plans as text. */
  deviceName(index: number): string {
    return linkGet(this.#transport, index)?.name ?? `if${index}`;
  }

  /** Devices, addresses and routes of this host, for the choice of the underlay. Throws NetlinkError or SysError. */
  hostNetwork(): HostNetwork {
    return readHostNetwork(this.#transport);
  }

  /** A device as it is now; null when there is none of that index. Throws NetlinkError or SysError. */
  hostDevice(index: number): HostDevice | null {
    return readDevice(this.#transport, index);
  }

  /** How the kernel would send a packet to that address; null when it cannot. */
  routeTo(address: string): RouteTo | null {
    return readRouteTo(this.#transport, address);
  }

  /** Stops all watches and closes the socket; settles when every descriptor is closed. */
  async close(): Promise<void> {
    this.#transport.close();
    const watches = [...this.#watches, ...this.#deviceWatches];
    for (const watch of watches) watch.stop();
    await Promise.all(watches.map((watch) => watch.ended));
  }

  #dumpOnce(device: string, underlay: number | null): KernelState {
    const transport = this.#transport;
    for (const watch of this.#watches) watch.filter.followName(device);
    this.#followBelow(underlay);
    const link = linkGet(transport, device);
    const elsewhere = this.#ownRoutesElsewhere(link?.index ?? 0);
    if (link === null) {
      return { link: null, addresses: [], neighbours: [], forwarding: [], routes: elsewhere };
    }
    const { index } = link;
    this.#follow(link);
    return {
      link: decodeOverlayLink(link),
      addresses: addressDump(transport, { index })
        .filter((address) => !isKernelMadeAddress(address))
        .map((address) => decodeDeviceAddress(device, address)),
      neighbours: neighbourDump(transport, { index, family: 4 })
        .map((neighbour) => decodeOverlayNeighbour(device, neighbour)),
      forwarding: link.vxlan === null
        ? []
        : fdbDump(transport, index).map((entry) => decodeForwarding(device, entry)),
      routes: [
        ...routeDump(transport, { index, table: null })
          .filter((route) => !isKernelMadeRoute(route))
          .map((route) => decodeOverlayRoute(device, route)),
        ...elsewhere,
      ],
    };
  }

  /** Lets the watches hear of the device and the one below it. */
  #follow(link: Link): void {
    for (const watch of this.#watches) watch.filter.follow(link);
    this.#followBelow(link.vxlan?.link ?? null);
  }

  #followBelow(below: number | null): void {
    for (const watch of this.#watches) {
      if (below === null || watch.filter.isFollowing(below)) continue;
      const underlay = linkGet(this.#transport, below);
      if (underlay === null) continue;
      watch.filter.followBelow(underlay);
      watch.muteNeighbours(underlay);
    }
  }

  /** Routes with our protocol number on other devices: of another agent of this host, or left by an earlier one. */
  #ownRoutesElsewhere(deviceIndex: number): Route[] {
    const names = new Map<number, string>();
    const routes: Route[] = [];
    for (const route of routeDump(this.#transport, { family: 4, protocol: ROUTE_PROTOCOL })) {
      if (route.index === null || route.index === deviceIndex) continue;
      const name = names.get(route.index) ?? this.deviceName(route.index);
      names.set(route.index, name);
      routes.push(decodeOverlayRoute(name, route));
    }
    return routes;
  }

  #applyLink(operation: LinkOperation): OperationFailure | null {
    try {
      switch (operation.kind) {
        case "link-add":
          this.#addLink(operation.link);
          return null;
        case "link-set":
          this.#setLink(operation.name, operation.changes);
          return null;
        case "link-move":
          this.#moveLink(operation.name, operation.move);
          return null;
        case "link-delete": {
          const link = linkGet(this.#transport, operation.name);
          if (link !== null) linkDelete(this.#transport, link.index);
          return null;
        }
      }
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      if (isRemoval(operation) && isMissing(error)) return null;
      return { operation, code: error.code, message: error.message };
    }
  }

  #addLink(link: VxlanLink): void {
    const made = vxlanAdd(this.#transport, {
      name: link.name,
      address: link.mac,
      mtu: link.mtu,
      // Packets queue at the underlay's device, not here (flannel's choice too).
      txQueueLength: 0,
      alias: link.alias,
      up: link.up,
      vxlan: {
        id: link.vni,
        port: link.port,
        learning: link.learning,
        ...(link.underlayIndex === 0 ? {} : { link: link.underlayIndex }),
        ...(link.local === "" ? {} : { local: link.local }),
      },
    });
    this.#follow(made);
  }

  #setLink(name: string, { mac, ...changes }: LinkChanges): void {
    const present = linkGet(this.#transport, name);
    if (present === null) return; // gone since the dump: the next comparison makes it anew
    const settings = mac === undefined ? changes : { ...changes, address: mac };
    linkSet(this.#transport, present.index, settings);
  }

  #moveLink(name: string, { local, underlayIndex }: LinkMove): void {
    const present = linkGet(this.#transport, name);
    if (present === null) return; // as above
    vxlanMove(this.#transport, present.index, {
      ...(local === undefined ? {} : { local }),
      ...(underlayIndex === undefined ? {} : { link: underlayIndex }),
    });
    const moved = linkGet(this.#transport, present.index);
    if (moved !== null) this.#follow(moved);
  }

  /** All in a few sends; `missing` names devices that are known not to be there. */
  #applyEntries(
    operations: readonly EntryOperation[],
    missing: ReadonlySet<string>,
  ): OperationFailure[] {
    const indexes = new Map<string, number | null>();
    const failures: OperationFailure[] = [];
    const sent: EntryOperation[] = [];
    const requests = [];
    for (const operation of operations) {
      const device = deviceOf(operation);
      if (missing.has(device)) continue;
      let index = indexes.get(device);
      if (index === undefined) {
        index = linkGet(this.#transport, device)?.index ?? null;
        indexes.set(device, index);
      }
      if (index !== null) {
        sent.push(operation);
        requests.push(encodeOperation(operation, index));
      } else if (!isRemoval(operation)) {
        failures.push({ operation, code: "ENODEV", message: `There is no device ${device}` });
      }
    }
    for (const watch of this.#watches) watch.filter.expect(sent);
    for (const [position, { error }] of this.#transport.request(requests).entries()) {
      const operation = sent[position];
      assert(operation !== undefined, "the kernel gives one reply per request");
      if (error === null || (isRemoval(operation) && isMissing(error))) continue;
      const failure = { operation, code: error.code, message: error.message };
      if (isExisting(error)) failures.push(...this.#taken(failure));
      else failures.push(failure);
    }
    return failures;
  }

  /** Something is in the place where we wanted to add: no failure when it is just what we wanted. */
  #taken(failure: OperationFailure): OperationFailure[] {
    const { operation } = failure;
    // The kernel refuses an address only when that very address is there.
    if (operation.kind !== "route-add") return [];
    const wanted = operation.route;
    const there = routeDump(this.#transport, { family: 4, table: wanted.table }).find((route) =>
      route.destination === wanted.destination && (route.priority ?? 0) === wanted.metric
    );
    if (there === undefined) return [failure]; // gone again: the next comparison settles it
    const device = there.index === null ? "no device" : this.deviceName(there.index);
    const isWanted = device === wanted.device && there.gateway === wanted.gateway &&
      there.onlink === wanted.onlink && there.protocol === wanted.protocol;
    if (isWanted) return [];
    const via = there.gateway === null ? "" : ` via ${there.gateway}`;
    const message = `There is a route to ${wanted.destination}${via} on ${device} already ` +
      `(protocol ${there.protocol}), which gossamer did not make; delete it with ` +
      `"ip route delete ${wanted.destination} dev ${device}"`;
    return [{ operation, code: failure.code, message }];
  }
}

/** Opens the kernel of the current network namespace. Throws SysError. */
export function openKernel(): HostKernel {
  return new HostKernel(openNetlinkSocket());
}
