/** `gossamer members` for people: one line a member. Pure. */
import { endpointText } from "../address/endpoint.ts";
import type { MemberDocument } from "../agent/api.ts";
import { GOSSIP_PORT_DEFAULT } from "../base/limits.ts";
import { age, roundTrip } from "./age.ts";
import { type Cell, columns } from "./columns.ts";
import type { Meaning, Paint } from "./paint.ts";

const HEADER = ["NAME", "ADDRESS", "STATUS", "SUBNET", "RTT", "VERSION"];

const MEANINGS: Readonly<Record<MemberDocument["status"], Meaning>> = {
  alive: "good",
  suspect: "warning",
  dead: "bad",
  left: "faint",
};

const KERNEL_WORDS: Readonly<Record<NonNullable<MemberDocument["kernel"]>, string>> = {
  answers: "agent down, overlay up",
  checking: "agent down, overlay asked",
  silent: "agent and overlay down",
};

/** The table; what is remarkable about a member stands behind its last column. */
export function renderMembers(
  members: readonly MemberDocument[],
  nowMs: number,
  paint: Paint,
): string {
  const rows = members.map((member) => [
    member.name,
    memberAddress(member),
    statusCell(member.status),
    member.subnet ?? "-",
    member.self ? "-" : compactRoundTrip(member.rttMs),
    member.version,
    { text: remark(member, nowMs), meaning: "faint" as const },
  ]);
  return columns([HEADER, ...rows], paint);
}

/** The address, with the port only where it is not the usual one. */
export function memberAddress(member: { address: string; gossipPort: number }): string {
  return member.gossipPort === GOSSIP_PORT_DEFAULT
    ? member.address
    : endpointText(member.address, member.gossipPort);
}

export function statusCell(status: MemberDocument["status"] | "unknown"): Cell {
  return status === "unknown"
    ? { text: status, meaning: "warning" }
    : { text: status, meaning: MEANINGS[status] };
}

/** Without a blank, so that a column stays one word. */
function compactRoundTrip(ms: number | null): string {
  return roundTrip(ms).replace(" ", "");
}

function remark(member: MemberDocument, nowMs: number): string {
  if (member.self) return "(this host)";
  if (member.status !== "alive") {
    const since = `for ${age(member.statusSince, nowMs)}`;
    return member.kernel === null ? `(${since})` : `(${since}; ${KERNEL_WORDS[member.kernel]})`;
  }
  if (member.udp === "blocked") return "(UDP blocked)";
  if (member.overlay?.state === "silent") return "(overlay silent)";
  return member.overlay?.ipv6?.state === "silent" ? "(overlay silent by IPv6)" : "";
}
