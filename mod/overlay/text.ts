/**
 * Plans and kernel state as the text of iproute2: for `--dry-run`, `report`, logs and golden tests.
 *
 * Commands are ones that `ip` and `bridge` accept; states read as `ip route`, `ip neighbour`, `bridge fdb` print them.
 */
import { isIpv6Text } from "../address/ipv6.ts";
import { unreachable } from "../base/assert.ts";
import {
  type DeviceAddress,
  type ForwardingEntry,
  isTunLink,
  isVxlanLink,
  type KernelState,
  type LinkChanges,
  type LinkMove,
  type Neighbour,
  type Operation,
  type Route,
  type TunLink,
  type VxlanLink,
} from "../base/kernel_objects.ts";
import { shellWord } from "../base/quote.ts";
import { TABLE_MAIN } from "./host_gw.ts";

/** Names devices by index; `ip` itself understands `if7` where no name is known. */
export type DeviceNames = (index: number) => string;

const indexName: DeviceNames = (index) => `if${index}`;

/** Names of rtm_protocol that iproute2 knows without configuration (linux/rtnetlink.h, etc/iproute2/rt_protos). */
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "unspec"],
  [1, "redirect"],
  [2, "kernel"],
  [3, "boot"],
  [4, "static"],
  [9, "ra"],
  [11, "zebra"],
  [12, "bird"],
  [16, "dhcp"],
  [186, "bgp"],
  [187, "isis"],
  [188, "ospf"],
]);

/** A plan as shell commands, one a line, each with its newline; empty for an empty plan. */
export function planText(plan: readonly Operation[], names: DeviceNames = indexName): string {
  return plan.flatMap((operation) => operationCommands(operation, names))
    .map((line) => `${line}\n`).join("");
}

/** One operation in one line, for logs. */
export function operationText(operation: Operation, names: DeviceNames = indexName): string {
  return operationCommands(operation, names).join(" && ");
}

/** One operation as one or more commands. */
export function operationCommands(operation: Operation, names: DeviceNames = indexName): string[] {
  switch (operation.kind) {
    case "link-add":
      return linkAddText(operation.link, names);
    case "link-set":
      return [linkSetText(operation.name, operation.changes)];
    case "link-move":
      return [linkMoveText(operation.name, operation.move, names)];
    case "link-delete":
      return [`ip link delete ${operation.name}`];
    case "address-add":
      // Its protocol number is left out: iproute2 before 6.3 does not know the word.
      return [`ip address add ${addressText(operation.address)}${addingText(operation.address)}`];
    case "address-delete":
      return [`ip address delete ${addressText(operation.address)}`];
    case "neighbour-replace": {
      const { address, mac, device, protocol, permanent } = operation.neighbour;
      const state = permanent ? "permanent" : "reachable";
      return [
        `ip neighbour replace ${address} lladdr ${mac} dev ${device} nud ${state}` +
        (protocol === 0 ? "" : ` protocol ${protocol}`),
      ];
    }
    case "neighbour-delete":
      return [
        `ip neighbour delete ${operation.neighbour.address} dev ${operation.neighbour.device}`,
      ];
    case "forwarding-replace": {
      const { mac, device, permanent } = operation.entry;
      const state = permanent ? "permanent" : "dynamic";
      return [`bridge fdb replace ${mac} dev ${device}${target(operation.entry)} self ${state}`];
    }
    case "forwarding-delete": {
      const { mac, device } = operation.entry;
      return [`bridge fdb delete ${mac} dev ${device}${target(operation.entry)} self`];
    }
    case "route-add":
      return [`ip route add ${routeArguments(operation.route)}`];
    case "route-append":
      return [`ip route append ${routeArguments(operation.route)}`];
    case "route-delete":
      return [`ip route delete ${routeArguments(operation.route)}`];
    default:
      return unreachable(operation);
  }
}

function linkAddText(link: VxlanLink | TunLink, names: DeviceNames): string[] {
  if (isTunLink(link)) return tunAddText(link);
  const lower = link.underlayIndex === 0 ? "" : ` dev ${shellWord(names(link.underlayIndex))}`;
  const local = link.local === "" ? "" : ` local ${link.local}`;
  return [
    `ip link add ${link.name} address ${link.mac} mtu ${link.mtu} txqueuelen 0 type vxlan ` +
    `id ${link.vni}${local}${lower} dstport ${link.port} ${learning(link)}`,
    `ip link set ${link.name} alias ${link.alias}${link.up ? " up" : ""}`,
  ];
}

function tunAddText({ name, mtu, alias, up, multiQueue }: TunLink): string[] {
  const queues = multiQueue ? " multi_queue" : "";
  return [
    `ip tuntap add dev ${name} mode tun vnet_hdr${queues}`,
    `ip link set ${name} mtu ${mtu} alias '${alias}'${up ? " up" : ""}`,
  ];
}

function linkSetText(name: string, { mac, mtu, alias, up }: LinkChanges): string {
  return [
    `ip link set ${name}`,
    ...(mac === undefined ? [] : [`address ${mac}`]),
    ...(mtu === undefined ? [] : [`mtu ${mtu}`]),
    ...(alias === undefined ? [] : [`alias ${alias.includes(" ") ? `'${alias}'` : alias}`]),
    ...(up === undefined ? [] : [up ? "up" : "down"]),
  ].join(" ");
}

function linkMoveText(name: string, { local, underlayIndex }: LinkMove, names: DeviceNames) {
  const words = [
    ...(local === undefined ? [] : [`local ${local}`]),
    ...(underlayIndex === undefined ? [] : [`dev ${shellWord(names(underlayIndex))}`]),
  ];
  return `ip link set ${name} type vxlan ${words.join(" ")}`;
}

function learning(link: VxlanLink): string {
  return link.learning ? "learning" : "nolearning";
}

function target({ destination, port }: ForwardingEntry): string {
  return (destination === "" ? "" : ` dst ${destination}`) + (port === null ? "" : ` port ${port}`);
}

function routeArguments(route: Route): string {
  return [
    ...(route.device === "" ? ["unreachable"] : []),
    route.destination,
    ...(route.gateway === null ? [] : ["via", route.gateway]),
    ...(route.device === "" ? [] : ["dev", shellWord(route.device)]),
    ...(route.table === TABLE_MAIN ? [] : ["table", route.table]),
    "proto",
    protocolName(route.protocol),
    ...(route.metric === 0 ? [] : ["metric", route.metric]),
    ...(route.onlink ? ["onlink"] : []),
  ].join(" ");
}

function protocolName(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? String(protocol);
}

/** A route as `ip route show` prints it; of protocol "boot" it says nothing. */
export function routeText(route: Route): string {
  return routeArguments(route).replace(" proto boot", "");
}

/** An address as `ip address show` prints it in brief: `10.244.7.0/32 dev flannel.1`. */
export function addressText({ address, device }: DeviceAddress): string {
  return `${address} dev ${device}`;
}

/** An IPv6 address is not looked for elsewhere before it answers: see host/kernel_encode.ts. */
function addingText({ address }: DeviceAddress): string {
  return isIpv6Text(address) ? " nodad" : "";
}

/** A neighbour as `ip neighbour show` prints it. */
export function neighbourText(neighbour: Neighbour): string {
  const { address, device, mac, permanent, protocol } = neighbour;
  return `${address} dev ${device}${mac === "" ? "" : ` lladdr ${mac}`}` +
    `${permanent ? " PERMANENT" : ""}${protocol === 0 ? "" : ` proto ${protocolName(protocol)}`}`;
}

/** A forwarding entry as `bridge fdb show` prints it. */
export function forwardingText(entry: ForwardingEntry): string {
  return `${entry.mac} dev ${entry.device}${target(entry)} self` +
    (entry.permanent ? " permanent" : "");
}

/** A device in one line, with the words of `ip -d link show`. */
export function linkText(
  link: NonNullable<KernelState["link"]>,
  names: DeviceNames = indexName,
): string {
  const alias = link.alias === "" ? "" : ` alias ${link.alias}`;
  if (isTunLink(link)) {
    const queues = link.multiQueue ? " multi_queue" : "";
    return `${link.name}: ${link.up ? "UP" : "DOWN"} mtu ${link.mtu} tun${queues} persist${alias}`;
  }
  if (!isVxlanLink(link)) return `${link.name}: ${link.kind}${alias}`;
  const lower = link.underlayIndex === 0 ? "" : ` dev ${names(link.underlayIndex)}`;
  const local = link.local === "" ? "" : ` local ${link.local}`;
  return `${link.name}: ${link.up ? "UP" : "DOWN"} mtu ${link.mtu} link/ether ${link.mac} ` +
    `vxlan id ${link.vni}${local}${lower} dstport ${link.port} ${learning(link)}${alias}`;
}

/** Everything of a state, one object a line: device, addresses, routes, neighbours, forwarding; each sorted. */
export function stateText(state: KernelState, names: DeviceNames = indexName): string {
  const lines = [
    ...(state.link === null ? [] : [linkText(state.link, names)]),
    ...state.addresses.map(addressText).sort(),
    ...state.routes.map(routeText).sort(),
    ...state.neighbours.map(neighbourText).sort(),
    ...state.forwarding.map(forwardingText).sort(),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
