/**
 * What follows from a change below the overlay: a pure function of the underlay that is used and of what the rules of the
 * start would choose now. The subnet has no part in it: a host that moves keeps it.
 */
import { isIpv4Embedded } from "../address/ipv6.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import type { Problem } from "../base/problem.ts";

/** Another device or address, or another MTU or name of the device. */
export interface UnderlayMove {
  readonly kind: "move";
  readonly underlay: Underlay;
  /** Whether the present one carries nothing any more, or carries all as before: then there is no reason to wait. */
  readonly isUrgent: boolean;
  /** For people: `address 192.168.1.5 instead of 192.168.1.4`. */
  readonly words: string;
}

export type UnderlayDecision =
  /** All is well and nothing changed. */
  | { readonly kind: "stay" }
  /** The present one does its work, but after a restart the agent would not find it. */
  | { readonly kind: "keep" }
  | { readonly kind: "wait" }
  | UnderlayMove;

/**
 * @param problem why the present one carries nothing; null when it does.
 * @param found what the rules choose now; null when nothing fits.
 */
export function decideUnderlay(
  present: Underlay,
  problem: Problem | null,
  found: Underlay | null,
): UnderlayDecision {
  if (found === null) return { kind: problem === null ? "keep" : "wait" };
  const words = changesBetween(present, found);
  // What carries nothing cannot be what the rules choose; should it be, waiting does no harm.
  if (words.length === 0) return { kind: problem === null ? "stay" : "wait" };
  const isSamePlace = found.index === present.index && found.address === present.address;
  const isUrgent = problem !== null || isSamePlace;
  return { kind: "move", underlay: found, isUrgent, words: words.join(", ") };
}

function changesBetween(present: Underlay, found: Underlay): string[] {
  const changes: string[] = [];
  if (found.device !== present.device) {
    changes.push(`device ${found.device} instead of ${present.device}`);
  } else if (found.index !== present.index) changes.push(`device ${found.device} made anew`);
  if (found.address !== present.address) {
    changes.push(`address ${found.address} instead of ${present.address}`);
  }
  // With udp it is the other one, written in another way.
  const isToldAlready = found.ipv6 !== undefined && isIpv4Embedded(found.ipv6);
  if (found.ipv6 !== present.ipv6 && !isToldAlready) {
    changes.push(`address ${found.ipv6 ?? "none"} instead of ${present.ipv6 ?? "none"}`);
  }
  if (found.mtu !== present.mtu) changes.push(`MTU ${found.mtu} instead of ${present.mtu}`);
  return changes;
}
