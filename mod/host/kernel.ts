/**
 * The kernel of this host as the overlay's port: dumps and plans over rtnetlink.
 *
 * One socket, in the network namespace in which it was opened. All calls are synchronous but one: long plans are applied
 * on another thread, for gossip does not wait.
 */
import { isMissing, NetlinkError } from "../../ffi/netlink/error.ts";
import { openLastingNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressDump } from "../../ffi/route/address.ts";
import { fdbDump } from "../../ffi/route/fdb.ts";
import { type Link, linkDump, linkGet } from "../../ffi/route/link.ts";
import { neighbourDump } from "../../ffi/route/neighbour.ts";
import { ROUTE_TYPE, routeDump } from "../../ffi/route/route.ts";
import type {
  Kernel,
  KernelState,
  Operation,
  OperationFailure,
  Route,
} from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import { isOwnAlias } from "../base/own_alias.ts";
import { ChangeFilter } from "./change_filter.ts";
import {
  type HostDevice,
  type HostNetwork,
  readDevice,
  readHostNetwork,
  readIpv6OfHost,
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
  isKernelMadeNeighbour,
  isKernelMadeRoute,
} from "./kernel_decode.ts";
import { DeviceFilter } from "./device_filter.ts";
import { PlanApplier } from "./kernel_apply.ts";
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
  dump(device: string, underlay?: number, family: 4 | 6 = 4): KernelState {
    for (let attempt = 1;; attempt++) {
      try {
        return this.#dumpOnce(device, underlay ?? null, family);
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
    return this.#applier().apply(plan);
  }

  /** See the port. What the kernel tells meanwhile is told at the end, and what it tells of our own changes not at all. */
  async applyLater(
    plan: readonly Operation[],
    isCancelled: () => boolean,
  ): Promise<OperationFailure[]> {
    const watches = [...this.#watches, ...this.#deviceWatches];
    for (const watch of watches) watch.hold();
    try {
      return await this.#applier().applyLater(plan, isCancelled);
    } finally {
      for (const watch of watches) watch.release();
    }
  }

  /** See the port; changes that this object made itself are left out where the kernel says whose they are. */
  watch(changed: () => void): () => void {
    const { port } = this.#transport;
    const watch = new KernelWatch(new ChangeFilter(port), changed, port);
    this.#watches.add(watch);
    return () => watch.stop();
  }

  /** Calls back (coalesced) whenever something changes that the choice of the underlay looks at, or may have. */
  watchDevices(changed: () => void, ipv6 = false): () => void {
    const watch = new KernelWatch(
      new DeviceFilter(ipv6),
      changed,
      this.#transport.port,
      ipv6 ? "devices" : "devices-ipv4",
    );
    this.#deviceWatches.add(watch);
    return () => watch.stop();
  }

  /** Names of all devices that bear our alias, alone or with an overlay's number, whatever their kind. */
  ownDevices(): string[] {
    return linkDump(this.#transport)
      .filter(({ alias }) => isOwnAlias(alias))
      .map((link) => link.name);
  }

  /** Name of the device with that index, `if7` when there is none: for plans as text. */
  deviceName(index: number): string {
    return linkGet(this.#transport, index)?.name ?? `if${index}`;
  }

  /** Devices, addresses and routes of this host, for the choice of the underlay. Throws NetlinkError or SysError. */
  hostNetwork(ipv6 = false): HostNetwork {
    const network = readHostNetwork(this.#transport);
    return ipv6 ? { ...network, ipv6: readIpv6OfHost(this.#transport) } : network;
  }

  /** A device as it is now, with its addresses of that family; null when there is none of that index. Throws NetlinkError or SysError. */
  hostDevice(index: number, family: 4 | 6 = 4): HostDevice | null {
    return readDevice(this.#transport, index, family);
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

  #applier(): PlanApplier {
    return new PlanApplier(this.#transport, {
      made: (link) => this.#follow(link),
      expected: (operations) => {
        for (const watch of this.#watches) watch.filter.expect(operations);
      },
    });
  }

  #dumpOnce(device: string, underlay: number | null, family: 4 | 6): KernelState {
    const transport = this.#transport;
    for (const watch of this.#watches) watch.filter.followName(device);
    this.#followBelow(underlay);
    const link = linkGet(transport, device);
    const elsewhere = this.#ownRoutesElsewhere(link?.index ?? 0, family);
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
      neighbours: neighbourDump(transport, { index, family })
        .filter((neighbour) => !isKernelMadeNeighbour(neighbour))
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

  /** Routes with our protocol number on other devices, or on none: of another agent of this host, or left by an earlier one. */
  #ownRoutesElsewhere(deviceIndex: number, family: 4 | 6): Route[] {
    const names = new Map<number, string>();
    const routes: Route[] = [];
    const filter = { family, protocol: ROUTE_PROTOCOL, exceptIndex: deviceIndex };
    for (const route of routeDump(this.#transport, filter)) {
      if (route.type === ROUTE_TYPE.UNREACHABLE) {
        routes.push(decodeOverlayRoute("", route));
        continue;
      }
      if (route.index === null || route.index === deviceIndex) continue;
      const name = names.get(route.index) ?? this.deviceName(route.index);
      names.set(route.index, name);
      routes.push(decodeOverlayRoute(name, route));
    }
    return routes;
  }
}

/** Opens the kernel of the current network namespace. Throws SysError. */
export function openKernel(): HostKernel {
  return new HostKernel(openLastingNetlinkSocket());
}
