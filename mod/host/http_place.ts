/** Where HTTP is listened for, as people write it: `127.0.0.1:9000`, `[::1]:9000`, `localhost:9000` or a path. */
import { formatIpv6, parseIpv6 } from "../address/ipv6.ts";
import { AddressError, isAddress } from "../address/parse.ts";

export type HttpPlace =
  | { readonly kind: "tcp"; readonly address: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** sockaddr_un.sun_path of linux/un.h has 108 bytes with the final zero. */
const SOCKET_PATH_BYTES_MAX = 108 - 1;

/** The place; or a sentence that says what is wrong with the text. */
export function parseHttpPlace(text: string): HttpPlace | string {
  if (text.startsWith("/")) {
    const bytes = new TextEncoder().encode(text).length;
    return bytes > SOCKET_PATH_BYTES_MAX || text.includes("\0")
      ? `is no path for a unix socket, which has at most ${SOCKET_PATH_BYTES_MAX} bytes`
      : { kind: "unix", path: text };
  }
  const colon = text.lastIndexOf(":");
  const port = /^\d{1,5}$/.test(text.slice(colon + 1)) ? Number(text.slice(colon + 1)) : NaN;
  if (colon < 0 || !(port >= 1 && port <= 65535)) return "does not end in a port from 1 to 65535";
  const host = text.slice(0, colon);
  if (host === "localhost") return { kind: "tcp", address: "127.0.0.1", port };
  const ipv6 = /^\[(.*)\]$/.exec(host)?.[1];
  const address = ipv6 === undefined ? (isAddress(host) ? host : null) : canonicalIpv6(ipv6);
  return address === null ? "names no address" : { kind: "tcp", address, port };
}

/** Whether only this host can ask: a unix socket is its owner's alone, and 127/8 and ::1 are not reached from elsewhere. */
export function isLocal(place: HttpPlace): boolean {
  return place.kind === "unix" || isLoopback(place.address);
}

export function isLoopback(address: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(address) || address === "::1";
}

/** As a URL begins with it, or the path. */
export function placeText(place: HttpPlace): string {
  if (place.kind === "unix") return place.path;
  const host = place.address.includes(":") ? `[${place.address}]` : place.address;
  return `http://${host}:${place.port}`;
}

function canonicalIpv6(text: string): string | null {
  try {
    return formatIpv6(parseIpv6(text));
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}
