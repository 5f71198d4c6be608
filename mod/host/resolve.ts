/** Seeds turned into endpoints: at once for an address, through the system's resolver for a name. */
import { otherFamily, parseSeed } from "../address/seed.ts";
import type { Endpoint } from "../base/core.ts";
import { formatEndpoint } from "./endpoint.ts";

/**
 * The endpoints of a seed that was checked before; `portDefault` is for seeds without a port. A name brings every address of
 * that family it has (hosts file included), looked up anew each time; the promise is rejected when there is none.
 */
export function resolveSeed(
  seed: string,
  portDefault: number,
  family: 4 | 6 = 4,
): readonly Endpoint[] | Promise<readonly Endpoint[]> {
  const { host, port, isAddress } = parseSeed(seed);
  const endpointPort = port ?? portDefault;
  if (!isAddress) return lookUp(host, endpointPort, family);
  const fault = otherFamily(seed, family);
  return fault === null ? [formatEndpoint(host, endpointPort)] : Promise.reject(new Error(fault));
}

async function lookUp(name: string, port: number, family: 4 | 6): Promise<readonly Endpoint[]> {
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(name, { all: true, family });
    return found.map(({ address }) => formatEndpoint(address, port));
  } catch (error) {
    const others = await lookup(name, { all: true, family: family === 4 ? 6 : 4 }).catch(() => []);
    if (others.length === 0) throw error;
    throw new Error(
      `${name} has no IPv${family} address, only ${
        others.map(({ address }) => address).join(", ")
      }`,
      { cause: error },
    );
  }
}
