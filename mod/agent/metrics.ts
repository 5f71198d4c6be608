/**
 * What the agent counts and measures, in the text format of Prometheus (exposition format 0.0.4). The names are part of the
 * outside: docs/metrics.md lists them.
 */
import { VERSION } from "../base/version.ts";
import { subnetCount } from "../address/pool.ts";
import { type ClaimStageName, EVENT_NAMES, type MemberStatusName } from "./api.ts";
import type { Member } from "../swim/member.ts";
import { claimStage } from "./claim_stage.ts";
import { isSilent } from "./overlay_health.ts";
import { isReady, type StatusSources } from "./status.ts";

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface Metric {
  /** Without the prefix `gossamer_`; counters end in `_total`. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

const MEMBER_STATUSES: readonly MemberStatusName[] = ["alive", "suspect", "dead", "left"];
const STAGES: readonly ClaimStageName[] = [
  ...["starting", "listening", "lonely", "returning", "tentative"] as const,
  ...["held", "yielding", "waiting", "released"] as const,
];

/** As {@linkcode peerLabels} makes them, 16 bytes of id. */
const SUFFIXED = / \([0-9a-f]{32}\)$/;

/** The content type of {@linkcode metricsText}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function metricsText(sources: StatusSources): string {
  return metrics(sources).map(metricText).join("");
}

/** All metrics of the agent. */
export function metrics(sources: StatusSources): Metric[] {
  const identities = counter(
    "identities_lost_total",
    "Identities that this host gave up because another one had them",
    sources.identitiesLost,
  );
  return [
    ...hostMetrics(sources),
    identities,
    gauge(
      "start_time_seconds",
      "When the agent started, in seconds since 1970",
      Date.parse(sources.wallTime(0)) / 1000,
    ),
    many(
      "events_total",
      "counter",
      "Events told to monitor, --on-event and the page",
      "event",
      EVENT_NAMES.map((name) => [name, sources.eventCounts.get(name) ?? 0]),
    ),
    ...wayMetrics(sources),
    ...claimMetrics(sources),
    ...claimCounters(sources),
  ];
}

function hostMetrics({ snapshot, overlay, problems }: StatusSources): Metric[] {
  const { swim, claim } = snapshot;
  const all = [...claim.problems, ...overlay.problems, ...problems];
  return [
    gauge("info", "The agent's version and name", 1, { version: VERSION, host: swim.self.name }),
    gauge(
      "ready",
      "1 when containers may start: claim held, kernel as wanted, subnet.env written",
      {
        truth: isReady(snapshot, overlay),
      },
    ),
    many(
      "members",
      "gauge",
      "Members as gossip sees them, this host included",
      "status",
      MEMBER_STATUSES.map((status) => [
        status,
        swim.members.filter((member) => member.status === status).length,
      ]),
    ),
    gauge("health_score", "Local health of gossip, 0 (best) to 7", swim.healthScore),
    many(
      "problems",
      "gauge",
      "Problems that gossamer status shows",
      "severity",
      (["warning", "error"] as const).map((severity) => [
        severity,
        all.filter((problem) => problem.severity === severity).length,
      ]),
    ),
    {
      name: "problem",
      type: "gauge",
      help: "1 for each kind of problem that gossamer status shows",
      samples: [...new Map(all.map(({ code, severity }) => [code, severity]))]
        .map(([code, severity]) => ({ labels: { code, severity }, value: 1 })),
    },
    gauge("overlay_in_sync", "1 when the kernel is as wanted", { truth: overlay.inSync }),
    gauge("overlay_peers_wanted", "Peers that the kernel should know", overlay.peersWanted),
    gauge("overlay_peers_programmed", "Peers that the kernel knows", overlay.peersProgrammed),
    gauge(
      "overlay_peers_direct",
      "Peers that are reached by a bare route over the underlay",
      [...overlay.paths.values()].filter((path) => path === "direct").length,
    ),
    counter(
      "overlay_repairs_total",
      "Kernel objects put back after somebody changed them",
      overlay.repairs,
    ),
    counter(
      "overlay_looks_repeated_total",
      "Times that the kernel was looked at again: it changed meanwhile, or its answers were lost",
      overlay.looksRepeated,
    ),
    ...firewallMetrics(overlay),
    ...udpMetrics(overlay, swim.members),
  ];
}

/** The way through the overlay, as pings and the device's counters tell it. */
function wayMetrics({ health, traffic }: StatusSources): Metric[] {
  return [
    gauge(
      "overlay_peers_silent",
      "Peers whose agents are there, and whose VTEPs do not answer through the overlay",
      [...health?.values() ?? []].filter(isSilent).length,
    ),
    ...(traffic === undefined || traffic === null ? [] : [
      counter("overlay_sent_bytes_total", "Bytes that the device sent", traffic.sentBytes),
      counter(
        "overlay_received_bytes_total",
        "Bytes that the device received",
        traffic.receivedBytes,
      ),
    ]),
  ];
}

/** With `--backend udp`. */
function udpMetrics(
  { tunnel }: StatusSources["overlay"],
  members: readonly Member[],
): Metric[] {
  if (tunnel === null || tunnel === undefined) return [];
  const labels = peerLabels(members);
  const perPeer = (unit: "packets" | "bytes"): Metric => ({
    name: `udp_${unit}_total`,
    type: "counter",
    help: `Inner ${unit} that the agent carried to and from each peer`,
    samples: [...tunnel.peers].flatMap(([hostId, traffic]) => {
      const peer = labels.get(hostId) ?? hostId;
      const isPackets = unit === "packets";
      const sent = isPackets ? traffic.packetsSent : traffic.bytesSent;
      const received = isPackets ? traffic.packetsReceived : traffic.bytesReceived;
      return [
        { labels: { peer, direction: "sent" }, value: sent },
        { labels: { peer, direction: "received" }, value: received },
      ];
    }),
  });
  return [
    gauge("udp_running", "1 while the agent carries packets", { truth: tunnel.isRunning }),
    counter(
      "udp_restarts_total",
      "Times that the thread that carries packets was started again",
      tunnel.restarts,
    ),
    perPeer("packets"),
    perPeer("bytes"),
    many(
      "udp_drops_total",
      "counter",
      "Packets that were not passed on",
      "reason",
      Object.entries(tunnel.drops),
    ),
  ];
}

/**
 * Peers as people know them, by host id. Nothing keeps two hosts from having one name, and a sample that stands twice makes
 * Prometheus refuse all of them: such names, and those that look so, have their id behind them.
 */
function peerLabels(members: readonly Member[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { name } of members) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isShared = (name: string) => (counts.get(name) ?? 0) > 1 || SUFFIXED.test(name);
  return new Map(
    members.map(({ id, name }) => [id, isShared(name) ? `${name} (${id})` : name]),
  );
}

function firewallMetrics({ firewall }: StatusSources["overlay"]): Metric[] {
  if (firewall === null || firewall === undefined) return [];
  return [
    gauge("firewall_in_sync", "1 when our table of nftables is as wanted", {
      truth: firewall.inSync,
    }),
    gauge("firewall_members", "Addresses that may send packets of the overlay", firewall.members),
    gauge(
      "firewall_strangers",
      "Packets of the overlay from others, dropped since the table was made",
      firewall.strangers,
    ),
    counter(
      "firewall_repairs_total",
      "Changes of others to our table of nftables, undone",
      firewall.repairs,
    ),
  ];
}

function claimMetrics({ snapshot }: StatusSources): Metric[] {
  const { claim } = snapshot;
  const { stage } = claimStage(claim, (id) => id);
  return [
    many(
      "claim_stage",
      "gauge",
      "1 for the stage that this host's claim is at",
      "stage",
      STAGES.map((each) => [each, Number(each === stage)]),
    ),
    gauge("claim_epoch", "Epoch of this host's claim, 0 without one", claim.record?.epoch ?? 0),
    gauge(
      "claim_strength",
      "0 asked for, 1 held, 2 known to a majority, 4 more when pinned",
      claim.record?.strength ?? 0,
    ),
    gauge("subnets_used", "Subnets that have an owner", claim.owners.length),
    gauge("subnets_in_pool", "Subnets of the pool", subnetCount(snapshot.claim.pool)),
    gauge("fence_entries", "Subnets that were ever held", claim.fenceSize),
    gauge("claim_hosts_absent", "Claims whose hosts are away", claim.absences().length),
  ];
}

function claimCounters({ snapshot: { claim: { counters } } }: StatusSources): Metric[] {
  const { answersReceived, answersSent } = counters;
  return [
    many("claim_conflicts_total", "counter", "Contests over this host's subnet", "outcome", [
      ["won", counters.conflictsWon],
      ["lost", counters.conflictsLost],
    ]),
    counter(
      "claim_renumberings_total",
      "Subnets that this host had to change",
      counters.renumberings,
    ),
    counter(
      "claim_writes_total",
      "Records of this host written to disk and announced",
      counters.writes,
    ),
    counter("claim_disk_refusals_total", "Writes that the disk refused", counters.diskRefusals),
    counter(
      "claim_requests_total",
      "Times this host asked the others for a subnet",
      counters.requests,
    ),
    counter("claim_choices_lost_total", "Choices that went to another host", counters.choicesLost),
    many(
      "claim_answers_received_total",
      "counter",
      "Answers to this host's questions",
      "verdict",
      Object.entries(answersReceived),
    ),
    many(
      "claim_answers_sent_total",
      "counter",
      "Answers to the questions of others",
      "verdict",
      Object.entries(answersSent),
    ),
    counter(
      "claim_refutes_total",
      "Questions answered by holding at their epoch",
      counters.refutes,
    ),
    counter("claim_raises_total", "Epochs raised after a contest", counters.raises),
    counter("claim_reclaims_total", "Subnets of absent hosts taken", counters.reclaims),
    counter(
      "claim_forgets_total",
      "Claims that an operator had this host forget",
      counters.forgets,
    ),
    counter("claim_clones_total", "Claims that a copy of an identity wrote", counters.clones),
    counter(
      "claim_sanity_refusals_total",
      "Records, fences and clocks that leap too far",
      counters.sanityRefusals,
    ),
  ];
}

function counter(name: string, help: string, value: number): Metric {
  return { name, type: "counter", help, samples: [{ value }] };
}

function gauge(
  name: string,
  help: string,
  value: number | { readonly truth: boolean },
  labels: Labels = {},
): Metric {
  const number = typeof value === "number" ? value : Number(value.truth);
  return { name, type: "gauge", help, samples: [{ labels, value: number }] };
}

/** One sample for each value of a label. */
function many(
  name: string,
  type: Metric["type"],
  help: string,
  label: string,
  values: readonly (readonly [string, number])[],
): Metric {
  const samples = values.map(([text, value]) => ({ labels: { [label]: text }, value }));
  return { name, type, help, samples };
}

function metricText({ name, type, help, samples }: Metric): string {
  const full = `gossamer_${name}`;
  const lines = samples.map(({ labels = {}, value }) => `${full}${labelText(labels)} ${value}`);
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines].join("\n") + "\n";
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** A name of a host may have anything in it. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
