/** Operations as rtnetlink requests. Links are not among them: they are made and changed in kernel.ts, step by step. */
import type { NetlinkRequest } from "../../ffi/netlink/transport.ts";
import { addressAddRequest, addressDeleteRequest, IFA_F } from "../../ffi/route/address.ts";
import { isIpv6Text } from "../address/ipv6.ts";
import { fdbDeleteRequest, fdbReplaceRequest } from "../../ffi/route/fdb.ts";
import { neighbourDeleteRequest, neighbourReplaceRequest, NUD } from "../../ffi/route/neighbour.ts";
import {
  ROUTE_TYPE,
  routeAddRequest,
  routeAppendRequest,
  routeDeleteRequest,
} from "../../ffi/route/route.ts";
import { unreachable } from "../base/assert.ts";
import type {
  DeviceAddress,
  ForwardingEntry,
  Neighbour,
  Operation,
  Route,
} from "../base/kernel_objects.ts";

export type LinkOperation = Extract<
  Operation,
  { kind: "link-add" | "link-set" | "link-move" | "link-delete" }
>;
/** Operations on what a device carries. */
export type EntryOperation = Exclude<Operation, LinkOperation>;

export function isLinkOperation(operation: Operation): operation is LinkOperation {
  return operation.kind === "link-add" || operation.kind === "link-set" ||
    operation.kind === "link-move" || operation.kind === "link-delete";
}

/** Whether an operation takes something away; that it was not there is then success. */
export function isRemoval(operation: Operation): boolean {
  return operation.kind.endsWith("-delete");
}

/** The device that an operation needs; empty when it needs none. */
export function deviceOf(operation: EntryOperation): string {
  switch (operation.kind) {
    case "address-add":
    case "address-delete":
      return operation.address.device;
    case "neighbour-replace":
    case "neighbour-delete":
      return operation.neighbour.device;
    case "forwarding-replace":
    case "forwarding-delete":
      return operation.entry.device;
    case "route-add":
    case "route-append":
    case "route-delete":
      return operation.route.device;
    default:
      return unreachable(operation);
  }
}

/**
 * @param index of the device that the operation names; 0 when it names none.
 * @param scope of a route that is added.
 */
export function encodeOperation(
  operation: EntryOperation,
  index: number,
  scope = 0,
): NetlinkRequest {
  switch (operation.kind) {
    case "address-add":
      return addressAddRequest(addressSpec(operation.address, index));
    case "address-delete":
      return addressDeleteRequest(addressSpec(operation.address, index));
    case "neighbour-replace":
      return neighbourReplaceRequest(neighbourSpec(operation.neighbour, index));
    case "neighbour-delete":
      return neighbourDeleteRequest({ index, address: operation.neighbour.address });
    case "forwarding-replace":
      return fdbReplaceRequest(forwardingSpec(operation.entry, index));
    case "forwarding-delete":
      return fdbDeleteRequest(forwardingSpec(operation.entry, index));
    case "route-add":
      return routeAddRequest(spread(routeSpec(operation.route, index), scope));
    case "route-append":
      return routeAppendRequest(routeSpec(operation.route, index));
    case "route-delete":
      // Protocol and gateway are stated, so that only this very route matches.
      return routeDeleteRequest(routeSpec(operation.route, index));
    default:
      return unreachable(operation);
  }
}

/** An IPv6 address answers at once: a tunnel has nobody who could have the same one, and to look takes the kernel a second. */
function addressSpec({ address, protocol }: DeviceAddress, index: number) {
  const [text = "", length = ""] = address.split("/");
  return {
    ...(isIpv6Text(text) ? { flags: IFA_F.NODAD } : {}),
    index,
    address: text,
    prefixLength: Number(length),
    ...(protocol === 0 ? {} : { protocol }),
  };
}

function neighbourSpec({ address, mac, permanent, protocol }: Neighbour, index: number) {
  return {
    index,
    address,
    linkAddress: mac,
    state: permanent ? NUD.PERMANENT : NUD.REACHABLE,
    ...(protocol === 0 ? {} : { protocol }),
  };
}

function forwardingSpec({ mac, destination, port, permanent }: ForwardingEntry, index: number) {
  return {
    index,
    linkAddress: mac,
    state: permanent ? NUD.PERMANENT : NUD.REACHABLE,
    ...(destination === "" ? {} : { destination }),
    ...(port === null ? {} : { port }),
  };
}

function spread<Spec>(spec: Spec, scope: number): Spec {
  return scope === 0 ? spec : { ...spec, scope };
}

function routeSpec(route: Route, index: number) {
  return {
    destination: route.destination,
    ...(route.device === "" ? { type: ROUTE_TYPE.UNREACHABLE } : { index }),
    onlink: route.onlink,
    table: route.table,
    protocol: route.protocol,
    ...(route.gateway === null ? {} : { gateway: route.gateway }),
    ...(route.metric === 0 ? {} : { priority: route.metric }),
  };
}
