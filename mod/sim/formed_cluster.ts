/**
 * A cluster of whole hosts that has been there for long, built directly: a thousand hosts that join one by one would take
 * minutes before anything is tried.
 */
import { type Pool, poolDigest } from "../address/pool.ts";
import type { Endpoint } from "../base/core.ts";
import { ABSENCE_TTL_HOURS_DEFAULT } from "../base/limits.ts";
import type { RestoredClaim } from "../claim/options.ts";
import { type ClaimRecord, STRONG, type Vtep } from "../claim/record.ts";
import type { Member, MemberId } from "../swim/member.ts";
import { ownMember } from "../swim/own_member.ts";
import { LAN_TIMINGS } from "../swim/timings.ts";
import type { Keyring } from "../wire/keyring.ts";

/** One host of it before it starts. */
export interface FormedPlan {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly hostId: MemberId;
  readonly subnet: string;
  readonly pool: Pool;
  readonly vtep: Vtep;
  /** Gossip keys; undefined where gossip is plain. */
  readonly keys: Keyring | undefined;
}

/** What one host begins with. */
export interface FormedHost {
  readonly member: Member;
  /** All of them, sorted by id; shared. */
  readonly known: readonly Member[];
  /** Its claim, and everybody's; the records are shared. */
  readonly restored: RestoredClaim;
}

const INSTANCE_DIGITS = 16;

/** What each of these hosts begins with, in their order. */
export function formCluster(plans: readonly FormedPlan[]): FormedHost[] {
  const hosts = plans.map((plan, index) => ({
    member: memberOf(plan),
    record: recordOf(plan, index),
  }));
  const known = hosts.map(({ member }) => member)
    .sort((one, other) => one.id < other.id ? -1 : 1);
  const others = hosts.map(({ record }) => ({ record, ageMs: 0 }));
  return hosts.map(({ member, record }) => ({
    member,
    known,
    // The fence follows from the records.
    restored: {
      hostId: record.hostId,
      generation: record.generation,
      lamport: hosts.length,
      fence: [],
      record,
      previous: null,
      others,
    },
  }));
}

function memberOf({ name, endpoint, hostId, keys }: FormedPlan): Member {
  const instance = hostId.slice(0, INSTANCE_DIGITS);
  return ownMember({
    label: "",
    ...(keys === undefined ? {} : { keys }),
    self: { id: hostId, name, endpoint, instance, version: "0.0.0" },
    incarnation: 0,
    timings: LAN_TIMINGS,
    seeds: [],
    remembered: [],
  });
}

/** As if they had got their subnets one after the other. */
function recordOf({ hostId, subnet, pool, vtep }: FormedPlan, index: number): ClaimRecord {
  return {
    hostId,
    instance: hostId.slice(0, INSTANCE_DIGITS),
    generation: 1,
    sequence: 1,
    poolVersion: pool.version,
    poolDigest: poolDigest(pool),
    subnet,
    state: "held",
    epoch: 1,
    strength: STRONG,
    stamp: index + 1,
    vtep,
    absenceTtlHours: ABSENCE_TTL_HOURS_DEFAULT,
  };
}
