/** The bridge that containers are plugged into: made when the first one comes, and touched only if it is ours. */
import { isExisting, isMissing } from "../../ffi/netlink/error.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import {
  addressAdd,
  addressDelete,
  addressDump,
  IFA_F,
  type InterfaceAddress,
} from "../../ffi/route/address.ts";
import { bridgeAdd } from "../../ffi/route/bridge.ts";
import { type Link, linkDump, linkGet, linkSet } from "../../ffi/route/link.ts";
import { SCOPE } from "../../ffi/route/route.ts";
import { readSysctl, writeSysctl } from "../../ffi/sysctl.ts";
import { CniCode, CniError } from "./errors.ts";
import { type FamilySubnet, familySubnet, type HostSubnet } from "./host_subnet.ts";
import type { Attachment } from "./ledger.ts";
import { BRIDGE_ALIAS, bridgeMac } from "./stable_names.ts";

/** What a bridge must be like. */
export interface BridgeWish {
  readonly name: string;
  /** A bridge of that name which is not ours may be used: somebody has written its name into the configuration. */
  readonly mayBeForeign: boolean;
  readonly mtu: number;
  readonly subnet: HostSubnet;
  /** Their addresses keep their gateway on the bridge when the host has another subnet now. */
  readonly attachments: readonly Attachment[];
}

/** Whether we made the bridge. */
export function isOurBridge(link: Link): boolean {
  return link.kind === "bridge" &&
    (link.alias === BRIDGE_ALIAS || link.address === bridgeMac(link.name));
}

/**
 * Makes the bridge, or makes it right; one call at a time on this machine. A new one is still down: set up after its first port it
 * carries packets at once, before it the kernel may wait for a second. Throws CniError code 103 when it, or the gateway's
 * address, is somebody else's, and NetlinkError.
 */
export function ensureBridge(host: NetlinkTransport, wish: BridgeWish): Link {
  const found = linkGet(host, wish.name) ?? create(host, wish);
  if (found.kind !== "bridge") {
    throw notOurs(`${wish.name} is a device of another kind (${found.kind ?? "physical"})`);
  }
  const isOurs = isOurBridge(found);
  if (!isOurs && !wish.mayBeForeign) {
    throw notOurs(`the bridge ${wish.name} was not made by this plugin`);
  }
  if (isOurs && (found.mtu !== wish.mtu || found.alias !== BRIDGE_ALIAS)) {
    linkSet(host, found.index, { mtu: wish.mtu, alias: BRIDGE_ALIAS });
  }
  const held = addressDump(host, { index: found.index })
    .filter(({ scope }) => scope === SCOPE.UNIVERSE);
  for (const family of wish.subnet.families) ensureGateway(host, found, family, held);
  if (isOurs) removeOldGateways(host, wish, held);
  for (const { family } of wish.subnet.families) ensureForwarding(family);
  return found;
}

function create(host: NetlinkTransport, { name, mtu }: BridgeWish): Link {
  try {
    return bridgeAdd(host, {
      name,
      mtu,
      address: bridgeMac(name),
      alias: BRIDGE_ALIAS,
      bridge: { stp: false, forwardDelayCs: 0, multicastSnooping: false },
    });
  } catch (error) {
    const link = isExisting(error) ? linkGet(host, name) : null;
    if (link === null) throw error;
    return link;
  }
}

function ensureGateway(
  host: NetlinkTransport,
  bridge: Link,
  subnet: FamilySubnet,
  held: readonly InterfaceAddress[],
): void {
  const { gateway: address, prefixLength, family } = subnet;
  if (held.some((one) => one.address === address)) return;
  const other = addressDump(host, { family }).find((one) =>
    one.address === address && one.index !== bridge.index
  );
  if (other !== undefined) {
    const device = linkGet(host, other.index)?.name ?? `device ${other.index}`;
    throw notOurs(
      `${address}, the address that ${bridge.name} needs, is on ${device}`,
      `one bridge a subnet: let ${device} go, or name it as "bridge"`,
    );
  }
  try {
    addressAdd(host, {
      index: bridge.index,
      address,
      prefixLength,
      ...family === 6 ? { flags: IFA_F.NODAD } : {},
    });
  } catch (error) {
    if (!isExisting(error)) throw error; // somebody else did it meanwhile
  }
}

/** Of subnets that this host had before, unless containers still have addresses of them. */
function removeOldGateways(
  host: NetlinkTransport,
  { subnet, attachments }: BridgeWish,
  held: readonly InterfaceAddress[],
): void {
  const used = new Set([
    ...subnet.families.map(({ network }) => network),
    ...attachments.flatMap(({ addresses }) => addresses).map((cidr) => familySubnet(cidr).network),
  ]);
  for (const { index, address, prefixLength } of held) {
    if (used.has(familySubnet(`${address}/${prefixLength}`).network)) continue;
    try {
      addressDelete(host, { index, address, prefixLength });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/** Without it the kernel hands nothing on between containers and the overlay. */
function ensureForwarding(family: 4 | 6): void {
  const name = family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  if (readSysctl(name) === "0") writeSysctl(name, 1);
}

/** Devices that are plugged into a bridge. */
export function portsOf(host: NetlinkTransport, bridge: Link): readonly Link[] {
  return linkDump(host).filter(({ master }) => master === bridge.index);
}

function notOurs(message: string, details = ""): CniError {
  return new CniError(
    CniCode.notOurs,
    message,
    details === ""
      ? 'give the network another "bridge", or remove that one if nothing uses it any more'
      : details,
  );
}
