/** Our table: what each flag puts into it, what a change of the world changes, elements in the kernel's order. */
import { strict as assert } from "node:assert";
import type { FirewallRule, FirewallState } from "../../../mod/base/firewall_objects.ts";
import { diffFirewall, diffNoFirewall } from "../../../mod/overlay/firewall_diff.ts";
import {
  networkContains,
  sortedAddresses,
  sortedNetworks,
} from "../../../mod/overlay/firewall_elements.ts";
import { FACTS, wantedTable } from "../../support/firewall.ts";

type Packet = { readonly source: string; readonly destination: string; readonly mark?: number };

/** What becomes of a packet in our chain of source NAT, by the rules as they are written. */
function fate(packet: Packet, excluded: readonly string[] = []): string {
  const table = wantedTable("ip", { masqueradeExcluded: excluded });
  const rules = table.chains.find(({ name }) => name === "postrouting")?.rules ?? [];
  const elements = (set: string) => table.sets.find(({ name }) => name === set)?.elements ?? [];
  const isTrue = (match: FirewallRule["matches"][number]): boolean => {
    if (match.kind === "mark") return ((packet.mark ?? 0) & match.mask) === match.value;
    assert(match.kind === "address");
    const address = match.side === "source" ? packet.source : packet.destination;
    const networks = match.of.startsWith("@") ? elements(match.of.slice(1)) : [match.of];
    return networks.some((network) => networkContains(network, address)) === match.isIn;
  };
  const rule = rules.find(({ matches }) => matches.every(isTrue));
  return rule === undefined || rule.verdict === "return" ? "as it is" : rule.verdict;
}

const OWN = "10.244.7.9";
const PEER = "10.244.9.9";
const HOST = "192.168.100.1";
const WORLD = "1.1.1.1";

/** flannel's rules of iptables, as what they do. */
const FATES: readonly (readonly [string, Packet, string])[] = [
  ["own container to own", { source: OWN, destination: "10.244.7.8" }, "as it is"],
  ["own container to a peer's", { source: OWN, destination: PEER }, "as it is"],
  ["a peer's container to own", { source: PEER, destination: OWN }, "as it is"],
  ["the world to own container", { source: WORLD, destination: OWN }, "as it is"],
  ["own container to the world", { source: OWN, destination: WORLD }, "masquerade"],
  ["own container to a host", { source: OWN, destination: HOST }, "masquerade"],
  ["own container to a group", { source: OWN, destination: "224.0.0.5" }, "as it is"],
  [
    "the host's underlay address to a peer's container",
    { source: HOST, destination: PEER },
    "masquerade",
  ],
  [
    "the world through us to a peer's container",
    { source: WORLD, destination: PEER },
    "masquerade",
  ],
  ["what has nothing to do with us", { source: HOST, destination: WORLD }, "as it is"],
  ["what kube-proxy marked", { source: OWN, destination: WORLD, mark: 0x4000 }, "as it is"],
  [
    "what kube-proxy marked among others",
    { source: OWN, destination: WORLD, mark: 0xc001 },
    "as it is",
  ],
  ["what others marked", { source: OWN, destination: WORLD, mark: 0x8000 }, "masquerade"],
];

for (const [what, packet, expected] of FATES) {
  Deno.test(`masquerading: ${what} goes ${expected}`, () => {
    assert.equal(fate(packet), expected);
  });
}

Deno.test("--masq-exclude leaves its networks out, and nothing else", () => {
  assert.equal(fate({ source: OWN, destination: HOST }, ["192.168.0.0/16"]), "as it is");
  assert.equal(fate({ source: OWN, destination: WORLD }, ["192.168.0.0/16"]), "masquerade");
  // Who is outside of the overlay and goes into it is not meant.
  assert.equal(fate({ source: HOST, destination: PEER }, ["10.0.0.0/8"]), "masquerade");
});

Deno.test("without --ip-masq there is no chain of source NAT, and with it no other is gone", () => {
  const names = (masquerade: boolean, guard: boolean) =>
    wantedTable("ip", { masquerade, guard }).chains.map(({ name }) => name);
  assert.deepEqual(names(true, true), ["postrouting", "forward", "guard"]);
  assert.deepEqual(names(false, true), ["forward", "guard"]);
  assert.deepEqual(names(false, false), ["forward"]);
});

Deno.test("a table has the addresses of its own family alone", () => {
  const excluded = { masqueradeExcluded: ["172.16.0.0/12", "2001:db8::/33"] };
  const sets = (family: "ip" | "ip6") =>
    wantedTable(family, excluded).sets.map(({ elements }) => elements);
  assert.deepEqual(sets("ip"), [["10.244.0.0/16"], ["172.16.0.0/12"], [
    "192.168.100.2",
    "192.168.100.10",
  ]]);
  assert.deepEqual(sets("ip6"), [["fd00:1::/48"], ["2001:db8::/33"], ["fd00::2", "fd00::a"]]);
});

Deno.test("networks within others are left out, those side by side stay", () => {
  const networks = ["10.1.0.0/16", "10.0.0.0/8", "10.255.0.0/16", "9.0.0.0/8", "11.0.0.0/8"];
  assert.deepEqual(sortedNetworks(networks), ["9.0.0.0/8", "10.0.0.0/8", "11.0.0.0/8"]);
  assert.deepEqual(sortedNetworks(["10.0.0.0/16", "10.0.0.0/8", "10.0.0.0/8"]), ["10.0.0.0/8"]);
  assert.deepEqual(sortedNetworks(["fd00:1::/48", "fd00::/16", "::/1"]), ["::/1", "fd00::/16"]);
});

Deno.test("addresses are in the order of their numbers, each once", () => {
  assert.deepEqual(sortedAddresses(["10.0.0.10", "10.0.0.9", "9.255.0.1", "10.0.0.9"]), [
    "9.255.0.1",
    "10.0.0.9",
    "10.0.0.10",
  ]);
  const six = [
    "fd00::10",
    "fd00::9",
    "::1",
    "fd00:0:0:1::",
    "::ffff:10.0.0.1",
    "2001:db8::1:0:0:1",
  ];
  assert.deepEqual(sortedAddresses(six), [
    "::1",
    "::ffff:10.0.0.1",
    "2001:db8::1:0:0:1",
    "fd00::9",
    "fd00::10",
    "fd00:0:0:1::",
  ]);
});

const THERE: FirewallState = { kind: "ours", table: wantedTable("ip") };

Deno.test("what is there as wanted is left alone, whatever was counted and in whatever order", () => {
  const { table } = THERE as Extract<FirewallState, { kind: "ours" }>;
  const counted = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.map((rule) => rule.counted === null ? rule : { ...rule, counted: 7 }),
  }));
  const shuffled = { ...table, chains: counted.toReversed(), sets: table.sets.toReversed() };
  const plan = diffFirewall(wantedTable("ip"), { kind: "ours", table: shuffled });
  assert.deepEqual(plan, { operations: [], isForeign: false });
});

Deno.test("another subnet, network or port is another table, made in one piece", () => {
  for (
    const table of [
      wantedTable("ip", {}, { subnet: "10.244.8.0/24" }),
      wantedTable("ip", {}, { networks: ["10.244.0.0/16", "10.245.0.0/16"] }),
      wantedTable("ip", { port: 4789 }),
      wantedTable("ip", { masquerade: false }),
      wantedTable("ip", { guard: false }),
    ]
  ) {
    assert.deepEqual(diffFirewall(table, THERE).operations, [{ kind: "table-replace", table }]);
  }
});

Deno.test("a member is added and deleted by element", () => {
  const table = wantedTable("ip", {}, { members: ["192.168.100.2", "192.168.100.3"] });
  const common = { family: "ip", table: "gossamer_1", set: "members" };
  assert.deepEqual(diffFirewall(table, THERE).operations, [
    { kind: "elements-add", ...common, elements: ["192.168.100.3"] },
    { kind: "elements-delete", ...common, elements: ["192.168.100.10"] },
  ]);
});

Deno.test("after a start members that were not heard of yet stay, in a new table too", () => {
  const few = { members: ["192.168.100.3"] };
  const common = { family: "ip", table: "gossamer_1", set: "members" };
  assert.deepEqual(diffFirewall(wantedTable("ip", {}, few), THERE, true).operations, [
    { kind: "elements-add", ...common, elements: ["192.168.100.3"] },
  ]);
  const renumbered = wantedTable("ip", {}, { ...few, subnet: "10.244.8.0/24" });
  const [operation] = diffFirewall(renumbered, THERE, true).operations;
  assert(operation?.kind === "table-replace");
  const members = operation.table.sets.find(({ name }) => name === "members")?.elements;
  assert.deepEqual(members, ["192.168.100.3", "192.168.100.2", "192.168.100.10"]);
});

Deno.test("what somebody altered is made anew, what somebody else made is let be", () => {
  const table = wantedTable("ip");
  const altered: FirewallState = { kind: "altered", what: "it is dormant" };
  assert.deepEqual(diffFirewall(table, altered).operations, [{ kind: "table-replace", table }]);
  assert.deepEqual(diffFirewall(table, { kind: "foreign" }), { operations: [], isForeign: true });
  assert.deepEqual(diffNoFirewall("ip", "gossamer_1", { kind: "foreign" }), {
    operations: [],
    isForeign: true,
  });
  assert.deepEqual(diffNoFirewall("ip", "gossamer_1", { kind: "absent" }).operations, []);
  for (const state of [THERE, altered]) {
    assert.deepEqual(diffNoFirewall("ip", "gossamer_1", state).operations, [
      { kind: "table-delete", family: "ip", name: "gossamer_1" },
    ]);
  }
});

Deno.test("the facts of a family are its own", () => {
  assert.equal(networkContains("10.0.0.0/8", "fd00::1"), false);
  assert.equal(networkContains(FACTS.ip6.networks[0] ?? "", FACTS.ip6.subnet), true);
  assert.equal(networkContains(FACTS.ip6.subnet, FACTS.ip6.networks[0] ?? ""), false);
});
