/**
 * Who owns which subnet, as a pure function of held claims and the fence; and whom this host routes to, which differs
 * only while a contest is undecided.
 *
 * Claims are taken from the highest rank down, each unless a higher one overlaps it. Two claims of different prefix length
 * may so both own, where a third between them owns nothing.
 */
import { cidrsOverlap } from "../address/network.ts";
import { compareClaims } from "./order.ts";
import { type ClaimRecord, isSameVtep } from "./record.ts";

/** Chooses the owners among held claims at or above the fence; `compare` is above 0 when the first goes first. */
export function ownersAmong(
  held: readonly ClaimRecord[],
  compare: (one: ClaimRecord, other: ClaimRecord) => number,
): ClaimRecord[] {
  if (held.length <= 1) return [...held];
  const chosen: ClaimRecord[] = [];
  for (const claim of held.toSorted((one, other) => compare(other, one))) {
    if (!chosen.some((other) => cidrsOverlap(other.subnet, claim.subnet))) chosen.push(claim);
  }
  return chosen;
}

/**
 * The order for routing: at equal epoch the present next hop stays, whatever else decides, until the loser has yielded or
 * the winner has raised its epoch. So a contest costs at most one route change per host and prefix.
 */
export function stickyOrder(
  isRouted: (claim: ClaimRecord) => boolean,
): (one: ClaimRecord, other: ClaimRecord) => number {
  return (one, other) => {
    if (one.epoch !== other.epoch) return one.epoch - other.epoch;
    const stays = Number(isRouted(one)) - Number(isRouted(other));
    return stays !== 0 ? stays : compareClaims(one, other);
  };
}

/** Whether packets for the subnet go the same way under both records. */
export function isSameRoute(one: ClaimRecord, other: ClaimRecord): boolean {
  return one.hostId === other.hostId && one.subnet === other.subnet &&
    isSameVtep(one.vtep, other.vtep);
}
