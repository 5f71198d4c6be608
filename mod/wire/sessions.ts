/**
 * The sessions that this process has heard from, each with what it sent already.
 *
 * Only genuine packets sealed for this very process get here, so a stranger cannot fill it. Who was not heard for longest is
 * retired when there are too many: its packets count as replays from then on, since nobody could tell any more. A sender
 * that is still there learns so by a refusal, and begins another session.
 */
import { MEMBERS_MAX } from "../base/limits.ts";
import type { GossipKey } from "./keyring.ts";
import { ReplayWindow } from "./replay_window.ts";

/**
 * A host has one session for datagrams and one for streams: 20,000 for the largest cluster, and half as many of processes
 * that are gone. At 128 bytes of window and 320 around it that is 13 MB there, and 0.1 MB for 100 hosts.
 */
export const SESSIONS_MAX = 3 * MEMBERS_MAX;

/** Each takes about 50 bytes: 5 MB. A largest cluster would have to restart five times as a whole before one is forgotten. */
export const RETIRED_MAX = 10 * MEMBERS_MAX;

/** One sender's session. */
export interface Session {
  readonly window: ReplayWindow;
  /** The key that opened its last packet: the first to try with the next. */
  key: GossipKey;
}

export class Sessions {
  readonly #sessionsMax: number;
  readonly #retiredMax: number;
  /** In the order in which they were last heard. */
  readonly #sessions = new Map<bigint, Session>();
  /** In the order in which they were retired. */
  readonly #retired = new Set<bigint>();

  /** @param sessionsMax at least 1; less than the default only in tests, as `retiredMax`. */
  constructor(sessionsMax = SESSIONS_MAX, retiredMax = RETIRED_MAX) {
    this.#sessionsMax = sessionsMax;
    this.#retiredMax = retiredMax;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(session: bigint): Session | undefined {
    return this.#sessions.get(session);
  }

  /** Whether this packet is one that could have been here before. */
  isReplay(session: bigint, counter: number): boolean {
    const known = this.#sessions.get(session);
    return known === undefined ? this.#retired.has(session) : !known.window.isNew(counter);
  }

  /** A genuine packet that {@linkcode isReplay} did not refuse. */
  heard(session: bigint, counter: number, key: GossipKey): void {
    const known = this.#sessions.get(session) ?? { window: new ReplayWindow(), key };
    known.key = key;
    known.window.mark(counter);
    this.#sessions.delete(session);
    this.#sessions.set(session, known);
    if (this.#sessions.size > this.#sessionsMax) this.#retireOldest();
  }

  #retireOldest(): void {
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      this.#retired.add(oldest);
      break;
    }
    if (this.#retired.size <= this.#retiredMax) return;
    for (const oldest of this.#retired) {
      this.#retired.delete(oldest);
      return;
    }
  }
}
