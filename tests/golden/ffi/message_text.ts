/**
 * A netlink message as lines of text in an order of its own, so that two encodings of the same
 * request compare equal whatever the order of their attributes.
 */
import { strict as assert } from "node:assert";
import { hex } from "../../../ffi/bytes.ts";
import { type Attributes, decodeAttributes } from "../../../ffi/netlink/attribute.ts";
import {
  encodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  parseMessages,
} from "../../../ffi/netlink/message.ts";
import type { NetlinkRequest } from "../../../ffi/netlink/transport.ts";
import { RTM } from "../../../ffi/route/family.ts";

/** Bytes of hex text. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  assert.match(digits, /^([0-9a-f]{2})*$/);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** A request's message, sequence number 1 and port 0, without what the transport adds. */
export function bytesOf(request: NetlinkRequest): Uint8Array {
  return encodeMessage({ ...request, sequence: 1, port: 0 });
}

const HEADER_BYTES: ReadonlyMap<number, number> = new Map([
  ...[RTM.NEWLINK, RTM.DELLINK, RTM.GETLINK].map((type): [number, number] => [type, 16]),
  ...[RTM.NEWADDR, RTM.DELADDR, RTM.GETADDR].map((type): [number, number] => [type, 8]),
  ...[RTM.NEWROUTE, RTM.DELROUTE, RTM.GETROUTE].map((type): [number, number] => [type, 12]),
  ...[RTM.NEWNEIGH, RTM.DELNEIGH, RTM.GETNEIGH].map((type): [number, number] => [type, 12]),
]);

/** Paths of the attributes that hold attributes: IFLA_LINKINFO and IFLA_INFO_DATA, RTA_METRICS. */
const NESTED: ReadonlyMap<number, readonly string[]> = new Map([
  [RTM.NEWLINK, ["18", "18.2"]],
  [RTM.NEWROUTE, ["8"]],
]);

/** VETH_INFO_PEER holds a struct ifinfomsg, then attributes. Nothing else there is as long. */
const PEER_PATH = "18.2.1";
const PEER_HEADER_BYTES = 16;

function describeAttributes(
  attributes: Attributes,
  nested: readonly string[],
  parent = "",
): string[] {
  return attributes.types().flatMap((type) => {
    const value = attributes.bytes(type) ?? new Uint8Array();
    const path = `${parent}${type}`;
    if (nested.includes(path)) {
      return describeAttributes(decodeAttributes(value), nested, `${path}.`);
    }
    if (path === PEER_PATH && value.length > PEER_HEADER_BYTES) {
      const header = `${path}: ${hex(value.subarray(0, PEER_HEADER_BYTES))}`;
      const inside = decodeAttributes(value, PEER_HEADER_BYTES);
      return [header, ...describeAttributes(inside, nested, `${path}.`)];
    }
    return [`${path}: ${hex(value)}`];
  });
}

/** Type, modifiers, header and attributes, a line each. */
export function describeMessage(bytes: Uint8Array): string[] {
  const [message] = parseMessages(bytes);
  assert(message !== undefined);
  // `ip link set` sends RTM_NEWLINK without NLM_F_CREATE, which means RTM_SETLINK.
  const type = message.type === RTM.SETLINK ? RTM.NEWLINK : message.type;
  const header = HEADER_BYTES.get(type);
  assert(header !== undefined, `type ${type}`);
  const isGet = [RTM.GETLINK, RTM.GETADDR, RTM.GETROUTE, RTM.GETNEIGH].some((get) => get === type);
  const added = NLM_F_REQUEST | NLM_F_ACK | (isGet ? NLM_F_DUMP : 0);
  const attributes = decodeAttributes(message.payload, header);
  const lines = describeAttributes(attributes, NESTED.get(type) ?? [])
    // The kind of a device may or may not end in a zero.
    .map((line) => line.startsWith("18.1: ") ? line.replace(/ 00$/, "") : line);
  return [
    `type ${type} flags ${(message.flags & ~added).toString(16)}`,
    `header: ${hex(message.payload.subarray(0, header))}`,
    ...lines.sort(),
  ];
}

/** Lines of one and not the other: "-" theirs, "+" ours. */
export function differences(theirs: readonly string[], ours: readonly string[]): string[] {
  return [
    ...theirs.filter((line) => !ours.includes(line)).map((line) => `- ${line}`),
    ...ours.filter((line) => !theirs.includes(line)).map((line) => `+ ${line}`),
  ];
}
