/** Addresses for an attachment: written down before anything is made, taken back from containers that are gone. */
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { addressesAt, addressRoom, freeOffset, offsetOf } from "./addresses.ts";
import type { CniCall } from "./call.ts";
import { CniCode, CniError } from "./errors.ts";
import type { FamilySubnet, HostSubnet } from "./host_subnet.ts";
import { type Attachment, attachmentOf, type Ledger, without } from "./ledger.ts";
import { isNamespace } from "./namespaces.ts";
import { hostDeviceName } from "./stable_names.ts";

export interface ReservationRequest {
  readonly call: CniCall;
  readonly network: string;
  readonly bridge: string;
  readonly subnet: HostSubnet;
  /** Addresses that the runtime asks for; none for any. */
  readonly wanted: readonly string[];
}

/** The ledger with the attachment in it. Throws CniError: code 101 when no address is left, 7 for one that cannot be had. */
export function reserve(
  before: Ledger,
  request: ReservationRequest,
  host: NetlinkTransport,
): { readonly ledger: Ledger; readonly attachment: Attachment } {
  const { call, subnet, network, bridge } = request;
  const { families } = subnet;
  // What an earlier ADD of this container left when it was killed: its addresses serve this one.
  const left = attachmentOf(before, network, call);
  let ledger = left === undefined
    ? before
    : { ...before, attachments: before.attachments.filter((one) => one !== left) };
  const preferred = request.wanted.length > 0 ? request.wanted : left?.addresses ?? [];
  let offset = preferredOffset(families, preferred, ledger);
  const isWanted = request.wanted.length > 0;
  if (!isWanted) offset ??= freeOffset(families, memoryOf(ledger));
  if (offset === null) {
    ledger = withoutGone(ledger, host);
    offset = isWanted
      ? preferredOffset(families, preferred, ledger)
      : freeOffset(families, memoryOf(ledger));
  }
  if (offset === null) {
    throw isWanted ? notToBeHad(request.wanted, families) : usedUp(subnet);
  }
  const addresses = addressesAt(families, offset);
  const attachment: Attachment = {
    network,
    containerId: call.containerId,
    ifname: call.ifname,
    netns: call.netns,
    device: left?.device ?? freeDeviceName(network, call, host),
    bridge,
    addresses: families.map((family, at) => `${addresses[at]}/${family.prefixLength}`),
  };
  return {
    ledger: {
      attachments: [...ledger.attachments, attachment],
      last: offset,
      resting: ledger.resting.filter((one) => !addresses.includes(one)),
    },
    attachment,
  };
}

/** How many containers the subnet still has addresses for. */
export function freeAddresses(ledger: Ledger, { families }: HostSubnet): number {
  const { taken } = memoryOf(ledger);
  let free = addressRoom(families);
  for (const address of taken) {
    if (offsetOf(families.slice(0, 1), address) !== null) free--;
  }
  return free;
}

/**
 * Without attachments whose namespace and cable are both gone. A namespace takes its cable with it, but may live on without its
 * path; and before the cable is made there is only the path.
 */
export function withoutGone(ledger: Ledger, host: NetlinkTransport): Ledger {
  return ledger.attachments
    .filter(({ netns, device }) => !isNamespace(netns) && linkGet(host, device) === null)
    .reduce(without, ledger);
}

function memoryOf({ attachments, last, resting }: Ledger) {
  const taken = new Set(attachments.flatMap(({ addresses }) => addresses).map(bare));
  return { last, resting, taken };
}

function preferredOffset(
  families: readonly FamilySubnet[],
  wanted: readonly string[],
  ledger: Ledger,
): number | null {
  const offsets = wanted.map((cidr) => offsetOf(families, bare(cidr)));
  const [offset = null] = offsets;
  if (offset === null || offsets.some((one) => one !== offset)) return null;
  const { taken } = memoryOf(ledger);
  return addressesAt(families, offset).some((address) => taken.has(address)) ? null : offset;
}

/** Thirty-two bits of a hash are many, and the name may be somebody else's. */
function freeDeviceName(network: string, call: CniCall, host: NetlinkTransport): string {
  for (let attempt = 0;; attempt++) {
    const name = hostDeviceName(network, call, attempt);
    if (linkGet(host, name) === null) return name;
  }
}

function bare(cidr: string): string {
  return cidr.replace(/\/.*$/, "");
}

function networksText(families: readonly FamilySubnet[]): string {
  return families.map(({ network }) => network).join(" and ");
}

function usedUp({ families }: HostSubnet): CniError {
  return new CniError(
    CniCode.addressesUsedUp,
    `all ${addressRoom(families)} addresses of ${networksText(families)} are in use`,
    "stop containers, or give hosts larger subnets (--subnet-len)",
  );
}

function notToBeHad(wanted: readonly string[], families: readonly FamilySubnet[]): CniError {
  return new CniError(
    CniCode.invalidConfig,
    `the runtime asks for ${wanted.join(", ")}, which cannot be had`,
    `it is in use, or no address for containers of ${networksText(families)}`,
  );
}
