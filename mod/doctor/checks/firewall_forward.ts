/** Whether rules of others drop what the overlay forwards, and which rules cannot be seen. */
import { containerDevices, foreignDropProblems } from "../../overlay/foreign_drops.ts";
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
    const unseen = legacy(host);
    const found = [...dropped(host), ...unseen === null ? [] : [unseen]];
    return found.length > 0 ? found : [ok(NAME, "Nothing seen drops what the overlay forwards")];
  },
};

function dropped(host: DoctorHost): Finding[] {
  const { pool } = host.setup;
  const subnet = host.agent?.claim.subnet ?? pool.cidr;
  const problems = foreignDropProblems({
    forward: host.tables("forward"),
    prerouting: host.tables("prerouting"),
  }, {
    subnet,
    network: pool.cidr,
    overlayDevice: overlayDevice(host.setup, poolFamily(pool)) ?? underlayOf(host)?.device ?? null,
    containerDevices: () => containerDevices(host.network().devices, subnet),
  });
  return problems.map(({ text, remedy }) => fail(NAME, text, remedy));
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
