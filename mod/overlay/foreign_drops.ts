/**
 * Which rules of others drop what the overlay brings: those that forwarded packets meet, and those before them that name single
 * containers, as Docker's do since version 28 (its chain `raw PREROUTING`).
 */
import type { ForeignTable } from "../base/firewall_objects.ts";
import type { Problem } from "../base/problem.ts";
import { networkContains } from "./firewall_elements.ts";
import { findForwardDrop, type ForwardDrop, forwardDropProblem } from "./forward_drop.ts";

/** The rules of others for one family. */
export interface ForeignRules {
  readonly forward: readonly ForeignTable[];
  readonly prerouting: readonly ForeignTable[];
}

/** Between other hosts' containers and ours. */
export interface OverlayWay {
  readonly subnet: string;
  readonly network: string;
  /** Through which packets from other hosts arrive; null where that is not known. */
  readonly overlayDevice: string | null;
  /** Devices with an address of our subnet, behind which containers are; only asked for where a rule names devices. */
  readonly containerDevices: () => readonly string[];
}

/** Containers whose addresses are tried: where one is dropped, all that are like it are. */
const CONTAINERS_MAX = 8;

/** What a person should know of them: at most one problem for each of the two places. */
export function foreignDropProblems(rules: ForeignRules, way: OverlayWay): Problem[] {
  const { subnet, network, overlayDevice: inDevice } = way;
  const problems: Problem[] = [];
  const drop = forwardDrop(rules.forward, way);
  if (drop !== null) problems.push(forwardDropProblem(drop, network));
  for (const destination of addressesIn(rules.prerouting, subnet)) {
    const packet = { source: network, destination, inDevice, outDevice: null };
    const early = findForwardDrop(rules.prerouting, packet);
    if (early === null) continue;
    problems.push(containerDropProblem(early, destination));
    break;
  }
  return problems;
}

/** Names of the devices with an address of that subnet, such as `docker0`; without ours. */
export function containerDevices(
  devices: readonly {
    readonly name: string;
    readonly isOwn: boolean;
    readonly addresses: readonly { readonly address: string }[];
  }[],
  subnet: string,
): string[] {
  return devices.filter(({ isOwn, addresses }) =>
    !isOwn && addresses.some(({ address }) => networkContains(subnet, address))
  ).map(({ name }) => name);
}

function forwardDrop(tables: readonly ForeignTable[], way: OverlayWay): ForwardDrop | null {
  const { subnet, network, overlayDevice } = way;
  const arriving = { source: network, destination: subnet, inDevice: overlayDevice };
  const leaving = { source: subnet, destination: network, outDevice: overlayDevice };
  const devices = namesDevice(tables) ? way.containerDevices() : [];
  // Without a device first: what drops whatever there is says it best.
  for (const device of [null, ...devices]) {
    const drop = findForwardDrop(tables, { ...arriving, outDevice: device }) ??
      findForwardDrop(tables, { ...leaving, inDevice: device });
    if (drop !== null) return drop;
  }
  return null;
}

function matchesOf(tables: readonly ForeignTable[]) {
  return tables.flatMap(({ chains }) => chains)
    .flatMap(({ rules }) => rules)
    .flatMap(({ matches }) => matches);
}

function namesDevice(tables: readonly ForeignTable[]): boolean {
  return matchesOf(tables).some(({ kind }) => kind === "device");
}

/** Destinations in the subnet that rules name, each once. */
function addressesIn(tables: readonly ForeignTable[], subnet: string): string[] {
  const addresses = new Set<string>();
  for (const match of matchesOf(tables)) {
    if (match.kind !== "address" || match.side !== "destination" || !match.isIn) continue;
    if (networkContains(subnet, match.of)) addresses.add(match.of);
    if (addresses.size === CONTAINERS_MAX) break;
  }
  return [...addresses];
}

function containerDropProblem({ table, chain, by }: ForwardDrop, address: string): Problem {
  const { family, name } = table;
  const container = address.replace(/\/(32|128)$/, "");
  const isDocker = name === "raw" || name === "docker-bridges";
  return {
    code: "forward-drop",
    severity: "warning",
    text: `nftables drops what other hosts' containers send to ${container} on this host, in the ` +
      `table ${family} ${name}: ` +
      (by === null ? `the policy of ${chain} is drop` : `a rule of the chain ${by} drops it`),
    remedy: isDocker
      ? "Docker does that since version 28: start dockerd with --allow-direct-routing (since " +
        "28.2), or give containers a network with the gateway mode nat-unprotected"
      : `Accept what comes from the overlay in that chain, before it is dropped`,
  };
}
