/** How an operation on the gossip keys of the whole cluster ended, host by host. No key appears here, only fingerprints. */
import type { Endpoint } from "../base/core.ts";
import type { MemberId, MemberStatus } from "./member.ts";

/** One host and what it answered. */
export interface KeyHolder {
  readonly id: MemberId;
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Null for a host remembered from before a restart that was not met since. */
  readonly status: MemberStatus | null;
  /** Fingerprints of its keys, the primary first; null when it did not say. */
  readonly fingerprints: readonly string[] | null;
  /** Why it did not answer, or did not do as asked; null when all is well. */
  readonly failure: string | null;
}

/** One key and how many hosts have it, of those that answered. */
export interface KeyCount {
  /** First 8 hexadecimal digits of the key's SHA-256. */
  readonly fingerprint: string;
  readonly holders: number;
  /** Hosts that seal with it. */
  readonly primaries: number;
}

export interface KeyOutcome {
  /** Every host answered and did as asked. */
  readonly isComplete: boolean;
  /** Why nothing was changed anywhere; null when the operation was carried out, if not by everybody. */
  readonly refusal: { readonly text: string; readonly remedy: string } | null;
  /** This host first, the others by name; empty when nobody was asked. */
  readonly hosts: readonly KeyHolder[];
  /** By number of hosts that seal with it, then that have it, most first. */
  readonly keys: readonly KeyCount[];
}
