/** A firewall of each family, as tests want it. */
import type {
  AddressFamily,
  Firewall,
  FirewallOperation,
  FirewallState,
  FirewallTable,
  ForeignHook,
  ForeignTable,
} from "../../mod/base/firewall_objects.ts";
import {
  desiredFirewall,
  type FirewallConfig,
  type FirewallFacts,
  MEMBER_SET,
} from "../../mod/overlay/firewall.ts";
import { sortedAddresses } from "../../mod/overlay/firewall_elements.ts";

export const FIREWALL: FirewallConfig = {
  vni: 1,
  port: 8472,
  masquerade: true,
  masqueradeExcluded: [],
  guard: true,
};

export const FACTS: Readonly<Record<AddressFamily, FirewallFacts>> = {
  ip: {
    subnet: "10.244.7.0/24",
    networks: ["10.244.0.0/16"],
    members: ["192.168.100.10", "192.168.100.2", "fd00::2"],
  },
  ip6: {
    subnet: "fd00:1:0:7::/64",
    networks: ["fd00:1::/48"],
    members: ["192.168.100.2", "fd00::a", "fd00::2"],
  },
};

export function wantedTable(
  family: AddressFamily,
  config: Partial<FirewallConfig> = {},
  facts: Partial<FirewallFacts> = {},
): FirewallTable {
  return desiredFirewall({ ...FIREWALL, ...config }, { ...FACTS[family], ...facts });
}

/** A packet filter in memory, with switches for what may go wrong. */
export class ModelFirewall implements Firewall {
  readonly states = new Map<AddressFamily, FirewallState>();
  readonly applied: FirewallOperation[] = [];
  foreign: readonly ForeignTable[] = [];
  early: readonly ForeignTable[] = [];
  /** Thrown by the next calls, one each. */
  readonly faults: Error[] = [];
  #changed: (isOurs: boolean) => void = () => {};
  closed = 0;
  looksAtOthers = 0;

  dump(family: AddressFamily): FirewallState {
    this.#fault();
    return this.states.get(family) ?? { kind: "absent" };
  }

  apply(operations: readonly FirewallOperation[]): void {
    this.#fault();
    for (const operation of operations) this.#apply(operation);
    this.applied.push(...operations);
  }

  foreignTables(hook: ForeignHook): readonly ForeignTable[] {
    if (hook === "prerouting") return this.early;
    this.looksAtOthers++;
    return this.foreign;
  }

  watch(_table: string, changed: (isOurs: boolean) => void): () => void {
    this.#changed = changed;
    return () => {
      this.#changed = () => {};
    };
  }

  close(): void {
    this.closed++;
  }

  /** Somebody else changes something. */
  tamper(family: AddressFamily | null, state: FirewallState = { kind: "absent" }): void {
    if (family !== null) this.states.set(family, state);
    this.#changed(family !== null);
  }

  #fault(): void {
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
  }

  #apply(operation: FirewallOperation): void {
    if (operation.kind === "table-replace") {
      this.states.set(operation.table.family, { kind: "ours", table: operation.table });
    } else if (operation.kind === "table-delete") {
      this.states.delete(operation.family);
    } else {
      const state = this.states.get(operation.family);
      if (state?.kind !== "ours") throw new Error("elements of a table that is not there");
      const sets = state.table.sets.map((set) => {
        if (set.name !== MEMBER_SET) return set;
        const elements = operation.kind === "elements-add"
          ? sortedAddresses([...set.elements, ...operation.elements])
          : set.elements.filter((element) => !operation.elements.includes(element));
        return { ...set, elements };
      });
      this.states.set(operation.family, { kind: "ours", table: { ...state.table, sets } });
    }
  }
}
