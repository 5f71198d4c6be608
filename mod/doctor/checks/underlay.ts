/** Whether there is a device that can carry the overlay. */
import { ConfigError, reasonOf, UserError } from "../../base/errors.ts";
import type { Check } from "../check.ts";
import { fail, ok } from "../finding.ts";
import { chosenUnderlay } from "../underlay_of.ts";

const NAME = "underlay";

export const underlay: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    try {
      const { device, address, mtu } = chosenUnderlay(host);
      return [ok(NAME, `Packets of the overlay leave by ${device}, ${address}, MTU ${mtu}`)];
    } catch (error) {
      if (!(error instanceof UserError) && !(error instanceof ConfigError)) throw error;
      const remedy = error.remedy ?? "Name the device that connects the hosts with --iface";
      return [fail(NAME, reasonOf(error), remedy)];
    }
  },
};
