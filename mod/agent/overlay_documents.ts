/** Documents, and parts of the status document, that tell of the data path. */

/** What this host's kernel should hold, and what differs, as commands of iproute2, sysctl, ethtool and nft. */
export interface PlanDocument {
  schema: 1;
  /** `unchanged`: not decided, what is there stays; `paused`: there is no underlay to stand on. */
  want: "up" | "down" | "unchanged" | "paused";
  /** Everything, as commands that make it from nothing; empty unless something is wanted. */
  wanted: string;
  /** Of that, and of what has to go, what is not so at this moment; empty when all is as wanted. */
  changes: string;
  /** What stands in the way, in sentences. */
  obstacles: string[];
}

/** The IPv6 half of a dual-stack overlay. */
export interface Ipv6Document {
  network: string;
  device: string;
  mtu: number;
  inSync: boolean;
  peersWanted: number;
  peersProgrammed: number;
  repairs: number;
  lastError: string | null;
}

/** What the agent itself carries, with `--backend udp`. */
export interface UdpDocument {
  port: number;
  /** Whether packets are carried. */
  running: boolean;
  /** How often the thread that carries them had to be started again. */
  restarts: number;
  /** Packets that were not passed on, by reason: docs/metrics.md. All reasons are there. */
  drops: Record<string, number>;
}

export interface FirewallDocument {
  inSync: boolean;
  /** Whether `--ip-masq` is on. */
  masquerade: boolean;
  /** Whether packets of the overlay from others than members are dropped. */
  guard: boolean;
  /** Addresses that may send them. */
  members: number;
  /** Those from others that were dropped since the table was made. */
  strangers: number;
  /** How often somebody else's change was undone. */
  repairs: number;
  lastError: string | null;
}
