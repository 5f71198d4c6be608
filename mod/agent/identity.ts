/** Who this host is: kept on disk from its first start, drawn from the operating system's randomness then. */
import { reasonOf, UserError } from "../base/errors.ts";
import { decodeClaimMemory } from "../claim/memory.ts";
import type { RestoredClaim } from "../claim/options.ts";
import type { Store } from "../host/store.ts";
import { decodeMembers, type MembersMemory } from "../swim/memory.ts";

/** 128 bits: a chance of 10^-31 that any two of 5,000 hosts draw the same. */
const HOST_ID_BYTES = 16;
/** 64 bits: only has to differ between the runs of one host. */
const INSTANCE_BYTES = 8;

export interface Identity {
  readonly hostId: string;
  /** Of this run of the agent. */
  readonly instance: string;
  /** What an earlier run left; null on a first start. */
  readonly claim: RestoredClaim | null;
  readonly members: MembersMemory | null;
}

/**
 * Reads the state directory. Throws UserError, naming the file, when a document is damaged; without the members a host
 * that has seeds goes on, since the others are found through them.
 */
export function restoreIdentity(store: Store, hasSeeds: boolean): Identity {
  const claim = restore(
    store,
    "claim",
    decodeClaimMemory,
    "restore it from a backup, or delete it: this host then starts as a new one with another subnet",
  );
  const remedy = "delete it and start with --join, through which this host finds the others";
  let members: MembersMemory | null = null;
  try {
    members = restore(store, "members", decodeMembers, remedy);
  } catch (error) {
    if (!hasSeeds) throw error;
  }
  return {
    hostId: claim?.hostId ?? randomHex(HOST_ID_BYTES),
    instance: randomHex(INSTANCE_BYTES),
    claim,
    members,
  };
}

function restore<T>(
  store: Store,
  document: "claim" | "members",
  decode: (bytes: Uint8Array) => T,
  remedy: string,
): T | null {
  const bytes = store.read(document);
  if (bytes === null) return null;
  try {
    return decode(bytes);
  } catch (error) {
    const reason = reasonOf(error);
    throw new UserError(`${store.path(document)} is damaged: ${reason}`, { remedy, cause: error });
  }
}

function randomHex(byteCount: number): string {
  return crypto.getRandomValues(new Uint8Array(byteCount)).toHex();
}
