/** Whether this host uses a part of the overlay's network for something else. */
import { ConfigError } from "../../base/errors.ts";
import { checkPoolOverlap } from "../../host/pool_overlap.ts";
import { overlayDevice } from "../../overlay/backend.ts";
import { poolFamily } from "../../address/pool.ts";
import type { Check } from "../check.ts";
import { fail, ok } from "../finding.ts";
import { underlayOf } from "../underlay_of.ts";

const NAME = "network-overlap";

export const networkOverlap: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const { pool } = host.setup;
    const underlay = underlayOf(host);
    if (underlay === null) return [];
    try {
      const source = { hostNetwork: () => host.network() };
      const device = overlayDevice(host.setup, poolFamily(pool)) ?? underlay.device;
      checkPoolOverlap(source, pool, device, underlay);
      return [ok(NAME, `Nothing else on this host uses ${pool.cidr}`)];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const remedy = "Remove that address or route, or choose another --network on all hosts";
      return [fail(NAME, error.message, remedy)];
    }
  },
};
