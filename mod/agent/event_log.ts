/** What happened in the cluster, as log lines. */
import { networksOf } from "../address/pool.ts";
import { Log, type LogFields } from "../base/log.ts";
import type { HostEvent } from "../claim/host_core.ts";
import { writeLogLine } from "../host/log_writer.ts";
import type { Member } from "../swim/member.ts";
import type { AgentConfig } from "./config.ts";

/** The agent's log, on standard error. */
export function openLog({ logLevel, logFormat }: AgentConfig): Log {
  return new Log({
    level: logLevel,
    format: logFormat,
    write: (line) => writeLogLine(line),
    now: () => new Date().toISOString(),
  });
}

/**
 * Writes the event; the ones that need a person are warnings. What this host does itself is said elsewhere. `nameOf` says a
 * host as people know it.
 */
export function logEvent(
  log: Log,
  event: HostEvent,
  selfId: string,
  nameOf: (hostId: string) => string,
): void {
  if ("member" in event && event.member.id === selfId) return;
  switch (event.kind) {
    case "member-joined":
      return log.info("member joined", memberFields(event.member));
    case "member-suspected":
      return log.debug("member suspected: it did not answer", memberFields(event.member));
    case "member-recovered":
      return log.info("member is back", memberFields(event.member));
    case "member-failed":
      return log.warning("member failed; its subnet stays its own", memberFields(event.member));
    case "member-left":
      return log.info("member left", memberFields(event.member));
    case "member-updated":
      return log.info("member changed", {
        ...memberFields(event.member),
        before: `${event.previous.name} ${event.previous.endpoint}`,
      });
    case "claim-changed":
      return log.info("claim", {
        state: event.to.state,
        subnet: event.to.subnet,
        reason: event.to.reason ?? undefined,
      });
    case "owners-changed":
      return log.debug("owners of subnets changed");
    case "conflict":
      return log.warning("two hosts claimed one subnet", {
        subnet: event.subnet,
        winner: nameOf(event.winner),
        loser: nameOf(event.loser),
        why: event.why,
      });
    case "pool-changed":
      return log.info("the pool was changed", {
        version: event.pool.version,
        networks: networksOf(event.pool).join(","),
      });
    case "renumbered":
      return log.warning("this host had to change its subnet", { old: event.old, new: event.new });
    case "warning":
      return log.warning(event.text, { code: event.code, remedy: event.remedy });
    case "keys-changed":
      return log.info(`gossip key ${event.change}`, { fingerprint: event.fingerprint });
    case "keys-done":
    case "pinged":
      return; // the asker is told, and each host that changes its keys tells its own log
    case "identity-lost":
      return log.error("another host runs under this host's identity, so this one takes another", {
        id: event.id.slice(0, 8),
        other: event.endpoint,
      });
    case "left":
      return log.info("left the cluster");
  }
}

function memberFields(member: Member): LogFields {
  return { name: member.name, address: member.endpoint, id: member.id.slice(0, 8) };
}
