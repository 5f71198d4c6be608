/**
 * Finds lost members again, for ever: plain SWIM forgets the dead, and a partition would then never
 * heal. Follows serf: per interval and host, one attempt with probability dead / alive, which makes
 * about one attempt per lost member and interval in the whole cluster, whatever its size.
 *
 * Clusters that grow and shrink leave thousands of dead members behind, who must neither cost much nor
 * hide the few that come back. So who is long dead counts less and less towards the number of attempts,
 * and who was lost last is tried most often (docs/adr/0017-healing.md has the arithmetic).
 *
 * Members remembered from before a restart count as lost until they are seen.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import type { MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { Synchroniser } from "./synchroniser.ts";
import type { SwimTimings } from "./timings.ts";

/** A member as the disk remembers it. */
export interface RememberedMember {
  readonly id: MemberId;
  readonly name: string;
  readonly endpoint: Endpoint;
}

/** A host that sees nobody, or whose network is back, dials this many at a time: the first to answer tells of all. */
const DIALS_AT_ONCE = 3;

/** Of those that should be there: one of them may have moved as well. */
const ASKED_WHEN_BACK = 2;

/** Up to this age a dead member counts in full; then for as much as this is of its age. */
const FULL_WEIGHT_MS = 600_000;
/** But never less: one attempt on each in 32 intervals, made by the cluster as a whole. */
const WEIGHT_MIN = 1 / 32;
/** Attempts in the whole cluster per interval, as long as so many are lost: two halves then make one each 7.5 s. */
const ATTEMPTS_MIN = 2;

/** How much a dead member counts towards the number of attempts. */
export function weightOf(deadForMs: number): number {
  return Math.min(1, Math.max(WEIGHT_MIN, FULL_WEIGHT_MS / deadForMs));
}

/** A place among `count`, the first ones most likely: place n with a share of about 1 / n. */
export function pickPlace(random: Random, count: number): number {
  return Math.min(count - 1, Math.floor((count + 1) ** random.unit()) - 1);
}

export class Reconnector {
  readonly #selfId: MemberId;
  readonly #table: MemberTable;
  readonly #synchroniser: Synchroniser;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #remembered = new Map<MemberId, RememberedMember>();
  #nextAtMs = Infinity;
  /** Attempts in solitude: they come sooner at first. */
  #lonelyAttempts = 0;
  /** Whether the next attempt is due to a network that is another one or is back. */
  #isHurried = false;
  #ownEndpoint: Endpoint | undefined;
  /** Where this host was before it moved. */
  #formerEndpoint: Endpoint | null = null;

  /** @param remembered the most promising ones first. */
  constructor(
    parts: {
      selfId: MemberId;
      table: MemberTable;
      synchroniser: Synchroniser;
      timings: SwimTimings;
      random: Random;
    },
    remembered: readonly RememberedMember[],
  ) {
    this.#selfId = parts.selfId;
    this.#table = parts.table;
    this.#synchroniser = parts.synchroniser;
    this.#timings = parts.timings;
    this.#random = parts.random;
    this.#ownEndpoint = this.#table.get(this.#selfId)?.endpoint;
    for (const member of remembered) {
      if (member.id !== this.#selfId) this.#remembered.set(member.id, member);
    }
  }

  /** Remembered members not seen since the start, the most promising ones first. */
  get missing(): readonly RememberedMember[] {
    return [...this.#remembered.values()];
  }

  /** The first attempts come at once. */
  begin(nowMs: number): void {
    if (this.#remembered.size > 0) this.#nextAtMs = nowMs;
  }

  /**
   * The network of this host is another one, or is back: whoever is lost is dialled now, since the pauses have grown while
   * nobody could answer. Of a member that is believed to be where this host now is, the best guess is that both swapped.
   * And others who should be there tell what was missed meanwhile: gossip says it only once.
   */
  hurry(nowMs: number): void {
    const self = this.#table.get(this.#selfId);
    const own = self?.endpoint;
    if (own !== this.#ownEndpoint) this.#formerEndpoint = this.#ownEndpoint ?? null;
    this.#ownEndpoint = own;
    if (self?.status === "left") return;
    this.#lonelyAttempts = 0;
    this.#isHurried = this.#lost > 0;
    if (this.#isHurried) this.#nextAtMs = nowMs;
    const others = this.#table.list().filter(({ id, status }) =>
      id !== this.#selfId && (status === "alive" || status === "suspect")
    );
    const isSwapped = others.some(({ endpoint }) => endpoint === own);
    if (isSwapped && this.#formerEndpoint !== null) {
      this.#synchroniser.start(nowMs, this.#formerEndpoint);
    }
    const elsewhere = others.filter(({ endpoint }) => endpoint !== own);
    for (const { endpoint } of this.#random.sample(elsewhere, ASKED_WHEN_BACK)) {
      this.#synchroniser.start(nowMs, endpoint);
    }
  }

  /** A member was seen, whatever its status. */
  seen(nowMs: number, id: MemberId): void {
    this.#remembered.delete(id);
    if (this.#nextAtMs === Infinity && this.#lost > 0) this.#schedule(nowMs);
  }

  /** A member that is only remembered is not looked for any more; false if it is not remembered. */
  forget(id: MemberId): boolean {
    return this.#remembered.delete(id);
  }

  advance(nowMs: number): void {
    if (nowMs < this.#nextAtMs) return;
    if (this.#lost === 0) {
      this.#nextAtMs = Infinity; // until somebody is lost
      return;
    }
    this.#schedule(nowMs);
    for (const endpoint of this.#choose(nowMs)) this.#synchroniser.start(nowMs, endpoint);
  }

  wakeAtMs(): number {
    return this.#nextAtMs;
  }

  get #lost(): number {
    return this.#table.count("dead") + this.#remembered.size;
  }

  get #isAlone(): boolean {
    return this.#table.reachableCount <= 1;
  }

  #choose(nowMs: number): Endpoint[] {
    const isEager = this.#isAlone || this.#isHurried;
    this.#isHurried = false;
    if (!isEager && this.#random.unit() >= this.#attempts(nowMs) / this.#table.reachableCount) {
      return [];
    }
    const lost = this.#endpoints();
    const chosen = new Set<Endpoint>();
    const count = Math.min(lost.length, isEager ? DIALS_AT_ONCE : 1);
    // A few tries more than places: the first place comes up again and again.
    for (let tries = 0; tries < 4 * count && chosen.size < count; tries++) {
      const endpoint = lost[pickPlace(this.#random, lost.length)];
      if (endpoint !== undefined) chosen.add(endpoint);
    }
    return [...chosen];
  }

  /** How many attempts the cluster as a whole should make in an interval. */
  #attempts(nowMs: number): number {
    let attempts = this.#remembered.size;
    for (const { status, statusSinceMs } of this.#table.list()) {
      if (status === "dead") attempts += weightOf(nowMs - statusSinceMs);
    }
    return Math.max(Math.min(ATTEMPTS_MIN, this.#lost), attempts);
  }

  /** Where the lost may be: those remembered, then those lost last; who were lost at once in any order. */
  #endpoints(): Endpoint[] {
    const taken = new Set<Endpoint>();
    for (const { status, endpoint } of this.#table.list()) {
      if (status === "alive" || status === "suspect") taken.add(endpoint);
    }
    const dead = this.#table.list().filter(({ status }) => status === "dead");
    this.#random.shuffle(dead);
    dead.sort((one, other) => other.statusSinceMs - one.statusSinceMs);
    // A host that was set up anew answers at the address of its dead predecessor: nobody to find there.
    // This host itself, too: who was known there may have taken its former address.
    const endpoints = [...this.missing, ...dead].map(({ endpoint }) => this.#guess(endpoint))
      .filter((endpoint) => !taken.has(endpoint));
    return [...new Set(endpoints)];
  }

  #guess(endpoint: Endpoint): Endpoint {
    return endpoint === this.#ownEndpoint ? this.#formerEndpoint ?? endpoint : endpoint;
  }

  /** Half of each interval is random; alone, intervals double from the first retry of a seed on. */
  #schedule(nowMs: number): void {
    const { reconnectIntervalMs, seedRetryMs } = this.#timings;
    let intervalMs = reconnectIntervalMs;
    if (!this.#isAlone) this.#lonelyAttempts = 0;
    else intervalMs = Math.min(intervalMs, seedRetryMs * 2 ** this.#lonelyAttempts++);
    this.#nextAtMs = nowMs + intervalMs * (0.5 + this.#random.unit() * (this.#isAlone ? 0.5 : 1));
  }
}
