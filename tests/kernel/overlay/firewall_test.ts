/** Our table in the real nf_tables: as `nft` reads it, changed by others, restored, taken away. */
import { strict as assert } from "node:assert";
import { NetlinkError } from "../../../ffi/netlink/error.ts";
import { elementsDeleteRequests } from "../../../ffi/nftables/set.ts";
import { openNftables } from "../../../ffi/nftables/socket.ts";
import { tableAddRequest, tableDeleteRequest } from "../../../ffi/nftables/table.ts";
import type { AddressFamily, FirewallTable } from "../../../mod/base/firewall_objects.ts";
import { diffFirewall, diffNoFirewall } from "../../../mod/overlay/firewall_diff.ts";
import { sortedAddresses } from "../../../mod/overlay/firewall_elements.ts";
import { firewallTableText } from "../../../mod/overlay/firewall_text.ts";
import { wantedTable } from "../../support/firewall.ts";
import { type FirewallHost, firewallTest, NAME } from "./firewall_host.ts";

const FAMILIES = ["ip", "ip6"] as const;

/** A dump has addresses in the order of their texts. */
function inOrder(table: FirewallTable): FirewallTable {
  const sets = table.sets.map((set) =>
    set.hasNetworks ? set : { ...set, elements: sortedAddresses(set.elements) }
  );
  return { ...table, sets };
}

/** nft begins a new line after some elements of a set, how many depends on its version. */
function unwrapped(text: string): string {
  return text.replaceAll(/,\s+/g, ", ");
}

const VARIANTS: readonly (readonly [string, (family: AddressFamily) => FirewallTable])[] = [
  ["everything", (family) =>
    wantedTable(family, {
      masqueradeExcluded: [
        "192.168.0.0/17",
        "10.0.0.0/8",
        "255.0.0.0/8",
        "2001:db8::/33",
        "ffff::/16",
      ],
    })],
  ["several networks side by side", (family) =>
    wantedTable(family, {}, {
      networks: ["10.244.0.0/16", "10.245.0.0/16", "10.240.0.0/13", "fd00:1::/48", "fd00:2::/47"],
    })],
  ["the least", (family) => wantedTable(family, { masquerade: false, guard: false })],
  ["no member", (family) => wantedTable(family, { vni: 1 }, { members: [] })],
];

for (const family of FAMILIES) {
  for (const [what, table] of VARIANTS) {
    firewallTest(
      `${family}, ${what}: nft prints the table as intended, a dump gives it back`,
      (host) => {
        const wanted = table(family);
        host.apply(wanted);
        assert.equal(unwrapped(host.nft("-s list ruleset")), firewallTableText(wanted));
        const state = host.dump(family);
        assert(state.kind === "ours");
        assert.deepEqual(inOrder(state.table), wanted);
        assert.deepEqual(diffFirewall(wanted, state).operations, []);
      },
    );
  }

  firewallTest(`${family}: nft itself makes the same of our text`, (host) => {
    const wanted = wantedTable(family, { masqueradeExcluded: ["192.168.0.0/17", "2001:db8::/33"] });
    host.script(firewallTableText(wanted));
    assert.deepEqual(diffFirewall(wanted, host.dump(family)).operations, []);
  });
}

/** After `harm`, one pass must bring back exactly what was there. */
function healsAfter(what: string, ...harm: readonly string[]): void {
  for (const family of FAMILIES) {
    firewallTest(`${family}, healed in one pass: ${what}`, (host) => {
      const wanted = wantedTable(family, {
        masqueradeExcluded: ["192.168.0.0/17", "2001:db8::/33"],
      });
      host.apply(wanted);
      const other = `${family} other`;
      host.nft(`add table ${other}`);
      const before = host.nft("-s list ruleset");
      for (const command of harm) {
        const handle = /rule-handle/.test(command) ? handleOf(host, family) : "";
        host.nft(command.replace("FAMILY", family).replace("rule-handle", handle));
      }
      assert.notEqual(host.nft("-s list ruleset"), before, "the harm was done");
      const plan = diffFirewall(wanted, host.dump(family));
      assert.notDeepEqual(plan.operations, []);
      host.firewall.apply(plan.operations);
      assert.equal(
        host.nft(`-s list table ${family} ${NAME}`),
        before.slice(0, before.indexOf(`table ${other}`)),
      );
      assert.match(host.nft("list tables"), new RegExp(`^table ${other}$`, "m"));
      assert.deepEqual(diffFirewall(wanted, host.dump(family)).operations, []);
    });
  }
}

function handleOf(host: FirewallHost, family: AddressFamily): string {
  const text = host.nft(`-a list chain ${family} ${NAME} postrouting`);
  return /masquerade .*# handle (\d+)/.exec(text)?.[1] ?? "";
}

healsAfter("the table deleted", `delete table FAMILY ${NAME}`);
healsAfter("a chain emptied", `flush chain FAMILY ${NAME} postrouting`);
healsAfter("a rule deleted", `delete rule FAMILY ${NAME} postrouting handle rule-handle`);
healsAfter("a rule put before the others", `insert rule FAMILY ${NAME} postrouting accept`);
healsAfter(
  "a rule that gossamer never writes",
  `add rule FAMILY ${NAME} forward meta skuid 0 drop`,
);
healsAfter("a chain more", `add chain FAMILY ${NAME} mine`);
healsAfter("a set more", `add set FAMILY ${NAME} mine { type inet_service ; }`);
healsAfter("the members gone", `flush set FAMILY ${NAME} members`);
healsAfter("a network gone", `flush set FAMILY ${NAME} networks`);
healsAfter("the table switched off", `add table FAMILY ${NAME} { flags dormant ; }`);
healsAfter("a policy of drop", `add chain FAMILY ${NAME} forward { policy drop ; }`);

firewallTest("a member that a stranger added goes, and members are changed in place", (host) => {
  const wanted = wantedTable("ip");
  host.apply(wanted);
  host.nft(`add element ip ${NAME} members { 6.6.6.6 }`);
  const plan = diffFirewall(wanted, host.dump("ip"));
  assert.deepEqual(plan.operations.map(({ kind }) => kind), ["elements-delete"]);
  host.firewall.apply(plan.operations);
  assert.deepEqual(diffFirewall(wanted, host.dump("ip")).operations, []);
  assert.deepEqual(
    diffFirewall(wantedTable("ip", {}, { members: ["1.1.1.1"] }), host.dump("ip"))
      .operations.map(({ kind }) => kind),
    ["elements-add", "elements-delete"],
  );
});

firewallTest("a table of our name that somebody else made stays as it is", (host) => {
  host.nft(`add table ip ${NAME}`);
  const before = host.nft("list ruleset");
  assert.deepEqual(diffFirewall(wantedTable("ip"), host.dump("ip")), {
    operations: [],
    isForeign: true,
  });
  assert.deepEqual(diffNoFirewall("ip", NAME, host.dump("ip")).operations, []);
  assert.equal(host.nft("list ruleset"), before);
});

firewallTest("a transaction does all of it or nothing, and says what was refused", (host) => {
  const wanted = wantedTable("ip");
  host.apply(wanted);
  const before = host.nft("list ruleset");
  const socket = host.host.run(() => openNftables());
  const set = { table: { family: "ip", name: NAME }, name: "members" } as const;
  assert.throws(
    () =>
      socket.transact([
        tableAddRequest({ family: "ip", name: "half" }, ""),
        tableDeleteRequest(wanted),
        ...elementsDeleteRequests(set, [{ address: "6.6.6.6", isEnd: false }]),
        tableAddRequest({ family: "ip", name: "another" }, ""),
      ]),
    (error) =>
      error instanceof NetlinkError && error.code === "ENOENT" && /element delete/.test(error.op),
  );
  assert.equal(host.nft("list ruleset"), before);
  // The socket is as good as new.
  socket.transact([tableAddRequest({ family: "ip", name: "half" }, "")]);
  socket.close();
  assert.match(host.nft("list tables"), /^table ip half$/m);
});

firewallTest("5,000 members of either family are one transaction each", (host) => {
  const members = Array.from(
    { length: 5_000 },
    (_, at) => [`10.${1 + (at >> 8)}.${at & 255}.1`, `fd00::${(at + 1).toString(16)}`],
  ).flat();
  for (const family of FAMILIES) {
    const wanted = wantedTable(family, {}, { members });
    host.apply(wanted);
    assert.deepEqual(diffFirewall(wanted, host.dump(family)).operations, []);
    const fewer = wantedTable(family, {}, { members: members.slice(20) });
    host.apply(fewer);
    assert.deepEqual(diffFirewall(fewer, host.dump(family)).operations, []);
  }
}, false);

firewallTest("whoever watches hears of others' changes, and whose table it was", async (host) => {
  let heard: boolean[] = [];
  let woken = Promise.withResolvers<void>();
  const stop = host.host.run(() =>
    host.firewall.watch(NAME, (isOurs) => {
      heard.push(isOurs);
      woken.resolve();
      woken = Promise.withResolvers();
    })
  );
  host.apply(wantedTable("ip")); // our own change, of which nobody need hear
  let next = woken.promise;
  host.nft("add table ip other");
  await next;
  assert.deepEqual(heard, [false]);
  heard = [];
  next = woken.promise;
  host.nft(`flush set ip ${NAME} members`);
  await next;
  assert.deepEqual(heard, [true]);
  stop();
});
