/**
 * What the page is made from: the parts of the agent's documents that it shows. The agent's own types have more; they are
 * not imported, so that the page stands below the agent.
 */

export interface PageData {
  /** RFC 3339. */
  readonly now: string;
  readonly status: PageStatus;
  readonly subnets: PageSubnets;
  /** The oldest first. */
  readonly events: readonly PageEvent[];
}

export interface PageStatus {
  readonly version: string;
  readonly ready: boolean;
  readonly host: {
    readonly id: string;
    readonly name: string;
    readonly address: string;
    readonly gossipPort: number;
    readonly healthScore: number;
  };
  readonly cluster: {
    readonly backend: string;
    readonly alive: number;
    readonly suspect: number;
    readonly dead: number;
    readonly left: number;
  };
  readonly encryption:
    | { readonly fingerprints: readonly string[]; readonly plainToo: boolean }
    | null;
  readonly claim: {
    readonly subnet: string | null;
    readonly ipv6Subnet?: string | null;
    readonly stage: string;
    readonly since: string | null;
    readonly reason: string | null;
    readonly conflicts: number;
  };
  readonly overlay: {
    readonly device: string;
    readonly mtu: number;
    readonly inSync: boolean;
    readonly peersWanted: number;
    readonly peersProgrammed: number;
    readonly repairs: number;
    readonly lastError: string | null;
    readonly traffic?: {
      readonly sentBytes: number;
      readonly receivedBytes: number;
      readonly sentPackets: number;
      readonly receivedPackets: number;
    } | null;
  };
  readonly firewall: { readonly inSync: boolean; readonly strangers: number } | null;
  readonly members: readonly PageMember[];
  readonly problems: readonly PageProblem[];
}

export interface PageMember {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly status: "alive" | "suspect" | "dead" | "left";
  readonly statusSince: string;
  readonly subnet: string | null;
  readonly ipv6Subnet?: string | null;
  readonly path: "vxlan" | "direct" | string | null;
  readonly kernel: "answers" | "checking" | "silent" | null;
  /** Of gossip. */
  readonly rttMs: number | null;
  /** Of pings through the overlay. */
  readonly overlay?: {
    readonly state: "answers" | "silent" | "unknown";
    readonly rttMs: number | null;
    readonly ipv6?: { readonly state: "answers" | "silent" | "unknown" };
  } | null;
  readonly udp: "ok" | "blocked" | "unknown";
  readonly version: string;
  readonly self: boolean;
}

export interface PageProblem {
  readonly code: string;
  readonly severity: "warning" | "error";
  readonly text: string;
  readonly remedy: string;
}

export interface PageSubnets {
  readonly networks: readonly string[];
  readonly subnetLen: number;
  readonly used: number;
  readonly total: number;
  readonly subnets: readonly PageSubnet[];
}

export interface PageSubnet {
  readonly subnet: string;
  readonly owner: string;
  readonly ownerId: string;
  readonly ownerStatus: string;
  readonly state: string;
  readonly standing: string;
  readonly self: boolean;
}

export interface PageEvent {
  readonly sequence: number;
  readonly time: string;
  readonly event: string;
  readonly severity: "info" | "warning" | "error";
  readonly text: string;
}
