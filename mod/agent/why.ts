/** Why a subnet belongs to whom it belongs, or to nobody: the order of claims, the fence and what else counts, as data. */
import { ExitCode, UserError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import {
  aloneCidr,
  canonicalAddress,
  canonicalCidr,
  cidrAround,
  familyOf,
  isHostAddress,
} from "../address/cidr.ts";
import { cidrContains, cidrsOverlap } from "../address/network.ts";
import { AddressError } from "../address/parse.ts";
import { ipv6HalfOf, isInPool, type Pool } from "../address/pool.ts";
import { orderSteps, outranks, strengthText } from "../claim/order.ts";
import type { ClaimRecord } from "../claim/record.ts";
import { type ClaimStanding, STATUS_SCHEMA, type WhyClaim, type WhyDocument } from "./api.ts";
import { endpointParts, hostName, standingOf, type StatusSources } from "./status.ts";

/** Letters of an id that tell a host from all others, as people type them. */
const ID_PREFIX_MIN = 6;
const HOUR_S = 3_600;

/** The owner first, then those that could still win, then those that count for nothing. */
const STANDINGS: readonly ClaimStanding[] = [
  "owner",
  "loses",
  "yields",
  "asks",
  "void",
  "released",
];

/** Explains a subnet, the subnet of an address, or that of a host by name or id. Throws UserError. */
export function whyDocument(sources: StatusSources, what: string): WhyDocument {
  const { config, snapshot, wallTime } = sources;
  const { claim, claim: { pool }, swim } = snapshot;
  const subnet = subnetMeant(sources, what.trim());
  const records = claim.records.filter((record) => cidrsOverlap(record.subnet, subnet));
  const owner = records.find((record) => standingOf(record, claim) === "owner") ?? null;
  const claims = records.map((record) => claimDocument(sources, record, owner))
    .sort((one, other) => STANDINGS.indexOf(one.standing) - STANDINGS.indexOf(other.standing));
  const restsUntilMs = claim.restsUntilMs(subnet);
  const isResting = restsUntilMs > sources.nowMs;
  const inPool = isInPool(pool, subnet);
  const isReserved = pool.reserved.some((network) => cidrsOverlap(network, subnet));
  const pin = claim.poolRecord?.pins.find((each) => each.subnet === subnet)?.hostId ??
    (config.pin === subnet ? swim.self.id : undefined);
  const isTaken = claims.some(({ standing }) => standing !== "void" && standing !== "released");
  return {
    schema: STATUS_SCHEMA,
    subnet,
    inPool,
    free: inPool && !isTaken && !isResting && !isReserved && pin === undefined,
    fence: claim.fenceOf(subnet),
    restsUntil: isResting ? wallTime(restsUntilMs) : null,
    reserved: isReserved,
    pinnedTo: pin === undefined ? null : hostName(snapshot, pin),
    claims,
    history: sources.history.filter((past) =>
      past.kind === "conflict"
        ? cidrsOverlap(past.subnet, subnet)
        : [past.old, past.new].some((each) => cidrsOverlap(each, subnet))
    ).map((past) => ({ ...past })),
  };
}

function claimDocument(
  { snapshot: { swim, claim }, wallTime }: StatusSources,
  record: ClaimRecord,
  owner: ClaimRecord | null,
): WhyClaim {
  const member = swim.members.find(({ id }) => id === record.hostId);
  const away = claim.absences().find((each) => each.record.hostId === record.hostId);
  const standing = standingOf(record, claim);
  const isRival = owner !== null && owner !== record && standing !== "void" &&
    standing !== "released" && outranks(owner, record);
  return {
    subnet: record.subnet,
    owner: member?.name ?? record.hostId.slice(0, 8),
    ownerId: record.hostId,
    ownerAddress: member === undefined ? null : endpointParts(member).address,
    ownerStatus: member?.status ?? "unknown",
    self: record.hostId === swim.self.id,
    state: record.state,
    standing,
    epoch: record.epoch,
    strength: record.strength,
    strengthText: strengthText(record.strength),
    stamp: record.stamp,
    since: wallTime(claim.sinceByHost.get(record.hostId) ?? 0),
    absentSeconds: away === undefined ? null : Math.floor(away.awayMs / 1000),
    absenceTtlSeconds: away === undefined ? record.absenceTtlHours * HOUR_S : away.ttlMs / 1000,
    order: isRival ? orderSteps(owner, record).map((step) => ({ ...step })) : [],
  };
}

/** The canonical subnet that the text means. */
function subnetMeant({ snapshot }: StatusSources, what: string): string {
  if (what.includes("/")) return networkMeant(what);
  if (isHostAddress(what)) {
    return subnetOfAddress(snapshot.claim.pool, snapshot.claim.records, what);
  }
  const { members } = snapshot.swim;
  const isPrefix = what.length >= ID_PREFIX_MIN && /^[0-9a-f]+$/i.test(what);
  const host = members.find(({ name }) => name === what) ??
    members.find(({ id }) => isPrefix && id.startsWith(what.toLowerCase()));
  const hostId = host?.id ?? snapshot.claim.records
    .find((record) => isPrefix && record.hostId.startsWith(what.toLowerCase()))?.hostId;
  if (hostId === undefined) {
    const meant = nearest(what, members.map(({ name }) => name));
    throw new UserError(
      `${JSON.stringify(what)} is no subnet, address or known host` +
        (meant === undefined ? "" : `, did you mean ${meant}?`),
      {
        exitCode: ExitCode.usage,
        remedy: "give one like 10.244.7.0/24, 10.244.7.9 or a host's name",
      },
    );
  }
  const record = snapshot.claim.records.find((each) => each.hostId === hostId);
  if (record !== undefined) return record.subnet;
  throw new UserError(`${host?.name ?? what} claims no subnet`, {
    remedy: "gossamer status on that host says why; gossamer subnets lists all claims",
  });
}

function networkMeant(text: string): string {
  try {
    return canonicalCidr(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new UserError(error.message, {
      exitCode: ExitCode.usage,
      remedy: "give a subnet like 10.244.7.0/24",
    });
  }
}

/** The claimed subnet that has the address, else the one that the pool would cut there. */
function subnetOfAddress(pool: Pool, records: readonly ClaimRecord[], address: string): string {
  const claimed = records.find(({ subnet }) => {
    const half = ipv6HalfOf(pool, subnet);
    return cidrContains(subnet, address) || (half !== null && cidrContains(half, address));
  });
  if (claimed !== undefined) return claimed.subnet;
  // Of the other family nothing is in the pool, however it is cut.
  const isOfPool = familyOf(address) === familyOf(pool.cidr);
  return isOfPool ? cidrAround(address, pool.subnetLength) : aloneCidr(canonicalAddress(address));
}
