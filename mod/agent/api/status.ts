/** The document of `GET /status`, which is the contract's `status --json`: this host, its claim, the overlay, all members. */
import type { FirewallDocument, Ipv6Document, UdpDocument } from "../overlay_documents.ts";
import type {
  ClaimStageName,
  ClaimStateName,
  MemberStatusName,
  SeedStateName,
  STATUS_SCHEMA,
} from "./names.ts";

export interface ProblemDocument {
  code: string;
  severity: "warning" | "error";
  text: string;
  remedy: string;
}

export interface MemberDocument {
  id: string;
  name: string;
  address: string; // of the underlay, without port
  gossipPort: number;
  status: MemberStatusName;
  /** RFC 3339: when the present status was first seen by this host. */
  statusSince: string;
  subnet: string | null;
  /** The IPv6 subnet that goes with it; absent without dual stack. */
  ipv6Subnet?: string | null;
  claim: ClaimStateName;
  mac: string | null;
  /** How it takes packets: `vxlan`, `vxlan-direct`, `host-gw`, or of a later version; null without a subnet. */
  backend: string | null;
  /** How packets travel there from here: `direct` is bare, over the underlay; null where they do not. */
  path: "vxlan" | "direct" | "udp" | null;
  /** Of a host whose agent is gone: whether its kernel still carries packets; null for all others. */
  kernel: "answers" | "checking" | "silent" | null;
  rttMs: number | null;
  /** The way to its VTEP through the overlay; null where it is not asked: this host, those that are gone, bare packets. */
  overlay?: OverlayWayDocument | null;
  /** What this host's agent carried to it and from it since it started; absent but with `--backend udp`. */
  traffic?: TrafficDocument;
  /** Whether datagrams to it are answered; `unknown` until one was. */
  udp: "ok" | "blocked" | "unknown";
  version: string;
  /** Whether this is the host that answers. */
  self: boolean;
}

export interface OverlayWayDocument extends VtepAnswerDocument {
  /** The IPv6 half, with dual stack, where that host takes IPv6 packets. */
  ipv6?: VtepAnswerDocument;
}

export interface VtepAnswerDocument {
  /** `silent` after four pings in a row without an answer. */
  state: "answers" | "silent" | "unknown";
  /** Of the last answer. */
  rttMs: number | null;
  /** When that was, RFC 3339. */
  answeredAt: string | null;
}

export interface TrafficDocument {
  sentBytes: number;
  receivedBytes: number;
  sentPackets: number;
  receivedPackets: number;
}

export interface StatusDocument {
  schema: typeof STATUS_SCHEMA;
  version: string;
  /** Claim held, overlay in sync, every known peer programmed, subnet.env written. */
  ready: boolean;
  host: {
    id: string;
    name: string;
    address: string;
    gossipPort: number;
    incarnation: number;
    /** 0 healthy to 7 (Lifeguard). */
    healthScore: number;
  };
  cluster: {
    network: string;
    /** With those that operators added to it. */
    networks: string[];
    subnetLen: number;
    ipv6Network?: string; // these two with dual stack
    ipv6SubnetLen?: number;
    backend: string;
    /** `--direct-routing`. */
    directRouting: boolean;
    alive: number;
    suspect: number;
    dead: number;
    left: number;
    /** Seeds as given, and how it went with each. */
    seeds: { seed: string; state: SeedStateName; reason?: string }[];
  };
  /** Of gossip; null while it is plain. */
  encryption: {
    /** Of this host's keys; the first one encrypts. */
    fingerprints: string[];
    /** Whether plain gossip is taken as well (`--plain-gossip`). */
    plainToo: boolean;
  } | null;
  claim: {
    state: ClaimStateName;
    subnet: string | null;
    /** The IPv6 subnet that goes with it; absent without dual stack. */
    ipv6Subnet?: string | null;
    since: string | null;
    /** Contests over this host's subnet since the agent started. */
    conflicts: number;
    /** What is being done or waited for, and what to do; null when there is a subnet and all is well with it. */
    reason: string | null;
    /** `state` more closely. */
    stage: ClaimStageName;
    /** Fencing number of the subnet; null while there is no claim. */
    epoch: number | null;
    /** 0 asked for, 1 held, 2 held and known to a majority; 4 more when it is pinned. */
    strength: number | null;
    /** How often this host had to change its subnet since the agent started. */
    renumberings: number;
    /** The last contest that is remembered. */
    lastConflict: ConflictDocument | null;
    /** The last contests and changes of the subnet, the newest first, restarts included. */
    history: PastDocument[];
  };
  /** What was counted since the agent started: docs/metrics.md. */
  counters: ClaimCountersDocument;
  overlay: {
    device: string;
    mac: string | null;
    mtu: number;
    inSync: boolean;
    peersWanted: number;
    peersProgrammed: number;
    /** Of those wanted, how many are reached by a bare route over the underlay. */
    peersDirect: number;
    /** Objects put back after somebody else removed or changed them. */
    repairs: number;
    lastError: string | null;
    /** What its device has carried since it was made; null where it has none. */
    traffic?: TrafficDocument | null;
    /** The IPv6 half, with dual stack; `inSync` and `repairs` above count it as well. */
    ipv6?: Ipv6Document;
    /** Absent but with `--backend udp`. */
    udp?: UdpDocument;
  };
  /** What gossamer keeps in nftables; null where it has none. */
  firewall: FirewallDocument | null;
  members: MemberDocument[];
  problems: ProblemDocument[];
}

export interface ConflictDocument {
  /** RFC 3339. */
  at: string;
  subnet: string;
  /** Names of hosts with the beginning of their ids. */
  winner: string;
  loser: string;
  /** Whether this host won. */
  won: boolean;
  /** The order of the two claims, field by field. */
  why: string;
}

export interface RenumberingDocument {
  at: string;
  old: string;
  new: string;
  /** Who has the old subnet, and why; null when nobody contested it. */
  winner: string | null;
  why: string | null;
  /** How `--on-renumber` went. */
  hook: "none" | "running" | "done" | "failed";
}

export type PastDocument =
  | ConflictDocument & { kind: "conflict" }
  | RenumberingDocument & { kind: "renumbered" };

export interface ClaimCountersDocument {
  conflictsWon: number;
  conflictsLost: number;
  renumberings: number;
  writes: number;
  diskRefusals: number;
  requests: number;
  choicesLost: number;
  answersReceived: VerdictCounts;
  answersSent: VerdictCounts;
  refutes: number;
  raises: number;
  reclaims: number;
  forgets: number;
  clones: number;
  sanityRefusals: number;
}

export interface VerdictCounts {
  yes: number;
  busy: number;
  fenced: number;
  resting: number;
}
