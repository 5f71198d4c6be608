/** Our table as `nft` prints it, and changes as commands, recorded. */
import { firewallPlanText, firewallTableText } from "../../../mod/overlay/firewall_text.ts";
import { diffFirewall, diffNoFirewall } from "../../../mod/overlay/firewall_diff.ts";
import { FACTS, wantedTable } from "../../support/firewall.ts";
import { matchGolden } from "../../support/golden.ts";

function golden(name: string, text: string): void {
  matchGolden(new URL(`./firewall_${name}.txt`, import.meta.url), text);
}

const EXCLUDED = ["192.168.0.0/17", "172.16.0.0/12", "172.17.0.0/16", "2001:db8::/33"];

Deno.test("the whole table, IPv4", () => {
  golden("ip", firewallTableText(wantedTable("ip", { masqueradeExcluded: EXCLUDED })));
});

Deno.test("the whole table, IPv6", () => {
  golden("ip6", firewallTableText(wantedTable("ip6", { masqueradeExcluded: EXCLUDED })));
});

Deno.test("the least there can be: nothing masqueraded, no guard", () => {
  golden("least", firewallTableText(wantedTable("ip", { masquerade: false, guard: false })));
});

Deno.test("from nothing, one transaction makes the table", () => {
  const { operations } = diffFirewall(wantedTable("ip"), { kind: "absent" });
  golden("from_nothing", firewallPlanText(operations));
});

Deno.test("members come and go without the table being written again", () => {
  const before = { kind: "ours", table: wantedTable("ip") } as const;
  const members = [...FACTS.ip.members.slice(1), "192.168.100.3"];
  const { operations } = diffFirewall(wantedTable("ip", {}, { members }), before);
  golden("members", firewallPlanText(operations));
});

Deno.test("cleaning up deletes our table", () => {
  const before = { kind: "ours", table: wantedTable("ip6") } as const;
  golden("cleanup", firewallPlanText(diffNoFirewall("ip6", "gossamer_1", before).operations));
});
