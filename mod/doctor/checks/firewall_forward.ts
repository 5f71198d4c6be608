/** Whether rules of others drop what the overlay forwards, and which rules cannot be seen. */
import { findForwardDrop, forwardDropProblem } from "../../overlay/forward_drop.ts";
import { overlayDevice } from "../../overlay/backend.ts";
import { poolFamily } from "../../address/pool.ts";
import type { Check } from "../check.ts";
import type { DoctorHost } from "../doctor_host.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";
import { underlayOf } from "../underlay_of.ts";

const NAME = "firewall-forward";
/** Tables of the older iptables in this network namespace (net/netfilter/x_tables.c). */
const LEGACY_TABLES = "/proc/net/ip_tables_names";

export const firewallForward: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const found = [dropped(host), legacy(host)].filter((finding) => finding !== null);
    return found.length > 0 ? found : [ok(NAME, "Nothing seen drops what the overlay forwards")];
  },
};

function dropped(host: DoctorHost): Finding | null {
  const { pool } = host.setup;
  const device = overlayDevice(host.setup, poolFamily(pool)) ?? underlayOf(host)?.device ?? null;
  const own = host.agent?.claim.subnet ?? pool.cidr;
  const tables = host.tables("forward");
  for (
    const packet of [
      { source: pool.cidr, destination: own, inDevice: device, outDevice: null },
      { source: own, destination: pool.cidr, inDevice: null, outDevice: device },
    ]
  ) {
    const drop = findForwardDrop(tables, packet);
    if (drop === null) continue;
    const { text, remedy } = forwardDropProblem(drop, pool.cidr);
    return fail(NAME, text, remedy);
  }
  return null;
}

function legacy(host: DoctorHost): Finding | null {
  const names = host.file(LEGACY_TABLES)?.split("\n").filter((name) => name !== "") ?? [];
  if (!names.some((name) => name === "filter" || name === "raw")) return null;
  return warn(
    NAME,
    `There are tables of the older iptables (${names.join(", ")}), whose rules cannot be seen here`,
    "Look for drops yourself: iptables-legacy -S, and iptables-legacy -t raw -S",
  );
}
