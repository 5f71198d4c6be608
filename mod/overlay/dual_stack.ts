/**
 * The IPv6 overlay of a dual-stack host: the same code as for IPv4 is run with these in place of what the claims say. A
 * record's IPv6 half has the subnet that goes with its own, and the IPv6 address of the same underlay.
 */
import { ipv6HalfOf, type Pool } from "../address/pool.ts";
import type { Problem } from "../base/problem.ts";
import type { ClaimRecord } from "../claim/record.ts";

/** Remembers what it made: there are thousands of records, and few change between one look and the next. */
export class Ipv6Halves {
  #key = "";
  #halves = new WeakMap<ClaimRecord, ClaimRecord>();

  /** The IPv6 half of a record; null when its host takes no IPv6 packets, or its subnet is none of the pool's. */
  of(pool: Pool, record: ClaimRecord): ClaimRecord | null {
    const known = this.#for(pool).get(record);
    if (known !== undefined) return known;
    const { ipv6, ...vtep } = record.vtep;
    const subnet = ipv6HalfOf(pool, record.subnet);
    if (ipv6 === undefined || subnet === null) return null;
    const half = { ...record, subnet, vtep: { ...vtep, address: ipv6 } };
    this.#halves.set(record, half);
    return half;
  }

  /** The halves of all that have one, in their order. */
  all(pool: Pool, records: readonly ClaimRecord[]): ClaimRecord[] {
    return records.map((record) => this.of(pool, record)).filter((half) => half !== null);
  }

  /** What was made for a pool of other networks counts no more. */
  #for({ cidr, added, ipv6 }: Pool): WeakMap<ClaimRecord, ClaimRecord> {
    const key = JSON.stringify([cidr, added, ipv6]);
    if (key !== this.#key) this.#halves = new WeakMap();
    this.#key = key;
    return this.#halves;
  }
}

/** Tells of owners whose containers have no IPv6 way to them; null when all have. */
export function missingHalves(
  pool: Pool,
  own: ClaimRecord,
  owners: readonly ClaimRecord[],
  nameOf: (hostId: string) => string,
): Problem | null {
  const missing = owners.filter((owner) =>
    owner.hostId !== own.hostId && owner.vtep.ipv6 === undefined
  );
  const [first] = missing;
  if (first === undefined || pool.ipv6 === undefined) return null;
  const more = missing.length === 1 ? "" : ` and ${missing.length - 1} more`;
  return {
    code: "peer-without-ipv6",
    severity: "warning",
    text:
      `${nameOf(first.hostId)}${more} announced no IPv6 address: containers there are reached ` +
      "by IPv4 only",
    remedy: "Give the underlay device of each host a global IPv6 address",
  };
}
