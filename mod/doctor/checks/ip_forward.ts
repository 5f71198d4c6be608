/** Whether the host passes packets on between containers and overlay. */
import { poolFamily } from "../../address/pool.ts";
import type { Check } from "../check.ts";
import { fail, ok, warn } from "../finding.ts";

const NAME = "ip-forward";

export const ipForward: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const isIpv4 = poolFamily(host.setup.pool) === 4;
    const path = isIpv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    const name = path.replaceAll("/", ".");
    const value = host.sysctl(path);
    if (value === "1") return [ok(NAME, `${name} is 1`)];
    if (value === null) {
      return [warn(
        NAME,
        `${name} cannot be read: /proc/sys is hidden`,
        "See to it on the host that it is 1",
      )];
    }
    if (host.agent === null) {
      return [ok(NAME, `${name} is 0; gossamer up sets it to 1 if it may`)];
    }
    return [fail(
      NAME,
      `${name} is 0: containers reach nothing outside of their host`,
      `Run sysctl -w ${name}=1 on the host, and put it into /etc/sysctl.d`,
    )];
  },
};
