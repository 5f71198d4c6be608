/**
 * Seeds as people write them: `HOST` or `HOST:PORT`, where HOST is a name, an IPv4 address, or an IPv6 address, which
 * with a port stands in brackets (RFC 3986 section 3.2.2).
 */
import { quoteStart } from "../base/quote.ts";
import { familyOf } from "./cidr.ts";
import { formatIpv6, ipv6Contains, isIpv6Unicast, parseIpv6, parseIpv6Network } from "./ipv6.ts";
import { AddressError, isAddress } from "./parse.ts";

export interface Seed {
  /** A canonical address, or a name that is resolved anew at each try. */
  readonly host: string;
  /** 1 to 65535; null when not given. */
  readonly port: number | null;
  /** Whether the host needs no name service. */
  readonly isAddress: boolean;
}

/** Text quoted in messages: longer is cut, since it may come from anywhere. */
const QUOTED_CHARACTERS_MAX = 60;
/** Octets of a DNS name in text form (RFC 1035 section 2.3.4, less the root's length). */
const NAME_LENGTH_MAX = 253;
/** A label: 1 to 63 letters, digits and hyphens; underscores as service names have them. */
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
/** Without a zone, which we do not read, there is no telling which link is meant. */
const LINK_LOCAL = parseIpv6Network("fe80::/10");
const LOOPBACK = "::1";

/** Throws {@linkcode AddressError}, a sentence that quotes the text. */
export function parseSeed(text: string): Seed {
  const shown = quoteStart(text, QUOTED_CHARACTERS_MAX);
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    return ipv6Seed(bracketed[1] ?? "", parsePort(bracketed[2], shown), shown);
  }
  const [host = "", portText, ...rest] = text.split(":");
  if (rest.length > 0) return ipv6Seed(text, null, shown);
  const port = parsePort(portText, shown);
  // Digits and dots alone can only be meant as an address, and a resolver would read "10.1" as 10.0.0.1.
  const isNumeric = /^[\d.]*$/.test(host);
  if (isNumeric ? isAddress(host) : isHostName(host)) return { host, port, isAddress: isNumeric };
  throw new AddressError(`${shown} is neither a host name nor an IPv4 address`);
}

/**
 * Why hosts that talk over that family cannot reach the seed, as a sentence; null when they may. Of a name nobody knows
 * before it is looked up.
 */
export function otherFamily(text: string, family: 4 | 6): string | null {
  const { host, isAddress } = parseSeed(text);
  if (!isAddress || familyOf(host) === family) return null;
  return `${host} is an IPv${familyOf(host)} address, and the hosts of this cluster talk over ` +
    `IPv${family}, the family of its --network`;
}

function ipv6Seed(text: string, port: number | null, shown: string): Seed {
  const address = parseIpv6(text);
  const host = formatIpv6(address);
  if (ipv6Contains(LINK_LOCAL, address)) {
    throw new AddressError(`${shown} is link-local: it means another host on each link`);
  }
  if (isIpv6Unicast(host) || host === LOOPBACK) return { host, port, isAddress: true };
  throw new AddressError(`${shown} is not an address that a host can be reached at`);
}

/** Null where none is given. */
function parsePort(text: string | undefined, shown: string): number | null {
  if (text === undefined) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new AddressError(`${shown} has a port that is not a number from 1 to 65535`);
}

function isHostName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX &&
    text.replace(/\.$/, "").split(".").every((label) => LABEL.test(label));
}
