/** Whether the table of connections has room: when it is full, new ones are dropped without a word to anybody but the log. */
import type { Check } from "../check.ts";
import { fail, ok, warn } from "../finding.ts";

const NAME = "conntrack";
const FULL = 0.98;
const NEARLY_FULL = 0.85;

export const conntrack: Check = {
  name: NAME,
  isRepeated: true,
  run(host) {
    const count = Number(host.sysctl("net/netfilter/nf_conntrack_count") ?? "");
    const limit = Number(host.sysctl("net/netfilter/nf_conntrack_max") ?? "");
    if (limit === 0) return [ok(NAME, "Connections are not tracked")];
    const text = `${count} of ${limit} connections are tracked`;
    const remedy = `Run sysctl -w net.netfilter.nf_conntrack_max=${2 * limit}, and look with ` +
      "conntrack -L for who opens so many";
    if (count >= FULL * limit) return [fail(NAME, `${text}: new ones are dropped`, remedy)];
    if (count >= NEARLY_FULL * limit) return [warn(NAME, text, remedy)];
    return [ok(NAME, text)];
  },
};
