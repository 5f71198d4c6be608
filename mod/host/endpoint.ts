/** Endpoints as text and as the parts that sockets take. */
import { endpointText } from "../address/endpoint.ts";
import type { Endpoint } from "../base/core.ts";
import { assert } from "../base/assert.ts";

/** How an IPv4 address looks that was mapped into IPv6 (RFC 4291 section 2.5.5.2). */
const MAPPED = "::ffff:";

/** `"10.0.0.1:7947"`, IPv6 in brackets. An IPv4 address that a dual-stack socket mapped into IPv6 is unmapped. */
export function formatEndpoint(hostname: string, port: number): Endpoint {
  const address = hostname.startsWith(MAPPED) ? hostname.slice(MAPPED.length) : hostname;
  return endpointText(address, port);
}

/** What a socket is bound to for all addresses of a family. */
export function anyAddress(family: 4 | 6): string {
  return family === 4 ? "0.0.0.0" : "::";
}

/**
 * Whether a socket of that family can answer there. One of IPv6 also hears IPv4, as the kernel has it by default, and has
 * no way back.
 */
export function isOfFamily(hostname: string, family: 4 | 6): boolean {
  const isIpv4 = hostname.startsWith(MAPPED) || !hostname.includes(":");
  return isIpv4 === (family === 4);
}

/** The address without brackets, and the port. */
export function splitEndpoint(endpoint: Endpoint): { hostname: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  assert(colon > 0, `an endpoint has a port: ${endpoint}`);
  const hostname = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(endpoint.slice(colon + 1)) };
}
