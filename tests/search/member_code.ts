/** A member as a host sees it, as one small number: how often it started, and its status. */
import type { MemberStatus } from "../../mod/swim/member.ts";

export const STATUSES: readonly MemberStatus[] = ["alive", "suspect", "dead", "left"];
export const [ALIVE, SUSPECT, DEAD, LEFT] = [0, 1, 2, 3];
/** Of whom nothing was heard. */
export const UNKNOWN = -1;

export function memberCode(starts: number, status: number): number {
  return starts * STATUSES.length + status;
}

export function statusOf(code: number): number {
  return code === UNKNOWN ? UNKNOWN : code % STATUSES.length;
}

export function isThere(code: number): boolean {
  return code !== UNKNOWN && statusOf(code) <= SUSPECT;
}

export function startsOf(code: number): number {
  return code === UNKNOWN ? 0 : Math.floor(code / STATUSES.length);
}
