/**
 * Which device and address of this host the overlay's packets use: flannel's rules. `--iface` (name or address), then
 * `--iface-regex`, then `--iface-can-reach`, each in order; without any of them the default route's device.
 */
import { addressBits, familyOf, isHostAddress } from "../address/cidr.ts";
import { ConfigError, reasonOf, UserError } from "../base/errors.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import type { Problem } from "../base/problem.ts";
import { quote } from "../base/quote.ts";
import type { HostAddress, HostDevice, HostNetwork, RouteTo } from "./host_network.ts";

/** What the operator said; AgentConfig has these fields. */
export interface UnderlayChoice {
  /** Names or addresses; the first that fits wins. */
  readonly interfaces: readonly string[];
  /** Regular expressions over addresses, then names; the first that fits wins. */
  readonly interfacePatterns: readonly string[];
  /** An address: the way the kernel would send to it. */
  readonly interfaceCanReach: string | null;
}

/** Where to look; HostKernel has these methods. */
export interface UnderlaySource {
  hostNetwork(): HostNetwork;
  /** How the kernel would send a packet to that address, null when it cannot. */
  routeTo(address: string): RouteTo | null;
}

/** Throws ConfigError for a flag that makes no sense, UserError when nothing fits; both say what there is. */
export function chooseUnderlay(source: UnderlaySource, choice: UnderlayChoice): Underlay {
  const network = source.hostNetwork();
  const { interfaces, interfacePatterns, interfaceCanReach } = choice;
  const isAsked = interfaces.length > 0 || interfacePatterns.length > 0 ||
    interfaceCanReach !== null;
  const found = isAsked
    ? firstOf(interfaces, (text) => byNameOrAddress(network, text)) ??
      firstOf(interfacePatterns, (text) => byPattern(network, text)) ??
      (interfaceCanReach === null ? null : byReach(source, network, interfaceCanReach))
    : byDefaultRoute(network);
  if (found !== null) return found;
  throw isAsked ? nothingMatches(network, choice) : noDefaultRoute(network);
}

/**
 * Why packets cannot take the underlay that is used; null when they can. A smaller MTU is told apart, see mtuProblem.
 *
 * @param now the device of that index, null when it is gone.
 */
export function underlayProblem(chosen: Underlay, now: HostDevice | null): Problem | null {
  const { device, address } = chosen;
  const what = now === null
    ? "is gone"
    : !now.up
    ? "is down"
    : now.addresses.some((there) => there.address === address)
    ? null
    : `has lost the address ${address}`;
  if (what === null) return null;
  return {
    code: "underlay-changed",
    severity: "error",
    text: `${device}, through which this host talks to the others, ${what}`,
    remedy:
      `${now === null ? "make it again" : `set ${device} up`} with an address; the agent waits ` +
      "and goes on with what it then finds, by the same rules as at its start",
  };
}

function firstOf(texts: readonly string[], look: (text: string) => Underlay | null) {
  for (const text of texts) {
    const found = look(text);
    if (found !== null) return found;
  }
  return null;
}

function byNameOrAddress(network: HostNetwork, text: string): Underlay | null {
  for (const device of candidates(network)) {
    if (device.name === text) return underlayOn(device, null);
    // Asked for by name, any address will do: a secondary one, a virtual one.
    if (device.addresses.some(({ address }) => address === text)) return underlayOf(device, text);
  }
  return null;
}

function byPattern(network: HostNetwork, text: string): Underlay | null {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text);
  } catch (error) {
    const reason = reasonOf(error);
    throw new ConfigError("--iface-regex", reason, `Write a regular expression such as "^eth"`);
  }
  const devices = candidates(network);
  for (const device of devices) {
    const match = bestFirst(device.addresses).find(({ address }) => pattern.test(address));
    if (match !== undefined) return underlayOf(device, match.address);
  }
  const named = devices.find(({ name }) => pattern.test(name));
  return named === undefined ? null : underlayOn(named, null);
}

function byReach(source: UnderlaySource, network: HostNetwork, text: string): Underlay | null {
  const family = network.family ?? 4;
  if (!isHostAddress(text) || familyOf(text) !== family) {
    throw new ConfigError(
      "--iface-can-reach",
      `${quote(text)} is not an IPv${family} address`,
      "Give the underlay address of another host",
    );
  }
  const route = source.routeTo(text);
  const device = candidates(network).find(({ index }) => index === route?.index);
  return device === undefined ? null : underlayOn(device, route?.preferredSource ?? null);
}

/** Of several default routes the kernel uses the one with the lowest metric. */
function byDefaultRoute(network: HostNetwork): Underlay | null {
  const everywhere = network.family === 6 ? "::/0" : "0.0.0.0/0";
  const defaults = network.routes.filter(({ destination }) => destination === everywhere)
    .sort((one, other) => one.metric - other.metric);
  const devices = candidates(network);
  for (const route of defaults) {
    const device = devices.find(({ index }) => index === route.index);
    if (device !== undefined) return underlayOn(device, route.preferredSource);
  }
  return null;
}

/** Devices that could carry the overlay's packets. */
function candidates(network: HostNetwork): HostDevice[] {
  return network.devices.filter((device) => whyNot(device, network.family) === null);
}

/** Why a device cannot be the underlay; null when it can. */
function whyNot(device: HostDevice, family: 4 | 6 = 4): string | null {
  if (device.isOwn) return "made by gossamer";
  if (device.name === "lo") return "loopback";
  if (!device.up) return "down";
  if (device.addresses.every(({ isDeprecated }) => isDeprecated)) {
    return family === 4 ? "no IPv4 address" : "no IPv6 address but link-local ones";
  }
  return device.mtu > 0 ? null : "no MTU";
}

/** @param source the address a route prefers, if it does. */
function underlayOn(device: HostDevice, source: string | null): Underlay | null {
  const addresses = bestFirst(device.addresses);
  const preferred = addresses.find((one) => one.address === source && !isTemporary(one)) ??
    addresses[0];
  return preferred === undefined ? null : underlayOf(device, preferred.address);
}

/** The kernel prefers such for its own connections (RFC 8981), and they go within a day. */
function isTemporary({ address, isSecondary }: HostAddress): boolean {
  return isSecondary && familyOf(address) === 6;
}

function underlayOf({ name, index, mtu }: HostDevice, address: string): Underlay {
  return { device: name, index, address, mtu };
}

/**
 * Best first: what stays, and belongs to this host rather than to whoever holds a virtual address; deprecated ones not at all.
 */
export function bestFirst(addresses: readonly HostAddress[]): HostAddress[] {
  const rank = (one: HostAddress) =>
    (one.isTentative === true ? 16 : 0) + (one.isGlobal ? 0 : 8) + (one.isSecondary ? 4 : 0) +
    rankOfKind(one);
  return addresses.filter(({ isDeprecated }) => !isDeprecated)
    .sort((one, other) => rank(one) - rank(other));
}

/** DHCPv6 gives lone addresses, which expire, to hosts (RFC 8415); virtual ones are put there for good. */
function rankOfKind({ address, prefixLength, isDynamic }: HostAddress): number {
  if (!isLone(address, prefixLength)) return isDynamic ? 1 : 0;
  return isDynamic === (familyOf(address) === 6) ? 2 : 3;
}

/** As virtual addresses that move between hosts are. */
function isLone(address: string, prefixLength: number): boolean {
  return prefixLength === addressBits(familyOf(address));
}

function nothingMatches(network: HostNetwork, choice: UnderlayChoice): UserError {
  const asked = [
    ...choice.interfaces.map((text) => `--iface ${text}`),
    ...choice.interfacePatterns.map((text) => `--iface-regex ${text}`),
    ...(choice.interfaceCanReach === null ? [] : [`--iface-can-reach ${choice.interfaceCanReach}`]),
  ];
  return new UserError(`No device matches ${asked.join(", ")}; there is ${listing(network)}`, {
    remedy: "name one of these with --iface, or its address",
  });
}

function noDefaultRoute(network: HostNetwork): UserError {
  return new UserError(
    `There is no ${
      network.family === 6 ? "IPv6 " : ""
    }default route to tell the underlay device by; ` +
      `there is ${listing(network)}`,
    { remedy: "Name the underlay device with --iface, or its address" },
  );
}

/** Every device but loopback with its addresses, or with what makes it unfit. */
function listing(network: HostNetwork): string {
  const devices = network.devices.filter(({ name }) => name !== "lo");
  if (devices.length === 0) return "no device at all";
  return devices.map((device) => {
    const texts = device.addresses.map(({ address }) => address);
    return `${device.name} (${whyNot(device, network.family) ?? texts.join(", ")})`;
  }).join(", ");
}
