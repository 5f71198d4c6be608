/**
 * Finds lost members again, for ever: plain SWIM forgets the dead, and a partition would then never
 * heal. Follows serf: per interval and host, one attempt with probability dead / alive, which makes
 * about one attempt per lost member and interval in the whole cluster, whatever its size.
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

/** A host that sees nobody dials this many at a time: the first to answer ends its solitude. */
const DIALS_WHEN_ALONE = 3;

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
    for (const member of remembered) {
      if (member.id !== this.#selfId) this.#remembered.set(member.id, member);
    }
  }

  /** Remembered members not seen since the start. */
  get missing(): readonly RememberedMember[] {
    return [...this.#remembered.values()];
  }

  /** The first attempts come at once. */
  begin(nowMs: number): void {
    if (this.#remembered.size > 0) this.#nextAtMs = nowMs;
  }

  /** A member was seen, whatever its status. */
  seen(nowMs: number, id: MemberId): void {
    this.#remembered.delete(id);
    if (this.#nextAtMs === Infinity && this.#lost > 0) this.#schedule(nowMs);
  }

  advance(nowMs: number): void {
    if (nowMs < this.#nextAtMs) return;
    if (this.#lost === 0) {
      this.#nextAtMs = Infinity; // until somebody is lost
      return;
    }
    this.#schedule(nowMs);
    for (const endpoint of this.#choose()) this.#synchroniser.start(nowMs, endpoint);
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

  #choose(): Endpoint[] {
    const count = this.#isAlone ? DIALS_WHEN_ALONE : 1;
    const probability = this.#isAlone ? 1 : this.#lost / this.#table.reachableCount;
    if (this.#random.unit() >= probability) return [];
    const taken = new Set<Endpoint>();
    for (const { status, endpoint } of this.#table.list()) {
      if (status === "alive" || status === "suspect") taken.add(endpoint);
    }
    // A host that was set up anew answers at the address of its dead predecessor: nobody to find there.
    const isFree = ({ endpoint }: { endpoint: Endpoint }) => !taken.has(endpoint);
    const dead = this.#table.pick(
      this.#random,
      count,
      (member) => member.status === "dead" && isFree(member),
    );
    const remembered = this.#random.sample(this.missing.filter(isFree), count);
    return this.#random.sample([...dead, ...remembered], count).map(({ endpoint }) => endpoint);
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
