/**
 * Random schedules of a thousand whole hosts that have been a cluster for long. Kinds, paces and lengths are those that such
 * a cluster can be checked with in a minute or two of one core: what every host would have to tell every other one is left
 * to the smaller ones.
 */
import { CLAIM_EPISODE_KINDS, generateClaims } from "./generate_claims.ts";
import type { HostSchedule } from "./host_run.ts";

/** Hosts that all lose or meet each other, all at once: a million verdicts each time. */
const TOO_LARGE: readonly string[] = [
  "bridge",
  "massRestart",
  "suspendAll",
  "elevenMinutes",
  "flapping",
  "threeWays",
  "partition",
  "growApart",
  "newcomersInPartition",
  "deaf",
];
/** Each as likely as the others, but those more that make a host look for a subnet: nearly all have one for good. */
export const FORMED_EPISODE_KINDS: readonly string[] = [
  ...CLAIM_EPISODE_KINDS.filter((kind) => !TOO_LARGE.includes(kind)),
  ...Array<string>(6).fill("newcomers"),
  ...Array<string>(3).fill("renewed"),
  ...Array<string>(3).fill("release"),
];
const DURATION_MS = 5000;
const LENGTHS_MS = [300, 1500, 5000, 10_000] as const;
/** One to five faults. */
const PACES = [12, 24, 60] as const;

export function formedClaims(seed: number, options: { readonly hosts: number }): HostSchedule {
  return generateClaims(seed, {
    ...options,
    durationMs: DURATION_MS,
    kinds: FORMED_EPISODE_KINDS,
    lengthsMs: LENGTHS_MS,
    paces: PACES,
    isFormed: true,
  });
}
