/**
 * What rides on membership: the interface through which the claim protocol uses gossip, as memberlist's delegates do.
 *
 * Swim calls the {@linkcode Rider}; the rider calls back through {@linkcode Carrier}. Both stay synchronous and pure.
 */
import type { Endpoint } from "../base/core.ts";
import type { Member, MemberId } from "./member.ts";

/** How a rider's message arrived: gossip may come through anybody, a letter comes from its sender. */
export interface Arrival {
  readonly via: "gossip" | "letter";
  /** The address that the packet came from: for a letter, where an answer goes. */
  readonly from: Endpoint;
}

/** Called by swim, within a step. Must not throw on bad bytes. */
export interface Rider {
  /** Opens a sync: the rider's state in some tens of bytes. */
  compare(nowMs: number): Uint8Array;
  /** A peer opened a sync so; the answer says nothing more, where the states differ, or the whole state. */
  compared(nowMs: number, theirs: Uint8Array): Uint8Array;
  /** That member answered so to what this host opened with; what it lacks or still has to tell, null for nothing. */
  update(nowMs: number, member: MemberId, answer: Uint8Array): Uint8Array | null;
  /** A peer tells what this host lacks; the answer is what the peer lacks. */
  updated(nowMs: number, update: Uint8Array): Uint8Array;
  /** That member answered so to the update. */
  merge(nowMs: number, member: MemberId, rest: Uint8Array): void;
  /** One gossiped item or letter arrived. */
  receive(nowMs: number, arrival: Arrival, bytes: Uint8Array): void;
  /** A member appeared or changed status, address, name or version; `previous` is null on first sight. */
  memberChanged(nowMs: number, member: Member, previous: Member | null): void;
  /** A sync with that member, which this host asked for, was completed: each knows what the other knew. */
  synced(nowMs: number, member: MemberId): void;
}

/** Who of those that a host was given to join through has been heard. */
export interface SeedsHeard {
  readonly given: number;
  /** How many answered or are this host itself. */
  readonly answered: number;
  /** The others, as given. */
  readonly silent: readonly string[];
}

/** Offered by swim to its rider. */
export interface Carrier {
  /**
   * Spreads an item by gossip to everybody, about `4 * ceil(log10(n + 1))` transmissions. A later item of the same key
   * replaces an earlier one that is still queued only when `version` is higher; lower ones are ignored.
   */
  gossip(key: string, version: number, bytes: Uint8Array): void;
  /** Sends one datagram now, to one endpoint. At most {@linkcode Carrier.letterBytesMax} bytes; may be lost. */
  letter(to: Endpoint, bytes: Uint8Array): void;
  readonly letterBytesMax: number;
  /** Every known member, this host included, in a deterministic order (by id). */
  members(): readonly Member[];
  member(id: MemberId): Member | undefined;
  /** This host's member record as others should see it. */
  self(): Member;
  /** Lifeguard's local health score: 0 is healthy, up to 7. Waiting times stretch with it. */
  healthScore(): number;
  /** Hosts remembered from before a restart and not seen since. */
  missing(): readonly MemberId[];
  /** Those that this host was given to join through. */
  seeds(): SeedsHeard;
  /** Asks for a sync with that member (a `synced` call follows when it succeeds). */
  requestSync(member: MemberId): void;
}
