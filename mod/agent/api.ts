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
 * | GET /keys       |                          | {@linkcode KeysDocument}, when the others answered  |
 * | POST /join      | `{"seeds": [...]}`       | {@linkcode JoinAnswer}                              |
 * | POST /keys      | {@linkcode KeysRequest}  | {@linkcode KeysAnswer}, when the others answered    |
 * | POST /forget    | {@linkcode ForgetRequest}| {@linkcode ForgetAnswer}                            |
 * | POST /leave     | `{"release": bool}`      | {@linkcode LeaveAnswer}, when it is done            |
 *
 * An error is answered with a 4xx or 5xx status and `{"error": "...", "remedy": "..."}`.
 */

export const STATUS_SCHEMA = 1;

export type MemberStatusName = "alive" | "suspect" | "dead" | "left";
export type SeedStateName = "trying" | "unresolved" | "unreachable" | "joined";
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
  /** Underlay address without port. */
  address: string;
  gossipPort: number;
  status: MemberStatusName;
  /** RFC 3339: when the present status was first seen by this host. */
  statusSince: string;
  subnet: string | null;
  claim: ClaimStateName;
  mac: string | null;
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
    subnetLen: number;
    backend: string;
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
    since: string | null;
    conflicts: number;
    /** Why there is no subnet yet, and what to do; null when there is one. */
    reason: string | null;
  };
  overlay: {
    device: string;
    mac: string | null;
    mtu: number;
    inSync: boolean;
    peersWanted: number;
    peersProgrammed: number;
    /** Objects put back after somebody else removed or changed them. */
    repairs: number;
    lastError: string | null;
  };
  members: MemberDocument[];
  problems: ProblemDocument[];
}

export interface SubnetDocument {
  subnet: string;
  owner: string;
  ownerId: string;
  ownerStatus: MemberStatusName | "unknown";
  state: "tentative" | "held" | "yielding" | "released";
  epoch: number;
  since: string;
  self: boolean;
}

export interface SubnetsDocument {
  schema: typeof STATUS_SCHEMA;
  network: string;
  subnetLen: number;
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
