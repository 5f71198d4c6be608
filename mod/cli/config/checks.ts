/**
 * Strict readers of single values. Each takes the text as given and returns the value, or throws BadValue with a
 * sentence about the text.
 */
import { reasonOf } from "../../base/errors.ts";
import { quoteStart } from "../../base/quote.ts";
import { canonicalAddress, canonicalCidr } from "../../address/cidr.ts";
import {
  formatIpv6Network,
  isIpv6Text,
  isIpv6Unicast,
  parseIpv6Network,
} from "../../address/ipv6.ts";
import { AddressError, parseAddress } from "../../address/parse.ts";
import { parseSeed } from "../../address/seed.ts";
import { BadValue, QUOTED_CHARACTERS_MAX } from "./setting.ts";

/** sockaddr_un.sun_path of linux/un.h has 108 bytes with the final zero, and `/gossamer.sock` takes 14. */
const RUN_DIR_BYTES_MAX = 108 - 1 - 14;

/** A whole number of the range, both ends included, in plain decimal digits. */
export function wholeNumber(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= lowest && number <= highest) return number;
    throw bad(text, `is not a whole number from ${lowest} to ${highest}`);
  };
}

/** As {@linkcode wholeNumber}, or that word. */
export function wholeNumberOr<const Word extends string>(
  word: Word,
  lowest: number,
  highest: number,
): (text: string) => number | Word {
  const number = wholeNumber(lowest, highest);
  return (text) => {
    if (text === word) return word;
    try {
      return number(text);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      throw new BadValue(`${error.message}, nor ${word}`);
    }
  };
}

/** One of a few words. `missing` are words that a later version will take. */
export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  missing: readonly string[] = [],
): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((choice) => choice === text);
    if (choice !== undefined) return choice;
    const known = `give ${choices.join(" or ")}`;
    if (missing.includes(text)) throw bad(text, "is not available in this version", known);
    throw bad(text, "is not known", known);
  };
}

/** A member's name: what a DNS label or host name may consist of. */
export function memberName(text: string): string {
  if (/^[A-Za-z0-9.-]{1,63}$/.test(text)) return text;
  throw bad(text, "is not 1 to 63 letters, digits, dots and dashes");
}

/** An address of either family; of IPv6 in its canonical form. */
export function anyAddress(text: string): string {
  return wellFormed(text, canonicalAddress);
}

/** An address that packets can be sent to from elsewhere: not 0/8, 127/8 or 224/3 (RFC 6890), nor what IPv6 has of these. */
export function peerAddress(text: string): string {
  const address = anyAddress(text);
  if (isIpv6Text(address) ? isIpv6Unicast(address) : isIpv4Unicast(address)) return address;
  throw bad(
    text,
    "is not an address that other hosts can send to",
    "give the one under which they reach this host, or leave the flag out",
  );
}

function isIpv4Unicast(address: string): boolean {
  const first = parseAddress(address) >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** An IPv6 network in CIDR notation, host bits zero, in its canonical form. */
export function ipv6Cidr(text: string): string {
  return wellFormed(text, (network) => formatIpv6Network(parseIpv6Network(network)));
}

/** The same of either family. */
export function anyCidr(text: string): string {
  return wellFormed(text, canonicalCidr);
}

function wellFormed(text: string, canonical: (text: string) => string): string {
  try {
    return canonical(text);
  } catch (error) {
    if (error instanceof AddressError) throw new BadValue(error.message);
    throw error;
  }
}

/** A seed, as written; see {@linkcode parseSeed}. */
export function seed(text: string): string {
  const example = "give HOST or HOST:PORT, such as 192.168.1.10, node1:7947 or [fd00::1]:7947";
  if (text === "") throw new BadValue("a seed is empty", `${example}, or leave it out`);
  try {
    parseSeed(text);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new BadValue(error.message, example);
  }
  return text;
}

/** The name (IFNAMSIZ of linux/if.h: at most 15 bytes) or address of a network interface. */
export function interfaceName(text: string): string {
  if (isIpv6Text(text)) return anyAddress(text);
  if (/^[^\s/:]{1,15}$/.test(text) && text !== "." && text !== "..") return text;
  throw bad(
    text,
    "is neither an interface name (1 to 15 characters) nor an address",
    "ip link lists the names",
  );
}

/** A regular expression as JavaScript reads it. */
export function pattern(text: string): string {
  if (text === "") {
    throw new BadValue("the pattern is empty", "give a regular expression such as ^eth");
  }
  try {
    new RegExp(text);
    return text;
  } catch (error) {
    const reason = reasonOf(error);
    throw bad(text, `is not a regular expression: ${reason}`);
  }
}

/** The path of a file or directory, made absolute. */
export function path(text: string): string {
  if (text === "") throw new BadValue("the path is empty", "give a path, or leave it out");
  if (text.includes("\0")) throw bad(text, "has a zero byte in it", "give a path");
  const absolute = text.startsWith("/") ? text : `${Deno.cwd()}/${text.replace(/^(\.\/+)+/, "")}`;
  return absolute.length > 1 ? absolute.replace(/\/+$/, "") || "/" : absolute;
}

/** The path of the run directory: short enough for the control socket in it. */
export function runDirectory(text: string): string {
  const directory = path(text);
  const bytes = new TextEncoder().encode(directory).length;
  if (bytes <= RUN_DIR_BYTES_MAX) return directory;
  throw bad(
    text,
    `is ${bytes} bytes long, too long for a unix socket in it`,
    `give one of at most ${RUN_DIR_BYTES_MAX} bytes`,
  );
}

/** A command line for the shell. */
export function shellCommand(text: string): string {
  if (text.trim() !== "") return text;
  throw new BadValue("the command is empty", "give a command, or leave it out");
}

function bad(text: string, problem: string, remedy?: string): BadValue {
  return new BadValue(`${quoteStart(text, QUOTED_CHARACTERS_MAX)} ${problem}`, remedy);
}
