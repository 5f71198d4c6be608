/**
 * The sanity rule: epochs and stamps rise by one at a time, so a number far above all known ones is forged or damaged. Taken
 * over, it would be at its maximum everywhere for ever.
 */

/** More than a cluster of 10,000 hosts that each claim a hundred times between two syncs. */
export const LEAP_MAX = 2 ** 20;

/** Whether a number may be believed by one who knows `highest` as the largest so far. */
export function isSane(value: number, highest: number): boolean {
  return value <= highest + LEAP_MAX;
}
