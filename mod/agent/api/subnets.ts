/** The documents of `GET /subnets` and `GET /subnets/why`: who owns what, and by which order. */
import type { ClaimStanding, MemberStatusName } from "./names.ts";
import type { PastDocument } from "./status.ts";
import type { STATUS_SCHEMA } from "./names.ts";

export interface SubnetDocument {
  subnet: string;
  /** The IPv6 subnet that goes with it; absent without dual stack. */
  ipv6Subnet?: string | null;
  owner: string;
  ownerId: string;
  ownerStatus: MemberStatusName | "unknown";
  state: "tentative" | "held" | "yielding" | "released";
  epoch: number;
  since: string;
  self: boolean;
  standing: ClaimStanding;
}

/** What a claim comes to: see {@linkcode ClaimStanding}. */
export interface WhyClaim {
  subnet: string;
  owner: string;
  ownerId: string;
  ownerAddress: string | null;
  ownerStatus: MemberStatusName | "unknown";
  self: boolean;
  state: SubnetDocument["state"];
  standing: ClaimStanding;
  epoch: number;
  strength: number;
  /** The same in words: "held, a majority knows". */
  strengthText: string;
  stamp: number;
  /** When this host's agent first saw it so. */
  since: string;
  /** How long its host has been away in time that proves it, and from when on its subnet may be taken; null when it is there. */
  absentSeconds: number | null;
  absenceTtlSeconds: number;
  /** Against the owner, field by field; empty for the owner itself and for claims that count for nothing. */
  order: { what: string; winner: string; loser: string; decides: boolean }[];
}

export interface WhyDocument {
  schema: typeof STATUS_SCHEMA;
  /** What was asked for, as a subnet. */
  subnet: string;
  /** Whether it is one of the pool's subnets. */
  inPool: boolean;
  /** Whether no claim stands in the way of choosing it now. */
  free: boolean;
  /** Highest epoch at which it was ever held; 0 for never. */
  fence: number;
  /** Until when it rests, since its last holder gave it back. */
  restsUntil: string | null;
  /** Set apart by an operator. */
  reserved: boolean;
  /** The host for whom it is kept; null for nobody. */
  pinnedTo: string | null;
  /** Every claim that overlaps it, the owner's first. */
  claims: WhyClaim[];
  /** Contests and changes of this host's subnet that it had a part in. */
  history: PastDocument[];
}

export interface SubnetsDocument {
  schema: typeof STATUS_SCHEMA;
  network: string;
  /** With those that operators added to it. */
  networks: string[];
  subnetLen: number;
  /** With dual stack. */
  ipv6Network?: string;
  /** Subnets held now, and how many the pool has. */
  used: number;
  total: number;
  subnets: SubnetDocument[];
}
