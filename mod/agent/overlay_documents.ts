/** Parts of the status document that tell of the data path. */

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
