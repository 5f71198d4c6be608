/** All adversarial schedules, by their numbers. */
import { CONTENTION } from "./contention.ts";
import { DISTURBANCES } from "./disturbances.ts";
import { PARTITIONS } from "./partitions.ts";
import type { ClaimSchedule } from "./play.ts";
import { POOLS } from "./pools.ts";
import { RETURNS } from "./returns.ts";

/** Letters behind the numbers. */
function place({ number }: ClaimSchedule): number {
  const digits = parseInt(number, 10);
  return Number.isNaN(digits) ? 100 + number.charCodeAt(0) : digits;
}

export const SCHEDULES: readonly ClaimSchedule[] = [
  ...CONTENTION,
  ...PARTITIONS,
  ...RETURNS,
  ...DISTURBANCES,
  ...POOLS,
].toSorted((one, other) => place(one) - place(other));

/** Of which nothing exists in this protocol: why. */
export const NOT_PLAYED: Readonly<Record<string, string>> = {
  "32": "anchors that lose their disks: there are no anchors, all hosts are alike",
};

/** The row that a schedule has in docs/simulator.md. */
export function rowOf({ number, name, hosts }: ClaimSchedule): string[] {
  return [number, name, String(hosts)];
}
