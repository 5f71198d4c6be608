/** Whether there is a device that can carry the overlay. */
import { ConfigError, reasonOf, UserError } from "../../base/errors.ts";
import { chooseUnderlay } from "../../host/underlay.ts";
import type { Check } from "../check.ts";
import { fail, ok } from "../finding.ts";

const NAME = "underlay";

export const underlay: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const source = {
      hostNetwork: () => host.network(),
      routeTo: (address: string) => host.routeTo(address),
    };
    try {
      const { device, address, mtu } = chooseUnderlay(source, host.setup);
      return [ok(NAME, `Packets of the overlay leave by ${device}, ${address}, MTU ${mtu}`)];
    } catch (error) {
      if (!(error instanceof UserError) && !(error instanceof ConfigError)) throw error;
      const remedy = error.remedy ?? "Name the device that connects the hosts with --iface";
      return [fail(NAME, reasonOf(error), remedy)];
    }
  },
};
