/** `gossamer status` for people: blocks of right-aligned keys, then the problems with their remedies. Pure. */
import { endpointText } from "../address/endpoint.ts";
import type { MemberDocument, StatusDocument, TrafficDocument } from "../agent/api.ts";
import { bytesText } from "../base/bytes_text.ts";
import { age, roundTrip, wholeSeconds } from "./age.ts";
import { type Cell, columns, printable } from "./columns.ts";
import { type Paint, plainPaint } from "./paint.ts";
import { memberAddress, statusCell } from "./render_members.ts";
import { wrap } from "./wrap.ts";

/** Columns of the keys: "Incarnation" is the longest. */
const KEY_COLUMNS = 11;
/** Peers listed here; all of them are what `gossamer members` is for. */
const PEERS_SHOWN_MAX = 16;
/** However little room there is: those in trouble come first. */
const PEERS_SHOWN_MIN = 3;
/** What stays where there is no room for all: problems and peers say the rest. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  "Agent",
  "Gossip",
  "Claim",
  "Reason",
  "Overlay",
  "Traffic",
  "Last error",
]);
/** Keys whose values are tables, with lines that must stay whole. */
const TABLES: ReadonlySet<string> = new Set(["Peers"]);
/** The worst of Lifeguard's health score. */
const HEALTH_SCORE_MAX = 7;

type Line = readonly [key: string, value: string];

/** How much room there is. */
export interface Room {
  /** Columns, at which sentences are broken and columns left out; without, grep finds them whole. */
  readonly width?: number | undefined;
  /** Lines; peers take what the others leave. Without, some of them are shown. */
  readonly rows?: number | undefined;
}

export function renderStatus(
  document: StatusDocument,
  nowMs: number,
  paint: Paint,
  { width = Infinity, rows }: Room = {},
): string {
  const text = (block: readonly Line[]) => block.map((pair) => line(pair, width)).join("");
  const blocks = [
    agentBlock(document, paint),
    gossipBlock(document, paint),
    claimBlock(document, nowMs, paint),
    overlayBlock(document, paint),
  ];
  const below = text(problemsBlock(document, paint));
  // An empty line before the peers, and perhaps one that says how many more there are.
  const left = (above: readonly string[]) =>
    (rows ?? Infinity) - [...above, below].join("\n").split("\n").length - 2;
  const whole = blocks.map(text);
  const essential = blocks.flat().filter(([key]) => ESSENTIAL.has(key));
  const above = left(whole) >= PEERS_SHOWN_MIN ? whole : [text(essential)];
  const peersMax = rows === undefined ? PEERS_SHOWN_MAX : Math.max(PEERS_SHOWN_MIN, left(above));
  const peers = text(peersBlock(document, nowMs, paint, { width, peersMax }));
  return [...above, peers, below].join("\n");
}

/** The key right-aligned; further lines of the value under its first one. */
function line([key, value]: Line, width: number): string {
  const head = key === "" ? " ".repeat(KEY_COLUMNS + 2) : `${key.padStart(KEY_COLUMNS)}: `;
  const indent = " ".repeat(KEY_COLUMNS + 2);
  const text = TABLES.has(key) ? value : wrap(value, width - indent.length);
  return text.trimEnd().split("\n").map((text, index) =>
    `${index === 0 ? head : indent}${text}`.trimEnd() + "\n"
  ).join("");
}

function agentBlock({ host, ready, version }: StatusDocument, paint: Paint): Line[] {
  const state = ready ? paint("good", "ready") : paint("bad", "not ready");
  return [
    [
      "Agent",
      `${printable(host.name)} at ${endpointText(host.address, host.gossipPort)}, ${state}`,
    ],
    ["Id", host.id],
    ["Version", printable(version)],
  ];
}

function gossipBlock(document: StatusDocument, paint: Paint): Line[] {
  const { cluster, host } = document;
  const counts = [
    `${cluster.alive} alive`,
    cluster.suspect > 0 ? paint("warning", `${cluster.suspect} suspect`) : "0 suspect",
    cluster.dead > 0 ? paint("bad", `${cluster.dead} dead`) : "0 dead",
    `${cluster.left} left`,
  ];
  const health = `${host.healthScore} of ${HEALTH_SCORE_MAX} (0 is best)`;
  const seeds = cluster.seeds.map(({ seed, state, reason }): string => {
    const how = reason === undefined ? state : `${state}: ${printable(reason)}`;
    return `${printable(seed)} ${state === "joined" ? how : paint("warning", how)}`;
  });
  return [
    ["Gossip", counts.join(", ")],
    ["Encryption", encryptionText(document, paint)],
    ["Health", host.healthScore === 0 ? health : paint("warning", health)],
    ["Incarnation", String(host.incarnation)],
    ["Seeds", seeds.length === 0 ? "none" : seeds.join("\n")],
  ];
}

/** The key in use by its fingerprint, and how many others there are for packets that come in. */
function encryptionText({ encryption }: StatusDocument, paint: Paint): string {
  if (encryption === null) return "none";
  const [primary = "?", ...others] = encryption.fingerprints;
  const more = others.length === 0 ? "" : `, ${others.length} more to decrypt with`;
  const plain = encryption.plainToo ? paint("warning", "; plain gossip is taken as well") : "";
  return `key ${primary}${more}${plain}`;
}

function claimBlock({ claim, cluster }: StatusDocument, nowMs: number, paint: Paint): Line[] {
  const since = claim.since === null
    ? ""
    : ` since ${wholeSeconds(claim.since)} (${age(claim.since, nowMs)})`;
  const state = paint(claim.state === "held" ? "good" : "warning", claim.stage);
  const { ipv6Subnet } = claim;
  const ipv6 = ipv6Subnet === undefined || ipv6Subnet === null ? "" : ` and ${ipv6Subnet}`;
  const lines: Line[] = [
    ["Claim", claim.subnet === null ? state : `${claim.subnet}${ipv6} ${state}${since}`],
  ];
  if (claim.reason !== null) lines.push(["Reason", paint("warning", printable(claim.reason))]);
  const ipv6Network = cluster.ipv6Network === undefined
    ? ""
    : `; ${cluster.ipv6Network}, a /${cluster.ipv6SubnetLen}`;
  const network = `${cluster.networks.join(", ")}, a /${cluster.subnetLen} for each host`;
  lines.push(["Network", network + ipv6Network]);
  lines.push(["Conflicts", conflictsText(claim, nowMs, paint)]);
  return lines;
}

/** How many since the start, and the last one that is remembered with what decided it. */
function conflictsText(
  { conflicts, renumberings, lastConflict: last }: StatusDocument["claim"],
  nowMs: number,
  paint: Paint,
): string {
  const changes = renumberings === 0 ? "" : `, ${renumberings} subnet changed`;
  const counts = `${conflicts}${changes} since the start`;
  if (last === null) return conflicts + renumberings === 0 ? "none" : counts;
  const how = last.won ? paint("good", "won against") : paint("warning", "lost to");
  const other = printable(last.won ? last.loser : last.winner);
  return `${counts}\nlast ${age(last.at, nowMs)} ago over ${last.subnet}, ${how} ${other}\n` +
    printable(last.why);
}

function firewallLines(
  { firewall, cluster }: Pick<StatusDocument, "firewall" | "cluster">,
  paint: Paint,
): Line[] {
  if (firewall === null) return [];
  const { inSync, masquerade, guard, members, strangers, repairs } = firewall;
  const sync = inSync ? paint("good", "in sync") : paint("warning", "not in sync");
  const protocol = cluster.backend === "udp" ? "UDP backend" : "VXLAN";
  const says = [
    sync,
    ...(masquerade ? ["masquerades"] : []),
    ...(guard ? [`${protocol} from ${members} addresses only`] : []),
    ...(strangers > 0 ? [paint("warning", `${strangers} packets of others dropped`)] : []),
    ...(repairs > 0 ? [`${repairs} repaired`] : []),
  ];
  return [["Firewall", says.join(", ")]];
}

function overlayBlock({ overlay, cluster, claim, firewall }: StatusDocument, paint: Paint): Line[] {
  const sync = overlay.inSync ? paint("good", "in sync") : paint("warning", "not in sync");
  const direct = overlay.peersDirect === 0 ? "" : ` (${overlay.peersDirect} on the own link)`;
  const peers = `${overlay.peersProgrammed} of ${overlay.peersWanted} peers programmed` +
    (cluster.directRouting ? direct : "");
  const waits = claim.subnet === null && overlay.peersProgrammed === 0;
  const lines: Line[] = [
    ["Overlay", waits ? paint("warning", "waits for a subnet") : `${sync}, ${peers}`],
    [
      "Device",
      `${overlay.device} (${cluster.backend}), MTU ${overlay.mtu}` +
      (cluster.backend === "vxlan" ? `, ${overlay.mac ?? "no MAC yet"}` : "") +
      (overlay.udp === undefined ? "" : `, UDP port ${overlay.udp.port}`),
    ],
    ...udpLines(overlay.udp, paint),
    ...ipv6Lines(overlay.ipv6, paint),
    ...trafficLines(overlay, paint),
    ["Repairs", String(overlay.repairs)],
    ...firewallLines({ firewall, cluster }, paint),
  ];
  if (overlay.lastError !== null) {
    lines.push(["Last error", paint("bad", printable(overlay.lastError))]);
  }
  return lines;
}

/** Who sends and hears nobody has a way that is shut in one direction, or in both. */
function trafficLines({ traffic }: StatusDocument["overlay"], paint: Paint): Line[] {
  if (traffic === undefined || traffic === null) return [];
  const { sentBytes, receivedBytes } = traffic;
  const text = `${bytesText(sentBytes)} sent, ${bytesText(receivedBytes)} received`;
  return [["Traffic", isDeaf(traffic) ? `${text}; ${paint("bad", DEAF)}` : text]];
}

const DEAF = "sends, receives nothing";

function isDeaf({ sentPackets, receivedPackets }: TrafficDocument): boolean {
  return sentPackets > 0 && receivedPackets === 0;
}

function udpLines(udp: StatusDocument["overlay"]["udp"], paint: Paint): Line[] {
  if (udp === undefined) return [];
  const drops = Object.entries(udp.drops).filter(([, packets]) => packets > 0)
    .map(([reason, packets]) => `${packets} ${printable(reason)}`);
  const running = udp.running ? paint("good", "carried") : paint("bad", "not carried");
  const restarts = udp.restarts === 0 ? "" : `, ${udp.restarts} restarts`;
  return [
    ["Packets", running + restarts],
    ["Dropped", drops.length === 0 ? "none" : drops.join(", ")],
  ];
}

function ipv6Lines(ipv6: StatusDocument["overlay"]["ipv6"], paint: Paint): Line[] {
  if (ipv6 === undefined) return [];
  const sync = ipv6.inSync ? paint("good", "in sync") : paint("warning", "not in sync");
  const peers = `${ipv6.peersProgrammed} of ${ipv6.peersWanted} peers programmed`;
  return [["IPv6", `${ipv6.device}, MTU ${ipv6.mtu}, ${sync}, ${peers}`]];
}

/** Those in trouble first. */
const STATUS_ORDER: readonly MemberDocument["status"][] = ["suspect", "dead", "alive", "left"];

function orderOf({ status, overlay }: MemberDocument): number {
  const isSilent = overlay?.state === "silent" || overlay?.ipv6?.state === "silent";
  return isSilent ? -1 : STATUS_ORDER.indexOf(status);
}

function peersBlock(
  { members }: StatusDocument,
  nowMs: number,
  paint: Paint,
  { width, peersMax }: { readonly width: number; readonly peersMax: number },
): Line[] {
  const peers = members.filter(({ self }) => !self);
  if (peers.length === 0) return [["Peers", "none"]];
  const sorted = peers.toSorted((one, other) => orderOf(one) - orderOf(other));
  const isAsked = peers.some(({ overlay }) => (overlay ?? null) !== null);
  const hasTraffic = peers.some(({ traffic }) => traffic !== undefined);
  const shown = sorted.slice(0, peersMax);
  const rows = shown.map((peer): Row => [
    peer.name,
    memberAddress(peer),
    peer.subnet ?? "-",
    statusCell(peer.status),
    peer.status === "alive" ? roundTrip(peer.rttMs) : `for ${age(peer.statusSince, nowMs)}`,
    ...(isAsked ? [overlayCell(peer)] : []),
    ...(hasTraffic ? trafficCells(peer.traffic) : []),
  ]);
  const hidden = peers.length - shown.length;
  const more = hidden > 0 ? `and ${hidden} more: gossamer members lists them\n` : "";
  return [["Peers", columns(fitting(rows, width - KEY_COLUMNS - 2), paint) + more]];
}

type Row = readonly (string | Cell)[];

/** What can be told by gossamer members as well goes first where there is no room: addresses, then subnets. */
function fitting(rows: readonly Row[], width: number): readonly Row[] {
  let narrower = rows;
  for (let column = 0; column < 2; column++) {
    const lines = columns(narrower, plainPaint).split("\n");
    if (lines.every((line) => line.length <= width)) break;
    narrower = narrower.map(([name = "", _first, ...rest]) => [name, ...rest]);
  }
  return narrower;
}

/** How it answers through the overlay; the column before is gossip's. */
function overlayCell({ overlay, kernel }: MemberDocument): string | Cell {
  if (kernel !== null) {
    return kernel === "answers" ? "overlay up" : { text: `overlay ${kernel}`, meaning: "bad" };
  }
  if (overlay === undefined || overlay === null || overlay.state === "unknown") return "";
  if (overlay.state === "silent") return { text: "overlay silent", meaning: "bad" };
  if (overlay.ipv6?.state === "silent") return { text: "overlay silent by IPv6", meaning: "bad" };
  return `overlay ${roundTrip(overlay.rttMs)}`;
}

function trafficCells(traffic: MemberDocument["traffic"]): (string | Cell)[] {
  if (traffic === undefined) return ["-", "-"];
  if (isDeaf(traffic)) {
    return [`${bytesText(traffic.sentBytes)} sent`, { text: DEAF, meaning: "bad" }];
  }
  return [`${bytesText(traffic.sentBytes)} sent`, `${bytesText(traffic.receivedBytes)} received`];
}

function problemsBlock({ problems }: StatusDocument, paint: Paint): Line[] {
  if (problems.length === 0) return [["Problems", "none"]];
  const lines = problems.flatMap(({ code, severity, text, remedy }): Line[] => [
    [
      severity,
      `${paint(severity === "error" ? "bad" : "warning", code)}: ${printable(text)}`,
    ],
    ["remedy", printable(remedy)],
  ]);
  return [["Problems", String(problems.length)], ...lines];
}
