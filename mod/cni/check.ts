/** CHECK: whether a container's attachment is still as ADD made it, and of use. */
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressDump } from "../../ffi/route/address.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { routeDump } from "../../ffi/route/route.ts";
import { CniCode, CniError } from "./errors.ts";
import { familySubnet } from "./host_subnet.ts";
import { Fields, type JsonObject } from "./json.ts";
import type { Attachment } from "./ledger.ts";

export interface CheckSubject {
  readonly host: NetlinkTransport;
  /** A socket of the container's namespace. */
  readonly inside: NetlinkTransport;
  readonly attachment: Attachment;
  /** What ADD, or the last plugin after it, answered. */
  readonly previous: JsonObject;
}

/** Throws CniError code 102 with the first thing that is not right. Other plugins may have added to what we made. */
export function checkAttachment(subject: CheckSubject): void {
  const { host, inside, attachment } = subject;
  const { ifname, device, bridge, addresses } = attachment;
  const result = new Fields(subject.previous, "prevResult.");
  const container = linkGet(inside, ifname);
  if (container === null) throw wrong(`the container has no device ${ifname}`);
  if (!container.up) throw wrong(`the container's ${ifname} is down`);
  const near = linkGet(host, device);
  if (near === null) throw wrong(`the host has no ${device}`);
  if (!near.up) throw wrong(`${device} is down`);
  const switched = linkGet(host, bridge);
  if (switched === null) throw wrong(`the host has no ${bridge}`);
  if (!switched.up) throw wrong(`${bridge} is down`);
  if (near.master !== switched.index) throw wrong(`${device} is no port of ${bridge}`);
  const held = addressDump(inside, { index: container.index });
  const gateways = addressDump(host, { index: switched.index });
  const answered = entries(result, "ips").map((ip) => ip.string("address"));
  for (const cidr of addresses) {
    const { family, gateway } = familySubnet(cidr);
    if (!held.some(({ address, prefixLength }) => `${address}/${prefixLength}` === cidr)) {
      throw wrong(`the container's ${ifname} has not the address ${cidr}`);
    }
    if (!answered.includes(cidr)) throw wrong(`prevResult does not have the address ${cidr}`);
    if (!gateways.some(({ address }) => address === gateway)) {
      throw wrong(`${bridge} has not the gateway's address ${gateway}`);
    }
    checkRoutes(inside, result, family);
  }
}

function checkRoutes(inside: NetlinkTransport, result: Fields, family: 4 | 6): void {
  const routes = new Set(routeDump(inside, { family }).map(({ destination }) => destination));
  for (const route of entries(result, "routes")) {
    const dst = route.string("dst") ?? "";
    if (dst.includes(":") !== (family === 6) || routes.has(dst)) continue;
    throw wrong(`the container has no route to ${dst}`);
  }
}

function entries(result: Fields, key: string): Fields[] {
  return (result.list(key) ?? [])
    .map((value) => new Fields({ entry: value }, `prevResult.${key}.`).fields("entry"))
    .filter((one) => one !== undefined);
}

function wrong(message: string): CniError {
  return new CniError(CniCode.notAsAdded, message, "delete the container and start it again");
}
