/**
 * Whether the kernel's table of neighbours has room for the cluster. What gossamer puts into it does not count (permanent
 * entries are exempt, net/core/neighbour.c); the other hosts' own addresses on the underlay's link, and containers, do.
 */
import { poolFamily } from "../../address/pool.ts";
import type { Check } from "../check.ts";
import { fail, ok, warn } from "../finding.ts";

const NAME = "neighbour-table";
/** Per-processor lines of hexadecimal numbers below a line of names. */
const STATISTICS = { 4: "/proc/net/stat/arp_cache", 6: "/proc/net/stat/ndisc_cache" } as const;

export const neighbourTable: Check = {
  name: NAME,
  isRepeated: true,
  run(host) {
    const family = poolFamily(host.setup.pool);
    const name = `net.ipv${family}.neigh.default.gc_thresh3`;
    const limit = Number(host.sysctl(name.replaceAll(".", "/")) ?? "");
    // Only the machine's first network namespace has the limit.
    if (limit === 0) return [ok(NAME, "Its limit is another namespace's affair")];
    const { entries } = neighbourCounts(host.file(STATISTICS[family]) ?? "");
    const members = host.agent?.members.length ?? 0;
    // Of the entries that are there some are the members' already.
    const wanted = Math.max(entries, members);
    const remedy = `Run sysctl -w ${name}=${
      Math.max(8192, 4 * wanted)
    } and put it into /etc/sysctl.d`;
    if (entries >= limit) {
      return [fail(NAME, `The table of neighbours is full: ${entries} of ${limit}`, remedy)];
    }
    if (wanted > 0.8 * limit) {
      return [
        warn(
          NAME,
          `The table of neighbours has room for ${limit}, and ${wanted} are needed`,
          remedy,
        ),
      ];
    }
    return [ok(NAME, `${entries} of ${limit} neighbours`)];
  },
};

/** Entries are counted once for all processors. */
export function neighbourCounts(text: string): { entries: number } {
  const [names = "", first = ""] = text.split("\n");
  const at = names.trim().split(/\s+/).indexOf("entries");
  const entries = Number.parseInt(first.trim().split(/\s+/)[at] ?? "", 16);
  return { entries: Number.isNaN(entries) ? 0 : entries };
}
