/**
 * What a host remembers that gives up its identity to another one that has it, too: everything that it knows of others. The
 * claim that it made so far is one of theirs now.
 */
import type { MemberId } from "../swim/member.ts";
import type { RestoredClaim } from "./options.ts";

/** The memory of `lost` under another host id, with no claim yet. */
export function successorOf(lost: RestoredClaim, hostId: MemberId): RestoredClaim {
  const { machine: _, ...known } = lost; // which may not be this one
  const { record, previous, others = [] } = lost;
  return {
    ...known,
    hostId,
    generation: 0,
    record: null,
    // Containers that have addresses of it are told of the next one.
    previous: record?.state === "held" ? record.subnet : previous,
    others: record === null ? others : [...others, { record, ageMs: 0 }],
  };
}
