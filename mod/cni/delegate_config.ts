/** The configuration that another plugin gets: as flannel's plugin makes it of its own and the subnet file. */
import { CniCode, CniError } from "./errors.ts";
import type { HostSubnet } from "./host_subnet.ts";
import type { JsonObject } from "./json.ts";
import type { NetworkConfig } from "./network_config.ts";

const TYPE_DEFAULT = "bridge";
const IPAM_DEFAULT = "host-local";

/** Throws CniError code 7 when `ipam.routes` is no list. */
export function delegateConfig(config: NetworkConfig, subnet: HostSubnet): JsonObject {
  const { fields, delegate } = config;
  const ipam = fields.fields("ipam");
  const routes = ipam?.list("routes") ?? [];
  for (const [at, route] of routes.entries()) {
    if (typeof route === "object" && route !== null && "dst" in route) continue;
    throw new CniError(CniCode.invalidConfig, `ipam.routes: the route ${at + 1} has no dst`);
  }
  const runtimeConfig = fields.fields("runtimeConfig")?.object;
  const given = {
    ...delegate,
    ...runtimeConfig === undefined ? {} : { runtimeConfig },
    name: config.name,
    cniVersion: config.cniVersion,
  };
  const type = delegateTypeOf(given);
  return {
    type,
    // One of the two masquerades, never both.
    ipMasq: !subnet.ipMasq,
    mtu: subnet.mtu,
    ...type === TYPE_DEFAULT ? { isGateway: true } : {},
    ...given,
    ipam: {
      type: IPAM_DEFAULT,
      ...ipam?.object,
      ranges: subnet.families.map(({ network }) => [{ subnet: network }]),
      routes: [...routes, ...subnet.networks.map((dst) => ({ dst }))],
    },
  };
}

/** The plugin that a configuration names, `bridge` when it names none. */
export function delegateTypeOf(config: JsonObject): string {
  return typeof config.type === "string" ? config.type : TYPE_DEFAULT;
}
