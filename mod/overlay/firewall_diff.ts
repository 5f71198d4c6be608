/**
 * What to change so that our table is as wanted. Members come and go by elements of their set; anything else makes the whole
 * table anew, in the same transaction in which the old one goes.
 */
import type {
  AddressFamily,
  FirewallOperation,
  FirewallSet,
  FirewallState,
  FirewallTable,
} from "../base/firewall_objects.ts";
import { MEMBER_SET } from "./firewall.ts";

export interface FirewallPlan {
  readonly operations: readonly FirewallOperation[];
  /** A table of our name is somebody else's: nothing is done. */
  readonly isForeign: boolean;
}

const NOTHING: FirewallPlan = { operations: [], isForeign: false };

/**
 * @param keepsStrangers whether members that are not wanted stay: after a start, before every claim had time to arrive.
 */
export function diffFirewall(
  desired: FirewallTable,
  actual: FirewallState,
  keepsStrangers = false,
): FirewallPlan {
  if (actual.kind === "foreign") return { operations: [], isForeign: true };
  const replacement: FirewallPlan = {
    operations: [{ kind: "table-replace", table: desired }],
    isForeign: false,
  };
  if (actual.kind !== "ours") return replacement;
  const there = actual.table;
  const wanted = desired.sets.find(({ name }) => name === MEMBER_SET);
  const present = there.sets.find(({ name }) => name === MEMBER_SET);
  if (frame(desired) !== frame(there)) {
    if (!keepsStrangers || wanted === undefined || present === undefined) return replacement;
    const table = withElements(desired, union(wanted.elements, present.elements));
    return { ...replacement, operations: [{ kind: "table-replace", table }] };
  }
  if (wanted === undefined || present === undefined) return NOTHING;
  const operations: FirewallOperation[] = [];
  const common = { family: desired.family, table: desired.name, set: MEMBER_SET };
  const added = without(wanted.elements, present.elements);
  const gone = keepsStrangers ? [] : without(present.elements, wanted.elements);
  if (added.length > 0) operations.push({ kind: "elements-add", ...common, elements: added });
  if (gone.length > 0) operations.push({ kind: "elements-delete", ...common, elements: gone });
  return { operations, isForeign: false };
}

/** What takes our table away, and nothing else. */
export function diffNoFirewall(
  family: AddressFamily,
  name: string,
  actual: FirewallState,
): FirewallPlan {
  if (actual.kind === "absent") return NOTHING;
  if (actual.kind === "foreign") return { operations: [], isForeign: true };
  return { operations: [{ kind: "table-delete", family, name }], isForeign: false };
}

/** Everything but the members and the counters, as text that can be compared. */
function frame(table: FirewallTable): string {
  const sets = table.sets.map((set) => set.name === MEMBER_SET ? { ...set, elements: [] } : set);
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.map((rule) => ({ ...rule, counted: rule.counted !== null })),
  }));
  const byName = (one: { name: string }, other: { name: string }) => one.name < other.name ? -1 : 1;
  return JSON.stringify([
    table.family,
    table.name,
    sets.toSorted(byName),
    chains.toSorted(byName),
  ]);
}

function withElements(table: FirewallTable, elements: readonly string[]): FirewallTable {
  const replaced = (set: FirewallSet) => set.name === MEMBER_SET ? { ...set, elements } : set;
  return { ...table, sets: table.sets.map(replaced) };
}

function without(all: readonly string[], some: readonly string[]): string[] {
  const known = new Set(some);
  return all.filter((element) => !known.has(element));
}

function union(one: readonly string[], other: readonly string[]): string[] {
  return [...one, ...without(other, one)];
}
