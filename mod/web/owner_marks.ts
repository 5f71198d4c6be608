/** A letter and a colour for each host that claims a subnet: the map and the table of members say the same of it. */
import type { PageSubnet } from "./page_data.ts";

export interface OwnerMark {
  readonly letter: string;
  /** Class of the style sheet. */
  readonly color: string;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Beyond the alphabet a letter says no longer whose. */
const SHARED_LETTER = "#";
const OWN: OwnerMark = { letter: "@", color: "own" };
/** Colours of the style sheet: `c0` and so on. */
export const OWNER_COLORS = 12;

/** By the ids of the owners, in the order of the subnets. */
export function ownerMarks(subnets: readonly PageSubnet[]): ReadonlyMap<string, OwnerMark> {
  const marks = new Map<string, OwnerMark>();
  let next = 0;
  for (const { ownerId, self, state } of subnets) {
    if (state === "released" || marks.has(ownerId)) continue;
    const color = `c${next % OWNER_COLORS}`;
    marks.set(ownerId, self ? OWN : { letter: LETTERS[next++] ?? SHARED_LETTER, color });
  }
  return marks;
}
