/**
 * What must hold in every simulated run of whole hosts, checked after each step: the safety properties of the claim
 * protocol, S0 to S13. What excuses what, and why, stands with each rule.
 */
import type { Action, Input } from "../base/core.ts";
import type { Pool } from "../address/pool.ts";
import type { HostCommand, HostEvent } from "../claim/host_core.ts";
import { ClaimHolderRules } from "./claim_holder_rules.ts";
import { ClaimRecordRules, type RecordWatch } from "./claim_record_rules.ts";
import { ClaimRouteRules } from "./claim_route_rules.ts";
import { type ClaimExcuses, ClaimLife, ClaimStep, type Host } from "./claim_step.ts";
import { InvariantError } from "./invariant_error.ts";

/** Who wants to know of what happens; all of it is optional. */
export interface InvariantParts {
  /** What is excused; without it a test says so with `allowDoubles` and `allowRollbacks`. */
  readonly excuses?: ClaimExcuses;
  readonly watch?: RecordWatch;
  /** Told of outcomes, for a report of what was covered. */
  readonly count?: (what: string) => void;
  /** The pool of a host: without it quarantine is not looked at. */
  readonly poolOf?: (host: Host) => Pool;
  readonly isPinned?: (host: Host) => boolean;
}

export class ClaimInvariants {
  /** Whether two hosts may hold one subnet now (S3): set while a test cuts the network or forces a conflict. */
  allowDoubles = false;
  /** Whether disks may have been rolled back or copied, so that a record may be newer than its host's disk. */
  allowRollbacks = false;
  readonly #records: ClaimRecordRules;
  readonly #holders: ClaimHolderRules;
  readonly #routes: ClaimRouteRules;
  readonly #lives = new Map<string, ClaimLife>();

  constructor(parts: InvariantParts = {}) {
    const excuses = parts.excuses ?? this.#saidByTest();
    const count = parts.count ?? (() => {});
    this.#records = new ClaimRecordRules(excuses, parts.watch ?? {});
    this.#routes = new ClaimRouteRules(count);
    this.#holders = new ClaimHolderRules({
      excuses,
      lifeOf: (host) => this.#lives.get(host.name),
      poolOf: (host) => parts.poolOf?.(host) ?? null,
      isPinned: (host) => parts.isPinned?.(host) ?? false,
      count,
    });
  }

  /** Checks the host that has just made a step, against itself and against all others. */
  check(
    nowMs: number,
    hosts: readonly Host[],
    host: Host,
    input: Input<HostCommand> | null = null,
    actions: readonly Action<HostEvent>[] = [],
  ): void {
    const step = new ClaimStep(this.#lifeOf(host, nowMs), nowMs, input, actions);
    this.#records.check(step, hosts);
    this.#holders.check(step, hosts);
    this.#routes.check(step);
    step.remember();
  }

  /**
   * Checks what must hold when nothing has happened for long enough: all running hosts know the same owners, every holder
   * is the owner of its subnet everywhere, and no two hold overlapping subnets.
   */
  checkQuiescent(hosts: readonly Host[]): void {
    // Who has left hears nothing any more.
    const running = hosts.filter((host) =>
      host.isRunning && host.snapshot().swim.self.status !== "left"
    );
    const [first] = running;
    if (first === undefined) return;
    const expected = ownersText(first);
    const wasAllowed = this.allowDoubles;
    this.allowDoubles = false;
    for (const host of running) {
      const text = ownersText(host);
      const nowMs = this.#lives.get(host.name)?.seekingSinceMs ?? 0;
      if (text !== expected) {
        throw new InvariantError("S1", nowMs, `owners ${text}, elsewhere ${expected}`);
      }
      const step = new ClaimStep(this.#lifeOf(host, nowMs), nowMs, null, []);
      if (step.claim.state !== "held") continue;
      const isOwner = step.claim.owners.some(({ hostId }) => hostId === step.swim.self.id);
      step.expect(isOwner, "S9", `holds ${step.claim.subnet} without being its owner`);
      this.#holders.checkSingle(step, hosts);
    }
    this.allowDoubles = wasAllowed;
  }

  #lifeOf(host: Host, nowMs: number): ClaimLife {
    let life = this.#lives.get(host.name);
    if (life === undefined || life.boots !== host.boots) {
      life = new ClaimLife(host, nowMs, life !== undefined && goesOn(life, host) ? life : null);
      this.#lives.set(host.name, life);
    }
    return life;
  }

  #saidByTest(): ClaimExcuses {
    return {
      whyDouble: () => this.allowDoubles ? "the test says so" : null,
      wasClearBetween: () => false,
      isOdd: () => this.allowRollbacks,
      hasForgotten: () => this.allowRollbacks,
      isReused: () => this.allowRollbacks,
      hadDiskTrouble: () => false,
      hadTrouble: () => false,
    };
  }
}

/** Whether a host that started again holds at once what it held before. */
function goesOn({ claim: before, claimedSinceMs }: ClaimLife, host: Host): boolean {
  const { claim } = host.snapshot();
  return claimedSinceMs < Infinity && claim.state === "held" && claim.subnet === before?.subnet &&
    claim.record?.hostId === before?.record?.hostId;
}

/** Whom a host routes to, as text that is equal exactly when the routes are. */
function ownersText(host: Host): string {
  const { owners } = host.snapshot().claim;
  return owners.map(({ hostId, subnet, vtep }) => `${hostId.slice(0, 6)}=${subnet}@${vtep.address}`)
    .join(" ");
}
