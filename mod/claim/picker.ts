/**
 * The choice of a subnet: the pin, else the last one if it is free, else the first free one in rendezvous order; when none
 * is, the last resorts: the one that has rested longest since its release, then one whose host was absent too long.
 */
import { isInPool, type Pool, subnetsOf } from "../address/pool.ts";
import type { ClaimContext } from "./context.ts";
import type { ClaimRecord } from "./record.ts";
import { EPOCH_MAX } from "./record_codec.ts";
import { rendezvousOrder } from "./rendezvous.ts";
import type { Wanted } from "./stage.ts";

export type Pick =
  | { readonly kind: "subnet"; readonly wanted: Wanted }
  | { readonly kind: "pin-taken"; readonly by: ClaimRecord }
  /** What this host's flag asks for is not to be had; why, as the end of a sentence about it. */
  | { readonly kind: "pin-barred"; readonly why: string }
  | { readonly kind: "exhausted"; readonly total: number };

export class Picker {
  readonly #context: ClaimContext;
  #ordered: { readonly pool: Pool; readonly order: readonly string[] } | null = null;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  /**
   * Works out the order of preference, if that was not done before: 3 ms for the 255 subnets of a /16 in a fresh process,
   * 0.3 s for 65,536, well spent while the first answers are on their way.
   */
  prepare(): readonly string[] {
    const { options, pools: { pool } } = this.#context;
    if (this.#ordered?.pool !== pool) {
      const order = rendezvousOrder(options.cluster, options.hostId, subnetsOf(pool));
      this.#ordered = { pool, order };
    }
    return this.#ordered.order;
  }

  pick(nowMs: number): Pick {
    const { hostId, own, pin, pools } = this.#context;
    if (pin !== null) return this.#pinned(nowMs, pin);
    const isFree = (subnet: string) => this.#occupants(subnet).length === 0;
    const isRested = (subnet: string) => this.#restsUntilMs(subnet) <= nowMs;
    const last = own.announced?.subnet;
    const isLastFree = last !== undefined && pools.isForHost(last, hostId) && isFree(last);
    if (isLastFree && isRested(last)) return ordinary(last);

    const order = this.prepare().filter((subnet) => pools.pinnedTo(subnet) === null);
    const free: string[] = [];
    for (const subnet of order) {
      if (!isFree(subnet)) continue;
      if (isRested(subnet)) return ordinary(subnet);
      free.push(subnet);
    }
    const resting = this.#longestRested(free);
    if (resting !== null) return lastResort(resting, []);
    for (const subnet of order) {
      const reclaimed = this.#reclaimable(nowMs, subnet);
      if (reclaimed !== null) return lastResort(subnet, reclaimed);
    }
    return { kind: "exhausted", total: this.prepare().length };
  }

  /** Nothing but the pin is ever free for this host. */
  #pinned(nowMs: number, pin: string): Pick {
    const barred = this.#whyBarred(pin);
    if (barred !== null) return { kind: "pin-barred", why: barred };
    const [by] = this.#occupants(pin);
    if (by === undefined) return lastResort(pin, []);
    const reclaimed = this.#reclaimable(nowMs, pin);
    return reclaimed === null ? { kind: "pin-taken", by } : lastResort(pin, reclaimed);
  }

  #whyBarred(pin: string): string | null {
    const { hostId, pools } = this.#context;
    if (pools.isForHost(pin, hostId)) return null;
    const other = pools.pinnedTo(pin);
    if (other !== null) return `is pinned to ${this.#context.nameOf(other)}`;
    return isInPool(pools.pool, pin) ? "is reserved" : "is not in the pool";
  }

  #occupants(subnet: string): ClaimRecord[] {
    const { ledger, hostId } = this.#context;
    return ledger.occupants(subnet, hostId);
  }

  #restsUntilMs(subnet: string): number {
    const { ledger, hostId } = this.#context;
    return ledger.quarantine.untilMs(subnet, hostId);
  }

  /** Of free subnets that still rest. */
  #longestRested(free: readonly string[]): string | null {
    let longest: string | null = null;
    for (const subnet of free) {
      const isLonger = longest === null || this.#restsUntilMs(subnet) < this.#restsUntilMs(longest);
      if (isLonger) longest = subnet;
    }
    return longest;
  }

  /** The claims that would have to end for this subnet, when that is worth asking for; null when it is not. */
  #reclaimable(nowMs: number, subnet: string): ClaimRecord[] | null {
    const { absence } = this.#context;
    if (nowMs < this.#context.reclaimNotBeforeMs) return null;
    // Nothing would be above the old claim, and it would win again.
    if (this.#context.ledger.fence.of(subnet) >= EPOCH_MAX) return null;
    const occupants = this.#occupants(subnet);
    return occupants.length > 0 && occupants.every((claim) => absence.isWorthAsking(nowMs, claim))
      ? occupants
      : null;
  }
}

function ordinary(subnet: string): Pick {
  return { kind: "subnet", wanted: { subnet, isLastResort: false, reclaimed: [] } };
}

function lastResort(subnet: string, reclaimed: readonly ClaimRecord[]): Pick {
  return { kind: "subnet", wanted: { subnet, isLastResort: true, reclaimed } };
}
