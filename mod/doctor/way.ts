/**
 * Which layer between this host and another one fails, from round trips of each of them: the first that is not as it should be
 * from the ground up. Pure.
 */
import type { EchoOutcome } from "../host/ask_echo.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

/** Echo requests through the overlay; null where there is nobody to ask. */
export interface OverlayProbes {
  /** Small packets to the host's VTEP. */
  readonly overlay: EchoOutcome | null;
  /** Packets of the overlay's MTU. */
  readonly overlayFull: EchoOutcome | null;
}

/** What was tried; null where it was not, or makes no sense. */
export interface WayProbes extends OverlayProbes {
  readonly gossip: {
    readonly datagramMs: number | null;
    readonly streamMs: number | null;
    readonly streamReason: string | null;
  };
  /** Small packets to the host's underlay address. */
  readonly underlay: EchoOutcome;
  /** Packets as long as the overlay sends them, encapsulated. */
  readonly underlayFull: EchoOutcome;
  /** The same overlay by IPv6, with dual stack. */
  readonly ipv6?: OverlayProbes;
}

/** What is known of this host's half of the overlay. */
export interface OverlayFacts {
  readonly device: string;
  /** Bytes of the longest packet. */
  readonly mtu: number;
  /** What the kernel of this host lacks at this moment, as commands; empty when it lacks nothing. */
  readonly missing: string;
  /** What the device carried while it was tried; null where there is none. */
  readonly carried: { readonly sent: number; readonly received: number } | null;
}

/** What is known of both hosts. */
export interface WayFacts extends OverlayFacts {
  readonly name: string;
  /** Of the underlay. */
  readonly address: string;
  readonly status: string;
  readonly subnet: string | null;
  readonly gossipPort: number;
  /** Null where packets travel bare. */
  readonly vxlanPort: number | null;
  /** Bytes of a packet of the overlay's MTU on the underlay. */
  readonly underlayBytes: number;
  readonly ipv6?: OverlayFacts;
}

/** A line for each layer, from the ground up. */
export function wayFindings(facts: WayFacts, probes: WayProbes): Finding[] {
  return [
    underlay(facts, probes),
    gossipUdp(facts, probes),
    gossipTcp(facts, probes),
    overlay(facts, probes),
    underlayMtu(facts, probes),
    overlayMtu(facts, probes),
    ...ipv6(facts, probes),
  ].filter((finding) => finding !== null);
}

/** The layer to begin with, for what lies below explains what lies above; null when all of them carry. */
export function brokenLayer(findings: readonly Finding[]): Finding | null {
  return findings.find(({ verdict }) => verdict === "FAIL") ?? null;
}

function underlay(facts: WayFacts, { underlay, gossip, overlay }: WayProbes): Finding {
  const { name, address } = facts;
  if (underlay.kind === "answered") {
    return ok("underlay", `${address} answers ${took(underlay.ms)}`);
  }
  const isReached = gossip.datagramMs !== null || gossip.streamMs !== null ||
    overlay?.kind === "answered";
  if (isReached) {
    return warn(
      "underlay",
      `${address} does not answer pings, but is there`,
      "Let ICMP echo pass between the hosts: it tells how long packets may be",
    );
  }
  const why = underlay.kind === "refused" ? `: ${underlay.reason}` : "";
  return fail(
    "underlay",
    `Nothing of ${name} answers at ${address}${why}`,
    "See that the host is up, has that address, and that there is a way there: ip route get " +
      address,
  );
}

function gossipUdp({ name, status, gossipPort }: WayFacts, { gossip }: WayProbes): Finding {
  const { datagramMs, streamMs } = gossip;
  if (datagramMs !== null) return ok("gossip-udp", `The agent answers ${took(datagramMs)}`);
  if (streamMs !== null) {
    return fail(
      "gossip-udp",
      `The agent answers over TCP but not over UDP ${gossipPort}`,
      `Open UDP ${gossipPort} in both directions, in the firewalls of both hosts and between them`,
    );
  }
  return fail(
    "gossip-udp",
    `The agent of ${name}, which is ${status}, does not answer`,
    `See there that it runs, and that UDP and TCP ${gossipPort} are open`,
  );
}

function gossipTcp({ gossipPort }: WayFacts, { gossip }: WayProbes): Finding | null {
  const { datagramMs, streamMs, streamReason } = gossip;
  if (streamMs !== null) return ok("gossip-tcp", `The agent answers ${took(streamMs)}`);
  if (datagramMs === null) return null; // said already
  return fail(
    "gossip-tcp",
    `The agent answers over UDP but not over TCP ${gossipPort}: ${streamReason ?? "no answer"}`,
    `Open TCP ${gossipPort} on both hosts: newcomers and full syncs need it`,
  );
}

function overlay(facts: WayFacts, probes: WayProbes): Finding | null {
  const { name, subnet, device, missing, carried, vxlanPort } = facts;
  if (subnet === null) {
    return warn("overlay", `${name} has no subnet`, `See gossamer status on ${name}`);
  }
  const echo = probes.overlay;
  if (echo === null) {
    return ok("overlay", "Packets travel bare, over the underlay; there is no VTEP to ask");
  }
  if (echo.kind === "answered") return ok("overlay", `Its VTEP answers ${took(echo.ms)}`);
  if (missing !== "") {
    return fail(
      "overlay",
      `This host's kernel lacks what leads to ${name}: ${firstLine(missing)}`,
      "See Last error in gossamer status; while the agent runs it puts that right within seconds",
    );
  }
  const port = vxlanPort === null ? "the overlay's packets" : `UDP ${vxlanPort}`;
  if (echo.kind === "refused") {
    return fail("overlay", `No packet leaves for its VTEP: ${echo.reason}`, "See gossamer report");
  }
  if (carried !== null && carried.sent > 0 && carried.received === 0) {
    return fail(
      "overlay",
      `Its VTEP does not answer: ${device} sends, and receives nothing`,
      `Open ${port} in both directions, in the firewalls of both hosts and between them; some ` +
        "hypervisors eat it: then another port on all hosts (--vxlan-port, --udp-port)",
    );
  }
  if (carried !== null && carried.sent === 0) {
    return fail(
      "overlay",
      `Its VTEP does not answer: nothing leaves by ${device}`,
      `Compare this host's entries with gossamer report: ip neigh, bridge fdb and ip route of ${device}`,
    );
  }
  return fail(
    "overlay",
    "Its VTEP does not answer",
    `Run gossamer ping on ${name} as well: it shows which way is shut; ${port} must pass both ways`,
  );
}

/** The IPv6 half of the overlay has a device, a VTEP and an MTU of its own. */
function ipv6(facts: WayFacts, probes: WayProbes): Finding[] {
  if (facts.ipv6 === undefined || probes.ipv6 === undefined) return [];
  const half = { ...facts, ...facts.ipv6 };
  const tried = { ...probes, ...probes.ipv6 };
  return [overlay(half, tried), overlayMtu(half, tried)]
    .filter((finding) => finding !== null)
    .map((finding) => ({ ...finding, name: `${finding.name}-ipv6` }));
}

function underlayMtu(facts: WayFacts, probes: WayProbes): Finding | null {
  const { underlay, underlayFull, overlayFull } = probes;
  if (underlay.kind !== "answered") return null; // then this one says nothing either
  const { underlayBytes, mtu } = facts;
  if (underlayFull.kind === "answered") {
    return ok("underlay-mtu", `Packets of ${underlayBytes} bytes pass ${took(underlayFull.ms)}`);
  }
  const remedy = `Mend the way there, or give a smaller --mtu on all hosts: less than ${mtu}`;
  if (overlayFull?.kind === "answered") {
    return warn(
      "underlay-mtu",
      `Packets of ${underlayBytes} bytes pass in fragments only, which is slow`,
      remedy,
    );
  }
  return fail(
    "underlay-mtu",
    `The way there does not carry packets of ${underlayBytes} bytes, which the overlay sends`,
    remedy,
  );
}

function overlayMtu(facts: WayFacts, { overlay, overlayFull }: WayProbes): Finding | null {
  if (overlay?.kind !== "answered" || overlayFull === null) return null;
  const { mtu, name } = facts;
  if (overlayFull.kind === "answered") {
    return ok("overlay-mtu", `Packets of ${mtu} bytes, the longest, pass ${took(overlayFull.ms)}`);
  }
  return fail(
    "overlay-mtu",
    `Small packets pass through the overlay, those of ${mtu} bytes do not`,
    `Compare the MTU in gossamer status here and on ${name}; --mtu on all hosts sets it`,
  );
}

function took(ms: number): string {
  return `after ${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}

function firstLine(text: string): string {
  return text.split("\n").find((line) => line !== "") ?? text;
}
