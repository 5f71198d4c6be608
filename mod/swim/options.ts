/** What swim is made with, told to do, and shows of itself. */
import type { Endpoint } from "../base/core.ts";
import type { KeyOperation } from "../wire/key_messages.ts";
import type { Keyring } from "../wire/keyring.ts";
import type { Lifeguard } from "./lifeguard.ts";
import type { SwimCounters } from "./counters.ts";
import type { Member, MemberId } from "./member.ts";
import type { RememberedMember } from "./reconnector.ts";
import type { SeedState } from "./seeds.ts";
import type { Stranger } from "./strangers.ts";
import type { SwimTimings } from "./timings.ts";
import type { UdpState } from "./udp_watch.ts";

export interface SwimOptions {
  /** Names the cluster: hosts of other labels are strangers. At most 64 bytes of UTF-8, may be empty. */
  readonly label: string;
  /** Seals all gossip; without it gossip is plain. */
  readonly keys?: Keyring;
  /**
   * With keys, what becomes of plain gossip; `allow` while a cluster changes over: plain packets are read and answered plain,
   * and members that cannot open sealed ones are spoken to plainly. `refuse` unless said.
   */
  readonly plainGossip?: "refuse" | "allow";
  readonly self: {
    readonly id: MemberId;
    readonly name: string;
    /** As others can reach this host. */
    readonly endpoint: Endpoint;
    /** Drawn anew at each start. */
    readonly instance: string;
    readonly version: string;
    /** Of this program unless a test says otherwise. */
    readonly protocolMin?: number;
    readonly protocolMax?: number;
    /** What the outside adds to the features that swim itself knows of; bits of `wire/features.ts`. */
    readonly features?: number;
  };
  /**
   * Until then the identity is kept whoever else has it: it was drawn a moment ago, so nobody can have copied it. On the core's
   * clock; never unless said.
   */
  readonly identityKeptUntilMs?: number;
  /** To begin with: one above the remembered one (`decodeMembers`), 0 when there is none. */
  readonly incarnation: number;
  readonly timings: SwimTimings;
  /** Parts of the protocol that an experiment leaves out; all of it unless said. */
  readonly lifeguard?: Lifeguard;
  readonly seeds: readonly string[];
  /** Members known before the restart; dialled until they are seen. */
  readonly remembered: readonly RememberedMember[];
  /**
   * Members that are there from the beginning as if met long ago, without events or news, and to whom this host is no news
   * either: forms a cluster of thousands at once. For simulations, sorted by id; the objects are shared, not copied.
   */
  readonly known?: readonly Member[];
}

export type SwimCommand =
  /** Join through these as well. After a leave: come back. */
  | { readonly kind: "join"; readonly seeds: readonly string[] }
  /** These are no seeds any more; members stay members. */
  | { readonly kind: "drop-seeds"; readonly seeds: readonly string[] }
  | { readonly kind: "leave" }
  /** A member that is dead for good counts as left everywhere. Others only with `force`; a live one comes back. */
  | { readonly kind: "forget"; readonly id: MemberId; readonly force: boolean }
  /**
   * The network of this host changed or is back: it is reached at that address from now on, which may be the one it had.
   * Lost members and seeds are tried at once.
   */
  | { readonly kind: "move"; readonly endpoint: Endpoint }
  /** Does something with the gossip keys of every host; ends in a `keys-done` event of that request number. */
  | {
    readonly kind: "keys";
    readonly request: number;
    readonly operation: KeyOperation;
    /** Also when that cuts hosts off. */
    readonly force: boolean;
    /** Members that left and are expected back: they count as those do who failed. */
    readonly awaited?: readonly MemberId[];
  }
  /** Asks a member by datagram and over a stream; ends in a `pinged` event of that request number. */
  | { readonly kind: "ping"; readonly request: number; readonly id: MemberId };

/** What is known of the way to a peer. */
export interface PeerPath {
  /** Median of recent probe round trips in milliseconds; null until one was measured. */
  readonly rttMs: number | null;
  /** Whether datagrams make the round. */
  readonly udp: UdpState;
}

/** A view of the engine, not a copy: valid until its next step. */
export interface SwimSnapshot {
  readonly self: Member;
  /** Everybody, this host included, by id. */
  readonly members: readonly Member[];
  /** 0 is healthy, up to 7. */
  readonly healthScore: number;
  readonly queueLength: number;
  readonly seeds: readonly SeedState[];
  /** Remembered from before the restart, and not met since. */
  readonly missing: readonly RememberedMember[];
  /** Has found the cluster, or had nobody to look for. */
  readonly joined: boolean;
  readonly counters: Readonly<SwimCounters>;
  /** Who was turned away lately for its key or cluster; a few, who was heard last at the end. */
  readonly strangers: (nowMs: number) => readonly Stranger[];
  /** The way to a member, as far as it was measured. */
  readonly path: (id: MemberId) => PeerPath;
  /** Null without gossip keys. Members without the feature `opensSealed` are still spoken to plainly, if at all. */
  readonly encryption: {
    /** Of this host's keys, the primary first. */
    readonly fingerprints: readonly string[];
    readonly plainGossip: "refuse" | "allow";
  } | null;
}
