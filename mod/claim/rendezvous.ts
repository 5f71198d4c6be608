/**
 * The order in which a host tries subnets, and which members guard one: both by hash, so that simultaneous newcomers rarely
 * want the same and everybody finds the same guardians (Thaler, Ravishankar, "A name-based mapping scheme for
 * rendezvous", 1996).
 */
import { sha256Hex } from "../base/hash.ts";
import type { Member, MemberId } from "../swim/member.ts";

/** The subnets in this host's order of preference: by SHA-256(cluster ‖ host id ‖ subnet), lowest first. */
export function rendezvousOrder(
  cluster: string,
  hostId: MemberId,
  subnets: readonly string[],
): string[] {
  const prefix = `${cluster}\0${hostId}\0`;
  return subnets
    .map((subnet) => ({ subnet, hash: sha256Hex(prefix + subnet) }))
    .sort((one, other) => one.hash < other.hash ? -1 : 1)
    .map(({ subnet }) => subnet);
}

/** How many members guard a subnet when there are too many to ask all. */
export const GUARDIANS = 5;
/**
 * How many of them must acknowledge. Two claimants whose views of the guardians differ in d are exclusive if and only if
 * 2 * 4 > 5 + d: d up to 2 is harmless; with 3 of 5, only d = 0 would be.
 */
export const GUARDIANS_NEEDED = 4;

/** The guardians of a subnet among these members: the lowest by SHA-256(subnet ‖ member id). */
export function guardiansOf(subnet: string, members: readonly Member[]): Member[] {
  return members
    .map((member) => ({ member, hash: sha256Hex(subnet, "\0", member.id) }))
    .sort((one, other) => one.hash < other.hash ? -1 : 1)
    .slice(0, GUARDIANS)
    .map(({ member }) => member);
}
