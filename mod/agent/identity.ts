/** Who this host is: kept on disk from its first start, drawn from the operating system's randomness then. */
import { reasonOf, UserError } from "../base/errors.ts";
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
  readonly members: MembersMemory | null;
  /** See ClaimOptions. */
  readonly returnsCarefully: boolean;
  readonly machine?: string;
  /** What the log should have of the state directory, each one error. */
  readonly notices: readonly string[];
}

export interface IdentityOptions {
  /** Whether others are found without what the disk remembers of them. */
  readonly hasSeeds: boolean;
  /** Of this machine; see `machineFingerprint`. */
  readonly machine: string | undefined;
  /** Whether the identity that another machine wrote is taken over. */
  readonly keepsIdentity: boolean;
}

/**
 * Reads the state directory, and repairs it where that is possible. Throws UserError, naming the file, when the claim and
 * its previous copy are damaged; without the members a host that has seeds goes on, since the others are found through them.
 */
export function restoreIdentity(store: Store, options: IdentityOptions): Identity {
  const { machine, keepsIdentity, hasSeeds } = options;
  const notices: string[] = [];
  // Before anything is repaired: that makes the document anew.
  const ageMs = store.ageMs("claim");
  let { claim, isCopy } = readClaim(store, notices);
  if (claim !== null && !keepsIdentity && isOtherMachine(machine, claim.machine)) {
    notices.push(
      `${store.path("claim")} was written on another machine: this host takes a new identity`,
    );
    claim = anotherIdentity(store, claim, machine);
  }
  const members = readMembers(store, hasSeeds);
  return {
    hostId: claim?.hostId ?? randomHex(HOST_ID_BYTES),
    instance: randomHex(INSTANCE_BYTES),
    claim,
    members,
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

function readMembers(store: Store, hasSeeds: boolean): MembersMemory | null {
  let failure: unknown = null;
  for (const copy of [undefined, "previous"] as const) {
    try {
      const bytes = store.read("members", copy);
      if (bytes !== null) return decodeMembers(bytes);
      // Who removes the document wants it forgotten.
      if (copy === undefined) return null;
    } catch (error) {
      failure ??= error;
    }
  }
  if (hasSeeds) return null;
  throw new UserError(`${store.path("members")} is damaged: ${reasonOf(failure)}`, {
    remedy: "delete it and start with --join, through which this host finds the others",
    cause: failure,
  });
}
