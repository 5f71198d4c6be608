/** An address with a port, as people, URLs and we ourselves write it. */
import { isIpv6Text } from "./ipv6.ts";

/** `10.0.0.1:7947`, or `[fd00::1]:7947` (RFC 3986 section 3.2.2). */
export function endpointText(address: string, port: number): string {
  return isIpv6Text(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
