/** Whether the host passes packets on between containers and overlay. */
import type { Check } from "../check.ts";
import { fail, ok, warn } from "../finding.ts";

const NAME = "ip-forward";

export const ipForward: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const value = host.sysctl("net/ipv4/ip_forward");
    if (value === "1") return [ok(NAME, "net.ipv4.ip_forward is 1")];
    if (value === null) {
      return [warn(
        NAME,
        "net.ipv4.ip_forward cannot be read: /proc/sys is hidden",
        "See to it on the host that it is 1",
      )];
    }
    if (host.agent === null) {
      return [ok(NAME, "net.ipv4.ip_forward is 0; gossamer up sets it to 1 if it may")];
    }
    return [fail(
      NAME,
      "net.ipv4.ip_forward is 0: containers reach nothing outside of their host",
      "Run sysctl -w net.ipv4.ip_forward=1 on the host, and put it into /etc/sysctl.d",
    )];
  },
};
