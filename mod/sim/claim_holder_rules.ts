/**
 * Rules of holding and yielding.
 *
 * - S3: two hosts never hold overlapping subnets. Excused while the network is not whole, or was not when the later of the
 *   two began to look (no protocol without a majority can prevent that), and for hosts whose disk was set back or copied,
 *   that were forgotten, or that were down while others lost what they knew.
 * - S5: a host yields only to a held claim that outranks its own, or to an operator who pins its subnet to another host; and to one of equal epoch and strength only if the two
 *   claimed without knowing of each other: never if all knew its claim before the other began to look.
 * - S6: a fence never falls in a host's life, and who knows of an epoch above its own rises above it within a write, or yields.
 * - S7: whoever holds has a held record on disk.
 * - S8: a subnet that another host released is asked for within its quarantine only when nothing else is free, or by
 *   whom an operator pinned to it.
 * - S11: while a host holds a subnet, its claim's rank never falls, not even over a restart.
 *
 * S2, one subnet a host, holds by the form of a record; that no host is routed two is a rule of routes.
 */
import { cidrsOverlap } from "../address/network.ts";
import { type Pool, subnetsOf } from "../address/pool.ts";
import { compareClaims, outranks } from "../claim/order.ts";
import { QUARANTINE_MS } from "../claim/quarantine.ts";
import { type ClaimRecord, occupies, wasHeld } from "../claim/record.ts";
import type { ClaimExcuses, ClaimLife, ClaimStep, Host } from "./claim_step.ts";

/** How long a holder may stay below an epoch it knows of (S6): a write to disk, with room for a refusing one. */
const BELOW_FENCE_MS_MAX = 10_000;
/** What others asked for lately may have been promised to them (S8). */
const ASKED_MS = 30_000;

/** What the rules ask of the cluster. */
export interface HolderParts {
  readonly excuses: ClaimExcuses;
  readonly lifeOf: (host: Host) => ClaimLife | undefined;
  /** The pool of a host; null where quarantine is not looked at. */
  readonly poolOf: (host: Host) => Pool | null;
  /** Whether an operator said which subnet it must have. */
  readonly isPinned: (host: Host) => boolean;
  readonly count: (what: string) => void;
}

export class ClaimHolderRules {
  readonly #parts: HolderParts;
  /** By host and id: two hosts may share an id for a while. */
  readonly #lastHeld = new Map<string, ClaimRecord>();
  /** When a subnet was last asked for by anybody. */
  readonly #askedAtMs = new Map<string, number>();

  constructor(parts: HolderParts) {
    this.#parts = parts;
  }

  check(step: ClaimStep, hosts: readonly Host[]): void {
    this.#checkRank(step);
    if (step.hasEntered("held")) this.checkSingle(step, hosts);
    if (step.before?.state === "held" && step.claim.state !== "held") this.#checkYield(step, hosts);
    if (step.hasEntered("tentative")) this.#checkQuarantine(step);
    if (step.changes.length > 0 || step.life.belowSinceMs < Infinity) this.#checkFence(step);
    if (step.claim.state === "held") {
      step.expect(step.claim.record?.state === "held", "S7", "holds without a held record");
    }
  }

  /** S3, now. */
  checkSingle(step: ClaimStep, hosts: readonly Host[]): void {
    const { host, life, claim: { subnet } } = step;
    if (subnet === null) return;
    this.#parts.count("S3 looked at");
    for (const other of hosts) {
      if (other === host || !other.isRunning) continue;
      const theirs = this.#parts.lifeOf(other);
      if (theirs?.claim?.state !== "held" || theirs.boots !== other.boots) continue;
      if (theirs.claim.subnet === null || !cidrsOverlap(theirs.claim.subnet, subnet)) continue;
      const sinceMs = laterSearchMs(life, theirs);
      const why = this.#parts.excuses.whyDouble(host, other, sinceMs);
      if (why === null) step.fail("S3", `holds ${subnet}, which ${other.name} holds too`);
      this.#parts.count(`S3 excused: ${why}`);
    }
  }

  #checkRank(step: ClaimStep): void {
    const { claim, life } = step;
    const own = claim.record;
    if (own === null || own === step.before?.record && claim.state === step.before.state) return;
    const key = `${step.host.name} ${own.hostId}`;
    if (claim.state !== "held" || own.state !== "held") {
      this.#lastHeld.delete(key);
      return;
    }
    const last = this.#lastHeld.get(key);
    const isExcused = life.claim === null && this.#parts.excuses.isReused(own.hostId);
    if (last?.subnet === own.subnet && !isExcused) {
      step.expect(compareClaims(own, last) >= 0, "S11", `let its rank fall on ${own.subnet}`);
      if (own.epoch > last.epoch) this.#parts.count("raised or refuted");
    }
    this.#lastHeld.set(key, own);
  }

  #checkYield(step: ClaimStep, hosts: readonly Host[]): void {
    const { before, claim, life } = step;
    if (claim.state !== "yielding" || before?.record === null || before === null) return;
    const lost = before.record;
    const rivals = claim.records.filter((record) =>
      record.hostId !== lost.hostId && record.state === "held" &&
      cidrsOverlap(record.subnet, lost.subnet)
    );
    const winner = rivals.find((rival) => outranks(rival, lost));
    this.#parts.count("yielded");
    if (winner === undefined) {
      const pin = claim.poolRecord?.pins.find(({ subnet }) => subnet === lost.subnet);
      const isPinnedAway = pin !== undefined && pin.hostId !== lost.hostId;
      const isExcused = isPinnedAway || this.#parts.excuses.isOdd(step.host);
      step.expect(isExcused, "S5", `yields ${lost.subnet} to nobody`);
      return;
    }
    if (winner.epoch > lost.epoch || winner.strength > lost.strength) return;
    this.#parts.count("yielded to an equal");
    const host = hosts.find((one) =>
      one.isRunning && one.snapshot().swim.self.id === winner.hostId
    );
    const theirs = host === undefined ? undefined : this.#parts.lifeOf(host);
    if (theirs === undefined || host === undefined) return;
    const { excuses } = this.#parts;
    const isExcused = excuses.isOdd(step.host) || excuses.isOdd(host) ||
      excuses.hasForgotten(life.heldSinceMs);
    const wasKnown = theirs.seekingSinceMs > life.heldSinceMs &&
      excuses.wasClearBetween(life.heldSinceMs + 1, theirs.seekingSinceMs);
    step.expect(
      isExcused || !wasKnown,
      "S5",
      `yields ${lost.subnet} to the newcomer ${host.name}`,
    );
  }

  #checkFence(step: ClaimStep): void {
    const { before, claim, life, host, nowMs } = step;
    for (const { after } of step.changes) {
      if (after === undefined) continue;
      const was = before?.fenceOf(after.subnet) ?? 0;
      step.expect(
        claim.fenceOf(after.subnet) >= was,
        "S6",
        `let the fence of ${after.subnet} fall`,
      );
    }
    step.expect(claim.fenceSize >= (before?.fenceSize ?? 0), "S6", "let the fence lose an entry");
    const own = claim.record;
    const isBelow = own !== null && claim.state === "held" &&
      claim.records.some((record) =>
        wasHeld(record) && record.epoch > own.epoch && cidrsOverlap(record.subnet, own.subnet)
      );
    if (!isBelow) {
      life.belowSinceMs = Infinity;
      return;
    }
    life.belowSinceMs = Math.min(life.belowSinceMs, nowMs);
    if (nowMs - life.belowSinceMs <= BELOW_FENCE_MS_MAX) return;
    const { excuses } = this.#parts;
    const isExcused = excuses.hadDiskTrouble(host, life.belowSinceMs) ||
      excuses.hadTrouble(host, life.belowSinceMs);
    step.expect(isExcused, "S6", `stays held below the fence of ${own?.subnet}`);
  }

  #checkQuarantine(step: ClaimStep): void {
    const { claim, host, swim, nowMs, localMs } = step;
    const { subnet } = claim;
    if (subnet === null) return;
    const pool = this.#parts.poolOf(host);
    const isResting = (candidate: string) =>
      claim.records.some((record) =>
        record.state === "released" && record.strength > 0 && record.hostId !== swim.self.id &&
        cidrsOverlap(record.subnet, candidate) &&
        localMs - (claim.sinceByHost.get(record.hostId) ?? -Infinity) < QUARANTINE_MS
      );
    const wasAsked = (candidate: string) =>
      nowMs - (this.#askedAtMs.get(candidate) ?? -Infinity) <= ASKED_MS;
    if (pool !== null && !this.#parts.isPinned(host) && isResting(subnet)) {
      this.#parts.count("S8 looked at");
      const taken = claim.records.filter((record) =>
        occupies(record) && record.hostId !== swim.self.id
      );
      const pins = new Set(claim.poolRecord?.pins.map((pin) => pin.subnet));
      const better = subnetsOf(pool).find((candidate) =>
        !isResting(candidate) && !wasAsked(candidate) && !pins.has(candidate) &&
        !taken.some((record) => cidrsOverlap(record.subnet, candidate))
      );
      const isFine = better === undefined;
      step.expect(isFine, "S8", `asks for ${subnet}, which rests, while ${better} is free`);
    }
    this.#askedAtMs.set(subnet, nowMs);
  }
}

/** When the later of two holders began to look for what both hold; the earlier one where they looked at the same time. */
function laterSearchMs(one: ClaimLife, other: ClaimLife): number {
  if (one.seekingSinceMs > other.claimedSinceMs) return one.seekingSinceMs;
  if (other.seekingSinceMs > one.claimedSinceMs) return other.seekingSinceMs;
  return Math.min(one.seekingSinceMs, other.seekingSinceMs);
}
