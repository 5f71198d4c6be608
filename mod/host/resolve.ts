/** Seeds turned into endpoints: at once for an address, through the system's resolver for a name. */
import { parseSeed } from "../address/seed.ts";
import type { Endpoint } from "../base/core.ts";
import { formatEndpoint } from "./endpoint.ts";

/**
 * The endpoints of a seed that was checked before; `portDefault` is for seeds without a port. A name brings every address it
 * has (hosts file included), looked up anew each time; the promise is rejected when there is none.
 */
export function resolveSeed(
  seed: string,
  portDefault: number,
): readonly Endpoint[] | Promise<readonly Endpoint[]> {
  const { host, port, isAddress } = parseSeed(seed);
  const endpointPort = port ?? portDefault;
  return isAddress ? [formatEndpoint(host, endpointPort)] : lookUp(host, endpointPort);
}

async function lookUp(name: string, port: number): Promise<readonly Endpoint[]> {
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(name, { all: true, family: 4 });
  return found.map(({ address }) => formatEndpoint(address, port));
}
