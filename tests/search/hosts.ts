/**
 * The local half of the search: claimants as numbered states, and what each does with each input, worked out once.
 *
 * What a host does depends on its own state and the input alone, so every pair of the two is run once on a copy of the
 * real claimant and remembered; the search over all hosts then only looks numbers up.
 */
import assert from "node:assert/strict";
import { Catalogue } from "./catalogue.ts";
import { ALIVE, LEFT, memberCode, startsOf, UNKNOWN } from "./member_code.ts";
import type { OpenedClaimant } from "./opened_tree.ts";
import type { Local, Step } from "./place.ts";
import { Run } from "./run.ts";
import { stepBreach } from "./step_rules.ts";
import { viewOf } from "./view.ts";
import { NOW_MS, Walker } from "./walker.ts";

const INPUTS_MAX = 2 ** 22;

export class Hosts extends Catalogue {
  readonly walker = new Walker();
  readonly locals: Local[] = [];
  readonly #localIds = new Map<string, number>();
  readonly #steps = new Map<number, Step>();
  /** Other ways to a state that was known: for the check that merging is sound. */
  readonly detours: { readonly from: number; readonly input: number; readonly to: number }[] = [];

  get stepCount(): number {
    return this.#steps.size;
  }

  /** The host before its first start. */
  initial(host: number): number {
    const members = this.ids.map((_, other) => other === host ? memberCode(0, ALIVE) : UNKNOWN);
    return this.#intern(host, null, members, -1, null).id;
  }

  local(id: number): Local {
    const local = this.locals[id];
    assert(local !== undefined, "a local state of that number");
    return local;
  }

  /** What the host in that state does with that input. */
  step(localId: number, inputId: number): Step {
    const key = localId * INPUTS_MAX + inputId;
    let step = this.#steps.get(key);
    if (step === undefined) {
      step = this.#run(this.local(localId), inputId);
      this.#steps.set(key, step);
    }
    return step;
  }

  #run(local: Local, inputId: number): Step {
    const input = this.inputs[inputId];
    assert(input !== undefined, "an input of that number");
    const origin = { from: local.id, input: inputId };
    const { host, members } = local;
    if (input.kind === "crash" || input.kind === "left" || input.kind === "swap") {
      const after = [...members];
      const starts = startsOf(members[host] ?? UNKNOWN);
      if (input.kind === "left") after[host] = memberCode(starts, LEFT);
      const disk = input.kind === "swap" ? input.payload : local.disk;
      const to = this.#intern(host, null, after, disk, origin);
      return { to: to.id, items: [], answer: -1, breach: null };
    }
    const run = new Run(this, local, input);
    let breach: string | null = null;
    try {
      run.perform(NOW_MS);
    } catch (error) {
      breach = `an error: ${error instanceof Error ? error.stack : error}`;
    }
    const to = this.#intern(host, run.claimant, run.carrier.members_, run.disk, origin);
    breach ??= stepBreach(this, local, input, to, run.items);
    return { to: to.id, items: run.items, answer: run.answer, breach };
  }

  #intern(
    host: number,
    claimant: OpenedClaimant | null,
    members: readonly number[],
    disk: number,
    origin: Local["origin"],
  ): Local {
    const inside = claimant === null
      ? "down"
      : `${claimant.$context.options.seedsGiven} ${this.walker.fingerprint(claimant)}`;
    const key = `${host} ${members.join()} ${disk} ${inside}`;
    const known = this.#localIds.get(key);
    if (known !== undefined) {
      if (origin !== null && this.detours.length < 200_000) {
        this.detours.push({ ...origin, to: known });
      }
      return this.local(known);
    }
    const id = this.locals.length;
    const local: Local = {
      id,
      host,
      claimant,
      members: [...members],
      disk,
      wakeInMs: claimant === null ? Infinity : claimant.wakeAtMs() - NOW_MS,
      view: viewOf(this, claimant),
      origin,
    };
    this.locals.push(local);
    this.#localIds.set(key, id);
    return local;
  }
}
