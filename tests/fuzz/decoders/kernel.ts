/** Decoders of what the kernel answers: netlink messages and ICMP packets. */
import { decodeEcho, encodeEcho } from "../../../ffi/echo_message.ts";
import { decodeAcknowledgement } from "../../../ffi/netlink/acknowledgement.ts";
import { decodeAttributes } from "../../../ffi/netlink/attribute.ts";
import { NetlinkFormatError } from "../../../ffi/netlink/error.ts";
import { encodeMessage, type NetlinkMessage, parseMessages } from "../../../ffi/netlink/message.ts";
import { decodeAddress } from "../../../ffi/route/address.ts";
import { decodeFdbEntry } from "../../../ffi/route/fdb.ts";
import { decodeLink } from "../../../ffi/route/link.ts";
import { decodeEvent, decodeEvents } from "../../../ffi/route/monitor.ts";
import { decodeNeighbour } from "../../../ffi/route/neighbour.ts";
import { decodeRoute } from "../../../ffi/route/route.ts";
import { decodeTunData } from "../../../ffi/route/tun_data.ts";
import { decodeVxlanData } from "../../../ffi/route/vxlan_data.ts";
import * as overlay from "../../../mod/host/kernel_decode.ts";
import type { Decoder } from "../decoder.ts";
import { KERNEL_REPLIES, KERNEL_VERDICTS } from "../samples.ts";

const ATTRIBUTES = KERNEL_REPLIES.flatMap((bytes) =>
  parseMessages(bytes).flatMap(({ payload }) => [payload.subarray(12), payload.subarray(16)])
);
const ECHOES = [encodeEcho(4, 7, 1, 56), encodeEcho(6, 7, 1, 56)].flatMap((packet) => [
  packet,
  new Uint8Array([0x45, ...new Uint8Array(19), 0, ...packet.subarray(1)]),
]);

/** A decoder of one message, given every message of a datagram. */
function each<T>(
  name: string,
  decode: (message: NetlinkMessage) => T,
  samples = KERNEL_REPLIES,
): Decoder {
  return row(name, (bytes) => parseMessages(bytes).map(decode), samples);
}

function row(
  name: string,
  decode: (bytes: Uint8Array) => unknown,
  samples: readonly Uint8Array[],
): Decoder {
  return { name, decode, samples, refusals: [NetlinkFormatError] };
}

/** What was read, shown to the next reader. */
function then<Read, T>(
  read: (message: NetlinkMessage) => Read | null,
  next: (value: Read) => T,
): (message: NetlinkMessage) => T | null {
  return (message) => {
    const value = read(message);
    return value === null ? null : next(value);
  };
}

function joined(messages: readonly NetlinkMessage[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...encodeMessage(message)]));
}

const HOST = "mod/host/kernel_decode.ts";

// deno-fmt-ignore -- one decoder a line
export const KERNEL_DECODERS: readonly Decoder[] = [
  { ...row("ffi/netlink/message.ts parseMessages", parseMessages, KERNEL_REPLIES), encode: joined, hasManyForms: true },
  row("ffi/netlink/attribute.ts decodeAttributes", (bytes) => decodeAttributes(bytes).types(), ATTRIBUTES),
  each("ffi/netlink/acknowledgement.ts decodeAcknowledgement", (message) => decodeAcknowledgement(message, "fuzz"), KERNEL_VERDICTS),
  each("ffi/route/link.ts decodeLink", decodeLink),
  each("ffi/route/address.ts decodeAddress", decodeAddress),
  each("ffi/route/route.ts decodeRoute", decodeRoute),
  each("ffi/route/neighbour.ts decodeNeighbour", decodeNeighbour),
  each("ffi/route/fdb.ts decodeFdbEntry", decodeFdbEntry),
  each("ffi/route/monitor.ts decodeEvent", decodeEvent),
  row("ffi/route/monitor.ts decodeEvents", decodeEvents, KERNEL_REPLIES),
  row("ffi/route/vxlan_data.ts decodeVxlanData", (bytes) => decodeVxlanData(decodeAttributes(bytes)), ATTRIBUTES),
  row("ffi/route/tun_data.ts decodeTunData", (bytes) => decodeTunData(decodeAttributes(bytes)), ATTRIBUTES),
  each(`${HOST} decodeOverlayLink`, then(decodeLink, overlay.decodeOverlayLink)),
  each(`${HOST} decodeDeviceAddress`, then(decodeAddress, (address) => overlay.decodeDeviceAddress("fuzz", address))),
  each(`${HOST} decodeOverlayRoute`, then(decodeRoute, (route) => overlay.decodeOverlayRoute("fuzz", route))),
  each(`${HOST} decodeOverlayNeighbour`, then(decodeNeighbour, (neighbour) => overlay.decodeOverlayNeighbour("fuzz", neighbour))),
  each(`${HOST} decodeForwarding`, then(decodeFdbEntry, (entry) => overlay.decodeForwarding("fuzz", entry))),
  row("ffi/icmp.ts decodeEcho", (packet) => [decodeEcho(4, packet, 7), decodeEcho(6, packet, 7)], ECHOES),
];
