/** The cable between a container and the bridge: a pair of devices, made, looked at and taken away. */
import { isExisting, isMissing } from "../../ffi/netlink/error.ts";
import type { NetlinkRequest, NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressAddRequest, IFA_F } from "../../ffi/route/address.ts";
import { bridgePortSetRequest } from "../../ffi/route/bridge_port.ts";
import { type Link, linkDelete, linkGet, linkSet, linkSetRequest } from "../../ffi/route/link.ts";
import { routeAddRequest } from "../../ffi/route/route.ts";
import { vethAddRequest } from "../../ffi/route/veth.ts";
import { readSysctl, writeSysctl } from "../../ffi/sysctl.ts";
import { runIn } from "../../ffi/netns.ts";
import { assert } from "../base/assert.ts";
import type { ResultRoute } from "./result.ts";

/** The kernel notices a carrier up to a second late (net/core/link_watch.c); some more on a busy machine. */
const CARRIER_WAIT_MS_MAX = 1_500;
const CARRIER_POLL_MS = 2;
/** Of every namespace. */
const LOOPBACK_INDEX = 1;

export interface CableWish {
  readonly device: string;
  readonly alias: string;
  readonly ifname: string;
  readonly namespaceFd: number;
  readonly mac: string;
  readonly mtu: number;
  readonly bridge: Link;
  readonly hairpin: boolean;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
  readonly routes: readonly Required<ResultRoute>[];
}

/** Both ends as they are now. */
export interface Cable {
  readonly host: Link;
  readonly container: Link;
}

/**
 * Makes the pair, with its far end in the container, and returns once packets can pass.
 *
 * @param inside a socket of the container's namespace
 */
export function plugCable(
  host: NetlinkTransport,
  inside: NetlinkTransport,
  wish: CableWish,
): Cable {
  const { device, ifname, mtu, mac, namespaceFd, bridge } = wish;
  all(host, [
    vethAddRequest({
      name: device,
      mtu,
      master: bridge.index,
      peer: { name: ifname, address: mac, mtu, namespaceFd },
    }),
  ]);
  const container = existing(inside, ifname);
  const near = existing(host, device);
  const { index } = container;
  if (wish.addresses.some(({ address }) => address.includes(":"))) {
    runIn(namespaceFd, () => enableIpv6(ifname));
  }
  all(inside, [
    linkSetRequest(LOOPBACK_INDEX, { up: true }),
    linkSetRequest(index, { up: true }),
    ...wish.addresses.map((one) =>
      addressAddRequest({
        index,
        ...one,
        // Nobody else has it: the ledger says so.
        ...one.address.includes(":") ? { flags: IFA_F.NODAD } : {},
      })
    ),
  ]);
  const routes = wish.routes.map(({ dst, gw }) =>
    routeAddRequest({ destination: dst, gateway: gw, index })
  );
  for (const { error } of inside.request(routes)) {
    // Of another network that the container is on.
    if (error !== null && !isExisting(error)) throw error;
  }
  // Last, so that the port has its carrier when it comes up and forwards from then on.
  all(host, [
    bridgePortSetRequest(near.index, { hairpin: wish.hairpin }),
    linkSetRequest(near.index, { up: true, alias: wish.alias }),
  ]);
  if (!bridge.up) linkSet(host, bridge.index, { up: true });
  awaitCarrier(host, near.index);
  if (bridge.operationalState !== "up") awaitCarrier(host, bridge.index);
  return { host: near, container };
}

/** Takes the pair away by its near end; both ends go. Deleting what is absent is success. */
export function pullCable(host: NetlinkTransport, device: string): void {
  const link = linkGet(host, device);
  if (link === null || link.kind !== "veth") return;
  try {
    linkDelete(host, link.index);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Some runtimes turn it off in every new namespace. */
function enableIpv6(device: string): void {
  const name = `net/ipv6/conf/${device}/disable_ipv6`;
  if (readSysctl(name) === "1") writeSysctl(name, 0);
}

function existing(transport: NetlinkTransport, name: string): Link {
  const link = linkGet(transport, name);
  if (link === null) throw new Error(`The device ${name} vanished as soon as it was made`);
  return link;
}

function all(transport: NetlinkTransport, requests: readonly NetlinkRequest[]): void {
  const replies = transport.request(requests);
  assert(replies.length === requests.length, "each request has its reply");
  for (const { error } of replies) {
    if (error !== null) throw error;
  }
}

/** If it does not come in time, the container has to wait a little longer; that is no reason to fail. */
function awaitCarrier(transport: NetlinkTransport, index: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs < CARRIER_WAIT_MS_MAX; waitedMs += CARRIER_POLL_MS) {
    if (linkGet(transport, index)?.operationalState === "up") return;
    Atomics.wait(pause, 0, 0, CARRIER_POLL_MS);
  }
}
