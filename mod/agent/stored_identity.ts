/**
 * Who this host would be at its next start, read from the state directory without touching it: for dry runs. What the start
 * would repair is said and not done.
 */
import type { PersistedDocument } from "../base/core.ts";
import { DamagedClaimError, decodeClaimMemory } from "../claim/memory.ts";
import type { RestoredClaim } from "../claim/options.ts";
import { successorOf } from "../claim/successor.ts";
import { isOtherMachine } from "../host/machine_fingerprint.ts";
import type { Copy } from "../host/store.ts";
import { decodeMembers, type MembersMemory } from "../swim/memory.ts";
import type { Identity, IdentityOptions } from "./identity.ts";

/** Stands for an identity that is drawn at the first start. */
const NO_HOST_ID = "00".repeat(16);
const NO_INSTANCE = "00".repeat(8);

/** Reads a document of the state directory; see `Store.peek`. */
export type Peek = (document: PersistedDocument, copy?: Copy) => Uint8Array | null;

/** As `restoreIdentity`, but that nothing is repaired. Throws UserError when there is nothing that could be used. */
export function storedIdentity(
  peek: Peek,
  { machine, keepsIdentity }: IdentityOptions,
  warnings: string[],
): Identity {
  let claim = readStoredClaim(peek, warnings);
  if (claim !== null && !keepsIdentity && isOtherMachine(machine, claim.machine)) {
    warnings.push(
      "the state directory was written on another machine: this host would take a new identity",
    );
    claim = successorOf(claim, NO_HOST_ID);
  }
  return {
    hostId: claim?.hostId ?? NO_HOST_ID,
    instance: NO_INSTANCE,
    claim,
    hasNewIdentity: false,
    members: readStoredMembers(peek),
    hasLostMembers: false,
    returnsCarefully: false,
    notices: [],
  };
}

/** Whether it stands for one that is yet to be drawn. */
export function isDrawnLater({ hostId }: Identity): boolean {
  return hostId === NO_HOST_ID;
}

function readStoredClaim(peek: Peek, warnings: string[]): RestoredClaim | null {
  const [bytes, previous] = [peek("claim"), peek("claim", "previous")];
  if (bytes === null && previous === null) return null;
  try {
    if (bytes !== null) return decodeClaimMemory(bytes, "claim.state");
    warnings.push("claim.state is missing");
  } catch (error) {
    if (!(error instanceof DamagedClaimError) || previous === null) throw error;
    warnings.push(error.message);
  }
  warnings.push("claim.previous, the copy before it, would be used instead");
  return previous === null ? null : decodeClaimMemory(previous, "claim.previous");
}

/** A plan needs no more of them than whether there are any. */
function readStoredMembers(peek: Peek): MembersMemory | null {
  const bytes = peek("members");
  try {
    return bytes === null ? null : decodeMembers(bytes);
  } catch {
    return null;
  }
}
