/** Routes of IPv4 and IPv6 (rtnetlink RTM_*ROUTE, linux/rtnetlink.h). */
import { addressToBytes, familyOf, parsePrefix } from "../inet.ts";
import { encodePayload, fixedHeader } from "../netlink/attribute.ts";
import { AttributeScanner } from "../netlink/attribute_scanner.ts";
import { NetlinkError, NetlinkFormatError } from "../netlink/error.ts";
import {
  type NetlinkMessage,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from "../netlink/message.ts";
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { ipFamily, kernelFamily, RTM } from "./family.ts";

/** Bytes of struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags. */
const RTMSG_BYTES = 12;
export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
export const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
export const RTA_TABLE = 15;
const RTAX_MTU = 2;
/** rtm_table has eight bits; larger table numbers go into RTA_TABLE, which the kernel prefers. */
const LARGEST_HEADER_TABLE = 255;

/** The table of ordinary routes (RT_TABLE_MAIN). */
export const TABLE_MAIN = 254;
/** The next hop is reachable on the device although no address covers it (RTNH_F_ONLINK). */
const RTNH_F_ONLINK = 4;
/** The entry is a cached copy, not one somebody set (RTM_F_CLONED). */
const RTM_F_CLONED = 0x200;

/** Ask a lookup to report the table the route was found in (RTM_F_LOOKUP_TABLE). */
const RTM_F_LOOKUP_TABLE = 0x1000;

/** Who set a route (RTPROT_*). */
export const PROTOCOL = { KERNEL: 2, BOOT: 3, STATIC: 4 } as const;
/** How far away a destination is (RT_SCOPE_*). */
export const SCOPE = { UNIVERSE: 0, LINK: 253, HOST: 254, NOWHERE: 255 } as const;
/** What happens to matching packets (RTN_*). */
export const ROUTE_TYPE = {
  UNICAST: 1,
  LOCAL: 2,
  BROADCAST: 3,
  ANYCAST: 4,
  MULTICAST: 5,
  BLACKHOLE: 6,
  UNREACHABLE: 7,
} as const;

/** A route. */
export interface Route {
  readonly family: 4 | 6;
  /** Network with prefix length; "0.0.0.0/0" and "::/0" are the default routes. */
  readonly destination: string;
  readonly gateway: string | null;
  /** Index of the outgoing device. */
  readonly index: number | null;
  readonly onlink: boolean;
  readonly table: number;
  /** RTPROT_*. */
  readonly protocol: number;
  /** RT_SCOPE_*. */
  readonly scope: number;
  /** RTN_*. */
  readonly type: number;
  /** Metric; null is 0. */
  readonly priority: number | null;
  readonly preferredSource: string | null;
  /** RTNH_F_* and RTM_F_* bits. */
  readonly flags: number;
  /** True when it has several next hops, which gossamer never sets and does not decode. */
  readonly multipath: boolean;
}

const scanner = new AttributeScanner();

/** A route to set or delete. */
export interface RouteSpec {
  /** Network with prefix length, host bits zero. */
  readonly destination: string;
  readonly gateway?: string;
  readonly index?: number;
  readonly onlink?: boolean;
  /** TABLE_MAIN by default. */
  readonly table?: number;
  /** RTPROT_*; STATIC by default. */
  readonly protocol?: number;
  /** RT_SCOPE_*; by default LINK for an IPv4 route without gateway, else UNIVERSE. */
  readonly scope?: number;
  /** RTN_*; UNICAST by default. */
  readonly type?: number;
  readonly priority?: number;
  readonly preferredSource?: string;
  /** Path MTU, bytes. */
  readonly mtu?: number;
}

function defaultScope(family: 4 | 6, type: number, gateway: string | undefined): number {
  if (family === 6) return SCOPE.UNIVERSE; // the kernel ignores the scope of IPv6 routes
  if (type === ROUTE_TYPE.LOCAL) return SCOPE.HOST;
  const direct = type === ROUTE_TYPE.UNICAST && gateway === undefined;
  return direct ? SCOPE.LINK : SCOPE.UNIVERSE;
}

function routeRequest(
  operation: string,
  messageType: number,
  flags: number,
  spec: RouteSpec,
): NetlinkRequest {
  const { family, bytes, length } = parsePrefix(spec.destination);
  const table = spec.table ?? TABLE_MAIN;
  const type = spec.type ?? ROUTE_TYPE.UNICAST;
  // A delete without protocol or scope means "whichever": zero and NOWHERE are its wildcards.
  const remove = messageType === RTM.DELROUTE;
  const protocol = spec.protocol ?? (remove ? 0 : PROTOCOL.STATIC);
  const scope = spec.scope ??
    (remove ? SCOPE.NOWHERE : defaultScope(family, type, spec.gateway));
  const payload = encodePayload((writer) => {
    const at = writer.space(RTMSG_BYTES);
    writer.setU8(at, kernelFamily(family));
    writer.setU8(at + 1, length);
    writer.setU8(at + 4, table > LARGEST_HEADER_TABLE ? 0 : table);
    writer.setU8(at + 5, protocol);
    writer.setU8(at + 6, scope);
    writer.setU8(at + 7, remove ? spec.type ?? 0 : type);
    writer.setU32(at + 8, spec.onlink === true ? RTNH_F_ONLINK : 0);
    if (length > 0) writer.bytes(RTA_DST, bytes);
    if (spec.gateway !== undefined) {
      checkFamily(spec.gateway, family, spec.destination);
      writer.address(RTA_GATEWAY, spec.gateway);
    }
    if (spec.index !== undefined) writer.u32(RTA_OIF, spec.index);
    if (spec.preferredSource !== undefined) {
      checkFamily(spec.preferredSource, family, spec.destination);
      writer.bytes(RTA_PREFSRC, addressToBytes(spec.preferredSource));
    }
    if (spec.priority !== undefined) writer.u32(RTA_PRIORITY, spec.priority);
    if (table > LARGEST_HEADER_TABLE) writer.u32(RTA_TABLE, table);
    const { mtu } = spec;
    if (mtu !== undefined) writer.nested(RTA_METRICS, () => writer.u32(RTAX_MTU, mtu));
  });
  return { operation, subject: spec.destination, type: messageType, flags, payload };
}

function checkFamily(address: string, family: 4 | 6, destination: string): void {
  if (familyOf(address) === family) return;
  throw new Error(`Route to ${destination} cannot use ${address}: the families differ`);
}

/** Equivalent to: ip route add DESTINATION [via GATEWAY] dev INDEX [onlink] proto P. */
export function routeAddRequest(spec: RouteSpec): NetlinkRequest {
  return routeRequest("route add", RTM.NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, spec);
}

/** Equivalent to: ip route append DESTINATION [via GATEWAY] dev INDEX [onlink] proto P. */
export function routeAppendRequest(spec: RouteSpec): NetlinkRequest {
  return routeRequest("route append", RTM.NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, spec);
}

/** Equivalent to: ip route replace DESTINATION [via GATEWAY] dev INDEX [onlink] proto P. */
export function routeReplaceRequest(spec: RouteSpec): NetlinkRequest {
  return routeRequest("route replace", RTM.NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, spec);
}

/**
 * Equivalent to: ip route delete DESTINATION [via GATEWAY] [dev INDEX] [proto P]. ESRCH when no
 * route matches. What is absent matches anything, so name the protocol to delete only your own.
 */
export function routeDeleteRequest(spec: RouteSpec): NetlinkRequest {
  return routeRequest("route delete", RTM.DELROUTE, 0, spec);
}

/** Adds a route. Throws NetlinkError. */
export function routeAdd(transport: NetlinkTransport, spec: RouteSpec): void {
  execute(transport, routeAddRequest(spec));
}

/** Adds a route or replaces the one to the same destination and metric. Throws NetlinkError. */
export function routeReplace(transport: NetlinkTransport, spec: RouteSpec): void {
  execute(transport, routeReplaceRequest(spec));
}

/** Deletes a route. Throws NetlinkError. */
export function routeDelete(transport: NetlinkTransport, spec: RouteSpec): void {
  execute(transport, routeDeleteRequest(spec));
}

/** Which routes to dump: by default those of the main table of both families. */
export interface RouteFilter {
  readonly family?: 4 | 6;
  /** TABLE_MAIN by default; null is every table. */
  readonly table?: number | null;
  /** RTPROT_*. */
  readonly protocol?: number;
  /** Index of the outgoing device. */
  readonly index?: number;
  /** Index of an outgoing device whose routes are left out, without the trouble of reading them. */
  readonly exceptIndex?: number;
}

/** Equivalent to: ip -4|-6 route show [table T] [proto P] [dev INDEX]; the kernel filters. */
export function routeDumpRequest(family: 4 | 6, filter: RouteFilter = {}): NetlinkRequest {
  const table = filter.table === undefined ? TABLE_MAIN : filter.table;
  const payload = encodePayload((writer) => {
    writer.header(RTMSG_BYTES, (view) => {
      view.setUint8(0, kernelFamily(family));
      view.setUint8(5, filter.protocol ?? 0);
    });
    if (table !== null) writer.u32(RTA_TABLE, table);
    if (filter.index !== undefined) writer.u32(RTA_OIF, filter.index);
  });
  return {
    operation: "route show",
    subject: family === 4 ? "IPv4" : "IPv6",
    type: RTM.GETROUTE,
    flags: 0,
    payload,
  };
}

function dumpFamily(
  transport: NetlinkTransport,
  family: 4 | 6,
  filter: RouteFilter,
): readonly NetlinkMessage[] {
  try {
    return transport.dump(routeDumpRequest(family, filter));
  } catch (error) {
    // A table comes into being with its first route: before that it has none.
    if (error instanceof NetlinkError && error.code === "ENOENT") return [];
    throw error;
  }
}

function outgoingIndex({ payload }: NetlinkMessage): number | null {
  scanner.scan(payload, RTMSG_BYTES);
  return scanner.u32(RTA_OIF);
}

/** The routes that match; cached copies and multicast routes are left out. */
export function routeDump(transport: NetlinkTransport, filter: RouteFilter = {}): Route[] {
  const families = filter.family === undefined ? [4, 6] as const : [filter.family];
  const table = filter.table === undefined ? TABLE_MAIN : filter.table;
  const { protocol, index, exceptIndex } = filter;
  const routes: Route[] = [];
  for (const family of families) {
    for (const message of dumpFamily(transport, family, filter)) {
      if (exceptIndex !== undefined && outgoingIndex(message) === exceptIndex) continue;
      const route = decodeRoute(message);
      if (route === null || (route.flags & RTM_F_CLONED) !== 0) continue;
      if (table !== null && route.table !== table) continue;
      if (protocol !== undefined && route.protocol !== protocol) continue;
      if (index === undefined || route.index === index) routes.push(route);
    }
  }
  return routes;
}

/** Equivalent to: ip route get ADDRESS. */
export function routeGetRequest(address: string): NetlinkRequest {
  const bytes = addressToBytes(address);
  const payload = encodePayload((writer) => {
    writer.header(RTMSG_BYTES, (view) => {
      view.setUint8(0, kernelFamily(familyOf(address)));
      view.setUint8(1, bytes.length * 8);
      view.setUint32(8, RTM_F_LOOKUP_TABLE, true);
    });
    writer.bytes(RTA_DST, bytes);
  });
  return { operation: "route get", subject: address, type: RTM.GETROUTE, flags: 0, payload };
}

/**
 * How the kernel would send a packet to `address`: outgoing device, source address, gateway.
 * Throws NetlinkError, ENETUNREACH when there is no route.
 */
export function routeGet(transport: NetlinkTransport, address: string): Route {
  const [message] = execute(transport, routeGetRequest(address));
  const route = message === undefined ? null : decodeRoute(message);
  if (route === null) {
    throw new NetlinkFormatError(`no route in the answer to route get ${address}`);
  }
  return route;
}

/** Reads RTM_NEWROUTE or RTM_DELROUTE; null for another family. Throws NetlinkFormatError. */
export function decodeRoute(message: NetlinkMessage): Route | null {
  const header = fixedHeader(message.payload, RTMSG_BYTES, "rtmsg");
  const family = ipFamily(header.getUint8(0));
  if (family === null) return null;
  scanner.scan(message.payload, RTMSG_BYTES);
  const flags = header.getUint32(8, true);
  const destination = scanner.address(RTA_DST) ?? (family === 4 ? "0.0.0.0" : "::");
  return {
    family,
    destination: `${destination}/${header.getUint8(1)}`,
    gateway: scanner.address(RTA_GATEWAY),
    index: scanner.u32(RTA_OIF),
    onlink: (flags & RTNH_F_ONLINK) !== 0,
    table: scanner.u32(RTA_TABLE) ?? header.getUint8(4),
    protocol: header.getUint8(5),
    scope: header.getUint8(6),
    type: header.getUint8(7),
    priority: scanner.u32(RTA_PRIORITY),
    preferredSource: scanner.address(RTA_PREFSRC),
    flags,
    multipath: scanner.has(RTA_MULTIPATH),
  };
}
