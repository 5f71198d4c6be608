/**
 * A dead agent is not a dead host: when nobody hears a host's agent any more, its kernel may carry packets all the same. It
 * is asked through the overlay itself. While it answers, its entries stay; when it has been silent for a while its subnet
 * is withdrawn, and it is asked on, so that it returns by itself.
 */

/** `checking`: not known yet; `answers`: agent down, overlay up; `silent`: withdrawn. */
export type DeadPeerState = "checking" | "answers" | "silent";

/** How often is asked who may answer soon, or has missed an answer. */
export const PROBE_INTERVAL_MS = 2_000;
/** How often is asked who answers, or was given up. */
export const SLOW_PROBE_INTERVAL_MS = 10_000;
/**
 * So long a silence is borne after the agent was declared dead, or after the last answer: 15 questions. A restarted switch
 * or a rebooting host's firmware are over by then, and packets that nobody takes have cost nobody a longer wait.
 */
export const HOLD_MS = 30_000;
/** And so many questions in a row must have stayed open: a host that stood still itself has asked nobody meanwhile. */
const MISSES_MIN = 10;
/** When half of 5,000 hosts are cut off, they are asked over 2.5 s rather than at once: 1,000 small packets a second. */
export const PROBES_AT_ONCE = 100;
export const PROBES_APART_MS = 100;

interface DeadPeer {
  state: DeadPeerState;
  /** Of the last sign of life: an answer, or at first what others had heard of the agent. */
  lastSignMs: number;
  probeAtMs: number;
  /** Questions since the last answer. */
  unanswered: number;
}

export class DeadPeers {
  readonly #peers = new Map<string, DeadPeer>();
  #earliestMs = -Infinity;

  /** Takes in whose agents are gone now; all others are forgotten. Whether any state changed. */
  follow(nowMs: number, gone: ReadonlySet<string>): boolean {
    let isChanged = false;
    for (const hostId of this.#peers.keys()) {
      if (gone.has(hostId)) continue;
      this.#peers.delete(hostId);
      isChanged = true;
    }
    for (const hostId of gone) {
      if (this.#peers.has(hostId)) continue;
      const peer: DeadPeer = {
        state: "checking",
        lastSignMs: nowMs,
        probeAtMs: nowMs,
        unanswered: 0,
      };
      this.#peers.set(hostId, peer);
      isChanged = true;
    }
    return isChanged;
  }

  /** Takes an answer in. Whether the state changed. */
  answered(nowMs: number, hostId: string): boolean {
    const peer = this.#peers.get(hostId);
    if (peer === undefined) return false;
    const isChanged = peer.state !== "answers";
    peer.state = "answers";
    peer.lastSignMs = nowMs;
    peer.unanswered = 0;
    peer.probeAtMs = nowMs + SLOW_PROBE_INTERVAL_MS;
    return isChanged;
  }

  /** Gives up who has been silent for too long, and tells who that is. */
  advance(nowMs: number): string[] {
    const givenUp: string[] = [];
    for (const [hostId, peer] of this.#peers) {
      if (peer.state === "silent" || nowMs < peer.lastSignMs + HOLD_MS) continue;
      if (peer.unanswered < MISSES_MIN) continue;
      peer.state = "silent";
      givenUp.push(hostId);
    }
    return givenUp;
  }

  /** Whom to ask now; each is taken as asked. */
  due(nowMs: number): string[] {
    if (nowMs < this.#earliestMs) return [];
    const due: string[] = [];
    for (const [hostId, peer] of this.#peers) {
      if (nowMs < peer.probeAtMs) continue;
      if (due.length === PROBES_AT_ONCE) break;
      due.push(hostId);
      peer.unanswered++;
      peer.probeAtMs = nowMs +
        (peer.state === "silent" ? SLOW_PROBE_INTERVAL_MS : PROBE_INTERVAL_MS);
    }
    if (due.length > 0) this.#earliestMs = nowMs + PROBES_APART_MS;
    return due;
  }

  /** When {@linkcode due} or {@linkcode advance} has something to do next; Infinity when nobody is gone. */
  wakeAtMs(): number {
    let wakeMs = Infinity;
    for (const { state, lastSignMs, probeAtMs, unanswered } of this.#peers.values()) {
      wakeMs = Math.min(wakeMs, Math.max(probeAtMs, this.#earliestMs));
      if (state !== "silent" && unanswered >= MISSES_MIN) {
        wakeMs = Math.min(wakeMs, lastSignMs + HOLD_MS);
      }
    }
    return wakeMs;
  }

  /** By host id; who is not among them has its agent. */
  states(): ReadonlyMap<string, DeadPeerState> {
    return new Map([...this.#peers].map(([hostId, { state }]) => [hostId, state]));
  }

  /** Hosts whose subnets are not to be routed. */
  silent(): ReadonlySet<string> {
    const silent = [...this.#peers].filter(([, { state }]) => state === "silent");
    return new Set(silent.map(([hostId]) => hostId));
  }
}
