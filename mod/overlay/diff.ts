/**
 * The smallest ordered list of changes that turns what the kernel holds into what it should hold.
 *
 * Order: the device, its address, removals (route, forwarding entry, neighbour), then for each peer neighbour,
 * forwarding entry, route, and at the end what answers for everything else. The route comes after its gateway's neighbour,
 * or the kernel would ask the overlay for the gateway's MAC. A peer that is reached in another way from now on gets its new
 * route behind the old one, which then goes: packets have a way at each moment. What the old route leaned on goes after that.
 */
import {
  type DeviceAddress,
  type ForwardingEntry,
  isTunLink,
  isVxlanLink,
  type KernelState,
  type LinkChanges,
  type LinkMove,
  type Neighbour,
  type Operation,
  type Route,
  type TunLink,
  type VxlanLink,
} from "../base/kernel_objects.ts";
import { isIpv6Text } from "../address/ipv6.ts";
import { planCleanup } from "./cleanup.ts";
import { foreignDevice } from "./foreign_device.ts";
import type { Desired } from "./desired.ts";
import { type FlannelPeer, flannelPeers } from "./flannel.ts";
import {
  isOwnAddress,
  isOwnElsewhere,
  isOwnForwarding,
  isOwnNeighbour,
  isOwnRoute,
  ownLink,
} from "./ownership.ts";
import type { Plan } from "./plan.ts";

/** What the kernel can do; Linux 4.12 and later all of it. */
export interface KernelAbilities {
  /** Moves a VXLAN device that is there to another place on the underlay. */
  readonly movesDevices: boolean;
}

const ALL_ABILITIES: KernelAbilities = { movesDevices: true };

/** Linear in the number of objects. */
export function diffState(
  desired: Desired,
  actual: KernelState,
  abilities: KernelAbilities = ALL_ABILITIES,
): Plan {
  if (!desired.isUp) {
    const plan = planCleanup(desired.device, desired.networks, actual, desired.alias);
    if (desired.isGuest !== true) return plan;
    return { ...plan, operations: plan.operations.filter(({ kind }) => kind !== "link-delete") };
  }
  if (desired.link === null || desired.address === null) return diffWithoutDevice(desired, actual);
  const own = ownLink(actual.link, desired.alias) ?? unmarkedLink(desired.link, actual.link);
  if (actual.link !== null && own === null) {
    return { operations: [], problems: [foreignDevice(actual.link)] };
  }
  const link = diffLink(desired.link, own, abilities);
  const left = link.survivors(actual);
  const operations: Operation[] = [
    ...link.operations,
    ...diffAddresses(desired.address, desired.networks, left.addresses),
  ];
  const routes = matchRoutes(desired, left.routes);
  const flannel = flannelPeersOf(desired, left);
  const forwarding = matchForwarding(desired, left.forwarding, flannel);
  const neighbours = matchNeighbours(desired, left.neighbours);
  for (const route of routes.stale) operations.push({ kind: "route-delete", route });
  // At once: what replaces the other entry of that MAC may read the same.
  for (const entry of forwarding.extra) operations.push({ kind: "forwarding-delete", entry });
  const removals: Operation[] = [
    ...forwarding.stale.map((entry): Operation => ({ kind: "forwarding-delete", entry })),
    ...neighbours.stale.map((neighbour): Operation => ({ kind: "neighbour-delete", neighbour })),
  ];
  const isSwitching = routes.replaced.size > 0;
  if (!isSwitching) operations.push(...removals);
  // First, for the same reason as in routeOperations: what lies under ours, of anybody, is out of the way then.
  for (const route of [...desired.unreachable, ...desired.whole]) {
    operations.push(...routeOperations(route, routes));
  }
  for (const { neighbour, entry, route } of desired.peers) {
    if (neighbour !== null && !neighbours.present.has(neighbour)) {
      operations.push({ kind: "neighbour-replace", neighbour });
    }
    if (entry !== null && !forwarding.present.has(entry)) {
      operations.push({ kind: "forwarding-replace", entry });
    }
    if (route !== null) operations.push(...routeOperations(route, routes));
  }
  if (isSwitching) operations.push(...removals);
  return { operations, problems: [], ...(flannel.length === 0 ? {} : { flannel }) };
}

function flannelPeersOf(desired: Desired, actual: KernelState): readonly FlannelPeer[] {
  if (!desired.adoptsFlannel) return [];
  const wanted = new Set(desired.peers.map(({ subnet }) => subnet));
  return flannelPeers(desired.device, desired.networks, wanted, actual);
}

/** For backends that need routes alone: what an earlier run with another one left behind goes once those are there. */
function diffWithoutDevice(desired: Desired, actual: KernelState): Plan {
  const isOurs = ownLink(actual.link, desired.alias) !== null;
  const routes = matchRoutes(desired, actual.routes, isOurs);
  const operations = wantedRoutes(desired).flatMap((route) => routeOperations(route, routes));
  for (const route of routes.stale) operations.push({ kind: "route-delete", route });
  const seen = new Set([...routes.kept, ...routes.stale, ...[...routes.replaced.values()].flat()]);
  const rest = planCleanup(desired.device, desired.networks, {
    ...actual,
    routes: actual.routes.filter((route) => !seen.has(route)),
  }, desired.alias);
  return { operations: [...operations, ...rest.operations], problems: rest.problems };
}

function wantedRoutes({ peers, unreachable, whole }: Desired): Route[] {
  const ofPeers = peers.map(({ route }) => route).filter((route) => route !== null);
  return [...unreachable, ...whole, ...ofPeers];
}

function routeOperations(route: Route, { present, replaced }: RouteMatch): Operation[] {
  if (present.has(route)) return [];
  const old = replaced.get(route);
  if (old === undefined) return [{ kind: "route-add", route }];
  const removals = old.map((gone): Operation => ({ kind: "route-delete", route: gone }));
  // IPv6 refuses an onlink gateway to which another device leads (ip6_route_check_nh_onlink in net/ipv6/route.c), and our
  // gateways are in the network that they lead to: one message of a batch long there is no way.
  return route.onlink && isIpv6Text(route.destination)
    ? [...removals, { kind: "route-add", route }]
    : [{ kind: "route-append", route }, ...removals];
}

/** How many of the wanted peers have all three objects, on a device that is up. */
export function programmedPeers(desired: Desired, actual: KernelState): number {
  if (desired.link !== null && ownLink(actual.link, desired.alias)?.up !== true) return 0;
  const routes = matchRoutes(desired, actual.routes).present;
  if (!desired.whole.every((route) => routes.has(route))) return 0;
  const forwarding = matchForwarding(desired, actual.forwarding).present;
  const neighbours = matchNeighbours(desired, actual.neighbours).present;
  return desired.peers.filter(({ neighbour, entry, route }) =>
    (route === null || routes.has(route)) && (entry === null || forwarding.has(entry)) &&
    (neighbour === null || neighbours.has(neighbour))
  ).length;
}

/**
 * A device without any alias but with our own MAC, which is made of this host's identity: ours, left by an agent that was
 * killed between making the device and marking it.
 */
function unmarkedLink(
  desired: VxlanLink | TunLink,
  actual: KernelState["link"],
): VxlanLink | null {
  // A TUN device stays only once it is marked.
  if (actual === null || !isVxlanLink(actual) || !isVxlanLink(desired)) return null;
  return actual.alias === "" && actual.mac === desired.mac ? actual : null;
}

interface LinkChange {
  readonly operations: readonly Operation[];
  /** What of the rest is still there after the operations. */
  survivors(actual: KernelState): KernelState;
}

function diffLink(
  desired: VxlanLink | TunLink,
  actual: VxlanLink | TunLink | null,
  abilities: KernelAbilities,
): LinkChange {
  const add: Operation = { kind: "link-add", link: desired };
  if (actual === null) return { operations: [add], survivors: withoutDevice };
  const { name } = desired;
  if (!isVxlanLink(desired) || !isVxlanLink(actual)) {
    const isAlike = isTunLink(desired) && isTunLink(actual) &&
      desired.multiQueue === actual.multiQueue;
    return isAlike
      ? { operations: setOperations(desired, actual), survivors: (state) => state }
      : { operations: [{ kind: "link-delete", name }, add], survivors: withoutDevice };
  }
  const move = diffPlace(desired, actual);
  const isMoved = Object.keys(move).length > 0;
  const mayMove = abilities.movesDevices && hasPlace(actual) && hasPlace(desired);
  if (needsNewDevice(desired, actual) || (isMoved && !mayMove)) {
    return { operations: [{ kind: "link-delete", name }, add], survivors: withoutDevice };
  }
  const operations: Operation[] = [];
  // First: a larger MTU is allowed only once the device stands on the underlay device that carries it.
  if (isMoved) operations.push({ kind: "link-move", name, move });
  const sameMac = desired.mac === actual.mac;
  operations.push(...setOperations(desired, actual, sameMac ? {} : { mac: desired.mac }));
  return {
    operations,
    // A new MAC makes the kernel forget all neighbours of the device, permanent ones too (net/core/neighbour.c,
    // neigh_changeaddr).
    survivors: (state) => sameMac ? state : { ...state, neighbours: [] },
  };
}

type Settable = Pick<VxlanLink, "name" | "mtu" | "alias" | "up">;

function setOperations(
  desired: Settable,
  actual: Settable,
  more: Pick<LinkChanges, "mac"> = {},
): Operation[] {
  const changes: LinkChanges = {
    ...more,
    ...(desired.mtu === actual.mtu ? {} : { mtu: desired.mtu }),
    ...(desired.alias === actual.alias ? {} : { alias: desired.alias }),
    ...(desired.up === actual.up ? {} : { up: desired.up }),
  };
  return Object.keys(changes).length === 0
    ? []
    : [{ kind: "link-set", name: desired.name, changes }];
}

/** What of a VXLAN device is fixed when it is made, or nobody but a stranger changes. */
function needsNewDevice(desired: VxlanLink, actual: VxlanLink): boolean {
  return desired.vni !== actual.vni || desired.port !== actual.port ||
    desired.learning !== actual.learning;
}

function diffPlace(desired: VxlanLink, actual: VxlanLink): LinkMove {
  const { local, underlayIndex } = desired;
  return {
    ...(local === actual.local ? {} : { local }),
    ...(underlayIndex === actual.underlayIndex ? {} : { underlayIndex }),
  };
}

/** The kernel takes neither address nor device away from a VXLAN device, nor gives one its first address. */
function hasPlace({ local, underlayIndex }: VxlanLink): boolean {
  return local !== "" && underlayIndex !== 0;
}

/** A device that goes takes everything on it along. */
function withoutDevice(state: KernelState): KernelState {
  const name = state.link?.name;
  const elsewhere = state.routes.filter((route) => route.device !== name);
  return { link: null, addresses: [], neighbours: [], forwarding: [], routes: elsewhere };
}

/** Adds before it removes: the device is never without an address that packets of this host can carry. */
function diffAddresses(
  desired: DeviceAddress,
  networks: readonly string[],
  actual: readonly DeviceAddress[],
): Operation[] {
  const operations: Operation[] = [];
  if (!actual.some((address) => address.address === desired.address)) {
    operations.push({ kind: "address-add", address: desired });
  }
  for (const address of actual) {
    if (address.address === desired.address || !isOwnAddress(address, networks)) continue;
    operations.push({ kind: "address-delete", address });
  }
  return operations;
}

interface Match<T> {
  /** Wanted objects that are there as wanted. */
  readonly present: ReadonlySet<T>;
  /** Objects of ours that nobody wants. */
  readonly stale: readonly T[];
}

interface RouteMatch extends Match<Route> {
  /** What is there as wanted. */
  readonly kept: ReadonlySet<Route>;
  /** By wanted route: what stands in its place and may be taken away. */
  readonly replaced: ReadonlyMap<Route, readonly Route[]>;
}

/** The kernel holds one route per destination, table and metric, unless somebody appended more. */
function routeKey(route: Route): string {
  return `${route.destination} ${route.table} ${route.metric}`;
}

/** @param isOurs whether the device is; what others have on theirs is not touched. */
function matchRoutes(desired: Desired, actual: readonly Route[], isOurs = true): RouteMatch {
  const wanted = new Map(wantedRoutes(desired).map((route) => [routeKey(route), route]));
  const present = new Set<Route>();
  const kept = new Set<Route>();
  const stale: Route[] = [];
  const replaced = new Map<Route, Route[]>();
  for (const route of actual) {
    const want = wanted.get(routeKey(route));
    const here = isOurs && route.device === desired.device;
    if (want === undefined) {
      // Ours on another device may be another agent's of this host.
      const isOwn = here ? isOwnRoute(route) : isOwnElsewhere(route, desired.networks);
      if (isOwn) stale.push(route);
    } else if (sameRoute(want, route)) {
      present.add(want);
      kept.add(route);
    } else if (here || isOwnRoute(route)) {
      // Whatever leads to a peer's subnet through our own device is one of ours that somebody changed by hand.
      const before = replaced.get(want);
      if (before === undefined) replaced.set(want, [route]);
      else before.push(route);
    }
  }
  for (const want of present) {
    // An extra one beside the right one: ours goes, a stranger's stays.
    stale.push(...(replaced.get(want) ?? []).filter(isOwnRoute));
  }
  for (const want of present) replaced.delete(want);
  return { present, kept, stale, replaced };
}

function sameRoute(want: Route, have: Route): boolean {
  return want.device === have.device && want.gateway === have.gateway &&
    want.onlink === have.onlink && want.protocol === have.protocol;
}

interface ForwardingMatch extends Match<ForwardingEntry> {
  /** Further entries of MACs that are wanted. */
  readonly extra: readonly ForwardingEntry[];
}

function matchForwarding(
  desired: Desired,
  actual: readonly ForwardingEntry[],
  flannel: readonly FlannelPeer[] = [],
): ForwardingMatch {
  const flannels = new Set(flannel.map(({ mac }) => mac));
  const entries = desired.peers.map(({ entry }) => entry).filter((entry) => entry !== null);
  const wanted = new Map(entries.map((entry) => [entry.mac, entry]));
  const present = new Set<ForwardingEntry>();
  const stale: ForwardingEntry[] = [];
  const extra: ForwardingEntry[] = [];
  const changed = new Map<string, ForwardingEntry>();
  for (const entry of actual) {
    const want = wanted.get(entry.mac);
    if (want === undefined) {
      if (isOwnForwarding(entry) && !flannels.has(entry.mac)) stale.push(entry);
    } else if (
      want.destination === entry.destination && want.port === entry.port && entry.permanent
    ) {
      present.add(want);
    } else if (changed.has(entry.mac)) {
      extra.push(entry);
    } else {
      // A single entry is replaced in place, so that packets to a peer that moved never lack one.
      changed.set(entry.mac, entry);
    }
  }
  for (const want of present) {
    const other = changed.get(want.mac);
    if (other !== undefined) extra.push(other);
  }
  // Two peers may stand behind one MAC and address: one entry serves both.
  for (const entry of entries) {
    const shared = wanted.get(entry.mac);
    if (shared !== undefined && present.has(shared)) present.add(entry);
  }
  return { present, stale, extra };
}

function matchNeighbours(desired: Desired, actual: readonly Neighbour[]): Match<Neighbour> {
  const wanted = new Map(
    desired.peers.map(({ neighbour }) => neighbour).filter((neighbour) => neighbour !== null)
      .map((neighbour) => [neighbour.address, neighbour]),
  );
  const present = new Set<Neighbour>();
  const stale: Neighbour[] = [];
  for (const neighbour of actual) {
    const want = wanted.get(neighbour.address);
    if (want === undefined) {
      if (isOwnNeighbour(neighbour)) stale.push(neighbour);
    } else if (
      want.mac === neighbour.mac && neighbour.permanent && want.protocol === neighbour.protocol
    ) {
      present.add(want);
    }
  }
  return { present, stale };
}
