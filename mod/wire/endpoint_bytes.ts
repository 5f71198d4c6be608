/**
 * Addresses and endpoints as bytes: 4 or 16 bytes of address in network order, for an endpoint
 * followed by two bytes of port.
 *
 * What we encode comes from our own configuration and is asserted; what we decode comes from others
 * and is checked.
 */
import { endpointText } from "../address/endpoint.ts";
import { assert } from "../base/assert.ts";
import type { Endpoint } from "../base/core.ts";
import { WireError } from "../base/errors.ts";

export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;
const PORT_BYTES = 2;

/** `::` with all its groups. */
const UNSPECIFIED = "0:0:0:0:0:0:0:0";

/** The bytes of a canonical address, IPv6 without brackets. */
export function addressToBytes(address: string): Uint8Array<ArrayBuffer> {
  return address.includes(":") ? ipv6ToBytes(address) : ipv4ToBytes(address);
}

/** The canonical text of an address that something can be sent to. Throws {@linkcode WireError}. */
export function addressFromBytes(bytes: Uint8Array, where: string): string {
  if (bytes.length === IPV4_BYTES) return ipv4FromBytes(bytes, where);
  if (bytes.length === IPV6_BYTES) return ipv6FromBytes(bytes, where);
  throw new WireError(`${where}: an address of ${bytes.length} bytes`);
}

/** The bytes of `10.0.0.1:7947` or `[2001:db8::1]:7947`: 6 or 18 of them. */
export function endpointToBytes(endpoint: Endpoint): Uint8Array<ArrayBuffer> {
  const colon = endpoint.lastIndexOf(":");
  const port = Number(endpoint.slice(colon + 1));
  assert(colon > 0 && port > 0 && port < 65536, `an endpoint has a port: ${endpoint}`);
  const address = addressToBytes(endpoint.slice(0, colon).replace(/^\[|\]$/g, ""));
  const bytes = new Uint8Array(address.length + PORT_BYTES);
  bytes.set(address);
  bytes[address.length] = port >> 8;
  bytes[address.length + 1] = port & 255;
  return bytes;
}

/** The endpoint of 6 or 18 bytes. Throws {@linkcode WireError} unless something can be sent to it. */
export function endpointFromBytes(bytes: Uint8Array, where: string): Endpoint {
  const portAt = bytes.length - PORT_BYTES;
  const address = addressFromBytes(bytes.subarray(0, Math.max(0, portAt)), where);
  const port = (bytes[portAt] ?? 0) * 256 + (bytes[portAt + 1] ?? 0);
  if (port === 0) throw new WireError(`${where}: port 0`);
  return endpointText(address, port);
}

/** Digit by digit, without strings in between: a full sync of thousands asks for thousands. */
function ipv4ToBytes(address: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IPV4_BYTES);
  let index = 0;
  let octet = -1;
  for (let at = 0; at <= address.length; at++) {
    const digit = address.charCodeAt(at) - 48; // of "0"; NaN at the end
    if (digit >= 0 && digit <= 9) octet = Math.max(octet, 0) * 10 + digit;
    else {
      const isDot = address[at] === "." || at === address.length;
      const isOctet = isDot && octet >= 0 && octet <= 255 && index < IPV4_BYTES;
      assert(isOctet, `an IPv4 address has four octets: ${address}`);
      bytes[index++] = octet;
      octet = -1;
    }
  }
  assert(index === IPV4_BYTES, `an IPv4 address has four octets: ${address}`);
  return bytes;
}

/** Refuses 0.0.0.0/8 ("this host", RFC 1122), multicast and reserved (224.0.0.0/3, RFC 5771, 6890). */
function ipv4FromBytes(bytes: Uint8Array, where: string): string {
  const first = bytes[0] ?? 0;
  const text = bytes.join(".");
  if (first === 0 || first >= 224) throw new WireError(`${where}: ${text} is not a host's address`);
  return text;
}

function ipv6ToBytes(address: string): Uint8Array<ArrayBuffer> {
  const [head = "", tail] = address.split("::");
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const zeros = 8 - front.length - back.length;
  assert(tail === undefined ? zeros === 0 : zeros > 0, `an IPv6 address: ${address}`);
  const groups = [...front, ...Array<number>(zeros).fill(0), ...back];
  assert(groups.every((group) => group >= 0 && group <= 0xffff), `an IPv6 address: ${address}`);
  return new Uint8Array(groups.flatMap((group) => [group >> 8, group & 255]));
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

/** Canonical text by RFC 5952: lower case, the longest run of two or more zero groups as `::`. */
function ipv6FromBytes(bytes: Uint8Array, where: string): string {
  const groups: string[] = [];
  for (let index = 0; index < IPV6_BYTES; index += 2) {
    groups.push(((bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0)).toString(16));
  }
  const text = groups.join(":");
  const isMapped = text.startsWith("0:0:0:0:0:ffff:");
  if (bytes[0] === 0xff || isMapped || text === UNSPECIFIED) {
    throw new WireError(`${where}: ${text} is not a host's address`);
  }
  const run = (text.match(/\b0(:0)+\b/g) ?? [])
    .reduce((longest, next) => next.length > longest.length ? next : longest, "");
  if (run === "") return text;
  const at = `:${text}:`.indexOf(`:${run}:`);
  return `${text.slice(0, Math.max(0, at - 1))}::${text.slice(at + run.length + 1)}`;
}
