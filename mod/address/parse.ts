/**
 * Strict parsing of IPv4 addresses, CIDRs and endpoints. An agent that programs routes must not guess:
 * four decimal octets, no leading zero, no blanks, prefix 0 to 32, no host bits where a network is meant.
 *
 * Own code instead of a library: docs/adr/0008-ip-parsing.md has the measurement.
 */
import { quoteStart } from "../base/quote.ts";

/** Text that is no address, network or endpoint; the message is a sentence about the text. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

/** Four numbers without leading zeros, 0 to 999 each: what is not an address only because an octet is too large. */
const DECIMALS = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const OCTETS = 4;
const OCTET_MAX = 255;
/** The code of the digit 0. */
const ZERO = 48;
const LENGTH_MAX = 32;
const PORT_MAX = 65_535;
/** Text quoted in messages: longer is cut, since it may come from anywhere. */
const QUOTED_CHARACTERS_MAX = 60;

/** `"10.244.7.0"` as an unsigned 32-bit number. Throws {@linkcode AddressError}. */
export function parseAddress(text: string): number {
  const address = addressBefore(text, text.length);
  return address < 0 ? refuseAddress(text) : address;
}

/**
 * `"10.244.7.0/24"` as address and prefix length; host bits must be zero. Throws
 * {@linkcode AddressError}, which for set host bits names the network that was probably meant.
 */
export function parseNetwork(text: string): { address: number; length: number } {
  const slash = text.indexOf("/");
  if (slash < 0) {
    throw new AddressError(`${quote(text)} has no prefix length: write ADDRESS/LENGTH`);
  }
  const address = addressBefore(text, slash);
  if (address < 0) return refuseAddress(text.slice(0, slash));
  const length = numberBetween(text, slash + 1, text.length, LENGTH_MAX);
  if (length < 0) {
    throw new AddressError(`${quote(text)} has a prefix length that is not 0 to 32`);
  }
  const hostBits = length === 0 ? address : (address << length) >>> 0;
  if (length < LENGTH_MAX && hostBits !== 0) {
    const size = 2 ** (LENGTH_MAX - length);
    const network = address - address % size;
    const octets = [24, 16, 8, 0].map((shift) => (network >>> shift) & 255);
    throw new AddressError(
      `${quote(text)} is a host in a network, not a network: did you mean ` +
        `${octets.join(".")}/${length}?`,
    );
  }
  return { address, length };
}

/** `"192.168.100.1:7947"`; the port is 1 to 65535. Throws {@linkcode AddressError}. */
export function parseEndpoint(text: string): { address: number; port: number } {
  const colon = text.lastIndexOf(":");
  if (colon < 0) throw new AddressError(`${quote(text)} has no port: write ADDRESS:PORT`);
  const address = addressBefore(text, colon);
  if (address < 0) return refuseAddress(text.slice(0, colon));
  const port = numberBetween(text, colon + 1, text.length, PORT_MAX);
  if (port <= 0) {
    throw new AddressError(`${quote(text)} has a port that is not 1 to 65535`);
  }
  return { address, port };
}

/** Whether the text is a strict IPv4 address. */
export function isAddress(text: string): boolean {
  return accepted(parseAddress, text);
}

/** Whether the text is a strict CIDR without host bits. */
export function isNetwork(text: string): boolean {
  return accepted(parseNetwork, text);
}

function accepted(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (error instanceof AddressError) return false;
    throw error;
  }
}

/** The address that the text is up to `end`; -1 when it is none. Digit by digit: overlaps of claims ask for millions. */
function addressBefore(text: string, end: number): number {
  let address = 0;
  let start = 0;
  for (let octet = 1; octet <= OCTETS; octet++) {
    const dot = octet < OCTETS ? text.indexOf(".", start) : end;
    const value = dot < 0 || dot > end ? -1 : numberBetween(text, start, dot, OCTET_MAX);
    if (value < 0) return -1;
    address = address * 256 + value;
    start = dot + 1;
  }
  return address;
}

/** The decimal number without sign or leading zero that stands there; -1 when there is none, or one above `max`. */
function numberBetween(text: string, start: number, end: number, max: number): number {
  const hasLeadingZero = end - start > 1 && text.charCodeAt(start) === ZERO;
  if (start >= end || hasLeadingZero) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > max) return -1;
  }
  return value;
}

function refuseAddress(text: string): never {
  const octets = DECIMALS.exec(text)?.slice(1) ?? [];
  const large = octets.find((octet) => Number(octet) > OCTET_MAX);
  throw new AddressError(
    large === undefined
      ? `${quote(text)} is not an IPv4 address: four decimal numbers without leading zeros, ` +
        `like 192.168.100.1`
      : `${quote(text)} has the octet ${large}, above ${OCTET_MAX}`,
  );
}

function quote(text: string): string {
  return quoteStart(text, QUOTED_CHARACTERS_MAX);
}
