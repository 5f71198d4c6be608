/** The claim as the state directory has it: the document, or its previous copy where the document is damaged. */
import { reasonOf, UserError } from "../base/errors.ts";
import { DamagedClaimError, decodeClaimMemory, encodeClaimMemory } from "../claim/memory.ts";
import type { RestoredClaim } from "../claim/options.ts";
import { GENERATION_MAX } from "../claim/record_codec.ts";
import type { Store } from "../host/store.ts";

export interface StoredClaim {
  /** Null when there never was one. */
  readonly claim: RestoredClaim | null;
  /** Whether it is the previous copy: the last write of this host is lost. */
  readonly isCopy: boolean;
}

/**
 * Reads the claim. What is damaged is set aside as `claim.damaged`, where `status` points to it until somebody removes it. Throws
 * UserError when there is nothing to go on with, or a newer program wrote it.
 */
export function readClaim(store: Store, notices: string[]): StoredClaim {
  const bytes = store.read("claim");
  let damage: UserError;
  try {
    if (bytes !== null) {
      return { claim: decodeClaimMemory(bytes, store.path("claim")), isCopy: false };
    }
    if (!store.has("claim", "previous")) return { claim: null, isCopy: false };
    damage = new DamagedClaimError(`${store.path("claim")} is missing`);
  } catch (error) {
    if (!(error instanceof DamagedClaimError)) throw error;
    damage = error;
  }
  const previous = previousOf(store);
  if (previous === null) throw damaged(store, damage);
  const claim = passedOver(previous);
  putBack(store, claim);
  notices.push(
    `${damage.message}; the copy before it, ${store.path("claim", "previous")}, is used instead`,
  );
  return { claim, isCopy: true };
}

function previousOf(store: Store): RestoredClaim | null {
  const bytes = store.read("claim", "previous");
  if (bytes === null) return null;
  try {
    return decodeClaimMemory(bytes, store.path("claim", "previous"));
  } catch (error) {
    if (error instanceof DamagedClaimError) return null;
    throw error;
  }
}

/**
 * The damaged document may have been the first of the next generation, and announced: that one is passed over, so that no
 * number is ever used twice.
 */
function passedOver(previous: RestoredClaim): RestoredClaim {
  return { ...previous, generation: Math.min(previous.generation + 1, GENERATION_MAX - 1) };
}

function putBack(store: Store, claim: RestoredClaim): void {
  try {
    store.restore("claim", encodeClaimMemory(claim), "damaged");
  } catch (error) {
    throw new UserError(
      `${store.path("claim")} is damaged and cannot be replaced by the copy before it: ` +
        reasonOf(error),
      { remedy: "make room on that disk or repair it, and start again", cause: error },
    );
  }
}

function damaged(store: Store, cause: UserError): UserError {
  const previous = store.has("claim", "previous")
    ? ", and so is the copy before it, claim.previous"
    : ", and there is no copy";
  return new UserError(`${store.path("claim")} is damaged${previous}: ${cause.message}`, {
    remedy: "restore it from a backup, or delete both: this host then starts as a new one with " +
      "another subnet",
    cause,
  });
}
