/** Whom the operator means by `gossamer forget HOST`, and whether that host may be forgotten. */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { ClaimRecord } from "../claim/record.ts";
import type { Member } from "../swim/member.ts";
import type { RememberedMember } from "../swim/reconnector.ts";
import type { ForgetAnswer } from "./api.ts";

/** Letters of an id that tell a host from all others, as people type them. */
const ID_PREFIX_MIN = 6;

/** What the choice is made from. */
export interface ForgetSources {
  readonly self: { readonly id: string };
  readonly members: readonly Member[];
  /** Known from the disk only, not met since the start. */
  readonly missing: readonly RememberedMember[];
  /** All claims known: one may be left of a host that membership has long lost. */
  readonly claims: readonly ClaimRecord[];
}

export interface Candidate extends RememberedMember {
  readonly status: ForgetAnswer["status"];
  /** What it claims; null when it claims nothing. */
  readonly subnet: string | null;
}

/**
 * The one host of that name, address (with or without port), subnet or id (or six digits or more of its
 * beginning). Throws UserError when there is none, when there are several, and when it is not to be
 * forgotten: this host itself, and, without `force`, one that may still be there.
 */
export function forgetTarget(sources: ForgetSources, host: string, force: boolean): ForgetAnswer {
  const { id, name, endpoint, status } = knownHost(sources, host);
  if (id === sources.self.id) {
    throw new UserError(`${name} is this host itself`, {
      remedy: "to take it out of the cluster, use gossamer leave",
    });
  }
  if ((status === "alive" || status === "suspect") && !force) {
    throw new UserError(`${name} (${endpoint}) is ${status}: only dead hosts are forgotten`, {
      remedy: "stop its agent with gossamer leave there; or repeat with --force, from which a " +
        "host that runs comes back by itself",
    });
  }
  return { id, name, address: endpoint, status };
}

/**
 * The one host of that name, address (with or without port), subnet or id (or six digits or more of its beginning), alive or
 * not. Throws UserError when there is none, or when there are several.
 */
export function knownHost(sources: ForgetSources, host: string): Candidate {
  const candidates = candidatesOf(sources);
  const found = bestMatches(candidates, host);
  const [target] = found;
  if (target === undefined) throw unknownHost(host, candidates.map(({ name }) => name));
  if (found.length > 1) {
    const which = found.map(({ name, endpoint, id }) => `${name} at ${endpoint} is ${id}`);
    throw new UserError(`${host} may be ${found.length} hosts: ${which.join("; ")}`, {
      remedy: "give the id, of which the first digits are enough",
    });
  }
  return target;
}

function candidatesOf({ members, missing, claims }: ForgetSources): Candidate[] {
  const claimOf = new Map(
    claims.filter(({ state }) => state !== "released").map((claim) => [claim.hostId, claim]),
  );
  const known = [
    ...members,
    ...missing.map((host) => ({ ...host, status: "unknown" as const })),
  ].map(({ id, name, endpoint, status }): Candidate => {
    const subnet = claimOf.get(id)?.subnet ?? null;
    claimOf.delete(id);
    return { id, name, endpoint, status, subnet };
  });
  // Nothing but its claim is left: no name, and where it was is where its tunnel ended.
  const claimants = [...claimOf.values()].map(({ hostId, subnet, vtep }): Candidate => ({
    id: hostId,
    name: hostId.slice(0, 8),
    endpoint: vtep.address,
    status: "unknown",
    subnet,
  }));
  return [...known, ...claimants];
}

/** A whole id or name before an address, and that before the beginning of an id. */
function bestMatches(candidates: readonly Candidate[], host: string): Candidate[] {
  const tests: ((candidate: Candidate) => boolean)[] = [
    ({ id }) => id === host.toLowerCase(),
    ({ name }) => name === host,
    ({ endpoint }) => endpoint === host || addressOf(endpoint) === host,
    ({ subnet }) => subnet === host,
    ({ id }) => host.length >= ID_PREFIX_MIN && id.startsWith(host.toLowerCase()),
  ];
  for (const test of tests) {
    const found = candidates.filter(test);
    if (found.length > 0) return found;
  }
  return [];
}

function addressOf(endpoint: string): string {
  const at = endpoint.lastIndexOf(":");
  return at < 0 ? endpoint : endpoint.slice(0, at).replace(/^\[|\]$/g, "");
}

function unknownHost(host: string, names: readonly string[]): UserError {
  const meant = nearest(host, names);
  const hint = meant === undefined ? "" : `, did you mean ${meant}?`;
  return new UserError(`no host of that name, address, subnet or id is known: ${host}${hint}`, {
    remedy: "gossamer members and gossamer subnets list them; with --json they have the ids",
  });
}
