/** Who this host is: kept on disk from its first start, drawn from the operating system's randomness then. */
import { reasonOf } from "../base/errors.ts";
import { ABSENCE_TTL_HOURS_DEFAULT } from "../base/limits.ts";
import type { RestoredClaim } from "../claim/options.ts";
import { isOtherMachine } from "../host/machine_fingerprint.ts";
import type { Store } from "../host/store.ts";
import { decodeMembers, type MembersMemory } from "../swim/memory.ts";
import { anotherIdentity, HOST_ID_BYTES, randomHex } from "./another_identity.ts";
import { readClaim } from "./stored_claim.ts";

/** 64 bits: only has to differ between the runs of one host. */
const INSTANCE_BYTES = 8;
const HOUR_MS = 3_600_000;
/** A clock this far behind the last run is not set yet, so nobody knows how long that is ago. */
const BEHIND_MS_MAX = 600_000;

export interface Identity {
  readonly hostId: string;
  /** Of this run of the agent. */
  readonly instance: string;
  /** What an earlier run left; null on a first start. */
  readonly claim: RestoredClaim | null;
  /** Whether that is so since this start: the disk was another machine's. */
  readonly hasNewIdentity: boolean;
  readonly members: MembersMemory | null;
  /** Whether the document of the members was there and could not be read: there are others, but nobody knows where. */
  readonly hasLostMembers: boolean;
  /** See ClaimOptions. */
  readonly returnsCarefully: boolean;
  readonly machine?: string;
  /** What the log should have of the state directory, each one error. */
  readonly notices: readonly string[];
}

export interface IdentityOptions {
  /** Of this machine; see `machineFingerprint`. */
  readonly machine: string | undefined;
  /** Whether the identity that another machine wrote is taken over. */
  readonly keepsIdentity: boolean;
}

/**
 * Reads the state directory, and repairs it where that is possible. Throws UserError, naming the file, when the claim and
 * its previous copy are damaged; without the members the host goes on, since the others find it if it does not find them.
 */
export function restoreIdentity(store: Store, options: IdentityOptions): Identity {
  const { machine, keepsIdentity } = options;
  const notices: string[] = [];
  let hasNewIdentity = false;
  // Before anything is repaired: that makes the document anew.
  const ageMs = store.ageMs("claim");
  let { claim, isCopy } = readClaim(store, notices);
  if (claim !== null && !keepsIdentity && isOtherMachine(machine, claim.machine)) {
    notices.push(
      `${store.path("claim")} was written on another machine: this host takes a new identity`,
    );
    claim = anotherIdentity(store, claim, machine);
    hasNewIdentity = true;
  }
  const members = readMembers(store, notices);
  return {
    hostId: claim?.hostId ?? randomHex(HOST_ID_BYTES),
    instance: randomHex(INSTANCE_BYTES),
    claim,
    hasNewIdentity,
    members: members === "lost" ? null : members,
    hasLostMembers: members === "lost",
    returnsCarefully: claim !== null && (isCopy || wasAwayForLong(claim, ageMs)),
    ...(machine === undefined ? {} : { machine }),
    notices,
  };
}

/** Half of what others wait before they may take the subnet, so that wrong clocks have room to be wrong. */
function wasAwayForLong({ record }: RestoredClaim, ageMs: number | null): boolean {
  const ttlHours = record?.absenceTtlHours ?? ABSENCE_TTL_HOURS_DEFAULT;
  return ageMs === null || ageMs > ttlHours * HOUR_MS / 2 || ageMs < -BEHIND_MS_MAX;
}

/** The members, or the copy before them; "lost" when neither can be read. Says what it found damaged. */
function readMembers(store: Store, notices: string[]): MembersMemory | "lost" | null {
  let damage = "";
  for (const copy of [undefined, "previous"] as const) {
    try {
      const bytes = store.read("members", copy);
      // Who removes the document wants it forgotten.
      if (bytes === null && copy === undefined) return null;
      if (bytes === null) continue;
      const members = decodeMembers(bytes);
      if (copy !== undefined) notices.push(`${damage}; the copy before it is used instead`);
      return members;
    } catch (error) {
      if (copy === undefined) {
        damage = `${store.path("members")} is damaged (${reasonOf(error)})`;
      }
    }
  }
  notices.push(
    `${damage}, and so is the copy before it or there is none: this host does not remember where ` +
      "the others are; it finds them through --join, or they find it",
  );
  return "lost";
}
