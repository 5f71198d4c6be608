/**
 * Who was turned away lately for its key or cluster: mostly a host that was set up wrongly, whose own log nobody reads.
 *
 * Anybody can send such packets, and datagrams bear forged addresses: so only a few addresses are kept, nothing is logged,
 * and one that falls silent is forgotten.
 */
import type { Endpoint } from "../base/core.ts";
import type { EnvelopeReason } from "../wire/envelope.ts";

/** Addresses kept; of more, those heard last. */
export const STRANGERS_MAX = 16;

/** How long a stranger that falls silent is kept. Lost hosts try their seeds each minute. */
export const STRANGER_MS = 600_000;

/** Reasons that somebody can do something about. */
export type StrangeReason = Extract<EnvelopeReason, "other-key" | "other-cluster">;

/** An address whose gossip is refused. */
export interface Stranger {
  /** Without the port: each stream comes from another one. */
  readonly address: string;
  /** For the last packet. */
  readonly reason: StrangeReason;
  /** Packets and requests since the first, without a pause longer than {@linkcode STRANGER_MS}. */
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export class Strangers {
  /** By address, in the order in which they were last heard. */
  readonly #strangers = new Map<string, Stranger>();

  /** Something was refused; other reasons are passed over. */
  refused(nowMs: number, from: Endpoint, reason: EnvelopeReason): void {
    if (reason !== "other-key" && reason !== "other-cluster") return;
    const address = from.slice(0, from.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
    const known = this.#strangers.get(address);
    const isSilent = known === undefined || nowMs - known.lastAtMs > STRANGER_MS;
    const { count, firstAtMs } = isSilent ? { count: 0, firstAtMs: nowMs } : known;
    this.#strangers.delete(address);
    this.#strangers.set(address, { address, reason, count: count + 1, firstAtMs, lastAtMs: nowMs });
    if (this.#strangers.size <= STRANGERS_MAX) return;
    for (const oldest of this.#strangers.keys()) {
      this.#strangers.delete(oldest);
      return;
    }
  }

  /** Those not silent for long, who was heard last at the end. */
  recent(nowMs: number): Stranger[] {
    return [...this.#strangers.values()].filter(({ lastAtMs }) => nowMs - lastAtMs <= STRANGER_MS);
  }
}
