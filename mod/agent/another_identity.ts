/**
 * A new identity for a host that has to give up its own, because another host has it as well. What it knows of others stays:
 * the claim that it made so far is one of theirs now.
 */
import { decodeClaimMemory, encodeClaimMemory } from "../claim/memory.ts";
import type { RestoredClaim } from "../claim/options.ts";
import { successorOf } from "../claim/successor.ts";
import type { Problem } from "../base/problem.ts";
import { isOtherMachine } from "../host/machine_fingerprint.ts";
import { readClaim } from "./stored_claim.ts";
import type { Store } from "../host/store.ts";
import { decodeMembers, encodeMembers } from "../swim/memory.ts";
import type { RememberedMember } from "../swim/reconnector.ts";

/** 128 bits: a chance of 10^-31 that any two of 5,000 hosts draw the same. */
export const HOST_ID_BYTES = 16;

/** Makes it durable and returns it; the old one is kept as `claim.lost`. Throws what the disk says. */
export function anotherIdentity(
  store: Store,
  lost: RestoredClaim,
  machine: string | undefined,
): RestoredClaim {
  const claim = {
    ...successorOf(lost, randomHex(HOST_ID_BYTES)),
    ...(machine === undefined ? {} : { machine }),
  };
  store.restore("claim", encodeClaimMemory(claim), "lost");
  store.remove("claim", "previous");
  return claim;
}

/**
 * Gives the identity up to the host that runs under it at that endpoint, and remembers it as one that has to be heard. Throws
 * what the disk says.
 */
export function giveUpIdentity(
  store: Store,
  other: Pick<RememberedMember, "id" | "endpoint">,
  machine: string | undefined,
): void {
  const { claim } = readClaim(store, []);
  if (claim !== null) anotherIdentity(store, claim, machine);
  const member = { ...other, name: other.id.slice(0, 8) };
  store.write("members", encodeMembers({ incarnation: 0, members: [member, ...members(store)] }));
}

function members(store: Store): readonly RememberedMember[] {
  try {
    const bytes = store.read("members");
    return bytes === null ? [] : decodeMembers(bytes).members;
  } catch {
    return []; // the host that has the identity knows them
  }
}

/** What the operator should know of the state directory, until the file that each names is removed. */
export function storeProblems(store: Store, machine: string | undefined): Problem[] {
  return [damagedProblem(store), lostProblem(store, machine)].filter((each) => each !== null);
}

function damagedProblem(store: Store): Problem | null {
  if (!store.has("claim", "damaged")) return null;
  const path = store.path("claim", "damaged");
  return {
    code: "claim-damaged",
    severity: "warning",
    text:
      `The claim of this host was damaged on its disk; the copy before it was used (${path} is ` +
      "what was found)",
    remedy: `Check the disk; then remove ${path}, which also ends this message`,
  };
}

function lostProblem(store: Store, machine: string | undefined): Problem | null {
  if (!store.has("claim", "lost")) return null;
  const path = store.path("claim", "lost");
  const lost = lostClaim(store);
  const whom = lost === null ? "its identity" : `the identity ${lost.hostId.slice(0, 8)}`;
  const subnet = lost?.record?.subnet;
  const isMoved = isOtherMachine(machine, lost?.machine);
  const why = isMoved
    ? "its state directory was written on another machine"
    : "another host was running with a copy of it";
  return {
    code: "identity-lost",
    severity: "error",
    text: `This host gave up ${whom}${subnet === undefined ? "" : ` and the subnet ${subnet}`}, ` +
      `because ${why}: its containers must move to the subnet that it has now`,
    remedy: "Leave the state directory out of images and copies" +
      (isMoved
        ? "; if the disk was moved here and the other machine is gone, stop the agent, move " +
          `${path} to ${store.path("claim")}, and start once with --keep-identity`
        : "") +
      `. Remove ${path} to end this message`,
  };
}

function lostClaim(store: Store): RestoredClaim | null {
  try {
    const bytes = store.read("claim", "lost");
    return bytes === null ? null : decodeClaimMemory(bytes);
  } catch {
    return null;
  }
}

export function randomHex(byteCount: number): string {
  return crypto.getRandomValues(new Uint8Array(byteCount)).toHex();
}
