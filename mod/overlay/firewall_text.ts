/**
 * Tables and plans as the text of nft: what `nft list table` prints, and commands that `nft` and a shell accept, for dry runs,
 * reports, logs and golden tests.
 */
import { unreachable } from "../base/assert.ts";
import type {
  AddressFamily,
  FirewallChain,
  FirewallMatch,
  FirewallOperation,
  FirewallRule,
  FirewallSet,
  FirewallTable,
} from "../base/firewall_objects.ts";
import { TABLE_COMMENT } from "../base/limits.ts";

/** nft's names of priorities (nftables rule.c); others are numbers. */
const PRIORITY_NAMES: ReadonlyMap<number, string> = new Map([[0, "filter"], [100, "srcnat"]]);

/** The table as `nft -s list table` prints it, which `nft -f` reads as well. */
export function firewallTableText(table: FirewallTable): string {
  const blocks = [
    ...table.sets.map((set) => setText(set, table.family)),
    ...table.chains.map((chain) => chainText(chain, table.family)),
  ];
  return [
    `table ${table.family} ${table.name} {`,
    `\tcomment "${TABLE_COMMENT}"`,
    blocks.map((lines) => lines.map((line) => `\t${line}`).join("\n")).join("\n\n"),
    "}",
    "",
  ].join("\n");
}

function setText({ name, hasNetworks, elements }: FirewallSet, family: AddressFamily): string[] {
  return [
    `set ${name} {`,
    `\ttype ${family === "ip" ? "ipv4_addr" : "ipv6_addr"}`,
    ...(hasNetworks ? ["\tflags interval"] : []),
    ...(elements.length === 0 ? [] : [`\telements = { ${elements.join(", ")} }`]),
    "}",
  ];
}

function chainText(chain: FirewallChain, family: AddressFamily): string[] {
  const { name, type, hook, priority, rules } = chain;
  const place = PRIORITY_NAMES.get(priority) ?? String(priority);
  return [
    `chain ${name} {`,
    `\ttype ${type} hook ${hook} priority ${place}; policy accept;`,
    ...rules.map((rule) => `\t${ruleText(rule, family)}`),
    "}",
  ];
}

/** One rule as nft prints it, without the count. */
export function ruleText(rule: FirewallRule, family: AddressFamily): string {
  return [
    ...rule.matches.map((match) => matchText(match, family)),
    ...(rule.counted === null ? [] : ["counter"]),
    rule.verdict === "masquerade" ? "masquerade fully-random" : rule.verdict,
    `comment "${rule.comment}"`,
  ].join(" ");
}

function matchText(match: FirewallMatch, family: AddressFamily): string {
  switch (match.kind) {
    case "mark":
      return `meta mark & ${hexadecimal(match.mask)} == ${hexadecimal(match.value)}`;
    case "address": {
      const side = match.side === "source" ? "saddr" : "daddr";
      return `${family} ${side} ${match.isIn ? "" : "!= "}${match.of}`;
    }
    case "udp-port":
      return `udp dport ${match.port}`;
    case "vni":
      return `@th,96,24 0x${match.vni.toString(16)}`;
    default:
      return unreachable(match);
  }
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** A plan as shell commands, one a line but for tables; each line with its newline. */
export function firewallPlanText(operations: readonly FirewallOperation[]): string {
  return operations.map((operation) => `${firewallCommand(operation)}\n`).join("");
}

/** One change as a shell command; a table is handed over whole, and so changes at one instant. */
export function firewallCommand(operation: FirewallOperation): string {
  switch (operation.kind) {
    case "table-replace": {
      const { table } = operation;
      const place = `${table.family} ${table.name}`;
      return `nft -f - <<'END'\nadd table ${place}\ndelete table ${place}\n` +
        `${firewallTableText(table)}END`;
    }
    case "table-delete":
      return `nft delete table ${operation.family} ${operation.name}`;
    case "elements-add":
    case "elements-delete": {
      const { kind, family, table, set, elements } = operation;
      const verb = kind === "elements-add" ? "add" : "delete";
      return `nft ${verb} element ${family} ${table} ${set} '{ ${elements.join(", ")} }'`;
    }
    default:
      return unreachable(operation);
  }
}

/** One change in a few words, for logs. */
export function firewallOperationText(operation: FirewallOperation): string {
  if (operation.kind !== "table-replace") return firewallCommand(operation);
  const { family, name } = operation.table;
  return `nft replace table ${family} ${name}`;
}
