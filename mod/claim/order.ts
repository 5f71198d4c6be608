/**
 * The order of claims on overlapping subnets: the higher wins, everywhere.
 *
 * Epoch, then strength, then the older stamp, then the lower SHA-256(host id ‖ subnet), at last the lower host id.
 * Nothing in it differs between observers or changes by itself: no liveness, wall clock, arrival order or load.
 */
import { sha256Hex } from "../base/hash.ts";
import type { ClaimRecord } from "./record.ts";

/** One step of the comparison, as data, so that the decision and its explanation cannot differ. */
interface Rung {
  /** What is compared, for a sentence "… wins by …". */
  readonly what: string;
  /** Above 0 when `one` ranks higher. */
  readonly compare: (one: ClaimRecord, other: ClaimRecord) => number;
  /** The compared value as people read it. */
  readonly show: (record: ClaimRecord) => string;
}

const LADDER: readonly Rung[] = [
  {
    what: "the higher epoch",
    compare: (one, other) => one.epoch - other.epoch,
    show: (record) => String(record.epoch),
  },
  {
    what: "the greater strength",
    compare: (one, other) => one.strength - other.strength,
    show: (record) => `${record.strength} (${strengthText(record.strength)})`,
  },
  {
    what: "the older stamp",
    compare: (one, other) => other.stamp - one.stamp,
    show: (record) => String(record.stamp),
  },
  {
    what: "the lower hash of host id and subnet",
    compare: (one, other) => lowerFirst(tieHash(one), tieHash(other)),
    show: (record) => tieHash(record).slice(0, 8),
  },
  {
    // Two hosts of one hash: only for totality, no one has seen a collision of SHA-256.
    what: "the lower host id",
    compare: (one, other) => lowerFirst(one.hostId, other.hostId),
    show: (record) => record.hostId,
  },
];

/** Above 0 when `one` ranks higher, below 0 when `other` does, 0 only for claims of one host of equal rank. */
export function compareClaims(one: ClaimRecord, other: ClaimRecord): number {
  for (const { compare } of LADDER) {
    const result = compare(one, other);
    if (result !== 0) return result;
  }
  return 0;
}

/** Whether `one` wins against `other` on overlapping subnets. */
export function outranks(one: ClaimRecord, other: ClaimRecord): boolean {
  return compareClaims(one, other) > 0;
}

/**
 * Why one of two claims wins, field by field down to the one that decides: "equal epoch 1; the greater strength wins:
 * 2 (held, a majority knows) against 1 (held)".
 */
export function explainOrder(one: ClaimRecord, other: ClaimRecord): string {
  const winner = compareClaims(one, other) >= 0 ? one : other;
  const loser = winner === one ? other : one;
  const sentences: string[] = [];
  for (const { what, compare, show } of LADDER) {
    if (compare(winner, loser) !== 0) {
      return [...sentences, `${what} wins: ${show(winner)} against ${show(loser)}`].join("; ");
    }
    sentences.push(`equal ${what.split(" ").slice(2).join(" ")} ${show(winner)}`);
  }
  return [...sentences, "the two are of equal rank"].join("; ");
}

/** The last resort among equals: SHA-256(host id ‖ subnet), which favours no host on all subnets. */
export function tieHash(record: ClaimRecord): string {
  return sha256Hex(record.hostId, "\0", record.subnet);
}

/** One field of the order as it stands between two claims. */
export interface OrderStep {
  /** What is compared, and what wins: "the higher epoch". */
  readonly what: string;
  /** The values as people read them. */
  readonly winner: string;
  readonly loser: string;
  /** Whether this field is the one that decides; those before it are equal. */
  readonly decides: boolean;
}

/** The comparison of two claims field by field, the winner's value first, down to the field that decides. */
export function orderSteps(one: ClaimRecord, other: ClaimRecord): OrderStep[] {
  const [winner, loser] = compareClaims(one, other) >= 0 ? [one, other] : [other, one];
  const steps: OrderStep[] = [];
  for (const { what, compare, show } of LADDER) {
    const decides = compare(winner, loser) !== 0;
    steps.push({ what, winner: show(winner), loser: show(loser), decides });
    if (decides) break;
  }
  return steps;
}

function lowerFirst(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? 1 : -1;
}

/** What a strength means: "pinned, held, a majority knows". */
export function strengthText(strength: number): string {
  if (strength === 0) return "tentative";
  const pinned = strength > 4 ? "pinned, " : "";
  return strength % 2 === 0 ? `${pinned}held, a majority knows` : `${pinned}held`;
}
