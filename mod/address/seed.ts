/** Seeds as people write them: `HOST` or `HOST:PORT`, where HOST is a name or an IPv4 address. */
import { quoteStart } from "../base/quote.ts";
import { AddressError, isAddress } from "./parse.ts";

export interface Seed {
  /** An IPv4 address, or a name that is resolved anew at each try. */
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

/** Throws {@linkcode AddressError}, a sentence that quotes the text. */
export function parseSeed(text: string): Seed {
  const [host = "", portText, ...rest] = text.split(":");
  const shown = quoteStart(text, QUOTED_CHARACTERS_MAX);
  if (rest.length > 0 || text.startsWith("[")) {
    throw new AddressError(`${shown} looks like IPv6, which is not available in this version`);
  }
  const port = portText === undefined ? null : parsePort(portText);
  if (port === undefined) {
    throw new AddressError(`${shown} has a port that is not a number from 1 to 65535`);
  }
  // Digits and dots alone can only be meant as an address, and a resolver would read "10.1" as 10.0.0.1.
  const isNumeric = /^[\d.]*$/.test(host);
  if (isNumeric ? isAddress(host) : isHostName(host)) return { host, port, isAddress: isNumeric };
  throw new AddressError(`${shown} is neither a host name nor an IPv4 address`);
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function isHostName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX &&
    text.replace(/\.$/, "").split(".").every((label) => LABEL.test(label));
}
