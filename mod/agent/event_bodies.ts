/** The cores' events as the outside is told of them. */
import { networksOf } from "../address/pool.ts";
import type { HostEvent } from "../claim/host_core.ts";
import type { Member } from "../swim/member.ts";
import type { EventBody, EventMember, EventName } from "./api.ts";

type MemberChange = Extract<HostEvent, { member: Member }>["kind"];

const MEMBER_EVENTS: Readonly<
  Record<MemberChange, { event: EventName; severity: EventBody["severity"]; says: string }>
> = {
  "member-joined": { event: "member-joined", severity: "info", says: "joined" },
  "member-suspected": { event: "member-suspected", severity: "warning", says: "does not answer" },
  "member-recovered": { event: "member-recovered", severity: "info", says: "is back" },
  "member-failed": {
    event: "member-failed",
    severity: "error",
    says: "failed; its subnet stays its own",
  },
  "member-left": { event: "member-left", severity: "info", says: "left" },
  "member-updated": { event: "member-changed", severity: "info", says: "changed" },
};

/**
 * What the outside is told; null for what is the agent's own business, and for warnings, which are told as problems.
 * `nameOf` says a host as people know it.
 */
export function eventBody(
  event: HostEvent,
  selfId: string,
  nameOf: (hostId: string) => string,
): EventBody | null {
  switch (event.kind) {
    case "member-joined":
    case "member-suspected":
    case "member-recovered":
    case "member-failed":
    case "member-left":
    case "member-updated":
      return event.member.id === selfId ? null : memberBody(event);
    case "claim-changed": {
      const { state, subnet, reason } = event.to;
      const what = subnet === null ? state : `${subnet} ${state}`;
      const text = `This host's claim: ${what}${reason === null ? "" : `; ${reason}`}`;
      return { event: "claim-changed", severity: "info", text, state, subnet, reason };
    }
    case "conflict": {
      const { subnet, why } = event;
      const [winner, loser] = [nameOf(event.winner), nameOf(event.loser)];
      const text = `${winner} and ${loser} claimed ${subnet}, and ${winner} has it`;
      return { event: "conflict", severity: "warning", text, subnet, winner, loser, why };
    }
    case "renumbered": {
      const text = `This host had to change its subnet from ${event.old} to ${event.new}`;
      return { event: "renumbered", severity: "error", text, old: event.old, new: event.new };
    }
    case "pool-changed": {
      const { version } = event.pool;
      const networks = networksOf(event.pool);
      const text = `The pool was changed to version ${version}: ${networks.join(", ")}`;
      return { event: "pool-changed", severity: "info", text, version, networks };
    }
    case "keys-changed": {
      const { change, fingerprint } = event;
      const text = `Gossip key ${fingerprint} ${change}`;
      return { event: "key-changed", severity: "info", text, change, fingerprint };
    }
    case "identity-lost": {
      const text = `Another host runs under this host's identity at ${event.endpoint}, so this ` +
        "one takes another";
      return { event: "identity-lost", severity: "error", text };
    }
    case "left":
      return { event: "left", severity: "info", text: "This host left the cluster" };
    case "warning":
    case "owners-changed":
    case "keys-done":
    case "pinged":
      return null;
  }
}

export function eventMember({ id, name, endpoint, status }: Member): EventMember {
  return { id, name, address: endpoint, status };
}

function memberBody(change: Extract<HostEvent, { member: Member }>): EventBody {
  const { event, severity, says } = MEMBER_EVENTS[change.kind];
  const member = eventMember(change.member);
  const body: EventBody = { event, severity, text: `${member.name} ${says}`, member };
  if (change.kind !== "member-updated") return body;
  const before = { name: change.previous.name, address: change.previous.endpoint };
  return { ...body, before, text: `${body.text}: it was ${before.name} at ${before.address}` };
}
