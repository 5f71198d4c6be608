/** Whether this host passes packets on between its containers and the overlay. Docker and CNI plugins see to it; we look. */
import { readSysctl } from "../../ffi/sysctl.ts";
import type { Problem } from "../base/problem.ts";

const IP_FORWARD = "net.ipv4.ip_forward";

/** Null when packets are passed on, or the kernel does not say. Reads the current network namespace. */
export function forwardingProblem(read: (name: string) => string = readSysctl): Problem | null {
  let value: string;
  try {
    value = read(IP_FORWARD);
  } catch {
    return null; // /proc/sys is hidden in some containers: nothing known, nothing said
  }
  if (value.trim() !== "0") return null;
  return {
    code: "ip-forward-off",
    severity: "warning",
    text:
      `${IP_FORWARD} is 0: this host does not pass packets between its containers and the overlay`,
    remedy: `Run "sysctl -w ${IP_FORWARD}=1", and put it into /etc/sysctl.d to keep it; starting ` +
      "Docker does so too",
  };
}
