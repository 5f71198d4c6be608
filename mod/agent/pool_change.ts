/** What an operator wants of the pool, turned into the next pool record, or refused with what stands in the way. */
import { canonicalCidr, compareCidrs, familyOf, prefixLengthOf } from "../address/cidr.ts";
import { cidrContains, cidrsOverlap } from "../address/network.ts";
import { networksOf, type Pool, poolDigest } from "../address/pool.ts";
import { type PoolRecord, whyNotPool } from "../address/pool_record.ts";
import { reasonOf, UserError } from "../base/errors.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import { type ClaimRecord, occupies } from "../claim/record.ts";
import { knownHost } from "./forget.ts";
import { hostName } from "./status.ts";

export type PoolChange =
  | { readonly operation: "grow" | "shrink" | "reserve" | "unreserve"; readonly network: string }
  | {
    readonly operation: "pin";
    readonly host: string;
    readonly subnet: string;
    readonly force: boolean;
  }
  | { readonly operation: "unpin"; readonly host: string };

/** Holders that a refusal names; of more it says how many. */
const NAMED_MAX = 5;
const VERSION_MAX = 0xffff_ffff;

/**
 * The record after that change; null when nothing would change. Throws UserError.
 *
 * @param base what this host was configured with.
 */
export function changedPool(
  base: Pool,
  snapshot: HostSnapshot,
  change: PoolChange,
): PoolRecord | null {
  const present = snapshot.claim.poolRecord ??
    { version: 1, base: poolDigest(base), added: [], reserved: [], pins: [] };
  const changed = changedParts(base, snapshot, present, change);
  if (changed === null) return null;
  if (present.version >= VERSION_MAX) throw new UserError("the pool cannot be changed any more");
  const record = { ...present, ...changed, version: present.version + 1 };
  const fault = whyNotPool(base, record);
  if (fault === null) return record;
  throw new UserError(`the pool would not be usable: ${fault}`, {
    remedy: "gossamer pool show has what the pool consists of",
  });
}

type Parts = Partial<Pick<PoolRecord, "added" | "reserved" | "pins">>;

function changedParts(
  base: Pool,
  snapshot: HostSnapshot,
  present: PoolRecord,
  change: PoolChange,
): Parts | null {
  switch (change.operation) {
    case "grow":
      return grown(base, present, networkOf(change.network));
    case "shrink":
      return shrunk(base, snapshot, present, networkOf(change.network));
    case "reserve":
      return reserved(base, present, networkOf(change.network));
    case "unreserve":
      return unreserved(present, networkOf(change.network));
    case "pin":
      return pinned(base, snapshot, present, change);
    case "unpin": {
      const { id, name } = knownHost(sourcesOf(snapshot), change.host);
      const pins = present.pins.filter(({ hostId }) => hostId !== id);
      if (pins.length < present.pins.length) return { pins };
      throw new UserError(`${name} is not pinned`, { remedy: "gossamer pool show lists the pins" });
    }
  }
}

function grown(base: Pool, { added }: PoolRecord, network: string): Parts | null {
  if (added.includes(network)) return null;
  const other = [base.cidr, ...added].find((one) => cidrsOverlap(one, network));
  if (other !== undefined) {
    throw new UserError(`${network} overlaps ${other}, which is in the pool already`, {
      remedy: "give a network beside it",
    });
  }
  if (familyOf(network) !== familyOf(base.cidr)) {
    throw new UserError(
      `${network} is an IPv${familyOf(network)} network, and the pool is of IPv${
        familyOf(base.cidr)
      }`,
      { remedy: `give a network beside ${base.cidr}` },
    );
  }
  if (prefixLengthOf(network) >= base.subnetLength) {
    throw new UserError(
      `${network} has no room for subnets, which are /${base.subnetLength} here; the first one of ` +
        "a network is left out",
      { remedy: `give a network of at most /${base.subnetLength - 1}` },
    );
  }
  return { added: [...added, network] };
}

function shrunk(
  base: Pool,
  snapshot: HostSnapshot,
  { added, reserved, pins }: PoolRecord,
  network: string,
): Parts {
  if (network === base.cidr) {
    throw new UserError(`${network} is the network that hosts are configured with (--network)`, {
      remedy: "reserve it with gossamer pool reserve, and nobody claims anything more of it",
    });
  }
  if (!added.includes(network)) {
    throw new UserError(`${network} was not added to the pool`, {
      remedy: added.length === 0
        ? "nothing was added with gossamer pool grow"
        : `these were: ${added.join(", ")}`,
    });
  }
  const holders = claimsOn(snapshot, network);
  if (holders.length > 0) {
    throw new UserError(
      `${holders.length} ${holders.length === 1 ? "host has a subnet" : "hosts have subnets"} of ` +
        `${network}: ${namesOf(snapshot, holders)}`,
      {
        remedy: "reserve the network, so that nobody else claims any of it; then give these " +
          "subnets up with gossamer leave --release there, or gossamer forget for hosts that are gone",
      },
    );
  }
  const pin = pins.find(({ subnet }) => cidrContains(network, addressOf(subnet)));
  if (pin !== undefined) {
    throw new UserError(
      `${pin.subnet} of ${network} is pinned to ${hostName(snapshot, pin.hostId)}`,
      {
        remedy: "take that back with gossamer pool unpin",
      },
    );
  }
  return {
    added: added.filter((one) => one !== network),
    reserved: reserved.filter((one) => !cidrsOverlap(one, network)),
  };
}

function reserved(base: Pool, { added, reserved }: PoolRecord, network: string): Parts | null {
  if (reserved.some((one) => cidrContains(one, addressOf(network)) && isWider(one, network))) {
    return null;
  }
  const pool = [base.cidr, ...added];
  if (!pool.some((one) => cidrContains(one, addressOf(network)) && isWider(one, network))) {
    throw new UserError(`${network} is not inside the pool`, {
      remedy: `give a part of ${pool.join(" or ")}`,
    });
  }
  // What lies in the new one needs no mention of its own.
  const others = reserved.filter((one) => !cidrsOverlap(one, network));
  return { reserved: [...others, network].sort(compareCidrs) };
}

function unreserved({ reserved }: PoolRecord, network: string): Parts {
  if (reserved.includes(network)) return { reserved: reserved.filter((one) => one !== network) };
  throw new UserError(`${network} is not reserved`, {
    remedy: reserved.length === 0
      ? "nothing was reserved with gossamer pool reserve"
      : `these are, and are taken back as they were given: ${reserved.join(", ")}`,
  });
}

function pinned(
  base: Pool,
  snapshot: HostSnapshot,
  present: PoolRecord,
  { host, subnet: text, force }: Extract<PoolChange, { operation: "pin" }>,
): Parts | null {
  const { id, name } = knownHost(sourcesOf(snapshot), host);
  const subnet = networkOf(text);
  const { pool } = snapshot.claim;
  if (prefixLengthOf(subnet) !== base.subnetLength) {
    throw new UserError(`${subnet} is no subnet: those are /${base.subnetLength} here`, {
      remedy: `give a /${base.subnetLength} of ${networksOf(pool).join(" or ")}`,
    });
  }
  const before = present.pins.find(({ hostId }) => hostId === id);
  if (before?.subnet === subnet) return null;
  const double = present.pins.find((pin) => pin.subnet === subnet);
  if (double !== undefined) {
    throw new UserError(`${subnet} is pinned to ${hostName(snapshot, double.hostId)} already`, {
      remedy: "take that back first with gossamer pool unpin, or choose another subnet",
    });
  }
  if (!force) refuseRenumbering(snapshot, id, name, subnet);
  const others = present.pins.filter(({ hostId }) => hostId !== id);
  return { pins: [...others, { hostId: id, subnet }].sort(byHost) };
}

/** Nobody's containers change their addresses without somebody having meant it. */
function refuseRenumbering(snapshot: HostSnapshot, id: string, name: string, subnet: string): void {
  const holders = claimsOn(snapshot, subnet).filter(({ hostId }) => hostId !== id);
  if (holders.length > 0) {
    const names = holders.map(({ hostId }) => hostName(snapshot, hostId));
    throw new UserError(`${subnet} is claimed by ${names.join(", ")}`, {
      remedy:
        "choose another, or repeat with --force: the holder then gives it up at once, and its " +
        "containers are renumbered",
    });
  }
  const own = snapshot.claim.records.find(({ hostId, state }) => hostId === id && state === "held");
  if (own === undefined || own.subnet === subnet) return;
  throw new UserError(`${name} holds ${own.subnet}`, {
    remedy: "repeat with --force: it keeps that subnet until its agent starts again, and is " +
      `renumbered to ${subnet} then`,
  });
}

/** Claims that stand, of hosts that are there or not. */
function claimsOn({ claim }: HostSnapshot, network: string): ClaimRecord[] {
  return claim.records.filter((record) =>
    occupies(record) && record.epoch >= claim.fenceOf(record.subnet) &&
    cidrsOverlap(record.subnet, network)
  );
}

function namesOf(snapshot: HostSnapshot, claims: readonly ClaimRecord[]): string {
  const named = claims.slice(0, NAMED_MAX)
    .map(({ hostId, subnet }) => `${subnet} by ${hostName(snapshot, hostId)}`);
  const more = claims.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function sourcesOf({ swim, claim }: HostSnapshot) {
  const { self, members, missing } = swim;
  return { self, members, missing, claims: claim.records };
}

/** The network, canonical. Throws UserError. */
function networkOf(text: string): string {
  try {
    return canonicalCidr(text);
  } catch (error) {
    throw new UserError(reasonOf(error), {
      remedy: "give a network such as 10.245.0.0/16",
      cause: error,
    });
  }
}

function addressOf(network: string): string {
  return network.slice(0, network.indexOf("/"));
}

function isWider(one: string, other: string): boolean {
  return prefixLengthOf(one) <= prefixLengthOf(other);
}

function byHost(one: { hostId: string }, other: { hostId: string }): number {
  return one.hostId < other.hostId ? -1 : 1;
}
