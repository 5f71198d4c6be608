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

/** Octet without leading zero, 0 to 999; the range is checked apart so that the message can say so. */
const OCTETS = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const NUMBER = /^(0|[1-9]\d{0,4})$/;
const LENGTH_MAX = 32;
const PORT_MAX = 65_535;
const MALFORMED = -1;
const [DIGIT_ZERO, FULL_STOP] = [0x30, 0x2e] as const;
/** Text quoted in messages: longer is cut, since it may come from anywhere. */
const QUOTED_CHARACTERS_MAX = 60;

/**
 * The address in the first `end` characters, or MALFORMED: for thousands of well-formed ones. What
 * is wrong with the others is said by those who take their time.
 */
function readAddress(text: string, end: number): number {
  let address = 0;
  let octet = -1;
  let stops = 0;
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code === FULL_STOP) {
      if (octet < 0) return MALFORMED;
      address = address * 256 + octet;
      octet = -1;
      stops++;
    } else {
      const digit = code - DIGIT_ZERO;
      if (digit < 0 || digit > 9 || octet === 0) return MALFORMED; // a leading zero
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return MALFORMED;
    }
  }
  return stops === 3 && octet >= 0 ? address * 256 + octet : MALFORMED;
}

/** `"10.244.7.0"` as an unsigned 32-bit number. Throws {@linkcode AddressError}. */
export function parseAddress(text: string): number {
  const quick = readAddress(text, text.length);
  if (quick !== MALFORMED) return quick;
  const match = OCTETS.exec(text);
  if (match === null) {
    throw new AddressError(
      `${quote(text)} is not an IPv4 address: four decimal numbers without leading zeros, ` +
        `like 192.168.100.1`,
    );
  }
  let address = 0;
  for (let index = 1; index <= 4; index++) {
    const octet = Number(match[index]);
    if (octet > 255) throw new AddressError(`${quote(text)} has the octet ${octet}, above 255`);
    address = address * 256 + octet;
  }
  return address;
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
  const quick = readAddress(text, slash);
  const address = quick === MALFORMED ? parseAddress(text.slice(0, slash)) : quick;
  const length = parseNumber(text.slice(slash + 1), LENGTH_MAX);
  if (length === undefined) {
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
  const address = parseAddress(text.slice(0, colon));
  const port = parseNumber(text.slice(colon + 1), PORT_MAX);
  if (port === undefined || port === 0) {
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

/** A decimal number without sign or leading zero, at most `max`. */
function parseNumber(text: string, max: number): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function quote(text: string): string {
  return quoteStart(text, QUOTED_CHARACTERS_MAX);
}
