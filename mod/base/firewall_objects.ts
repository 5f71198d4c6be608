/**
 * The part of nf_tables that gossamer writes, as plain data, and the port through which it is read and changed. The pure
 * overlay module compares these, the host module maps them to netlink.
 */

/** A family of addresses, as nft calls it. A table belongs to one. */
export type AddressFamily = "ip" | "ip6";

/** A named set of addresses, or of networks. */
export interface FirewallSet {
  readonly name: string;
  /** Whether the elements are networks (`flags interval`) and not addresses. */
  readonly hasNetworks: boolean;
  /** Canonical addresses, in any order, or CIDRs in ascending order, none within another. */
  readonly elements: readonly string[];
}

/** What a rule looks at: all of its matches must be true. */
export type FirewallMatch =
  /** `meta mark & MASK == VALUE`. */
  | { readonly kind: "mark"; readonly mask: number; readonly value: number }
  /** `ip saddr 10.244.7.0/24`, `ip daddr != @networks`. */
  | {
    readonly kind: "address";
    readonly side: "source" | "destination";
    readonly isIn: boolean;
    /** A canonical CIDR, or `@` and the name of a set. */
    readonly of: string;
  }
  /** `udp dport PORT`. */
  | { readonly kind: "udp-port"; readonly port: number }
  /** The network identifier of a VXLAN packet (RFC 7348 section 5) after its UDP header: `@th,96,24 VNI`. */
  | { readonly kind: "vni"; readonly vni: number };

export interface FirewallRule {
  readonly matches: readonly FirewallMatch[];
  /** Packets counted so far; null where none are counted. Not part of what is wanted. */
  readonly counted: number | null;
  readonly verdict: "accept" | "drop" | "return" | "masquerade";
  readonly comment: string;
}

/** A base chain. */
export interface FirewallChain {
  readonly name: string;
  readonly type: "filter" | "nat";
  readonly hook: "input" | "forward" | "postrouting";
  /** nft's names: 0 is `filter`, 100 is `srcnat`. */
  readonly priority: number;
  readonly rules: readonly FirewallRule[];
}

/** A table of ours: all of it is made by gossamer. */
export interface FirewallTable {
  readonly family: AddressFamily;
  readonly name: string;
  readonly sets: readonly FirewallSet[];
  readonly chains: readonly FirewallChain[];
}

/** What the kernel holds under the name of our table. */
export type FirewallState =
  | { readonly kind: "absent" }
  /** It has not our comment: somebody else made it. */
  | { readonly kind: "foreign" }
  /** It has our comment, but something in it is none of what gossamer writes. */
  | { readonly kind: "altered"; readonly what: string }
  | { readonly kind: "ours"; readonly table: FirewallTable };

/** One change. A plan of these is applied at one instant, or not at all. */
export type FirewallOperation =
  /** Whatever of ours is there goes, and this takes its place, without a moment between. */
  | { readonly kind: "table-replace"; readonly table: FirewallTable }
  | { readonly kind: "table-delete"; readonly family: AddressFamily; readonly name: string }
  | {
    readonly kind: "elements-add" | "elements-delete";
    readonly family: AddressFamily;
    readonly table: string;
    readonly set: string;
    readonly elements: readonly string[];
  };

/** What a rule or a chain of somebody else does with a packet that is forwarded. */
export type ForeignVerdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  /** Counts, logs, marks. */
  | { readonly kind: "continue" };

/** What a rule of somebody else looks at, as far as it is understood. */
export type ForeignMatch =
  | {
    readonly kind: "address";
    readonly side: "source" | "destination";
    readonly isIn: boolean;
    /** Canonical CIDR. */
    readonly of: string;
  }
  | {
    readonly kind: "device";
    readonly side: "in" | "out";
    readonly isIn: boolean;
    /** The name, or the beginning of one and `*`. */
    readonly name: string;
  }
  /** The same by the device's index. */
  | {
    readonly kind: "device-index";
    readonly side: "in" | "out";
    readonly isIn: boolean;
    readonly index: number;
  }
  /** IANA's number of what the packet carries: 6 is TCP, 17 UDP. */
  | { readonly kind: "protocol"; readonly isIn: boolean; readonly protocol: number }
  /** The destination port of TCP and its like. */
  | { readonly kind: "port"; readonly isIn: boolean; readonly port: number }
  /** Whether it is true of the packets of one family. */
  | { readonly kind: "family"; readonly isIn: boolean; readonly family: AddressFamily }
  /** Whether it is true of the first packet of a connection. */
  | { readonly kind: "state"; readonly isTrueOfNew: boolean }
  /** Sets, marks and whatever else: may be true or not. */
  | { readonly kind: "unknown" };

export interface ForeignRule {
  readonly matches: readonly ForeignMatch[];
  readonly verdict: ForeignVerdict;
}

export interface ForeignChain {
  readonly name: string;
  /** Null for chains that are only jumped to. */
  readonly base: { readonly priority: number; readonly policy: "accept" | "drop" } | null;
  readonly rules: readonly ForeignRule[];
}

/** A table of somebody else through which forwarded packets go. */
export interface ForeignTable {
  /** `inet` is both. */
  readonly family: AddressFamily | "inet";
  readonly name: string;
  readonly chains: readonly ForeignChain[];
}

/** Where the kernel asks rules about packets that arrive: all of them, those for this host, those for others. */
export type ForeignHook = "prerouting" | "input" | "forward";

/** The packet filter of this host, or a fake of it. */
export interface Firewall {
  /** Throws when the kernel cannot be read. */
  dump(family: AddressFamily, table: string): FirewallState;
  /** All at one instant, or nothing: then it throws. What was deleted already is no failure of a table's deletion. */
  apply(operations: readonly FirewallOperation[]): void;
  /** Every table with a chain at that hook, without the one of that name. Throws when it cannot be read. */
  foreignTables(hook: ForeignHook, family: AddressFamily, except: string): readonly ForeignTable[];
  /**
   * Calls back (coalesced) after somebody else changed something, with whether the table of that name was among it; true too
   * when notifications were lost. Returns a function that stops it.
   */
  watch(table: string, changed: (isOurs: boolean) => void): () => void;
  /** Ends all watches. */
  close(): void;
}
