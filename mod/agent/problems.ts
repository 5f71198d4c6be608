/** What a person should know of beyond what the overlay and the claim report themselves: shown by `gossamer status`. */
import type { Problem } from "../base/problem.ts";
import { ConfigError } from "../base/errors.ts";
import type { HostEvent, HostSnapshot } from "../claim/host_core.ts";
import { Feature, hasFeature } from "../wire/features.ts";
import type { Stranger, StrangeReason } from "../swim/strangers.ts";

/** How long a warning stays in the status after it was last raised. */
const WARNING_MS = 3_600_000;
/** Warnings shown at once; a cluster with more has one cause for many of them. */
const WARNINGS_MAX = 20;
/** Names in one sentence: enough to begin with. */
const NAMES_SHOWN_MAX = 8;

/** Keeps what the cores warned of: the log has long scrolled on when somebody asks. */
export class Warnings {
  readonly #raised = new Map<string, { problem: Problem; atMs: number }>();

  /** Whether it is a warning that is not among the recent ones. */
  note(event: HostEvent, nowMs: number): boolean {
    if (event.kind !== "warning") return false;
    if (event.code === "udp-blocked") return true; // shown as long as it lasts: udpProblem
    const { code, text, remedy } = event;
    const isNew = !this.#raised.delete(text);
    this.#raised.set(text, { problem: { code, severity: "warning", text, remedy }, atMs: nowMs });
    const oldest = this.#raised.keys().next().value;
    if (this.#raised.size > WARNINGS_MAX && oldest !== undefined) this.#raised.delete(oldest);
    return isNew;
  }

  recent(nowMs: number): Problem[] {
    return [...this.#raised.values()]
      .filter(({ atMs }) => nowMs - atMs < WARNING_MS)
      .map(({ problem }) => problem);
  }
}

/** A host with a subnet that hears nobody keeps its containers running, but somebody should look. */
export function lonelyProblem({ swim, claim }: HostSnapshot): Problem | null {
  if (swim.joined || claim.state !== "held") return null;
  const unreachable = swim.seeds.filter(({ state }) => state !== "joined")
    .map(({ seed, reason }) => reason === undefined ? seed : `${seed} (${reason})`);
  const whom = unreachable.length === 0 ? "the hosts it remembers" : unreachable.join(", ");
  return {
    code: "not-joined",
    severity: "error",
    text: `This host has heard from no other host since it started; it tries ${whom}`,
    remedy:
      "Check that they run, that UDP and TCP of the gossip port pass, and that --cluster and " +
      "--key-file are the same on all hosts; it is tried again all the time",
  };
}

/** As long as plain gossip is taken as well, anybody may still join and speak for any host. */
export function plainGossipProblem({ swim }: HostSnapshot): Problem | null {
  if (swim.encryption?.plainGossip !== "allow") return null;
  // Who has left says nothing, and is asked again when it comes back.
  const plain = swim.members.filter(({ status, features }) =>
    status !== "left" && !hasFeature(features, Feature.opensSealed)
  ).map(({ name }) => name).sort(byNumber);
  // A host that hears nobody cannot know.
  const isOver = plain.length === 0 && swim.joined;
  const found = plain.length > 0
    ? `${plain.length} of ${swim.members.length} hosts have no key yet: ${someOf(plain)}`
    : isOver
    ? "every host has a key by now"
    : "the other hosts have not been heard of yet";
  return {
    code: "plain-gossip",
    severity: "warning",
    text: `This host also takes plain gossip (--plain-gossip), which anybody can forge: ${found}`,
    remedy: isOver
      ? "Restart the agents without --plain-gossip, one after the other"
      : "Give every host --key-file and --plain-gossip; when all have a key, restart all agents " +
        "without --plain-gossip",
  };
}

/** One packet may be a mistake or a scan; a host that is set up wrongly goes on. */
const KNOCKS_MIN = 3;

/** What is said of strangers, by why they are refused. */
const STRANGE: Record<StrangeReason, { what: string; remedy: string }> = {
  "other-key": {
    what: "has no gossip key in common with this host",
    remedy:
      "If it belongs to this cluster, compare Encryption in gossamer status on both hosts, copy " +
      "the right --key-file and restart that agent; if not, keep it away from the gossip port",
  },
  "other-cluster": {
    what: "is of another cluster (--cluster differs)",
    remedy:
      "If it belongs to this cluster, give it the same --cluster; if not, take this host out " +
      "of its --join, or keep it away from the gossip port",
  },
};

/** Hosts that try to gossip with this one and may not. They see it in their own status, where perhaps nobody looks. */
export function strangerProblems({ swim }: HostSnapshot, nowMs: number): Problem[] {
  const recent = swim.strangers(nowMs).filter(({ count }) => count >= KNOCKS_MIN);
  return (Object.keys(STRANGE) as StrangeReason[]).flatMap((reason): Problem[] => {
    const strangers = recent.filter((stranger) => stranger.reason === reason).reverse();
    if (strangers.length === 0) return [];
    const named = strangers.slice(0, NAMED_MAX).map((stranger) => describe(stranger, swim, nowMs));
    const more = strangers.length - named.length;
    const whom = more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
    const { what, remedy } = STRANGE[reason];
    const text = `Gossip from ${whom} is refused: the sender ${what}`;
    return [{ code: reason, severity: "warning", text, remedy }];
  });
}

/** `h3 (10.0.0.3, 14 times within 3 min, last 5 s ago)`: an address may be that of a known member. */
function describe(
  { address, count, firstAtMs, lastAtMs }: Stranger,
  swim: HostSnapshot["swim"],
  nowMs: number,
): string {
  const member = swim.members.find(({ endpoint }) => endpoint.startsWith(`${address}:`));
  const span = `${count} times within ${duration(lastAtMs - firstAtMs)}`;
  const when = `${span}, last ${duration(nowMs - lastAtMs)} ago`;
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  return member === undefined ? `${bare} (${when})` : `${member.name} (${bare}, ${when})`;
}

function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** h2 before h10. */
function byNumber(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(", ");
  const rest = names.length - NAMES_SHOWN_MAX;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** Peers named in one problem; the list of members marks them all. */
const NAMED_MAX = 5;

/** Peers to which UDP is blocked now: warnings fall silent after a while, blocked ports do not open by themselves. */
export function udpProblem({ swim }: HostSnapshot): Problem | null {
  const blocked = swim.members.filter(({ id }) => swim.path(id).udp === "blocked");
  if (blocked.length === 0) return null;
  const named = blocked.slice(0, NAMED_MAX).map(({ name, endpoint }) => `${name} (${endpoint})`);
  const more = blocked.length - named.length;
  const whom = more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
  return {
    code: "udp-blocked",
    severity: "warning",
    text: `UDP does not pass between this host and ${whom}, so overlay packets are lost as well`,
    remedy: "Allow UDP in both directions on the gossip and VXLAN ports between the hosts; " +
      "gossamer members marks all of them",
  };
}

/**
 * Runs the check of the overlay network against this host's own. A newcomer ends with the ConfigError that it throws; a
 * host whose containers run already goes on, and shows the problem.
 */
export function overlapProblem(hasSubnet: boolean, check: () => void): Problem | null {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError) || !hasSubnet) throw error;
    return {
      code: "network-overlap",
      severity: "warning",
      text: error.message,
      remedy: "Remove that address or route; it takes traffic of the overlay away",
    };
  }
}
