/** `gossamer subnets` for people: one line a subnet, and how full the pool is. Pure. */
import { compareCidrs } from "../address/cidr.ts";
import type { SubnetDocument, SubnetsDocument } from "../agent/api.ts";
import { wholeSeconds } from "./age.ts";
import { type Cell, columns } from "./columns.ts";
import type { Paint } from "./paint.ts";

const HEADER = ["OWNER", "STATE", "SINCE"];

export function renderSubnets(document: SubnetsDocument, paint: Paint): string {
  const hasIpv6 = document.ipv6Network !== undefined;
  const rows = [...document.subnets].sort(bySubnet).map((subnet) => [
    subnet.subnet,
    ...(hasIpv6 ? [subnet.ipv6Subnet ?? "-"] : []),
    subnet.owner,
    stateCell(subnet.state),
    wholeSeconds(subnet.since),
    remarkCell(subnet),
  ]);
  const header = ["SUBNET", ...(hasIpv6 ? ["IPV6"] : []), ...HEADER];
  return columns([header, ...rows], paint) + usage(document);
}

/** `3 of 255 used`, the line that ends every form of the list. */
export function usage(document: SubnetsDocument): string {
  return `${document.used} of ${document.total} used\n`;
}

function stateCell(state: SubnetDocument["state"]): Cell {
  if (state === "held") return { text: state, meaning: "good" };
  return { text: state, meaning: state === "released" ? "faint" : "warning" };
}

function remarkCell(subnet: SubnetDocument): Cell {
  const remarks: string[] = [];
  if (subnet.self) remarks.push("this host");
  if (subnet.standing === "loses") remarks.push("another host has it");
  if (subnet.standing === "void") remarks.push("counts for nothing");
  if (!subnet.self && subnet.ownerStatus !== "alive") remarks.push(`owner ${subnet.ownerStatus}`);
  if (remarks.length === 0) return { text: "", meaning: "faint" };
  const isCalm = remarks.length === 1 && subnet.self;
  return { text: `(${remarks.join(", ")})`, meaning: isCalm ? "faint" : "warning" };
}

/** By address; the text of a CIDR does not sort as its numbers do. */
export function bySubnet(one: { subnet: string }, other: { subnet: string }): number {
  return compareCidrs(one.subnet, other.subnet);
}
