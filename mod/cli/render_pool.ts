/** `gossamer pool show` for people: networks, reserved parts and pins, each with who holds what of it. Pure. */
import type { PoolDocument } from "../agent/api.ts";
import { type Cell, columns } from "./columns.ts";
import type { Paint } from "./paint.ts";

export function renderPool(document: PoolDocument, paint: Paint): string {
  const tables = [
    columns([
      ["NETWORK", "USED", "SUBNETS"],
      ...document.networks.map(({ network, used, total, added }) => [
        network,
        String(used),
        String(total),
        faint(added ? "(added)" : ""),
      ]),
    ], paint),
  ];
  if (document.reserved.length > 0) {
    const rows = document.reserved.flatMap(({ network, holders }) =>
      holders.length === 0
        ? [[network, faint("-")]]
        : holders.map(({ host, subnet }) => [network, subnet, host])
    );
    tables.push(columns([["RESERVED", "HELD FROM BEFORE", "BY"], ...rows], paint));
  }
  if (document.pins.length > 0) {
    const rows = document.pins.map(({ host, subnet, holds }) => [
      subnet,
      host,
      holds === subnet ? faint("held") : warning(holds === null ? "not held" : `holds ${holds}`),
    ]);
    tables.push(columns([["PINNED", "TO", "STATE"], ...rows], paint));
  }
  if (document.outside.length > 0) {
    const rows = document.outside.map(({ subnet, host }) => [warning(subnet), host]);
    tables.push(columns([["OUTSIDE THE POOL", "HELD BY"], ...rows], paint));
  }
  return `${
    tables.join("\n")
  }\nversion ${document.version}, ${document.used} of ${document.total} used\n`;
}

function faint(text: string): Cell {
  return { text, meaning: "faint" };
}

function warning(text: string): Cell {
  return { text, meaning: "warning" };
}
