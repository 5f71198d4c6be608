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

export interface FirewallDocument {
  inSync: boolean;
  /** Whether `--ip-masq` is on. */
  masquerade: boolean;
  /** Whether VXLAN packets from others than members are dropped. */
  guard: boolean;
  /** Addresses that may send VXLAN packets. */
  members: number;
  /** VXLAN packets from others that were dropped since the table was made. */
  strangers: number;
  /** How often somebody else's change was undone. */
  repairs: number;
  lastError: string | null;
}
