/** Whether sockets may keep what comes in a burst: a cluster that starts at once sends each host thousands of small packets. */
import type { Check } from "../check.ts";
import { ok, warn } from "../finding.ts";

const NAME = "receive-buffer";
/** Linux's own default; each small packet takes about 800 bytes of it, so 260 of them fit. */
const BYTES_MIN = 212_992;

export const receiveBuffer: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const bytes = Number(host.sysctl("net/core/rmem_default") ?? "");
    if (bytes === 0 || bytes >= BYTES_MIN) {
      return [ok(NAME, "As large as Linux makes it, or larger")];
    }
    return [warn(
      NAME,
      `net.core.rmem_default is ${bytes}, below the usual ${BYTES_MIN}: bursts of gossip are lost`,
      `Run sysctl -w net.core.rmem_default=${BYTES_MIN} and put it into /etc/sysctl.d`,
    )];
  },
};
