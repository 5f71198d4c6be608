/**
 * Rules of routes, at every host.
 *
 * - S2, S4: one next hop for a prefix, and one prefix for a host.
 * - S7: only held claims are routed, a host's own only while it holds it.
 * - S10: nothing below the fence is routed, so that what comes back from an old disk is not.
 * - While several hosts hold one prefix, the route to it changes once for each of them that yields, at most.
 */
import { cidrsOverlap } from "../address/network.ts";
import type { ClaimRecord } from "../claim/record.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimLife, ClaimStep } from "./claim_step.ts";

/** Several hold one prefix, as one host sees it. */
interface Contest {
  readonly holders: Set<MemberId>;
  hop: MemberId | null;
  changes: number;
}

export class ClaimRouteRules {
  readonly #contests = new WeakMap<ClaimLife, Map<string, Contest>>();
  readonly #count: (what: string) => void;

  constructor(count: (what: string) => void) {
    this.#count = count;
  }

  check(step: ClaimStep): void {
    if (step.claim.owners !== step.before?.owners) checkOwners(step);
    if (step.changes.length > 0) this.#checkContests(step);
  }

  #checkContests(step: ClaimStep): void {
    const { claim, life, before } = step;
    const contests = this.#contests.get(life) ?? new Map<string, Contest>();
    this.#contests.set(life, contests);
    const touched = new Set<string>();
    for (const { before: old, after } of step.changes) {
      if (old !== undefined) touched.add(old.subnet);
      if (after !== undefined) touched.add(after.subnet);
    }
    for (const subnet of touched) {
      const holders = claim.records.filter((record) =>
        record.state === "held" && record.subnet === subnet
      );
      let contest = contests.get(subnet);
      if (contest === undefined && holders.length < 2) continue;
      if (contest === undefined) {
        const hop = hopOf(before?.owners ?? [], subnet);
        contest = { holders: new Set(), hop, changes: 0 };
        contests.set(subnet, contest);
        this.#count("contest seen");
      }
      for (const { hostId } of holders) contest.holders.add(hostId);
      const hop = hopOf(claim.owners, subnet);
      if (hop !== contest.hop && contest.hop !== null) contest.changes++;
      contest.hop = hop ?? contest.hop;
      const isFine = contest.changes < Math.max(2, contest.holders.size);
      step.expect(
        isFine,
        "route changes",
        `changed its route to ${subnet} ${contest.changes} times`,
      );
      if (holders.length < 2) contests.delete(subnet);
    }
  }
}

function checkOwners(step: ClaimStep): void {
  const { claim, swim } = step;
  const routed = new Set<MemberId>();
  const prefixes = new Set<string>();
  const lengths = new Set<string>();
  for (const owner of claim.owners) {
    const { hostId, subnet, epoch, state } = owner;
    step.expect(state === "held", "S7", `routes a ${state} claim`);
    step.expect(!routed.has(hostId), "S2", `routes two subnets of ${hostId.slice(0, 8)}`);
    step.expect(!prefixes.has(subnet), "S4", `has two next hops for ${subnet}`);
    step.expect(epoch >= claim.fenceOf(subnet), "S10", `routes ${subnet} below its fence`);
    routed.add(hostId);
    prefixes.add(subnet);
    lengths.add(subnet.slice(subnet.indexOf("/")));
  }
  if (lengths.size > 1) checkOverlaps(step, claim.owners);
  const routesItself = routed.has(swim.self.id);
  const isHeld = claim.record?.state === "held";
  step.expect(!routesItself || isHeld, "S7", "routes its lost claim");
}

function checkOverlaps(step: ClaimStep, owners: readonly ClaimRecord[]): void {
  owners.forEach(({ subnet }, index) => {
    const other = owners.slice(index + 1).find((one) => cidrsOverlap(one.subnet, subnet));
    step.expect(other === undefined, "S4", `routes ${subnet} and ${other?.subnet}`);
  });
}

function hopOf(owners: readonly ClaimRecord[], subnet: string): MemberId | null {
  return owners.find((owner) => owner.subnet === subnet)?.hostId ?? null;
}
