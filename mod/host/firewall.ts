/**
 * nf_tables of this host as the overlay's port. Everything runs synchronously on one socket, in the network namespace in
 * which it was opened.
 */
import { isMissing, NetlinkError } from "../../ffi/netlink/error.ts";
import { decodeRule, type NftRule, ruleDumpRequest } from "../../ffi/nftables/rule.ts";
import {
  decodeElements,
  decodeSet,
  elementDumpRequest,
  type NftSet,
  setDumpRequest,
} from "../../ffi/nftables/set.ts";
import { type NftablesSocket, openNftables } from "../../ffi/nftables/socket.ts";
import {
  chainDumpRequest,
  decodeChain,
  decodeTable,
  type NftChain,
  tableDumpRequest,
  type TableKey,
} from "../../ffi/nftables/table.ts";
import type {
  AddressFamily,
  Firewall,
  FirewallChain,
  FirewallOperation,
  FirewallRule,
  FirewallSet,
  FirewallState,
  FirewallTable,
  ForeignHook,
  ForeignTable,
} from "../base/firewall_objects.ts";
import { TABLE_COMMENT } from "../base/limits.ts";
import { decodeForeignRule, decodeOwnRule } from "./firewall_decode.ts";
import { networksOf, sortedElements } from "./firewall_ranges.ts";
import { FirewallWatch } from "./firewall_watch.ts";
import { KEY_TYPE, requestsOf } from "./firewall_requests.ts";

/** A reading during which the rules changed this often is an error. */
const DUMP_ATTEMPTS = 4;

/** Reads and changes nf_tables through one socket. */
export class NftablesFirewall implements Firewall {
  readonly #socket: NftablesSocket;
  readonly #watches = new Set<FirewallWatch>();

  constructor(socket: NftablesSocket) {
    this.#socket = socket;
  }

  /** Throws NetlinkError or SysError when the kernel cannot be read. */
  dump(family: AddressFamily, name: string): FirewallState {
    return this.#consistently(() => this.#dumpOnce({ family, name }));
  }

  /** Throws NetlinkError or SysError; then nothing was done, or with code ENOBUFS nobody knows. */
  apply(operations: readonly FirewallOperation[]): void {
    try {
      this.#socket.transact(operations.flatMap(requestsOf));
    } catch (error) {
      const isDeletion = operations.every(({ kind }) => kind === "table-delete");
      if (!isDeletion || !isMissing(error)) throw error;
    }
  }

  /** See the port. */
  foreignTables(hook: ForeignHook, family: AddressFamily, except: string): ForeignTable[] {
    return this.#consistently(() => this.#foreignTables(hook, family, except));
  }

  /** See the port. Throws SysError when there is no socket to be had. */
  watch(table: string, changed: (isOurs: boolean) => void): () => void {
    const watch = new FirewallWatch(table, this.#socket.port, changed);
    this.#watches.add(watch);
    return () => watch.stop();
  }

  /** Stops all watches and closes the socket; settles when every descriptor is closed. */
  async close(): Promise<void> {
    this.#socket.close();
    for (const watch of this.#watches) watch.stop();
    await Promise.all([...this.#watches].map((watch) => watch.ended));
  }

  /** Several dumps are one picture when nobody changed anything between them. */
  #consistently<T>(read: () => T): T {
    for (let attempt = 1;; attempt++) {
      const before = this.#socket.generation();
      let error: unknown = null;
      try {
        const picture = read();
        if (this.#socket.generation() === before) return picture;
      } catch (caught) {
        error = caught;
      }
      const isTorn = error === null || isMissing(error) ||
        (error instanceof NetlinkError && (error.code === "ENOBUFS" || error.code === "EINTR"));
      if (!isTorn) throw error;
      if (attempt < DUMP_ATTEMPTS) continue;
      throw error ?? new Error("The rules of nftables changed at each of several readings");
    }
  }

  #dumpOnce(key: TableKey & { family: AddressFamily }): FirewallState {
    const isOurs = (table: TableKey) => table.family === key.family && table.name === key.name;
    const table = this.#socket.dump(tableDumpRequest()).map(decodeTable)
      .find((table) => table !== null && isOurs(table)) ?? null;
    if (table === null) return { kind: "absent" };
    if (table.comment !== TABLE_COMMENT) return { kind: "foreign" };
    if (table.flags !== 0) return { kind: "altered", what: "it is dormant" };
    const chains = this.#socket.dump(chainDumpRequest(key.family)).map(decodeChain)
      .filter((chain) => chain !== null)
      .filter((chain) => isOurs(chain.table));
    const rules = this.#socket.dump(ruleDumpRequest(key)).map(decodeRule)
      .filter((rule) => rule !== null)
      .filter((rule) => isOurs(rule.table));
    const sets = this.#socket.dump(setDumpRequest(key)).map(decodeSet)
      .filter((set) => set !== null)
      .filter((set) => isOurs(set.table));
    const found: FirewallTable & { sets: FirewallSet[]; chains: FirewallChain[] } = {
      ...key,
      sets: [],
      chains: [],
    };
    for (const set of sets) {
      const decoded = this.#ownSet(set, key.family);
      if (decoded === null) return { kind: "altered", what: `the set ${set.name}` };
      found.sets.push(decoded);
    }
    for (const chain of chains) {
      const decoded = ownChain(chain, rules, key.family);
      if (decoded === null) return { kind: "altered", what: `the chain ${chain.name}` };
      found.chains.push(decoded);
    }
    return { kind: "ours", table: found };
  }

  #ownSet(set: NftSet, family: AddressFamily): FirewallSet | null {
    const { name, keyType, hasRanges } = set;
    if (keyType !== KEY_TYPE[family] || (set.flags & ~INTERVAL) !== 0) return null;
    const elements = this.#socket.dump(elementDumpRequest(set)).flatMap(decodeElements);
    if (hasRanges) {
      return { name, hasNetworks: true, elements: networksOf(sortedElements(elements), family) };
    }
    // Of addresses there may be thousands: in the order of their texts, which costs little.
    return { name, hasNetworks: false, elements: elements.map(({ address }) => address).sort() };
  }

  #foreignTables(
    hook: ForeignHook,
    family: AddressFamily,
    except: string,
  ): ForeignTable[] {
    const chains = [family, "inet" as const].flatMap((of) =>
      this.#socket.dump(chainDumpRequest(of)).map(decodeChain)
    ).filter((chain) => chain !== null);
    const tables = new Map<string, ForeignTable>();
    for (const { table, base } of chains) {
      const id = `${table.family} ${table.name}`;
      if (base?.hook !== hook || base.type !== "filter" || tables.has(id)) continue;
      if (table.family !== family && table.family !== "inet") continue;
      if (table.family === family && table.name === except) continue;
      const key = { family: table.family, name: table.name };
      tables.set(id, this.#foreignTable(key, hook, chains, family));
    }
    return [...tables.values()];
  }

  #foreignTable(
    table: TableKey & { family: AddressFamily | "inet" },
    hook: ForeignHook,
    chains: readonly NftChain[],
    packets: AddressFamily,
  ): ForeignTable {
    const isOf = (key: TableKey) => key.family === table.family && key.name === table.name;
    const rules = this.#socket.dump(ruleDumpRequest(table)).map(decodeRule)
      .filter((rule) => rule !== null)
      .filter((rule) => isOf(rule.table));
    return {
      ...table,
      chains: chains.filter((chain) => isOf(chain.table)).map(({ name, base }) => ({
        name,
        base: base?.hook === hook && base.type === "filter"
          ? { priority: base.priority, policy: base.policy === "drop" ? "drop" : "accept" }
          : null,
        rules: rules.filter((rule) => rule.chain === name)
          .map(({ expressions }) => decodeForeignRule(expressions, packets)),
      })),
    };
  }
}

/** NFT_SET_INTERVAL. */
const INTERVAL = 0x4;

/** Null when it is none that gossamer makes. */
function ownChain(
  { name, base }: NftChain,
  all: readonly NftRule[],
  family: AddressFamily,
): FirewallChain | null {
  if (base === null || base.policy !== "accept") return null;
  const { type, hook, priority } = base;
  if (type !== "filter" && type !== "nat") return null;
  if (hook !== "input" && hook !== "forward" && hook !== "postrouting") return null;
  const rules: FirewallRule[] = [];
  for (const rule of all) {
    if (rule.chain !== name) continue;
    const decoded = decodeOwnRule(rule.expressions, rule.comment, family);
    if (decoded === null) return null;
    rules.push(decoded);
  }
  return { name, type, hook, priority, rules };
}

/** Opens nf_tables of the current network namespace. Throws SysError, EPROTONOSUPPORT where the kernel has none. */
export function openFirewall(): NftablesFirewall {
  return new NftablesFirewall(openNftables());
}
