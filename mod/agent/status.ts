/** The documents of the control API, made from what the cores and the overlay know. */
import { compareCidrs } from "../address/cidr.ts";
import { backendOf, type ClaimRecord } from "../claim/record.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import type { Member } from "../swim/member.ts";
import type { SwimSnapshot } from "../swim/options.ts";
import { ipv6HalfOf, networksOf, type Pool, subnetCount } from "../address/pool.ts";
import { stands } from "../claim/standing.ts";
import type { Past } from "./claim_history.ts";
import { claimStage } from "./claim_stage.ts";
import type { AgentConfig } from "./config.ts";
import type { DeviceTraffic } from "../host/device_traffic.ts";
import type { OverlayHealth, WayHealth } from "./overlay_health.ts";
import type { UdpDocument } from "./overlay_documents.ts";
import type { OverlayStatus } from "./overlay_keeper.ts";
import {
  type ClaimStanding,
  type ClaimStateName,
  type EventName,
  type MemberDocument,
  type OverlayWayDocument,
  type PastDocument,
  type ProblemDocument,
  STATUS_SCHEMA,
  type StatusDocument,
  type SubnetDocument,
  type SubnetsDocument,
  type TrafficDocument,
  type VtepAnswerDocument,
} from "./api.ts";

/** Everything a document is made from. */
export interface StatusSources {
  readonly version: string;
  readonly config: AgentConfig;
  readonly snapshot: HostSnapshot;
  readonly overlay: OverlayStatus;
  /** The way through the overlay to each peer that is asked, by host id. */
  readonly health?: ReadonlyMap<string, OverlayHealth>;
  /** Of the overlay's device. */
  readonly traffic?: DeviceTraffic | null;
  /** Problems of the agent itself: the kernel, the disk, the interface. */
  readonly problems: readonly ProblemDocument[];
  /** What happened to this host's claim, the newest first. */
  readonly history: readonly Past[];
  /** Identities that this process gave up since another host, or another machine, had them as well. */
  readonly identitiesLost: number;
  /** Events since the agent started; names that did not happen are absent. */
  readonly eventCounts: ReadonlyMap<EventName, number>;
  /** The present, on the core's clock. */
  readonly nowMs: number;
  /** Turns a moment of the core's clock into RFC 3339 text. */
  readonly wallTime: (coreMs: number) => string;
}

/** Whether containers may be started: claim held, kernel as wanted, every known peer programmed, subnet.env written. */
export function isReady(snapshot: HostSnapshot, overlay: OverlayStatus): boolean {
  return snapshot.claim.state === "held" && overlay.inSync && overlay.subnetFileWritten;
}

export function statusDocument(sources: StatusSources): StatusDocument {
  const { config, snapshot, overlay, wallTime } = sources;
  const { swim, claim } = snapshot;
  const counts = { alive: 0, suspect: 0, dead: 0, left: 0 };
  for (const member of swim.members) counts[member.status]++;
  const { address, gossipPort } = endpointParts(swim.self);
  const { stage, reason } = claimStage(claim, (id) => hostName(snapshot, id));
  const history = sources.history.map((past): PastDocument => ({ ...past }));
  // What was held before a restart is not held yet.
  const subnet = stage === "returning" ? null : claim.subnet;
  return {
    schema: STATUS_SCHEMA,
    version: sources.version,
    ready: isReady(snapshot, overlay),
    host: {
      id: swim.self.id,
      name: swim.self.name,
      address,
      gossipPort,
      incarnation: swim.self.incarnation,
      healthScore: swim.healthScore,
    },
    cluster: {
      network: config.pool.cidr,
      networks: networksOf(snapshot.claim.pool),
      subnetLen: config.pool.subnetLength,
      ...ipv6Pool(config.pool),
      backend: config.backend === "vxlan-direct" ? "vxlan" : config.backend,
      directRouting: config.backend === "vxlan-direct",
      ...counts,
      seeds: swim.seeds.map((seed) => ({ ...seed })),
    },
    encryption: encryptionDocument(swim),
    claim: {
      state: claimStateName(claim.state),
      subnet,
      ...ipv6Half(snapshot.claim.pool, subnet),
      since: subnet === null ? null : wallTime(claim.sinceMs),
      conflicts: claim.conflicts,
      reason,
      stage,
      epoch: claim.record?.epoch ?? null,
      strength: claim.record?.strength ?? null,
      renumberings: claim.counters.renumberings,
      lastConflict: history.find((past) => past.kind === "conflict") ?? null,
      history,
    },
    counters: structuredClone(claim.counters),
    overlay: {
      device: overlay.device,
      mac: overlay.mac,
      mtu: overlay.mtu,
      inSync: overlay.inSync,
      peersWanted: overlay.peersWanted,
      peersProgrammed: overlay.peersProgrammed,
      peersDirect: [...overlay.paths.values()].filter((path) => path === "direct").length,
      repairs: overlay.repairs,
      lastError: overlay.lastError ?? overlay.ipv6?.lastError ?? null,
      ...trafficDocument(sources),
      ...(overlay.ipv6 === undefined || overlay.ipv6 === null ? {} : { ipv6: { ...overlay.ipv6 } }),
      ...udpDocument(overlay.tunnel),
    },
    firewall: firewallDocument(overlay),
    members: memberDocuments(sources),
    problems: [...claim.problems, ...overlay.problems, ...sources.problems],
  };
}

/** Nothing but with `--backend udp`. */
function udpDocument(tunnel: OverlayStatus["tunnel"]): { udp?: UdpDocument } {
  if (tunnel === undefined || tunnel === null) return {};
  const { port, isRunning: running, restarts, drops } = tunnel;
  return { udp: { port, running, restarts, drops: { ...drops } } };
}

/** Of a peer to which packets are carried. */
function peerTraffic(
  tunnel: OverlayStatus["tunnel"],
  hostId: string,
): { traffic?: TrafficDocument } {
  const traffic = tunnel?.peers.get(hostId);
  if (traffic === undefined) return {};
  const { bytesSent, bytesReceived, packetsSent, packetsReceived } = traffic;
  return {
    traffic: {
      sentBytes: bytesSent,
      receivedBytes: bytesReceived,
      sentPackets: packetsSent,
      receivedPackets: packetsReceived,
    },
  };
}

/** Nothing without dual stack. */
function ipv6Pool({ ipv6 }: Pool): { ipv6Network?: string; ipv6SubnetLen?: number } {
  return ipv6 === undefined ? {} : { ipv6Network: ipv6.cidr, ipv6SubnetLen: ipv6.subnetLength };
}

function ipv6Half(pool: Pool, subnet: string | null): { ipv6Subnet?: string | null } {
  if (pool.ipv6 === undefined) return {};
  return { ipv6Subnet: subnet === null ? null : ipv6HalfOf(pool, subnet) };
}

function encryptionDocument({ encryption }: SwimSnapshot): StatusDocument["encryption"] {
  if (encryption === null) return null;
  const { fingerprints, plainGossip } = encryption;
  return { fingerprints: [...fingerprints], plainToo: plainGossip === "allow" };
}

function firewallDocument({ firewall }: OverlayStatus): StatusDocument["firewall"] {
  if (firewall === null || firewall === undefined) return null;
  const { problems: _problems, ...document } = firewall;
  return document;
}

export function subnetsDocument(sources: StatusSources): SubnetsDocument {
  const { config, snapshot, wallTime } = sources;
  const members = new Map(snapshot.swim.members.map((member) => [member.id, member]));
  const subnets = snapshot.claim.records.map((record): SubnetDocument => {
    const owner = members.get(record.hostId);
    return {
      subnet: record.subnet,
      ...ipv6Half(snapshot.claim.pool, record.subnet),
      owner: owner?.name ?? record.hostId.slice(0, 8),
      ownerId: record.hostId,
      ownerStatus: owner?.status ?? "unknown",
      state: record.state,
      epoch: record.epoch,
      since: wallTime(snapshot.claim.sinceByHost.get(record.hostId) ?? 0),
      self: record.hostId === snapshot.swim.self.id,
      standing: standingOf(record, snapshot.claim),
    };
  });
  subnets.sort((one, other) => compareCidrs(one.subnet, other.subnet));
  return {
    schema: STATUS_SCHEMA,
    network: config.pool.cidr,
    networks: networksOf(snapshot.claim.pool),
    subnetLen: config.pool.subnetLength,
    ...(config.pool.ipv6 === undefined ? {} : { ipv6Network: config.pool.ipv6.cidr }),
    used: snapshot.claim.owners.length,
    total: subnetCount(snapshot.claim.pool),
    subnets,
  };
}

/** What a claim comes to, by what this host knows. */
export function standingOf(
  record: ClaimRecord,
  { fenceOf, isOwner }: Pick<HostSnapshot["claim"], "fenceOf" | "isOwner">,
): ClaimStanding {
  if (record.state === "released") return "released";
  if (!stands(record, fenceOf(record.subnet))) return "void";
  if (record.state === "tentative") return "asks";
  if (record.state === "yielding") return "yields";
  return isOwner(record.hostId) ? "owner" : "loses";
}

/** A host by its name and the beginning of its id, or by that alone. */
export function hostName({ swim }: Pick<HostSnapshot, "swim">, hostId: string): string {
  const name = swim.members.find(({ id }) => id === hostId)?.name;
  const short = hostId.slice(0, 8);
  return name === undefined ? `host ${short}` : `${name} (${short})`;
}

function memberDocuments(sources: StatusSources): MemberDocument[] {
  const { swim, claim } = sources.snapshot;
  const records = new Map(claim.records.map((record) => [record.hostId, record]));
  return swim.members
    .map((member) => memberDocument(member, records.get(member.id), sources))
    .sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
}

function memberDocument(
  member: Member,
  record: ClaimRecord | undefined,
  sources: StatusSources,
): MemberDocument {
  const current = record === undefined || record.state === "released" ? undefined : record;
  const { self, path } = sources.snapshot.swim;
  const { rttMs, udp } = path(member.id);
  const isSelf = member.id === self.id;
  return {
    id: member.id,
    name: member.name,
    ...endpointParts(member),
    status: member.status,
    statusSince: sources.wallTime(member.statusSinceMs),
    subnet: current?.subnet ?? null,
    ...ipv6Half(sources.snapshot.claim.pool, current?.subnet ?? null),
    claim: current === undefined ? "none" : claimStateName(current.state),
    mac: current?.vtep.mac ?? null,
    backend: current === undefined ? null : backendOf(current.vtep),
    path: sources.overlay.paths.get(member.id) ?? null,
    kernel: sources.overlay.deadPeers.get(member.id) ?? null,
    ...peerTraffic(sources.overlay.tunnel, member.id),
    rttMs: rttMs === null ? null : wholeMicroseconds(rttMs),
    ...overlayWay(sources, member.id),
    udp: isSelf ? "ok" : udp,
    version: member.version,
    self: isSelf,
  };
}

/** Nothing of hosts that are not asked. */
function overlayWay(
  { health, wallTime }: StatusSources,
  id: string,
): { overlay?: OverlayWayDocument } {
  const known = health?.get(id);
  if (known === undefined) return {};
  const { ipv6 } = known;
  return {
    overlay: {
      ...wayDocument(known, wallTime),
      ...(ipv6 === undefined ? {} : { ipv6: wayDocument(ipv6, wallTime) }),
    },
  };
}

function wayDocument(
  { state, rttMs, answeredAtMs }: WayHealth,
  wallTime: StatusSources["wallTime"],
): VtepAnswerDocument {
  return {
    state,
    rttMs: rttMs === null ? null : wholeMicroseconds(rttMs),
    answeredAt: answeredAtMs === null ? null : wallTime(answeredAtMs),
  };
}

function trafficDocument({ traffic }: StatusSources): { traffic?: TrafficDocument } {
  if (traffic === undefined || traffic === null) return {};
  const { sentBytes, receivedBytes, sentPackets, receivedPackets } = traffic;
  return { traffic: { sentBytes, receivedBytes, sentPackets, receivedPackets } };
}

/** Nobody measures round trips more finely, and 0.8169989999998961 is hard to read. */
function wholeMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The contract knows four states; what comes before a claim, and after it, is `none`. */
function claimStateName(state: string): ClaimStateName {
  return state === "tentative" || state === "held" || state === "yielding" ? state : "none";
}

export function endpointParts(member: Member): { address: string; gossipPort: number } {
  const colon = member.endpoint.lastIndexOf(":");
  return {
    address: member.endpoint.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
    gossipPort: Number(member.endpoint.slice(colon + 1)),
  };
}
