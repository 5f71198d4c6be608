/**
 * Whether the rules of others drop what the overlay forwards. A base chain cannot take back what another one drops, whatever
 * their order, so all that can be done is to find the one that does and to name it: Docker's FORWARD policy, firewalld's zones.
 */
import type {
  ForeignChain,
  ForeignMatch,
  ForeignRule,
  ForeignTable,
} from "../base/firewall_objects.ts";
import type { Problem } from "../base/problem.ts";
import { addressFamilyOf, networkContains } from "./firewall_elements.ts";

/** The first packet of a connection through this host, or to it; what is null is not known. */
export interface ForwardedPacket {
  readonly source: string;
  readonly destination: string;
  readonly inDevice: string | null;
  readonly outDevice: string | null;
  /** Of one that is for this host itself: how it comes in, and what for. */
  readonly arriving?: {
    readonly inIndex: number;
    /** IANA's number. */
    readonly protocol: number;
    readonly port: number;
  };
}

/** The chain in which a packet ends, and by what. */
export interface ForwardDrop {
  readonly table: ForeignTable;
  /** The base chain. */
  readonly chain: string;
  /** The chain whose rule drops; null where the base chain's policy does. */
  readonly by: string | null;
}

/** Whether a match, or a rule, is true of a packet. */
type Truth = "yes" | "no" | "unknown";
/** What becomes of a packet; `perhaps` where some rule may have let it pass. */
type Fate = "accept" | "drop" | "perhaps" | "next" | "return";

/** What a rule may look at that is not the same for all that is forwarded. */
const BEYOND_FORWARDED: ReadonlySet<ForeignMatch["kind"]> = new Set([
  "unknown",
  "protocol",
  "port",
  "device-index",
]);

/** Chains may jump to one another so often (nf_tables.h NFT_JUMP_STACK_SIZE). */
const JUMPS_MAX = 16;
/** Rules looked at for one packet: 20 ms. Chains of chains may have more ways through them than anybody can go. */
const RULES_MAX = 100_000;

/** The first base chain, in their order, that drops the packet for certain; null when none does. */
export function findForwardDrop(
  tables: readonly ForeignTable[],
  packet: ForwardedPacket,
): ForwardDrop | null {
  const bases = tables.flatMap((table) => table.chains.map((chain) => ({ table, chain })))
    .sort((one, other) => (one.chain.base?.priority ?? 0) - (other.chain.base?.priority ?? 0));
  for (const { table, chain } of bases) {
    if (chain.base === null) continue;
    const walk = new Walk(table, packet);
    const fate = walk.through(chain, 0);
    if (fate === "drop") return { table, chain: chain.name, by: walk.droppedIn };
    if (fate === "next" && chain.base.policy === "drop") {
      return { table, chain: chain.name, by: null };
    }
  }
  return null;
}

/** One packet on its way through the chains of one table. */
class Walk {
  /** The chain with the rule that dropped it. */
  droppedIn: string | null = null;
  readonly #chains: ReadonlyMap<string, ForeignChain>;
  readonly #packet: ForwardedPacket;
  #rulesLeft = RULES_MAX;

  constructor(table: ForeignTable, packet: ForwardedPacket) {
    this.#chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    this.#packet = packet;
  }

  through(chain: ForeignChain, depth: number): Fate {
    let isPerhaps = false;
    for (const rule of chain.rules) {
      if (this.#rulesLeft-- <= 0) return "perhaps";
      const fate = this.#fateBy(rule, chain.name, depth);
      if (fate === "perhaps") isPerhaps = true;
      else if (fate === "return") break;
      else if (fate !== "next") return isPerhaps ? "perhaps" : fate;
    }
    return isPerhaps ? "perhaps" : "next";
  }

  #fateBy(rule: ForeignRule, chain: string, depth: number): Fate {
    const truth = this.#truthOf(rule);
    const { verdict } = rule;
    if (truth === "no" || verdict.kind === "continue") return "next";
    const isCertain = truth === "yes";
    switch (verdict.kind) {
      case "accept":
        // What looks at ports or marks of others is not meant for all that the overlay carries.
        return isCertain ? "accept" : this.#mayBeAbout(rule) ? "perhaps" : "next";
      case "drop":
        if (!isCertain) return "next";
        this.droppedIn = chain;
        return "drop";
      case "return":
        return isCertain ? "return" : "next";
      case "jump":
      case "goto": {
        const target = this.#chains.get(verdict.chain);
        if (target === undefined || depth === JUMPS_MAX) return "next";
        const fate = this.through(target, depth + 1);
        // Who does not come back goes on where the chain before goes on: behind this rule there is nothing.
        const after = verdict.kind === "goto" && fate === "next" ? "return" : fate;
        if (isCertain) return after;
        return fate === "accept" && this.#mayBeAbout(rule) || fate === "perhaps"
          ? "perhaps"
          : "next";
      }
    }
  }

  #truthOf({ matches }: ForeignRule): Truth {
    const truths = matches.map((match) => this.#truthOfMatch(match));
    if (truths.includes("no")) return "no";
    return truths.includes("unknown") ? "unknown" : "yes";
  }

  /**
   * Whether all that is not known of the rule is a device or an address of the packet. Of one that is for this host more is
   * known, and whoever looks at sets of ports may well mean it.
   */
  #mayBeAbout({ matches }: ForeignRule): boolean {
    return this.#packet.arriving !== undefined ||
      matches.every((match) => !BEYOND_FORWARDED.has(match.kind));
  }

  #truthOfArriving(
    match: Extract<ForeignMatch, { kind: "device-index" | "protocol" | "port" }>,
  ): Truth {
    const { arriving } = this.#packet;
    if (arriving === undefined) return "unknown";
    if (match.kind === "protocol") {
      return truth((match.protocol === arriving.protocol) === match.isIn);
    }
    if (match.kind === "port") return truth((match.port === arriving.port) === match.isIn);
    if (match.side === "out") return "unknown";
    return truth((match.index === arriving.inIndex) === match.isIn);
  }

  #truthOfMatch(match: ForeignMatch): Truth {
    const { source, destination, inDevice, outDevice } = this.#packet;
    switch (match.kind) {
      case "address": {
        const range = match.side === "source" ? source : destination;
        if (networkContains(match.of, range)) return truth(match.isIn);
        return networkContains(range, match.of) ? "unknown" : truth(!match.isIn);
      }
      case "device": {
        const device = match.side === "in" ? inDevice : outDevice;
        if (device === null) return "unknown";
        const isSame = match.name.endsWith("*")
          ? device.startsWith(match.name.slice(0, -1))
          : device === match.name;
        return truth(isSame === match.isIn);
      }
      case "device-index":
      case "protocol":
      case "port":
        return this.#truthOfArriving(match);
      case "family":
        return truth((addressFamilyOf(source) === match.family) === match.isIn);
      case "state":
        return truth(match.isTrueOfNew);
      case "unknown":
        return "unknown";
    }
  }
}

function truth(value: boolean): Truth {
  return value ? "yes" : "no";
}

/** What to say of it. */
export function forwardDropProblem({ table, chain, by }: ForwardDrop, network: string): Problem {
  const place = `${table.family} ${table.name}`;
  const what = by === null
    ? `the policy of the chain ${chain} is drop`
    : by === chain
    ? `a rule of the chain ${chain} drops them`
    : `the chain ${by}, to which ${chain} leads, drops them`;
  return {
    code: "forward-drop",
    severity: "warning",
    text: `nftables drops packets that other hosts' containers exchange with this host's, in the ` +
      `table ${place}: ${what}`,
    remedy: remedyFor(table, network),
  };
}

function remedyFor(table: ForeignTable, network: string): string {
  const { family, name, chains } = table;
  const hasChain = (wanted: string) => chains.some((chain) => chain.name === wanted);
  if (name === "firewalld") {
    return `Put the overlay into a zone that forwards: "firewall-cmd --permanent --zone=trusted ` +
      `--add-source=${network}", then "firewall-cmd --reload"`;
  }
  const isIptables = (family === "ip" || family === "ip6") && name === "filter";
  const iptables = family === "ip6" ? "ip6tables" : "iptables";
  if (isIptables && hasChain("DOCKER-USER")) {
    return `Let the overlay pass before Docker's rules: "${iptables} -I DOCKER-USER -s ${network} ` +
      `-j ACCEPT" and "${iptables} -I DOCKER-USER -d ${network} -j ACCEPT"`;
  }
  if (isIptables && hasChain("FORWARD")) {
    return `Let the overlay pass: "${iptables} -I FORWARD -s ${network} -j ACCEPT" and ` +
      `"${iptables} -I FORWARD -d ${network} -j ACCEPT"`;
  }
  return `Accept packets from and to ${network} in that chain, before they are dropped`;
}
