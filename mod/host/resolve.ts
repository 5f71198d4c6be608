/** Seeds as people write them, turned into endpoints. Names are resolved anew at each try. */
import type { Endpoint } from "../base/core.ts";
import { formatEndpoint } from "./endpoint.ts";

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** Splits `host`, `host:port` or `[v6]:port`; the port is `portDefault` when absent. */
export function splitSeed(seed: string, portDefault: number): { hostname: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(seed);
  const hostname = match?.[1] ?? match?.[2] ?? seed;
  return { hostname, port: match?.[3] === undefined ? portDefault : Number(match[3]) };
}

/** Whether the seed needs no name service. */
export function isLiteral(seed: string): boolean {
  return IPV4.test(splitSeed(seed, 0).hostname);
}

/** The endpoint of a literal seed. */
export function literalEndpoint(seed: string, portDefault: number): Endpoint {
  const { hostname, port } = splitSeed(seed, portDefault);
  return formatEndpoint(hostname, port);
}

/** Every address of the name, through the system's resolver (hosts file included). Throws when there is none. */
export async function resolveSeed(seed: string, portDefault: number): Promise<Endpoint[]> {
  const { hostname, port } = splitSeed(seed, portDefault);
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(hostname, { all: true, family: 4 });
  return found.map(({ address }) => formatEndpoint(address, port));
}
