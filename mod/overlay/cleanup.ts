/** The way back: a plan that removes exactly what is provably ours from one device, and the device if it may go. */
import { isIpv6Text } from "../address/ipv6.ts";
import type { DeviceAddress, KernelState, Operation } from "../base/kernel_objects.ts";
import type { Problem } from "../base/problem.ts";
import {
  isOwnAddress,
  isOwnElsewhere,
  isOwnForwarding,
  isOwnNeighbour,
  isOwnRoute,
  ownLink,
} from "./ownership.ts";
import { DEVICE_ALIAS } from "../base/limits.ts";
import type { Plan } from "./plan.ts";
import { addressText, routeText } from "./text.ts";

/**
 * Routes, also those through other devices, forwarding entries, neighbours, addresses, then the device: reverse of how they
 * were made. A device on which
 * somebody else's routes or addresses remain is kept, with our address where their routes hang on it, and a problem says
 * which.
 *
 * @param networks those of the overlay, canonical CIDRs.
 * @param alias of the device if it is ours.
 */
export function planCleanup(
  device: string,
  networks: readonly string[],
  actual: KernelState,
  alias = DEVICE_ALIAS,
): Plan {
  const operations: Operation[] = [];
  const here = actual.routes.filter((route) => route.device === device);
  for (const route of actual.routes) {
    const isOwn = route.device === device ? isOwnRoute(route) : isOwnElsewhere(route, networks);
    if (isOwn) operations.push({ kind: "route-delete", route });
  }
  const link = ownLink(actual.link, alias);
  if (link !== null) {
    for (const entry of actual.forwarding) {
      if (isOwnForwarding(entry)) operations.push({ kind: "forwarding-delete", entry });
    }
  }
  for (const neighbour of actual.neighbours) {
    if (isOwnNeighbour(neighbour)) operations.push({ kind: "neighbour-delete", neighbour });
  }
  if (link === null) return { operations, problems: [] };
  const foreignRoutes = here.filter((route) => !isOwnRoute(route));
  const foreignAddresses = actual.addresses.filter((address) => !isOwnAddress(address, networks));
  // With the last IPv4 address of a device go all its IPv4 routes (fib_del_ifaddr in net/ipv4/fib_frontend.c).
  const keepAddresses = foreignRoutes.some(({ destination }) => !isIpv6Text(destination)) &&
    !foreignAddresses.some(isIpv4);
  for (const address of actual.addresses) {
    if (keepAddresses || foreignAddresses.includes(address)) continue;
    operations.push({ kind: "address-delete", address });
  }
  const foreign = [
    ...foreignRoutes.map((route) => `route ${routeText(route)}`),
    ...foreignAddresses.map((address) => `address ${addressText(address)}`),
  ];
  if (foreign.length > 0) return { operations, problems: [deviceKept(device, foreign)] };
  operations.push({ kind: "link-delete", name: device });
  return { operations, problems: [] };
}

function isIpv4({ address }: DeviceAddress): boolean {
  return !isIpv6Text(address);
}

function deviceKept(device: string, foreign: readonly string[]): Problem {
  const more = foreign.length === 1 ? "" : ` and ${foreign.length - 1} more`;
  return {
    code: "device-kept",
    severity: "warning",
    text: `${device} is kept: it carries something gossamer did not make: ${foreign[0]}${more}`,
    remedy: `Remove that, then run "gossamer cleanup" again, or "ip link delete ${device}"`,
  };
}
