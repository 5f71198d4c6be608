/**
 * The core of one host: membership and claims as one state machine. The agent and the simulator both drive this.
 */
import type { PoolRecord } from "../address/pool_record.ts";
import type { Action, Core, Input } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { MemberId } from "../swim/member.ts";
import { isOfSwim } from "../swim/keeper.ts";
import { Swim, type SwimCommand, type SwimOptions, type SwimSnapshot } from "../swim/swim.ts";
import { Claimant } from "./claimant.ts";
import type { ClaimOptions } from "./options.ts";
import type { Vtep } from "./record.ts";
import type { ClaimEvent, ClaimSnapshot } from "./snapshot.ts";

export type { ClaimOptions, RestoredClaim } from "./options.ts";
export type { ClaimEvent, ClaimSnapshot, ClaimView, LifeState } from "./snapshot.ts";

export interface HostOptions {
  readonly swim: SwimOptions;
  readonly claim: ClaimOptions;
}

export type HostCommand =
  | Exclude<SwimCommand, { kind: "leave" }>
  /** Says goodbye; with `release` the subnet is given back first. Ends in a `left` event. */
  | { readonly kind: "leave"; readonly release: boolean }
  | { readonly kind: "set-pool"; readonly record: PoolRecord }
  | { readonly kind: "set-vtep"; readonly vtep: Vtep };

/** `left` comes when the goodbye is sent and the agent may stop. */
export type HostEvent = SwimEvent | ClaimEvent;

export interface HostSnapshot {
  readonly swim: SwimSnapshot;
  readonly claim: ClaimSnapshot;
}

export class HostCore implements Core<HostCommand, HostEvent, HostSnapshot> {
  readonly #swim: Swim;
  readonly #claimant: Claimant;
  #isLeaving = false;
  #hasLeft = false;
  /** Seeds of a join that came before the goodbye was said; null when none did. */
  #joinNext: readonly string[] | null = null;

  constructor(options: HostOptions, random: Random) {
    const { swim, claim } = options;
    // Members remembered on disk are others who should be heard first, just like seeds.
    const seedsGiven = claim.seedsGiven || swim.seeds.length > 0 || swim.remembered.length > 0;
    this.#claimant = new Claimant({
      gossipIntervalMs: swim.timings.gossipIntervalMs,
      ...claim,
      seedsGiven,
    }, random);
    this.#swim = new Swim(swim, random, this.#claimant);
    this.#claimant.attach(this.#swim);
  }

  step(nowMs: number, input: Input<HostCommand>): Action<HostEvent>[] {
    const actions: Action<HostEvent>[] = [];
    if (input.kind === "command") this.#command(nowMs, input.command, actions);
    else if (input.kind === "persisted" && !isOfSwim(input.id)) {
      this.#claimant.persisted(nowMs, input.id, input.error);
    } else actions.push(...this.#swim.step(nowMs, input));
    this.#claimant.advance(nowMs);
    if (this.#isLeaving && this.#claimant.isLeaveOver) this.#sayGoodbye(nowMs, actions);
    actions.push(...this.#swim.drain(), ...this.#claimant.drain());
    if (input.kind === "wake" && actions.length === 0) this.#claimant.idle();
    return actions;
  }

  wakeAtMs(): number {
    return Math.min(this.#swim.wakeAtMs(), this.#claimant.wakeAtMs());
  }

  snapshot(): HostSnapshot {
    return { swim: this.#swim.snapshot(), claim: this.#claimant.snapshot() };
  }

  #command(nowMs: number, command: HostCommand, actions: Action<HostEvent>[]): void {
    if (command.kind === "set-vtep" || command.kind === "set-pool") {
      return this.#claimant.command(nowMs, command);
    }
    if (command.kind === "leave") {
      this.#claimant.command(nowMs, command);
      this.#isLeaving = true;
      this.#hasLeft = true;
      return;
    }
    if (command.kind === "join" && this.#isLeaving) {
      this.#joinNext = command.seeds;
      return;
    }
    const isForgettable = command.kind === "forget" &&
      (command.force || !this.#isThere(command.id));
    actions.push(...this.#swim.step(nowMs, { kind: "command", command }));
    if (command.kind === "forget" && isForgettable) {
      this.#claimant.command(nowMs, { kind: "forget", hostId: command.id });
    }
    if (command.kind === "join" && this.#hasLeft) {
      this.#hasLeft = false;
      this.#claimant.command(nowMs, { kind: "rejoin" });
    }
  }

  #sayGoodbye(nowMs: number, actions: Action<HostEvent>[]): void {
    this.#isLeaving = false;
    actions.push(...this.#swim.drain()); // the release itself goes out before the goodbye
    actions.push(...this.#swim.step(nowMs, { kind: "command", command: { kind: "leave" } }));
    const seeds = this.#joinNext;
    this.#joinNext = null;
    if (seeds !== null) this.#command(nowMs, { kind: "join", seeds }, actions);
  }

  #isThere(id: MemberId): boolean {
    const status = this.#swim.member(id)?.status;
    return status === "alive" || status === "suspect";
  }
}
