/** Whether this process may do what the agent does. */
import type { Check } from "../check.ts";
import { fail, ok, warn } from "../finding.ts";

const NAME = "privileges";

export const privileges: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    if (!host.hasCapability("CAP_NET_ADMIN")) {
      return [fail(
        NAME,
        "CAP_NET_ADMIN is not in effect: nothing can be put into the kernel, and much of what follows cannot be seen",
        "Run it as root, or give the unit AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW",
      )];
    }
    if (!host.hasCapability("CAP_NET_RAW")) {
      return [warn(
        NAME,
        "CAP_NET_RAW is not in effect: hosts whose agents are gone cannot be asked whether they still carry packets",
        "Give the agent CAP_NET_RAW as well",
      )];
    }
    return [ok(NAME, "CAP_NET_ADMIN and CAP_NET_RAW are in effect")];
  },
};
