/** What this host's kernel holds that has to do with the overlay, in the words of `ip` and `bridge`: for `report`. */
import { openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressDump } from "../../ffi/route/address.ts";
import { fdbDump } from "../../ffi/route/fdb.ts";
import { type Link, linkDump } from "../../ffi/route/link.ts";
import { neighbourDump } from "../../ffi/route/neighbour.ts";
import { routeDump } from "../../ffi/route/route.ts";

/** Of one kind: a cluster of thousands has as many of each, and the first ones look like the others. */
const LINES_MAX = 200;
/** NUD_PERMANENT. */
const PERMANENT = 0x80;

/** Throws SysError or NetlinkError. @param device of the overlay. */
export function kernelText(device: string): string {
  const transport = openNetlinkSocket();
  try {
    return describe(transport, device);
  } finally {
    transport.close();
  }
}

function describe(transport: NetlinkTransport, device: string): string {
  const links = linkDump(transport);
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const nameOf = (index: number | null) => names.get(index ?? 0) ?? `if${index}`;
  const overlay = links.find(({ name }) => name === device);
  const routes = [...routeDump(transport, { family: 4 }), ...routeDump(transport, { family: 6 })];
  const families = [4, 6] as const;
  return [
    part("ip link", links.map((link) => linkLine(link, nameOf))),
    part(
      "ip address",
      families.flatMap((family) => addressDump(transport, { family }))
        .map(({ index, address, prefixLength }) => `${nameOf(index)} ${address}/${prefixLength}`),
    ),
    part(
      "ip route",
      routes.map(({ destination, gateway, index, protocol, priority, onlink }) =>
        words([
          destination,
          gateway === null ? "" : `via ${gateway}`,
          index === null ? "" : `dev ${nameOf(index)}`,
          `proto ${protocol}`,
          priority === null ? "" : `metric ${priority}`,
          onlink ? "onlink" : "",
        ])
      ),
    ),
    ...(overlay === undefined ? [] : ofOverlay(transport, overlay)),
  ].join("");
}

function ofOverlay(transport: NetlinkTransport, { index, name, vxlan }: Link): string[] {
  const neighbours = ([4, 6] as const).flatMap((family) =>
    neighbourDump(transport, { index, family })
  ).map(({ address, linkAddress, state }) =>
    words([
      address,
      linkAddress === null ? "" : `lladdr ${linkAddress}`,
      state === PERMANENT ? "PERMANENT" : `state ${state}`,
    ])
  );
  const forwarding = vxlan === null
    ? []
    : fdbDump(transport, index).map((entry) =>
      words([entry.linkAddress, entry.destination === null ? "" : `dst ${entry.destination}`])
    );
  return [
    part(`ip neigh show dev ${name}`, neighbours),
    part(`bridge fdb show dev ${name}`, forwarding),
  ];
}

function linkLine(link: Link, nameOf: (index: number | null) => string): string {
  const { name, kind, up, mtu, address, alias, master, vxlan } = link;
  return words([
    name,
    kind ?? "",
    up ? "up" : "down",
    `mtu ${mtu}`,
    address ?? "",
    master === null ? "" : `master ${nameOf(master)}`,
    vxlan === null ? "" : `id ${vxlan.id} dstport ${vxlan.port}`,
    alias === null ? "" : `alias ${alias}`,
  ]);
}

function part(title: string, lines: readonly string[]): string {
  const shown = lines.slice(0, LINES_MAX).map((line) => `${line}\n`).join("");
  const hidden = lines.length - LINES_MAX;
  return `# ${title}\n${shown}${hidden > 0 ? `# and ${hidden} more\n` : ""}`;
}

function words(parts: readonly string[]): string {
  return parts.filter((word) => word !== "").join(" ");
}
