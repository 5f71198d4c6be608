/**
 * What our table of nf_tables should hold: flannel's masquerading and forwarding, and the guard of the VXLAN port, as a pure
 * function of this host's configuration, its subnet and the members of the cluster. Why each rule: docs/adr/0030-nftables.md.
 */
import type {
  AddressFamily,
  FirewallChain,
  FirewallMatch,
  FirewallRule,
  FirewallSet,
  FirewallTable,
} from "../base/firewall_objects.ts";
import { addressFamilyOf, sortedAddresses, sortedNetworks } from "./firewall_elements.ts";

/** kube-proxy's mark on packets that it masquerades itself; one masquerading is enough. */
const KUBE_MARK = 0x4000;
/** linux/netfilter_ipv4.h NF_IP_PRI_FILTER and NF_IP_PRI_NAT_SRC. */
const PRIORITY_FILTER = 0;
const PRIORITY_SOURCE_NAT = 100;
/** IPv4's and IPv6's (RFC 1112, RFC 4291): masquerading it makes no sense, and breaks IPv6's neighbour discovery. */
const MULTICAST: Readonly<Record<AddressFamily, string>> = { ip: "224.0.0.0/4", ip6: "ff00::/8" };

export interface FirewallConfig {
  readonly vni: number;
  /** UDP port of VXLAN, or of the UDP backend. */
  readonly port: number;
  /** Whether packets to that port say which overlay they belong to; true when absent. */
  readonly hasNetworkIdentifier?: boolean;
  readonly masquerade: boolean;
  /** Destinations to which containers go with their own addresses; canonical CIDRs of either family. */
  readonly masqueradeExcluded: readonly string[];
  /** Whether packets to that port from others than members are dropped. */
  readonly guard: boolean;
}

/** What the cluster knows at this moment. */
export interface FirewallFacts {
  /** This host's subnet, canonical CIDR; its family is the table's. */
  readonly subnet: string;
  /** Canonical CIDRs, of either family. */
  readonly networks: readonly string[];
  /** Underlay addresses that may send VXLAN packets, of either family, in any order. */
  readonly members: readonly string[];
}

/** `gossamer_1` for VNI 1: each overlay of a host has a table of its own in each family. */
export function firewallTableName(vni: number): string {
  return `gossamer_${vni}`;
}

/** The set of {@linkcode FirewallFacts.members}. */
export const MEMBER_SET = "members";
/** The chain and the comment of the rule that drops what strangers send. */
export const GUARD_CHAIN = "guard";

export function desiredFirewall(config: FirewallConfig, facts: FirewallFacts): FirewallTable {
  const family = addressFamilyOf(facts.subnet);
  const ofFamily = (texts: readonly string[]) =>
    texts.filter((text) => addressFamilyOf(text) === family);
  const excluded = sortedNetworks(ofFamily(config.masqueradeExcluded));
  const hasExclusions = config.masquerade && excluded.length > 0;
  const sets: FirewallSet[] = [
    networkSet("networks", sortedNetworks(ofFamily(facts.networks))),
    ...(hasExclusions ? [networkSet("unmasqueraded", excluded)] : []),
    ...(config.guard
      ? [{
        name: MEMBER_SET,
        hasNetworks: false,
        elements: sortedAddresses(ofFamily(facts.members)),
      }]
      : []),
  ];
  const chains = [
    ...(config.masquerade ? [postrouting(family, facts.subnet, hasExclusions)] : []),
    forward(),
    ...(config.guard ? [guard(config)] : []),
  ];
  return { family, name: firewallTableName(config.vni), sets, chains };
}

/**
 * flannel's rules of iptables, in their order and with their meaning (its nftables mode has one of them turned round).
 * Addresses of containers are kept within the overlay and towards containers; whatever else they send gets the host's, and
 * so does what the host or its neighbours send into the overlay, whose answers would take another way otherwise.
 */
function postrouting(family: AddressFamily, subnet: string, hasExclusions: boolean): FirewallChain {
  const rules = [
    rule([{ kind: "mark", mask: KUBE_MARK, value: KUBE_MARK }], "return", "kube-proxy's own"),
    rule([from(subnet), to("@networks")], "return", "own containers into the overlay"),
    // flannel has two rules for this, one for sources in the overlay and one for all others.
    rule([to(subnet)], "return", "from anywhere to own containers"),
    ...(hasExclusions
      ? [rule([from("@networks"), to("@unmasqueraded")], "return", "--masq-exclude")]
      : []),
    rule([from("@networks"), notTo(MULTICAST[family])], "masquerade", "out of the overlay"),
    rule([notFrom("@networks"), to("@networks")], "masquerade", "into the overlay"),
  ];
  return {
    name: "postrouting",
    type: "nat",
    hook: "postrouting",
    priority: PRIORITY_SOURCE_NAT,
    rules,
  };
}

/**
 * An accept here is good for this table alone: no table can take back what another one drops, so a drop elsewhere is looked
 * for and named instead (forward_drop.ts).
 */
function forward(): FirewallChain {
  const rules = [
    rule([from("@networks")], "accept", "out of the overlay"),
    rule([to("@networks")], "accept", "into the overlay"),
  ];
  return { name: "forward", type: "filter", hook: "forward", priority: PRIORITY_FILTER, rules };
}

/**
 * With VXLAN only packets with our network identifier: another overlay may share the port. At the input hook, not before: fragments are
 * put together there, and VXLAN packets that merely pass this host are none of our business.
 */
function guard({ port, vni, hasNetworkIdentifier }: FirewallConfig): FirewallChain {
  const matches: FirewallMatch[] = [
    { kind: "udp-port", port },
    ...(hasNetworkIdentifier === false ? [] : [{ kind: "vni", vni } as const]),
    notFrom(`@${MEMBER_SET}`),
  ];
  const rules = [rule(matches, "drop", "not from a member", 0)];
  return { name: GUARD_CHAIN, type: "filter", hook: "input", priority: PRIORITY_FILTER, rules };
}

function networkSet(name: string, elements: readonly string[]): FirewallSet {
  return { name, hasNetworks: true, elements };
}

function rule(
  matches: readonly FirewallMatch[],
  verdict: FirewallRule["verdict"],
  comment: string,
  counted: number | null = null,
): FirewallRule {
  return { matches, counted, verdict, comment };
}

function from(of: string): FirewallMatch {
  return { kind: "address", side: "source", isIn: true, of };
}

function notFrom(of: string): FirewallMatch {
  return { kind: "address", side: "source", isIn: false, of };
}

function to(of: string): FirewallMatch {
  return { kind: "address", side: "destination", isIn: true, of };
}

function notTo(of: string): FirewallMatch {
  return { kind: "address", side: "destination", isIn: false, of };
}
