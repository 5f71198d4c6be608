/** Endpoints as text and as the parts that sockets take. */
import type { Endpoint } from "../base/core.ts";
import { assert } from "../base/assert.ts";

/** `"10.0.0.1:7947"`, IPv6 in brackets. An IPv4 address that a dual-stack socket mapped into IPv6 is unmapped. */
export function formatEndpoint(hostname: string, port: number): Endpoint {
  const address = hostname.startsWith("::ffff:") ? hostname.slice(7) : hostname;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The address without brackets, and the port. */
export function splitEndpoint(endpoint: Endpoint): { hostname: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  assert(colon > 0, `an endpoint has a port: ${endpoint}`);
  const hostname = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(endpoint.slice(colon + 1)) };
}
