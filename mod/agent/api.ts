/**
 * What the agent says over its control socket: HTTP with JSON bodies on `<run-dir>/gossamer.sock`.
 *
 * These types are the outside's contract (schema 1) and stand apart from internal types on purpose: fields may be added,
 * never renamed or retyped within a schema.
 *
 * | request         | body                     | answer                                              |
 * | --------------- | ------------------------ | --------------------------------------------------- |
 * | GET /status     |                          | {@linkcode StatusDocument}                          |
 * | GET /subnets    |                          | {@linkcode SubnetsDocument}                         |
 * | GET /subnets/why?of=WHAT |                 | {@linkcode WhyDocument}                             |
 * | GET /metrics    |                          | Prometheus text: docs/metrics.md                    |
 * | GET /plan       |                          | PlanDocument of overlay_documents.ts                |
 * | GET /keys       |                          | {@linkcode KeysDocument}, when the others answered  |
 * | POST /join      | `{"seeds": [...]}`       | {@linkcode JoinAnswer}                              |
 * | POST /keys      | {@linkcode KeysRequest}  | {@linkcode KeysAnswer}, when the others answered    |
 * | POST /forget    | {@linkcode ForgetRequest}| {@linkcode ForgetAnswer}                            |
 * | GET /pool       |                          | {@linkcode PoolDocument}                            |
 * | POST /pool      | {@linkcode PoolRequest}  | {@linkcode PoolAnswer}                              |
 * | POST /leave     | `{"release": bool}`      | {@linkcode LeaveAnswer}, when it is done            |
 *
 * An error is answered with a 4xx or 5xx status and `{"error": "...", "remedy": "..."}`.
 */
import type { FirewallDocument, Ipv6Document } from "./overlay_documents.ts";

export const STATUS_SCHEMA = 1;

export type MemberStatusName = "alive" | "suspect" | "dead" | "left";
export type SeedStateName = "trying" | "unresolved" | "unreachable" | "joined";
/** `lonely` has heard nobody yet; `returning` asks whether what it held before a restart is still its own. */
export type ClaimStageName =
  | "starting"
  | "listening"
  | "lonely"
  | "returning"
  | "tentative"
  | "held"
  | "yielding"
  | "waiting"
  | "released";
/**
 * `owner` holds and wins; `loses` holds, and another one ranks higher; `asks` and `yields` say what their host does; `released`
 * is given back; `void` counts for nothing, being below the fence: forgotten, or overtaken.
 */
export type ClaimStanding = "owner" | "loses" | "asks" | "yields" | "released" | "void";
export type ClaimStateName = "none" | "tentative" | "held" | "yielding";

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
  path: "vxlan" | "direct" | null;
  /** Of a host whose agent is gone: whether its kernel still carries packets; null for all others. */
  kernel: "answers" | "checking" | "silent" | null;
  rttMs: number | null;
  /** Whether datagrams to it are answered; `unknown` until one was. */
  udp: "ok" | "blocked" | "unknown";
  version: string;
  /** Whether this is the host that answers. */
  self: boolean;
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
    /** The IPv6 half, with dual stack; `inSync` and `repairs` above count it as well. */
    ipv6?: Ipv6Document;
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

export interface SubnetDocument {
  subnet: string;
  /** The IPv6 subnet that goes with it; absent without dual stack. */
  ipv6Subnet?: string | null;
  owner: string;
  ownerId: string;
  ownerStatus: MemberStatusName | "unknown";
  state: "tentative" | "held" | "yielding" | "released";
  epoch: number;
  since: string;
  self: boolean;
  standing: ClaimStanding;
}

/** What a claim comes to: see {@linkcode ClaimStanding}. */
export interface WhyClaim {
  subnet: string;
  owner: string;
  ownerId: string;
  ownerAddress: string | null;
  ownerStatus: MemberStatusName | "unknown";
  self: boolean;
  state: SubnetDocument["state"];
  standing: ClaimStanding;
  epoch: number;
  strength: number;
  /** The same in words: "held, a majority knows". */
  strengthText: string;
  stamp: number;
  /** When this host's agent first saw it so. */
  since: string;
  /** How long its host has been away in time that proves it, and from when on its subnet may be taken; null when it is there. */
  absentSeconds: number | null;
  absenceTtlSeconds: number;
  /** Against the owner, field by field; empty for the owner itself and for claims that count for nothing. */
  order: { what: string; winner: string; loser: string; decides: boolean }[];
}

export interface WhyDocument {
  schema: typeof STATUS_SCHEMA;
  /** What was asked for, as a subnet. */
  subnet: string;
  /** Whether it is one of the pool's subnets. */
  inPool: boolean;
  /** Whether no claim stands in the way of choosing it now. */
  free: boolean;
  /** Highest epoch at which it was ever held; 0 for never. */
  fence: number;
  /** Until when it rests, since its last holder gave it back. */
  restsUntil: string | null;
  /** Set apart by an operator. */
  reserved: boolean;
  /** The host for whom it is kept; null for nobody. */
  pinnedTo: string | null;
  /** Every claim that overlaps it, the owner's first. */
  claims: WhyClaim[];
  /** Contests and changes of this host's subnet that it had a part in. */
  history: PastDocument[];
}

export interface SubnetsDocument {
  schema: typeof STATUS_SCHEMA;
  network: string;
  /** With those that operators added to it. */
  networks: string[];
  subnetLen: number;
  /** With dual stack. */
  ipv6Network?: string;
  /** Subnets held now, and how many the pool has. */
  used: number;
  total: number;
  subnets: SubnetDocument[];
}

/** A gossip key, by what may be shown of it. */
export interface KeyDocument {
  fingerprint: string;
  /** Hosts that have it, and those of them that encrypt with it. */
  hosts: number;
  primaryHosts: number;
  /** The same of the host that answers. */
  here: boolean;
  primaryHere: boolean;
}

/** A host that did not say or do what it was asked for, and why. */
export interface KeyHostDocument {
  id: string;
  name: string;
  address: string;
  reason: string;
}

export interface KeysDocument {
  schema: typeof STATUS_SCHEMA;
  /** Hosts that were asked, this one included. */
  hosts: number;
  keys: KeyDocument[];
  /** Those of them that did not answer. */
  unanswered: KeyHostDocument[];
}

/** What is to be done with a key on every host. The key itself comes only with `install`. */
export type KeysRequest =
  | { operation: "install"; key: string }
  | { operation: "use" | "remove"; fingerprint: string; force?: boolean };

export interface KeysAnswer {
  schema: typeof STATUS_SCHEMA;
  operation: "install" | "use" | "remove";
  fingerprint: string;
  /** Hosts that it was for, this one included, and those that have done it. */
  hosts: number;
  done: number;
  /** Why nothing was changed anywhere, and what to do; null when it was tried. */
  refused: { text: string; remedy: string } | null;
  /** Hosts that have not done it, or that stand in the way of it. */
  failed: KeyHostDocument[];
}

export interface JoinAnswer {
  seeds: string[];
}

export interface LeaveAnswer {
  released: string | null;
}

/** A host, by name, address or id; `force` also when it seems to be there. */
export interface ForgetRequest {
  host: string;
  force?: boolean;
}

export interface ForgetAnswer {
  id: string;
  name: string;
  /** With the gossip port. */
  address: string;
  /** As it was before; `unknown` when it is only remembered from before the restart. */
  status: MemberStatusName | "unknown";
}

export interface ErrorAnswer {
  error: string;
  remedy?: string;
}

/** Who holds what. */
export interface PoolHolderDocument {
  host: string;
  hostId: string;
  subnet: string;
}

export interface PoolDocument {
  schema: typeof STATUS_SCHEMA;
  /** 1 as configured; each change of an operator adds one. */
  version: number;
  subnetLen: number;
  /** Subnets held now, and how many the pool has. */
  used: number;
  total: number;
  /** That of --network first, then those that were added. */
  networks: { network: string; added: boolean; used: number; total: number }[];
  /** Nobody claims any of these anew; holders from before keep theirs. */
  reserved: { network: string; holders: PoolHolderDocument[] }[];
  /** `holds` is what the host holds now, null when nothing. */
  pins: { host: string; hostId: string; subnet: string; holds: string | null }[];
  /** Held though in none of the networks. */
  outside: PoolHolderDocument[];
}

export type PoolRequest =
  | { operation: "grow" | "shrink" | "reserve" | "unreserve"; network: string }
  | { operation: "pin"; host: string; subnet: string; force?: boolean }
  | { operation: "unpin"; host: string };

/** The pool after the change; `changed` is false when it was so before. */
export interface PoolAnswer extends PoolDocument {
  changed: boolean;
}
