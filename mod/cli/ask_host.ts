/** Asks another host on every layer: gossip through the agent, echo requests from here. */
import type { GossipPingDocument, MemberDocument, StatusDocument } from "../agent/api.ts";
import { familyOf } from "../address/cidr.ts";
import { deviceAddressOf } from "../address/network.ts";
import { ExitCode, UserError } from "../base/errors.ts";
import {
  brokenLayer,
  type OverlayFacts,
  type OverlayProbes,
  type WayFacts,
  wayFindings,
  type WayProbes,
} from "../doctor/way.ts";
import type { Finding } from "../doctor/finding.ts";
import { vxlanDevices } from "../doctor/vxlan_devices.ts";
import { askEcho, type EchoOutcome } from "../host/ask_echo.ts";
import { deviceTraffic } from "../host/device_traffic.ts";
import { overheadOf } from "../overlay/backend.ts";
import { fetchStatus } from "./agent_status.ts";
import { askAgent } from "./control_client.ts";
import { gossipPingOf, planOf } from "./documents.ts";

/** As JSON: schema 1. */
export interface WayDocument {
  readonly schema: 1;
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly subnet: string | null;
  readonly gossip: GossipPingDocument;
  readonly underlay: EchoOutcome;
  readonly underlayFull: EchoOutcome;
  readonly overlay: EchoOutcome | null;
  readonly overlayFull: EchoOutcome | null;
  /** The same by IPv6, with dual stack. */
  readonly ipv6?: OverlayProbes;
  /** Bytes of the long packets, with their IP headers. */
  readonly overlayBytes: number;
  readonly underlayBytes: number;
  readonly findings: readonly Finding[];
  /** Name of the first finding that is a FAIL; null when every layer answers. */
  readonly broken: string | null;
}

/** Longer than any round trip of a network on which SWIM works. */
const ECHO_MS_MAX = 1_000;
const LONG_ROUND_TRIPS = 10;
const LONG_MS_MIN = 200;
/** One lost packet is no closed way. */
const TRIES = 2;
/** An echo request without anything in it. */
const SMALL_BYTES = 84;
/** The agent gives it up after 4 s. */
const GOSSIP_MS_MAX = 6_000;

/** @param bytes of the long packet; null for what the overlay carries. Throws UserError. */
export async function askHost(
  runDir: string,
  host: string,
  bytes: number | null,
): Promise<WayDocument> {
  const gossip = gossipPingOf(
    await askAgent(runDir, {
      method: "POST",
      path: "/ping",
      body: { host },
      timeoutMs: GOSSIP_MS_MAX,
    }),
  );
  const status = await fetchStatus(runDir);
  const member = status.members.find(({ id }) => id === gossip.id);
  if (member === undefined) throw new UserError(`${gossip.name} is no member any more`);
  const overlayBytes = bytes ?? status.overlay.mtu;
  const isBare = member.path === "direct";
  const backend = member.path === "udp" ? "udp" : "vxlan";
  const overhead = isBare ? 0 : overheadOf(backend, familyOf(member.address));
  const underlayBytes = overlayBytes + overhead;
  const underlay = await echo(member.address, SMALL_BYTES);
  const lacks = () => missing(runDir, member);
  const { device } = status.overlay;
  const vtep = vtepOf(member.subnet, member, status);
  const { probes: overlay, facts } = await askVtep(vtep, device, overlayBytes, lacks);
  const underlayFull = await echo(member.address, underlayBytes, longMs(underlay));
  const half = await askIpv6(member, status, bytes, lacks);
  const probes: WayProbes = {
    gossip,
    underlay,
    underlayFull,
    ...overlay,
    ...(half === null ? {} : { ipv6: half.probes }),
  };
  const known: WayFacts = {
    name: member.name,
    address: member.address,
    status: member.status,
    subnet: member.subnet,
    gossipPort: member.gossipPort,
    vxlanPort: isBare ? null : status.overlay.udp?.port ?? portOf(device),
    underlayBytes,
    ...facts,
    ...(half === null ? {} : { ipv6: half.facts }),
  };
  const findings = wayFindings(known, probes);
  const { id, name, address, subnet } = member;
  const lengths = { overlayBytes, underlayBytes };
  const broken = brokenLayer(findings)?.name ?? null;
  return { schema: 1, id, name, address, subnet, ...probes, gossip, ...lengths, findings, broken };
}

/** Where its kernel has a VTEP for IPv6 as well, and this host's too; null elsewhere. */
async function askIpv6(
  member: MemberDocument,
  status: StatusDocument,
  bytes: number | null,
  lacks: () => Promise<string>,
): Promise<{ probes: OverlayProbes; facts: OverlayFacts } | null> {
  const { ipv6 } = status.overlay;
  const vtep = vtepOf(member.ipv6Subnet ?? null, member, status);
  if (ipv6 === undefined || vtep === null) return null;
  return await askVtep(vtep, ipv6.device, bytes ?? ipv6.mtu, lacks);
}

async function askVtep(
  vtep: string | null,
  device: string,
  mtu: number,
  lacks: () => Promise<string>,
): Promise<{ probes: OverlayProbes; facts: OverlayFacts }> {
  const before = deviceTraffic(device);
  const overlay = vtep === null ? null : await echo(vtep, SMALL_BYTES);
  const after = deviceTraffic(device);
  const isOpen = overlay?.kind === "answered";
  const overlayFull = vtep === null || !isOpen ? null : await echo(vtep, mtu, longMs(overlay));
  const carried = before === null || after === null ? null : {
    sent: after.sentPackets - before.sentPackets,
    received: after.receivedPackets - before.receivedPackets,
  };
  const facts = { device, mtu, missing: isOpen ? "" : await lacks(), carried };
  return { probes: { overlay, overlayFull }, facts };
}

/** Where its kernel answers inside the overlay; null where it has no such address. */
function vtepOf(
  subnet: string | null,
  { backend }: MemberDocument,
  { cluster }: StatusDocument,
): string | null {
  const hasDevice = cluster.backend !== "host-gw" && backend !== "host-gw";
  return subnet === null || !hasDevice ? null : deviceAddressOf(subnet);
}

/** Long packets take hardly longer than the small one before. */
function longMs(small: EchoOutcome): number {
  return small.kind === "answered"
    ? Math.min(ECHO_MS_MAX, Math.max(LONG_MS_MIN, LONG_ROUND_TRIPS * small.ms))
    : ECHO_MS_MAX;
}

async function echo(
  address: string,
  bytes: number,
  timeoutMs = ECHO_MS_MAX,
): Promise<EchoOutcome> {
  for (let attempt = 1;; attempt++) {
    const outcome = await askEcho(address, bytes, timeoutMs);
    if (outcome.kind === "refused" && /EPERM|EACCES/.test(outcome.reason)) {
      throw new UserError(`pings cannot be sent: ${outcome.reason}`, {
        exitCode: ExitCode.privilege,
        remedy: "run it as root, or with CAP_NET_RAW",
      });
    }
    if (outcome.kind !== "lost" || attempt === TRIES) return outcome;
  }
}

/** What the agent would have to put into the kernel now, as far as it is about that host. */
async function missing(
  runDir: string,
  { subnet, ipv6Subnet, mac, address }: MemberDocument,
): Promise<string> {
  const plan = planOf(await askAgent(runDir, { method: "GET", path: "/plan" }));
  const words = [subnet, ipv6Subnet ?? null, mac, address].filter((word) => word !== null);
  return plan.changes.split("\n").filter((line) => words.some((word) => line.includes(word)))
    .join("\n");
}

function portOf(device: string): number | null {
  return vxlanDevices().find(({ name }) => name === device)?.port ?? null;
}
