/** What the agent tells of as it happens: docs/events.md lists the names. */
import type { MemberStatusName, STATUS_SCHEMA } from "./names.ts";

/** In the order of docs/events.md. */
export const EVENT_NAMES = [
  "member-joined",
  "member-suspected",
  "member-recovered",
  "member-failed",
  "member-left",
  "member-changed",
  "claim-changed",
  "conflict",
  "renumbered",
  "pool-changed",
  "ready",
  "not-ready",
  "peer-added",
  "peer-removed",
  "peer-kernel",
  "overlay-repaired",
  "problem-raised",
  "problem-cleared",
  "key-changed",
  "identity-lost",
  "left",
] as const;

export type EventName = typeof EVENT_NAMES[number];

export interface EventMember {
  id: string;
  name: string;
  /** With the gossip port. */
  address: string;
  status: MemberStatusName;
}

/** What an event says besides when it was and who tells it. Fields that are not the event's are absent. */
export interface EventBody {
  event: EventName;
  severity: "info" | "warning" | "error";
  /** One line for people. */
  text: string;
  /** Of `member-` and `peer-` events. */
  member?: EventMember;
  /** Of `member-changed`: name and address as they were. */
  before?: { name: string; address: string };
  /** Of `claim-changed`: the state of this host's claim; with `subnet`. */
  state?: string;
  /** Of `claim-changed`, `conflict` and `peer-added`. */
  subnet?: string | null;
  /** Of `claim-changed` and `not-ready`. */
  reason?: string | null;
  /** Of `conflict`: names of hosts with the beginning of their ids, and the order field by field. */
  winner?: string;
  loser?: string;
  why?: string;
  /** Of `renumbered`. */
  old?: string;
  new?: string;
  /** Of `pool-changed`. */
  version?: number;
  networks?: string[];
  /** Of `peer-added`. */
  path?: "vxlan" | "direct" | "udp";
  /** Of `peer-kernel`. */
  kernel?: "answers" | "checking" | "silent";
  /** Of `overlay-repaired`: objects put back since the event before. */
  count?: number;
  /** Of `problem-raised` and `problem-cleared`. */
  code?: string;
  remedy?: string;
  /** Of `key-changed`. */
  change?: "installed" | "used" | "removed";
  fingerprint?: string;
}

export interface EventDocument extends EventBody {
  schema: typeof STATUS_SCHEMA;
  /** 1 for the first event of this run of the agent, then one more each. */
  sequence: number;
  /** RFC 3339. */
  time: string;
  /** The name of the host whose agent tells it. */
  host: string;
}

/** Between two events of a stream whose reader is too slow: how many were left out there. */
export interface DroppedDocument {
  schema: typeof STATUS_SCHEMA;
  event: "events-dropped";
  count: number;
}
