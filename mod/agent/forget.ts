/** Whom the operator means by `gossamer forget HOST`, and whether that host may be forgotten. */
import { UserError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
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
}

/**
 * The one host of that name, address (with or without port) or id (or six digits or more of its
 * beginning). Throws UserError when there is none, when there are several, and when it is not to be
 * forgotten: this host itself, and, without `force`, one that may still be there.
 */
export function forgetTarget(sources: ForgetSources, host: string, force: boolean): ForgetAnswer {
  const candidates = [
    ...sources.members.map((member) => ({ ...member, status: member.status })),
    ...sources.missing.map((member) => ({ ...member, status: "unknown" as const })),
  ];
  const found = bestMatches(candidates, host);
  const [target] = found;
  if (target === undefined) throw unknownHost(host, candidates.map(({ name }) => name));
  if (found.length > 1) {
    const which = found.map(({ name, endpoint, id }) => `${name} at ${endpoint} is ${id}`);
    throw new UserError(`${host} may be ${found.length} hosts: ${which.join("; ")}`, {
      remedy: "give the id, of which the first digits are enough",
    });
  }
  const { id, name, endpoint, status } = target;
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

/** A whole id or name before an address, and that before the beginning of an id. */
function bestMatches<T extends RememberedMember>(candidates: readonly T[], host: string): T[] {
  const tests: ((candidate: T) => boolean)[] = [
    ({ id }) => id === host.toLowerCase(),
    ({ name }) => name === host,
    ({ endpoint }) => endpoint === host || addressOf(endpoint) === host,
    ({ id }) => host.length >= ID_PREFIX_MIN && id.startsWith(host.toLowerCase()),
  ];
  for (const test of tests) {
    const found = candidates.filter(test);
    if (found.length > 0) return found;
  }
  return [];
}

function addressOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

function unknownHost(host: string, names: readonly string[]): UserError {
  const meant = nearest(host, names);
  const hint = meant === undefined ? "" : `, did you mean ${meant}?`;
  return new UserError(`no host of that name, address or id is known: ${host}${hint}`, {
    remedy: "gossamer members lists them; gossamer members --json has their ids",
  });
}
